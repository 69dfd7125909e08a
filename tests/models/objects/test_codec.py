"""Objects come back from the codec as they went in, and are refused with a path."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from chaoskube.models.objects import (
    DecodeError,
    Deployment,
    EndpointPort,
    FrozenDict,
    GenericObject,
    Pod,
    PodTemplateSpec,
    ReplicaSet,
    decode,
    decode_as,
    encode,
    evolve,
    freeze,
    load_documents,
    thaw,
)
from chaoskube.sim import ModelBug

from .recorded import HAS_GOLDEN, returned_objects

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / ".." / "shared"
RECORDED = [json.loads(line) for line in (HERE / "data" / "objects.jsonl").read_text().splitlines()]
POD: dict[str, Any] = next(tree for tree in RECORDED if tree["kind"] == "Pod")


@pytest.mark.parametrize(
    "tree", RECORDED, ids=lambda tree: f"{tree['kind']}-{tree['metadata']['resourceVersion']}"
)
def test_a_recorded_object_comes_back_exactly(tree: dict[str, Any]) -> None:
    """Whatever the simulation doesn't act on is carried along (recorded from Kubernetes 1.36)."""
    assert encode(decode(tree)) == tree


@pytest.mark.parametrize(
    "spec",
    [
        {"template": {"metadata": {"creationTimestamp": None}}},
        {
            "template": {
                "spec": {"containers": [], "initContainers": [], "nodeSelector": {}, "hostNetwork": False}
            }
        },
        {"replicas": 0, "paused": False, "minReadySeconds": 0, "strategy": {}},
        {
            "template": {
                "spec": {"containers": [{"name": "", "args": [], "resources": {"limits": {"cpu": 1}}}]}
            }
        },
        {"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}]}}},
        {"selector": {}, "unheard": {"of": [None, {}, []]}},
    ],
)
def test_what_means_the_same_as_absent_is_carried_too(spec: dict[str, Any]) -> None:
    """A manifest is given back as its owner wrote it."""
    tree = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {}},
        "spec": spec,
    }

    assert encode(decode(tree)) == tree


def test_every_object_that_a_real_server_returned_comes_back_as_the_same_text() -> None:
    """Answers, items of lists and watch events of all recordings that are here, compared as sorted JSON text."""
    kinds = set()
    for place, tree in returned_objects():
        assert sorted_text(encode(decode(tree))) == sorted_text(tree), place
        kinds.add(tree["kind"])

    assert len(kinds) >= (30 if HAS_GOLDEN else 15)


def sorted_text(tree: object) -> str:
    return json.dumps(tree, sort_keys=True, ensure_ascii=False)


def test_every_manifest_comes_back_exactly() -> None:
    """Real YAML, all kinds."""
    if not (SHARED / "manifests").is_dir():
        pytest.skip("../shared/manifests is not here")
    for path in sorted((SHARED / "manifests").rglob("*.yaml")):
        for document in load_documents(path.read_text(), str(path)):
            assert encode(decode(document.tree)) == document.tree, document.place


def test_a_kind_without_a_class_is_carried_whole() -> None:
    """Custom objects and kinds that aren't modelled are stored and listed all the same."""
    tree = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "k"},
        "data": {"a": "Yg=="},
        "type": "Round",
    }

    widget = decode(tree)

    assert isinstance(widget, GenericObject)
    assert widget.content == {"data": {"a": "Yg=="}, "type": "Round"}
    assert encode(widget) == tree


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"replicas": "3"}, "spec.replicas: must be a whole number, is text ('3')"),
        ({"replicas": True}, "spec.replicas: must be a whole number, is true"),
        ({"paused": "no"}, "spec.paused: must be true or false, is text ('no')"),
        ({"selector": []}, "spec.selector: must be a mapping, is a list"),
        (
            {"template": {"spec": {"containers": [{"name": "a"}, {"name": 5}]}}},
            "spec.template.spec.containers[1].name: must be text, is a number (5)",
        ),
        (
            {"template": {"metadata": {"labels": {"app": 1}}}},
            "spec.template.metadata.labels.app: must be text, is a number (1)",
        ),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(spec: dict[str, Any], problem: str) -> None:
    """Nothing is coerced: `name: 5` is not "5"."""
    with pytest.raises(DecodeError) as raised:
        decode({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})

    assert str(raised.value) == problem


def test_values_are_what_the_simulation_computes_with() -> None:
    """Times are nanoseconds, quantities exact, absent things None, 0 or empty."""
    pod = decode(POD)

    assert isinstance(pod, Pod)
    assert pod.metadata.creation_timestamp is not None
    assert pod.metadata.creation_timestamp % 10**9 == 0
    assert pod.spec.containers[0].resources.requests["cpu"].milli == 1000
    assert pod.spec.containers[0].startup_probe is None
    assert pod.metadata.deletion_timestamp is None
    assert pod.spec.scheduling_gates == ()


def test_an_object_shares_what_did_not_change() -> None:
    """One spec stands in all versions, caches and informers."""
    pod = decode(POD)
    assert isinstance(pod, Pod)

    changed = evolve(pod, **{"status.phase": "Failed", "metadata.resource_version": "7"})

    assert changed.spec is pod.spec
    assert changed.status.conditions is pod.status.conditions
    assert (changed.status.phase, changed.resource_version) == ("Failed", "7")
    assert pod.resource_version == POD["metadata"]["resourceVersion"]


def test_evolve_refuses_a_path_through_nothing() -> None:
    """Silently making up a struct would hide a mistake."""
    with pytest.raises(ModelBug, match="selector"):
        evolve(Deployment(), **{"spec.selector.match_labels": FrozenDict({"a": "b"})})


def test_the_digest_knows_version_and_content() -> None:
    """A journal tells two objects apart by it, and equal ones together."""
    pod = decode(POD)
    assert isinstance(pod, Pod)

    assert pod.digest_text() == decode(deepcopy(POD)).digest_text()
    assert pod.digest_text().startswith(f"Pod/{pod.key}:{pod.resource_version}#")
    assert evolve(pod, **{"status.phase": "Failed"}).digest_text() != pod.digest_text()
    assert pod == decode(POD)
    assert hash(pod) == hash(decode(POD))


def test_go_writes_some_fields_even_when_they_are_empty() -> None:
    """`status.replicas: 0` and the name "" of a port are there on the real wire."""
    assert encode(ReplicaSet()) == {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
    assert encode(evolve(ReplicaSet(), **{"status.observed_generation": 1}))["status"] == {
        "replicas": 0,
        "observedGeneration": 1,
    }
    assert encode(EndpointPort(name="", port=80)) == {"name": "", "port": 80}


def test_parts_of_objects_have_trees_too() -> None:
    """Templates are compared and hashed on their own."""
    template = decode_as(
        PodTemplateSpec, {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}
    )

    assert template.metadata.labels == {"a": "b"}
    assert encode(template) == {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}


def test_a_frozen_tree_refuses_every_change() -> None:
    """One object stands in many places at once."""
    tree = freeze({"a": {"b": [1, {"c": 2}]}})

    changes: tuple[Callable[[], object], ...] = (
        lambda: tree.__setitem__("x", 1),
        lambda: tree["a"].update(b=1),
        lambda: tree.pop("a"),
        lambda: tree.setdefault("x", 1),
        lambda: tree.clear(),
        lambda: tree.__ior__({"x": 1}),
    )
    for change in changes:
        with pytest.raises(TypeError, match="never changes"):
            change()
    assert thaw(tree) == {"a": {"b": [1, {"c": 2}]}}
    assert hash(tree) == hash(freeze({"a": {"b": [1, {"c": 2}]}}))
    assert isinstance(tree | {"z": 1}, FrozenDict)
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert (tree.plus({"z": 1}).minus("a"), deepcopy(tree) is tree) == ({"z": 1}, True)
