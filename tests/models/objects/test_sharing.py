"""Equal parts of objects are one value, and nothing is taken for equal that reads differently."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.apiserver.storage import stamped
from chaoskube.models.objects import EMPTY, KubeObject, Pod, Quantity, decode, encode, freeze
from chaoskube.models.objects.sharing import MADE_MAX, made_once, share, share_json

from .recorded import recordings, records


def pod(name: str, **spec: Any) -> Pod:
    """A pod as a ReplicaSet's template makes it."""
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app": "web"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"}],
        },
        "spec": {
            "containers": [
                {
                    "name": "web",
                    "ports": [{"containerPort": 80}],
                    "resources": {"requests": {"cpu": "100m"}},
                    "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
                }
            ],
            "tolerations": [{"operator": "Exists"}],
            "dnsPolicy": "ClusterFirst",
            **spec,
        },
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastProbeTime": None}]},
    }
    obj = decode(tree)
    assert isinstance(obj, Pod)
    return obj


def test_two_pods_of_a_template_share_all_that_is_equal() -> None:
    """A thousand pods hold one probe, one set of labels, one owner."""
    one, other = pod("a"), pod("b")
    ours, theirs = one.spec.containers[0], other.spec.containers[0]

    assert one.metadata.labels is other.metadata.labels
    assert one.metadata.owner_references is other.metadata.owner_references
    assert ours.readiness_probe is theirs.readiness_probe and ours.ports is theirs.ports
    assert ours.resources is theirs.resources
    assert one.spec.tolerations is other.spec.tolerations and one.spec.extra is other.spec.extra
    assert one.status.conditions is other.status.conditions


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": {"b": [0]}}, {"a": {"b": [False]}}),
        ({"a": "1"}, {"a": 1}),
    ],
)
def test_what_python_calls_equal_and_json_does_not_stays_apart(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """1 == True == 1.0 in Python: an object would come back with another field than it was sent with."""
    trees = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": extra}
        for extra in (one, other)
    ]
    carried = [
        {"apiVersion": "v1", "kind": "Pod", "spec": {"tolerations": [{"key": "k", **x}]}}
        for x in (one, other)
    ]

    assert repr([encode(decode(tree))["spec"] for tree in trees]) == repr([tree["spec"] for tree in trees])
    assert repr([encode(decode(tree))["spec"] for tree in carried]) == repr(
        [tree["spec"] for tree in carried]
    )


def test_a_bare_number_is_not_taken_for_its_text() -> None:
    """`cpu: 1` in a manifest comes back as a number."""
    for value in (1, "1", 1.0):
        container = {"name": "c", "resources": {"limits": {"cpu": value}}}
        tree = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
        assert repr(encode(decode(tree))["spec"]) == repr(tree["spec"])
    assert len({Quantity(1), Quantity("1"), Quantity(1.0)}) == 3


def test_sharing_gives_back_an_equal_value_of_the_same_type() -> None:
    """Whatever was remembered."""
    for value in (freeze({"x": "y"}), ("a", "b"), "text", EMPTY):
        assert share(value) == value and type(share(value)) is type(value)
    assert share_json(freeze({"a": 1, "b": True})) == {"a": 1, "b": True}


def test_both_servers_hold_the_same_stamped_object() -> None:
    """One version of a stored object, read at its revision by two servers."""
    stored: KubeObject = pod("a")

    one, other, later = stamped(stored, 7), stamped(stored, 7), stamped(stored, 8)

    assert one is other and one.resource_version == "7"
    assert later.resource_version == "8" and stored.resource_version == ""


def test_what_was_made_is_known_by_identity_and_forgotten_in_time() -> None:
    """Equal values are not the same value; the memory is bounded."""
    made = []

    def make(value: list[int], key: int) -> list[int]:
        made.append(key)
        return [*value, key]

    one, other = [1], [1]
    assert made_once(one, 5, make) is made_once(one, 5, make)
    assert made_once(other, 5, make) == [1, 5] and len(made) == 2
    values = [[number] for number in range(2 * MADE_MAX)]
    assert all(made_once(value, 9, make) == [*value, 9] for value in values)


def test_recorded_objects_are_the_same_when_shared_parts_are_warm() -> None:
    """Decoding a second time, with everything remembered, changes nothing."""
    for record in records(recordings()[0]):
        tree = record.get("response")
        if record["rec"] == "cmd" and isinstance(tree, dict) and "apiVersion" in tree:
            assert encode(decode(tree)) == encode(decode(tree)) == tree
