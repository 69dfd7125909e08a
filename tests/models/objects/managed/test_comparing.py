"""Which fields a tree has, and which differ."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects.managed.comparing import check_shape, compare, fields_of
from chaoskube.models.objects.managed.field_set import FieldSet, Path
from chaoskube.models.objects.managed.shapes import DEDUCED, ShapeError, root_of

Tree = dict[str, Any]
POD = root_of("v1", "Pod") or {}
NAMES = st.sampled_from(["a", "b", "c"])
WORDS = st.sampled_from(["1", "2"])
CONTAINERS: st.SearchStrategy[list[Tree]] = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            "image": WORDS,
            "args": st.lists(WORDS, max_size=2),
            "ports": st.lists(
                st.fixed_dictionaries({"containerPort": st.integers(1, 3)}, optional={"name": WORDS}),
                unique_by=lambda port: port["containerPort"],
                max_size=2,
            ),
        },
    ),
    unique_by=lambda container: container["name"],
    max_size=3,
)
PODS: st.SearchStrategy[Tree] = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"generateName": WORDS},
            optional={
                "labels": st.dictionaries(NAMES, WORDS, min_size=1),
                "finalizers": st.lists(WORDS, unique=True),
            },
        ),
        "spec": st.fixed_dictionaries(
            {"containers": CONTAINERS},
            optional={"hostname": WORDS, "nodeSelector": st.dictionaries(NAMES, WORDS)},
        ),
    }
)


def text(fields: FieldSet) -> list[str]:
    """Members in short: the last two steps of each path."""
    return [" ".join(path[-2:]) for path in fields.paths()]


def test_fields_of_a_pod() -> None:
    """Items and keys are fields; what is whole has no parts; an empty mapping is a field."""
    pod = {
        "metadata": {"labels": {"a": "1"}, "finalizers": ["x"]},
        "spec": {
            "containers": [{"name": "a", "args": ["1"]}],
            "nodeSelector": {"z": "1"},
            "securityContext": {},
        },
    }

    assert sorted(text(fields_of(pod, POD))) == [
        'f:containers k:{"name":"a"}',
        'f:finalizers v:"x"',
        "f:labels f:a",
        "f:spec f:nodeSelector",
        "f:spec f:securityContext",
        'k:{"name":"a"} f:args',
        'k:{"name":"a"} f:name',
    ]


def test_an_empty_list_is_no_field_and_an_empty_mapping_is() -> None:
    """Recorded: containers: [] makes a manager go, data: {} makes it stay."""
    config = root_of("v1", "ConfigMap") or {}

    assert text(fields_of({"data": {}}, config)) == ["f:data"]
    assert not fields_of({"spec": {"containers": []}}, POD)


@given(PODS, PODS)
def test_comparing_agrees_with_the_fields_of_both(old: Tree, new: Tree) -> None:
    """Added: only the new one's. Removed: only the old one's. Modified: both have it. Nothing in two sets."""
    difference = compare(old, new, POD)
    before, after = set(fields_of(old, POD).paths()), set(fields_of(new, POD).paths())
    added, removed, modified = (
        set(one.paths()) for one in (difference.added, difference.removed, difference.modified)
    )

    assert not added & removed and not added & modified and not removed & modified
    assert not added & before and not removed & after
    assert {path for path in after - before if is_leaf(path, after)} <= added | modified
    assert {path for path in before - after if is_leaf(path, before)} <= removed | modified
    assert (not added and not removed and not modified) == same_but_for_order(old, new)


@given(PODS, PODS)
def test_comparing_the_other_way_round_is_the_opposite(old: Tree, new: Tree) -> None:
    """Symmetry."""
    one, other = compare(old, new, POD), compare(new, old, POD)

    assert (one.added, one.removed, one.modified) == (other.removed, other.added, other.modified)


def is_leaf(path: Path, paths: set[Path]) -> bool:
    """Whether nothing is below a path."""
    return not any(other[: len(path)] == path and other != path for other in paths)


def same_but_for_order(old: Tree, new: Tree) -> bool:
    """Keyed lists and sets have no order."""

    def sort(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: sorted((sort(one) for one in inner), key=str)
                if name in ("containers", "ports", "finalizers")
                else sort(inner)
                for name, inner in value.items()
            }
        return value

    return bool(sort(old) == sort(new))


def test_two_items_with_one_key_are_one_field() -> None:
    """Duplicates that got in by an update: compared as one."""
    twice = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "a", "image": "2"}]}}
    once = {"spec": {"containers": [{"name": "a", "image": "1"}]}}

    assert text(compare(once, twice, POD).added) == ['f:containers k:{"name":"a"}']
    assert 'f:containers k:{"name":"a"}' in text(compare(twice, once, POD).removed)
    assert not compare(twice, twice, POD).taken


def test_a_type_that_changed_is_removed_and_set() -> None:
    """Without a schema a mapping may become a text."""
    difference = compare({"a": {"b": 1}}, {"a": "x"}, DEDUCED)

    assert text(difference.removed) == ["f:a f:b"] and text(difference.modified) == ["f:a"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"nope": 1}, ".spec.nope: field not declared in schema"),
        (
            {"hostname": 5},
            ".spec.hostname: expected string, got &value.valueUnstructured{Value:5}",
        ),
        (
            {"activeDeadlineSeconds": "x"},
            ".spec.activeDeadlineSeconds: expected numeric (int or float), got string",
        ),
        ({"hostNetwork": "yes"}, '.spec.hostNetwork: expected boolean, got &{"yes"}'),
        ({"containers": {"a": 1}}, ".spec.containers: expected list, got &{"),
        ({"containers": [{"image": "x"}, {"image": "y"}]}, 'duplicate entries for key [name=""]'),
        (
            {"containers": ["x"]},
            ".spec.containers: element 0: associative list with keys may not have non-map",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_the_real_words(spec: Tree, said: str) -> None:
    """typed/validate.go; the API server answers it with 500."""
    with pytest.raises(ShapeError) as caught:
        check_shape({"spec": spec}, POD)

    assert said in str(caught.value)


def test_several_errors_are_listed() -> None:
    """typed/helpers.go, ValidationErrors."""
    with pytest.raises(ShapeError, match=r"errors:\n  \.spec\.hostname.*\n  \.spec\.subdomain"):
        check_shape({"spec": {"hostname": 1, "subdomain": 2}}, POD)
