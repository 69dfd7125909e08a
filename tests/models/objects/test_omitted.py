"""What Go leaves out when it writes."""

from __future__ import annotations

from chaoskube.models.objects.omitted import without_empties


def test_empty_lists_and_dictionaries_go_and_structs_stay() -> None:
    """`emptyDir: {}` says something, `labels: {}` doesn't, `containers: []` is always written."""
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {}, "annotations": None, "finalizers": []},
        "spec": {
            "containers": [],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "nodeSelector": {},
            "hostNetwork": False,
            "securityContext": {},
        },
    }

    assert without_empties(tree) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {},
        "spec": {
            "containers": [],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "hostNetwork": False,
            "securityContext": {},
        },
    }


def test_a_kind_without_a_schema_is_left_alone() -> None:
    """Custom objects keep every empty list."""
    tree = {"apiVersion": "x/v1", "kind": "Y", "spec": {"list": [], "none": None}}

    assert without_empties(tree) == tree
