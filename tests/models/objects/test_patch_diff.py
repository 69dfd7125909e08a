"""Three-way and two-way patches: what kubectl's apply sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.objects import PatchError, merge_patch, strategic_merge_patch
from chaoskube.models.objects.patch_diff import (
    json_merge_diff,
    strategic_diff,
    two_way_json_diff,
    two_way_strategic_diff,
)

Tree = dict[str, Any]


def pod(**spec: Any) -> Tree:
    """A pod's tree."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def deployment(**spec: Any) -> Tree:
    """A deployment's tree."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


def test_what_is_the_same_needs_no_patch() -> None:
    """kubectl prints `unchanged` for {}."""
    same = pod(containers=[{"name": "a", "image": "1"}])

    assert strategic_diff(same, same, same) == {}
    assert json_merge_diff(same, same, same) == {}


def test_what_only_the_server_has_stays() -> None:
    """Defaults, an autoscaler's replicas, other managers' containers."""
    applied = pod(containers=[{"name": "a", "image": "1"}])
    live = pod(containers=[{"name": "a", "image": "1", "tty": True}, {"name": "side"}], nodeName="n")

    assert strategic_diff(applied, applied, live) == {
        "spec": {"$setElementOrder/containers": [{"name": "a"}]}
    }
    patch = strategic_diff(applied, applied, live)
    assert strategic_merge_patch(live, patch) == live


def test_what_was_applied_and_is_left_out_is_deleted() -> None:
    """Fields by null, items by $patch, primitives by a list of their own."""
    before = pod(hostname="h", containers=[{"name": "a"}, {"name": "b"}])
    before["metadata"]["finalizers"] = ["x/y", "z/z"]
    after = pod(containers=[{"name": "a"}])
    after["metadata"]["finalizers"] = ["z/z"]

    patch = strategic_diff(before, after, before)

    assert patch == {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["x/y"],
            "$setElementOrder/finalizers": ["z/z"],
        },
        "spec": {
            "hostname": None,
            "containers": [{"name": "b", "$patch": "delete"}],
            "$setElementOrder/containers": [{"name": "a"}],
        },
    }
    assert strategic_merge_patch(before, patch) == after


def test_what_somebody_else_deleted_is_deleted_once_more() -> None:
    """The patch is made of the last applied configuration: it doesn't look whether the field is still there."""
    assert strategic_diff(pod(hostname="h"), pod(), pod()) == {"spec": {"hostname": None}}


def test_a_union_keeps_only_the_fields_of_its_new_kind() -> None:
    """RollingUpdate to Recreate: the server's default rollingUpdate must go, though nobody applied it."""
    before = deployment(strategy={"type": "RollingUpdate"})
    live = deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}})
    after = deployment(strategy={"type": "Recreate"})

    patch = strategic_diff(before, after, live)

    assert patch == {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge_patch(live, patch) == after


def test_new_order_alone_is_a_patch() -> None:
    """Lists that merge have an order, and the file's counts."""
    one, other = {"name": "a"}, {"name": "b"}

    patch = two_way_strategic_diff(pod(containers=[one, other]), pod(containers=[other, one]))

    assert patch == {"spec": {"$setElementOrder/containers": [other, one]}}


def test_a_list_without_merge_key_is_sent_whole() -> None:
    """tolerations, args, anything atomic."""
    patch = two_way_strategic_diff(
        pod(tolerations=[{"key": "x"}]), pod(tolerations=[{"key": "x"}, {"key": "y"}])
    )

    assert patch == {"spec": {"tolerations": [{"key": "x"}, {"key": "y"}]}}


def test_an_unknown_kind_needs_a_json_merge_patch() -> None:
    """The API server refuses strategic patches of custom resources."""
    with pytest.raises(PatchError, match="use a JSON merge patch"):
        two_way_strategic_diff({}, {"apiVersion": "x/v1", "kind": "Y"})


def test_an_item_without_its_merge_key_is_refused() -> None:
    """Nobody could say which one it is."""
    with pytest.raises(PatchError, match="does not contain declared merge key: name"):
        two_way_strategic_diff(pod(containers=[{"name": "a"}]), pod(containers=[{"image": "i"}]))


def test_json_three_way_replaces_lists_and_deletes_by_null() -> None:
    """Custom kinds have no merge keys."""
    before = {"spec": {"a": 1, "list": [1], "gone": {"x": 1}}}
    after = {"spec": {"a": 2, "list": [1, 2]}}
    live = {"spec": {"a": 1, "list": [1], "gone": {"x": 1}, "own": True}, "status": {"s": 1}}

    patch = json_merge_diff(before, after, live)

    assert patch == {"spec": {"a": 2, "list": [1, 2], "gone": None}}
    assert merge_patch(live, patch) == {"spec": {**after["spec"], "own": True}, "status": {"s": 1}}


NAMES = st.sampled_from(["a", "b", "c", "d"])
WORDS = st.sampled_from(["1", "2", "3"])
ENV = st.lists(
    st.fixed_dictionaries({"name": NAMES}, optional={"value": WORDS}), unique_by=lambda e: e["name"]
)
CONTAINERS: st.SearchStrategy[list[Any]] = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            "image": WORDS,
            "env": ENV,
            "args": st.lists(WORDS, max_size=3),
            "resources": st.fixed_dictionaries({}, optional={"limits": st.dictionaries(NAMES, WORDS)}),
        },
    ),
    unique_by=lambda container: str(container["name"]),
    max_size=4,
)
PODS = st.builds(
    lambda spec, labels, finalizers: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", **({"labels": labels} if labels else {}), **finalizers},
        "spec": spec,
    },
    st.fixed_dictionaries(
        {"containers": CONTAINERS},
        optional={"hostname": WORDS, "nodeSelector": st.dictionaries(NAMES, WORDS, min_size=1)},
    ),
    st.dictionaries(NAMES, WORDS),
    st.fixed_dictionaries({}, optional={"finalizers": st.lists(WORDS, unique=True, min_size=1)}),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-3, 3) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(PODS, PODS)
def test_a_two_way_patch_makes_one_of_the_other(before: Tree, after: Tree) -> None:
    """The definition of a diff, and order counts."""
    patch = two_way_strategic_diff(before, after)

    assert strategic_merge_patch(before, patch) == after
    assert (patch == {}) == (before == after)


@given(PODS, PODS)
def test_applying_to_what_nobody_touched_gives_what_was_wanted(before: Tree, after: Tree) -> None:
    """original == current: the three-way patch is a two-way patch."""
    assert strategic_merge_patch(before, strategic_diff(before, after, before)) == after


@given(PODS, PODS, PODS)
def test_applying_twice_is_applying_once(original: Tree, modified: Tree, current: Tree) -> None:
    """After an apply the file is what was applied last; the next patch changes nothing."""
    once = strategic_merge_patch(current, strategic_diff(original, modified, current))

    again = strategic_diff(modified, modified, once)

    assert strategic_merge_patch(once, again) == once


@given(
    st.dictionaries(NAMES, JSON, max_size=4),
    st.dictionaries(NAMES, JSON, max_size=4),
    st.dictionaries(NAMES, JSON, max_size=4),
)
def test_json_merge_patches_do_what_they_are_made_for(original: Tree, modified: Tree, current: Tree) -> None:
    """Two-way: makes one of the other. Three-way: what is wanted is there, what was dropped is gone."""
    assert merge_patch(original, two_way_json_diff(original, modified)) == modified
    result = merge_patch(current, json_merge_diff(original, modified, current))

    assert all(name in result for name in modified)
    assert all(name not in result for name in original if name not in modified)
    assert all(name in result for name in current if name not in original)
    assert json_merge_diff(modified, modified, result) == {}
