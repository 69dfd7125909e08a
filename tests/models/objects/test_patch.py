"""The three kinds of patch."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects import (
    PatchError,
    PatchTestFailed,
    json_patch,
    merge_patch,
    strategic_merge_patch,
)


@pytest.mark.parametrize(
    ("tree", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_follows_the_rfc(
    tree: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    """RFC 7386, appendix A."""
    assert merge_patch(tree, patch) == result


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A pod's tree."""
    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": list(containers), **spec}}


A = {"name": "a", "image": "1"}
B = {"name": "b", "image": "1"}


def containers_after(patch: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    """The containers of a pod with a and b."""
    result: list[dict[str, Any]] = strategic_merge_patch(pod(A, B), {"spec": {"containers": patch, **more}})[
        "spec"
    ]["containers"]
    return result


def test_lists_with_a_merge_key_merge_item_by_item() -> None:
    """What kubectl set image relies on. New items come first: their place is the patch's to say, and it says none."""
    assert containers_after([{"name": "b", "image": "2"}]) == [A, {"name": "b", "image": "2"}]
    assert containers_after([{"name": "c"}]) == [{"name": "c"}, A, B]


def test_directives_delete_and_replace() -> None:
    """strategicpatch/patch.go: $patch."""
    assert containers_after([{"name": "a", "$patch": "delete"}]) == [B]
    assert containers_after([{"$patch": "replace"}, {"name": "c"}]) == [{"name": "c"}]
    replaced = strategic_merge_patch(
        pod(A, nodeSelector={"x": "y"}), {"spec": {"$patch": "replace", "hostname": "h"}}
    )
    assert replaced["spec"] == {"hostname": "h"}
    with pytest.raises(PatchError, match="unknown patch type"):
        strategic_merge_patch(pod(A), {"spec": {"$patch": "melt"}})


def test_the_order_of_elements_can_be_set() -> None:
    """What kubectl apply sends; the server's own items stay where they were."""
    order = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}

    assert containers_after([{"name": "a", "image": "2"}], **order) == [B, {"name": "a", "image": "2"}]
    assert strategic_merge_patch(pod(A, B), {"spec": order})["spec"]["containers"] == [B, A]


def test_lists_without_a_merge_key_are_replaced_and_primitive_ones_join() -> None:
    """tolerations have none; finalizers merge as a set."""
    replaced = strategic_merge_patch(
        pod(tolerations=[{"key": "x"}]), {"spec": {"tolerations": [{"key": "y"}]}}
    )
    tree = {**pod(A), "metadata": {"finalizers": ["a/b"]}}
    joined = strategic_merge_patch(tree, {"metadata": {"finalizers": ["a/b", "c/d"]}})
    left = strategic_merge_patch(tree, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"]}})

    assert replaced["spec"]["tolerations"] == [{"key": "y"}]
    assert joined["metadata"]["finalizers"] == ["a/b", "c/d"]
    assert left["metadata"]["finalizers"] == []


def test_retain_keys_drops_the_others() -> None:
    """How a Deployment's strategy changes from RollingUpdate to Recreate."""
    tree = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}},
    }

    changed = strategic_merge_patch(
        tree, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    )

    assert changed["spec"]["strategy"] == {"type": "Recreate"}


def test_a_patch_changes_nothing_that_was_given() -> None:
    """Trees may be shared."""
    tree, patch = pod(A), {"spec": {"containers": [{"name": "a", "image": "2"}]}}

    strategic_merge_patch(tree, patch)
    merge_patch(tree, patch)
    json_patch(tree, [{"op": "remove", "path": "/spec"}])

    assert tree == pod({"name": "a", "image": "1"})
    assert patch == {"spec": {"containers": [{"name": "a", "image": "2"}]}}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/b", "value": 1}, {"a": [1, 2], "b": 1}),
        ({"op": "add", "path": "/a/1", "value": 9}, {"a": [1, 9, 2]}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9]}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"op": "replace", "path": "/a", "value": {}}, {"a": {}}),
        ({"op": "move", "from": "/a/0", "path": "/b"}, {"a": [2], "b": 1}),
        ({"op": "copy", "from": "/a", "path": "/c~1d"}, {"a": [1, 2], "c/d": [1, 2]}),
        ({"op": "test", "path": "/a", "value": [1, 2]}, {"a": [1, 2]}),
    ],
)
def test_json_patch_follows_the_rfc(operation: dict[str, Any], result: dict[str, Any]) -> None:
    """RFC 6902."""
    assert json_patch({"a": [1, 2]}, [operation]) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/x"},
        {"op": "replace", "path": "/x/y", "value": 1},
        {"op": "replace", "path": "/a/2", "value": 1},
        {"op": "add", "path": "/a/7", "value": 1},
        {"op": "add", "path": "", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "melt", "path": "/a"},
        {"op": "move", "path": "/b"},
        {"op": "test", "path": "/a/0", "value": True},
    ],
)
def test_json_patch_refuses_what_does_not_apply(operation: dict[str, Any]) -> None:
    """All or nothing."""
    with pytest.raises(PatchError):
        json_patch({"a": [1, 2]}, [operation])


def test_a_failed_test_is_told_apart() -> None:
    """The server answers it with 422."""
    with pytest.raises(PatchTestFailed, match="testing value /a failed"):
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])
