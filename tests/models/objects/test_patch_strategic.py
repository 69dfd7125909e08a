"""Strategic merge in detail: directives, order, nulls, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects import strategic_merge_patch
from chaoskube.models.objects.patch import BadPatchFormat, ListOfLists, PatchError

Tree = dict[str, Any]


def pod(**spec: Any) -> Tree:
    """A pod's tree."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def after(before: Tree, **patch: Any) -> Tree:
    """A pod's spec after a patch of it."""
    result: Tree = strategic_merge_patch(pod(**before), {"spec": patch})["spec"]
    return result


def names(*texts: str) -> list[Tree]:
    """Containers."""
    return [{"name": text} for text in texts]


@pytest.mark.parametrize(
    ("before", "patch", "result"),
    [
        ({"hostname": "h"}, {"hostname": None}, {}),
        ({}, {"hostname": None}, {}),
        ({}, {"securityContext": {"runAsUser": None, "fsGroup": 1}}, {"securityContext": {"fsGroup": 1}}),
        ({}, {"securityContext": {"$patch": "delete"}}, {}),
        (
            {"securityContext": {"fsGroup": 1}},
            {"securityContext": {"$patch": "delete"}},
            {"securityContext": {}},
        ),
        (
            {"securityContext": {"fsGroup": 1}},
            {"securityContext": {"$patch": "replace", "runAsUser": 2}},
            {"securityContext": {"runAsUser": 2}},
        ),
        ({"nodeSelector": {"a": "1"}}, {"nodeSelector": {"b": "2"}}, {"nodeSelector": {"a": "1", "b": "2"}}),
        (
            {"containers": names("a")},
            {"containers": [{"name": "a", "args": ["x"]}]},
            {"containers": [{"name": "a", "args": ["x"]}]},
        ),
        (
            {"containers": [{"name": "a", "args": ["x"]}]},
            {"containers": [{"name": "a", "args": ["y"]}]},
            {"containers": [{"name": "a", "args": ["y"]}]},
        ),
        (
            {"containers": names("a", "b")},
            {"containers": [{"name": "a", "$patch": "delete"}, {"name": "c"}]},
            {"containers": names("c", "b")},
        ),
        ({}, {"containers": [{"name": "a", "$patch": "delete"}, {"name": "c"}]}, {"containers": names("c")}),
        (
            {"containers": names("a", "b", "c")},
            {"$setElementOrder/containers": names("c", "a")},
            {"containers": names("b", "c", "a")},
        ),
        (
            {"containers": names("a")},
            {"containers": names("b"), "$setElementOrder/containers": names("b", "a")},
            {"containers": names("b", "a")},
        ),
    ],
)
def test_what_a_patch_makes(before: Tree, patch: Tree, result: Tree) -> None:
    """strategicpatch/patch.go, mergeMap and its helpers."""
    assert after(before, **patch) == result


def test_ports_merge_by_their_number_though_their_protocol_tells_them_apart() -> None:
    """The well-known trap: patchMergeKey is containerPort alone (kubernetes#39188)."""
    both = [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]
    before = {"containers": [{"name": "a", "ports": both}]}

    changed = after(before, containers=[{"name": "a", "ports": [{"containerPort": 53, "name": "dns"}]}])

    assert changed["containers"][0]["ports"] == [{**both[0], "name": "dns"}, both[1]]


@pytest.mark.parametrize(
    ("before", "patch", "error", "said"),
    [
        ({}, {"$patch": "merge"}, PatchError, "unknown patch type: merge in map: map[$patch:merge]"),
        (
            {"containers": names("a")},
            {"containers": [{"image": "x"}]},
            PatchError,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            {"containers": names("a")},
            {"containers": ["x"]},
            PatchError,
            "list element types are not identical",
        ),
        ({"containers": names("a")}, {"containers": [["x"], {"name": "b"}]}, PatchError, "not identical"),
        (
            {"containers": names("a")},
            {"containers": [{"name": "a", "$patch": "merge"}]},
            PatchError,
            "cannot yet",
        ),
        (
            {"hostname": "h"},
            {"$retainKeys": "hostname"},
            BadPatchFormat,
            "invalid patch format of retainKeys",
        ),
        ({}, {"$retainKeys": ["a"], "hostname": "h"}, BadPatchFormat, "invalid patch format of retainKeys"),
        (
            {},
            {"$setElementOrder/containers": "a"},
            PatchError,
            "expected a []interface {}, but received a string",
        ),
        (
            {"containers": names("a")},
            {"containers": names("a", "b"), "$setElementOrder/containers": names("b", "a")},
            PatchError,
            "doesn't match $setElementOrder list",
        ),
        (
            {},
            {"$setElementOrder/nope": []},
            PatchError,
            'unable to find api field in struct PodSpec for the json field "nope"',
        ),
    ],
)
def test_what_a_patch_may_not_say(before: Tree, patch: Tree, error: type[PatchError], said: str) -> None:
    """mergepatch/errors.go."""
    with pytest.raises(error) as caught:
        after(before, **patch)

    assert said in str(caught.value)


def test_lists_of_lists_are_a_refusal_of_their_own() -> None:
    """The API server answers it with 422."""
    tree = {**pod(), "metadata": {"finalizers": ["a"]}}
    with pytest.raises(ListOfLists):
        strategic_merge_patch(
            {**tree, "metadata": {"finalizers": [["a"]]}}, {"metadata": {"finalizers": [["b"]]}}
        )


def test_primitives_join_without_doubles_and_go_by_a_list_of_their_own() -> None:
    """finalizers merge as a set; the patch's come in its order, the others before the first that was behind them."""
    tree = {**pod(), "metadata": {"finalizers": ["a", "b"]}}

    joined = strategic_merge_patch(tree, {"metadata": {"finalizers": ["c", "b"]}})
    left = strategic_merge_patch(tree, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "z"]}})

    assert joined["metadata"]["finalizers"] == ["c", "a", "b"] and left["metadata"]["finalizers"] == ["b"]


def test_unions_keep_only_what_the_patch_retains() -> None:
    """volumes: merge,retainKeys by name."""
    before = {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}]}
    patch = [{"name": "v", "hostPath": {"path": "/x"}, "$retainKeys": ["name", "hostPath"]}]

    assert after(before, volumes=patch)["volumes"] == [
        {"name": "v", "hostPath": {"path": "/x"}},
        {"name": "w", "emptyDir": {}},
    ]
