"""Sets of fields: algebra, FieldsV1, paths in messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects.managed.field_set import (
    NOTHING,
    FieldSet,
    Path,
    key_element,
    name_element,
    of_paths,
    path_text,
    value_element,
)

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"1"', "v:1"])
PATHS = st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple)
LISTS = st.lists(PATHS, max_size=8)


def members(fields: FieldSet) -> set[Path]:
    """The naive reference: a plain set of paths."""
    return set(fields.paths())


@given(LISTS, LISTS)
def test_operations_are_those_of_plain_sets(one: list[Path], other: list[Path]) -> None:
    """A parent and its child are members independently."""
    left, right = of_paths(*one), of_paths(*other)

    assert members(left) == set(one)
    assert members(left.union(right)) == set(one) | set(other)
    assert members(left.intersection(right)) == set(one) & set(other)
    assert members(left.difference(right)) == set(one) - set(other)
    below = {path for path in one if any(path[: len(stem)] == stem for stem in other)}
    assert members(left.without(right)) == set(one) - below
    assert bool(left) == bool(one)


@given(LISTS, LISTS)
def test_equal_sets_are_equal_however_they_were_made(one: list[Path], other: list[Path]) -> None:
    """No empty branches are left behind."""
    left, right = of_paths(*one), of_paths(*other)

    assert left.union(right) == right.union(left) == of_paths(*other, *one)
    assert left.union(right).difference(right) == of_paths(*[path for path in one if path not in other])
    assert left.difference(left) == NOTHING


@given(LISTS)
def test_fields_v1_is_read_as_it_was_written(paths: list[Path]) -> None:
    """What is stored in metadata.managedFields comes back."""
    fields = of_paths(*paths)

    assert FieldSet.decode(fields.encode()) == fields
    assert all(fields.has(path) for path in paths)


@pytest.mark.parametrize(
    ("tree", "paths"),
    [
        ({"f:data": {"f:a": {}, "f:b": {}}}, [("f:data", "f:a"), ("f:data", "f:b")]),
        ({"f:labels": {".": {}, "f:a": {}}}, [("f:labels",), ("f:labels", "f:a")]),
        ({"f:list": {'k:{"b":1,"a":"x"}': {".": {}}}}, [("f:list", 'k:{"a":"x","b":1}')]),
        (
            {"f:set": {'v:"x"': {}, "v:1": {}, "v:true": {}}},
            [("f:set", 'v:"x"'), ("f:set", "v:1"), ("f:set", "v:true")],
        ),
        ({"z:future": {}, "f:a": {}}, [("f:a",)]),
        ({}, []),
    ],
)
def test_fields_v1_in_detail(tree: dict[str, Any], paths: list[Path]) -> None:
    """fieldpath/serialize.go: a dot is the parent itself, unknown kinds of elements are dropped, keys are sorted."""
    assert members(FieldSet.decode(tree)) == set(paths)


@pytest.mark.parametrize("tree", [{"fdata": {}}, {"k:[1]": {}}, {"f:a": 1}, {"k:{": {}}, {"i:x": {}}])
def test_malformed_fields_are_refused(tree: dict[str, Any]) -> None:
    """An update that carries them keeps the managers of the live object."""
    with pytest.raises(ValueError, match=r"."):
        FieldSet.decode(tree)


def test_paths_read_as_in_messages() -> None:
    """As conflicts name them."""
    container = key_element({"name": "app"})
    port = key_element({"protocol": "TCP", "containerPort": 80})

    assert (
        path_text((name_element("spec"), name_element("containers"), container))
        == '.spec.containers[name="app"]'
    )
    assert path_text((port,)) == '[containerPort=80,protocol="TCP"]'
    assert path_text((name_element("finalizers"), value_element("x"))) == '.finalizers[="x"]'
    assert path_text(("i:3",)) == "[3]"
