"""Applying documents: what is created, patched, left alone, taken over and pruned.

The cases of the three-way patch are those that kubectl's own tests and documentation name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.kubectl.apply import Applied, apply, apply_all, apply_patch
from chaoskube.models.kubectl.apply_server import apply_server_side, migrated_entries, owners_of_annotation
from chaoskube.models.kubectl.create import create
from chaoskube.models.kubectl.label import label
from chaoskube.models.kubectl.last_applied import LAST_APPLIED, annotated, configuration, original
from chaoskube.models.kubectl.scale import scale
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import Refused
from tests.models.controllers.plane import deployment_tree

from .bench import WEB, Bench


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    """One control plane: each test uses names of its own."""
    bench = Bench()
    yield bench
    bench.close()


def config_map(name: str, data: dict[str, str], **labels: str) -> Tree:
    """A document."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "data": data,
    }


def test_the_annotation_is_what_kubectl_writes() -> None:
    """Sorted keys, empty annotations, Go's escapes, a newline at the end."""
    text = configuration(
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "<&>"}}
    )

    assert text == (
        '{"apiVersion":"v1","data":{"k":"\\u003c\\u0026\\u003e"},"kind":"ConfigMap",'
        '"metadata":{"annotations":{},"name":"a"}}\n'
    )
    assert original(annotated({"metadata": {}, "data": {"k": "<"}}))["data"] == {"k": "<"}


def test_a_document_is_created_configured_and_left_alone(shared: Bench) -> None:
    """What was applied and left out is deleted; what others set stays; nothing to do sends nothing."""
    first = shared.do(lambda kubectl: apply(kubectl, config_map("one", {"a": "1", "b": "2"})))
    shared.do(lambda kubectl: label(kubectl, kubectl.target_of(config_map("one", {})), {"owner": "other"}))
    second = shared.do(lambda kubectl: apply(kubectl, config_map("one", {"a": "1", "c": "3"})))
    before = len(shared.sent())
    third = shared.do(lambda kubectl: apply(kubectl, config_map("one", {"a": "1", "c": "3"})))

    assert [first.outcome, second.outcome, third.outcome] == ["created", "configured", "unchanged"]
    live = shared.live("ConfigMap", "one")
    assert live["data"] == {"a": "1", "c": "3"}
    assert live["metadata"]["labels"] == {"owner": "other"}
    assert len(shared.sent()) == before
    assert third.patch == {}


def test_what_was_created_otherwise_gets_the_annotation_and_loses_nothing(shared: Bench) -> None:
    """First apply over a `create`d object: a warning; what isn't in the document is nobody's to delete."""
    shared.do(lambda kubectl: create(kubectl, config_map("two", {"a": "1", "b": "2"})))
    applied = shared.do(lambda kubectl: apply(kubectl, config_map("two", {"a": "9"})))

    assert isinstance(applied, Applied)
    assert applied.warnings
    live = shared.live("ConfigMap", "two")
    assert live["data"] == {"a": "9", "b": "2"}
    assert LAST_APPLIED in live["metadata"]["annotations"]


def test_replicas_in_the_document_fight_whoever_scales(shared: Bench) -> None:
    """Left out, an autoscaler's number stays; written down, each apply puts it back."""
    shared.do(lambda kubectl: apply(kubectl, deployment_tree(2)))
    shared.do(lambda kubectl: scale(kubectl, WEB, 5))
    shared.do(lambda kubectl: apply(kubectl, deployment_tree(2)))
    assert shared.live("Deployment", "web")["spec"]["replicas"] == 2

    silent = deployment_tree(2)
    del silent["spec"]["replicas"]  # type: ignore[attr-defined]
    shared.do(lambda kubectl: apply(kubectl, silent))
    assert shared.live("Deployment", "web")["spec"]["replicas"] == 1, "it was applied once: now the default"
    shared.do(lambda kubectl: scale(kubectl, WEB, 4))
    shared.do(lambda kubectl: apply(kubectl, silent))
    assert shared.live("Deployment", "web")["spec"]["replicas"] == 4


def test_a_version_in_the_document_makes_it_conditional(shared: Bench) -> None:
    """Conflict: five retries, the first at once, then a second apart; then the refusal."""
    document = config_map("three", {"a": "1"})
    shared.do(lambda kubectl: apply(kubectl, document))
    stale: Tree = {
        **document,
        "data": {"a": "2"},
        "metadata": {**document["metadata"], "resourceVersion": "1"},
    }
    before = len(shared.sent())
    outcome = shared.do(lambda kubectl: apply(kubectl, stale), seconds=10)

    assert isinstance(outcome, Refused)
    assert "the object has been modified" in str(outcome)
    assert len(shared.sent()) - before == 6


def test_force_makes_anew_what_cannot_be_patched(shared: Bench) -> None:
    """An immutable field: delete, wait, create."""
    document: Tree = {**config_map("four", {"a": "1"}), "immutable": True}
    shared.do(lambda kubectl: apply(kubectl, document))
    uid = shared.live("ConfigMap", "four")["metadata"]["uid"]
    changed: Tree = {**document, "data": {"a": "2"}}
    refused = shared.do(lambda kubectl: apply(kubectl, changed))
    applied = shared.do(lambda kubectl: apply(kubectl, changed, force=True), seconds=3)

    assert isinstance(refused, Refused)
    assert isinstance(applied, Applied)
    live = shared.live("ConfigMap", "four")
    assert live["data"] == {"a": "2"}
    assert live["metadata"]["uid"] != uid


def test_pruning_deletes_what_was_applied_once_and_nothing_else(shared: Bench) -> None:
    """By selector, by annotation, by uid."""
    both = (config_map("keep", {"a": "1"}, app="p"), config_map("drop", {"a": "1"}, app="p"))
    shared.do(lambda kubectl: apply_all(kubectl, both))
    shared.do(lambda kubectl: create(kubectl, config_map("made-by-hand", {}, app="p")))
    shared.do(lambda kubectl: apply(kubectl, config_map("another-app", {}, app="q")))
    applied, pruned = shared.do(
        lambda kubectl: apply_all(kubectl, both[:1], prunes=True, selector="app=p"), seconds=5
    )

    assert [one.outcome for one in applied] == ["unchanged"]
    assert [one.target.name for one in pruned] == ["drop"]
    assert shared.find("ConfigMap", "drop") is None
    assert shared.find("ConfigMap", "made-by-hand") is not None
    assert shared.find("ConfigMap", "another-app") is not None


POD: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "a", "image": "a:1", "ports": [{"containerPort": 80}]}]},
}


def over(document: Tree, live: Tree) -> dict[str, Any]:
    """The patch of a document over a live object, without its annotation."""
    patch = apply_patch(document, live, is_custom=False)
    patch.get("metadata", {}).pop("annotations", None)
    return {key: value for key, value in patch.items() if value}


def test_containers_are_merged_by_name_and_a_sidecar_stays() -> None:
    """A container that somebody injected is not the document's to delete."""
    live = annotated(POD)
    live["spec"]["containers"].insert(0, {"name": "sidecar", "image": "s:1"})
    live["spec"]["dnsPolicy"] = "ClusterFirst"
    wanted = json.loads(json.dumps(POD))
    wanted["spec"]["containers"][0]["image"] = "a:2"

    assert over(wanted, live) == {
        "spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "image": "a:2"}],
        }
    }


def test_a_container_that_left_the_document_is_deleted_by_its_key() -> None:
    """$patch: delete."""
    two = json.loads(json.dumps(POD))
    two["spec"]["containers"].append({"name": "b", "image": "b:1"})
    live = annotated(two)

    assert over(POD, live)["spec"]["containers"] == [{"$patch": "delete", "name": "b"}]


def test_custom_objects_get_merge_patches_that_replace_lists() -> None:
    """No schema on kubectl's side: JSON merge patch."""
    first: Tree = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "t"},
        "spec": {"list": [1, 2]},
    }
    live = {**annotated(first), "status": {"ready": True}}
    wanted: Tree = {**first, "spec": {"list": [2], "new": 1}}

    patch = apply_patch(wanted, live, is_custom=True)

    assert patch["spec"] == {"list": [2], "new": 1}
    assert "status" not in patch


def test_server_side_apply_sends_one_patch_and_names_conflicts(shared: Bench) -> None:
    """409 with the other manager's name; --force-conflicts takes the field."""
    document = config_map("ssa", {"a": "1"})
    shared.do(lambda kubectl: apply_server_side(kubectl, document, manager="one"))
    refused = shared.do(
        lambda kubectl: apply_server_side(kubectl, config_map("ssa", {"a": "2"}), manager="two")
    )
    taken = shared.do(
        lambda kubectl: apply_server_side(
            kubectl, config_map("ssa", {"a": "2"}), manager="two", force_conflicts=True
        )
    )

    assert isinstance(refused, Refused)
    assert 'conflict with "one"' in str(refused)
    assert taken["data"] == {"a": "2"}


def test_server_side_apply_takes_over_from_client_side_apply(shared: Bench) -> None:
    """A field that leaves the document is removed, though client-side apply had set it."""
    shared.do(lambda kubectl: apply(kubectl, config_map("moves", {"a": "1", "b": "2"})))
    shared.do(
        lambda kubectl: apply_server_side(kubectl, config_map("moves", {"a": "1", "b": "2"})), seconds=2
    )
    shared.do(lambda kubectl: apply_server_side(kubectl, config_map("moves", {"a": "1"})), seconds=2)

    assert shared.live("ConfigMap", "moves")["data"] == {"a": "1"}
    assert LAST_APPLIED in shared.live("ConfigMap", "moves")["metadata"]["annotations"]


def test_the_fields_of_client_side_apply_are_handed_over() -> None:
    """csaupgrade: the Update entry becomes, or goes into, the Apply entry of ours."""
    owns: Tree = {"f:metadata": {"f:annotations": {f"f:{LAST_APPLIED}": {}}}, "f:data": {"f:a": {}}}
    entry: Tree = {
        "manager": "kubectl-client-side-apply",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsV1": owns,
    }
    ours: Tree = {
        "manager": "kubectl",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsV1": {"f:data": {"f:b": {}}},
    }
    live: Tree = {"metadata": {"managedFields": [entry, ours]}}

    managers = owners_of_annotation(live, "Update")
    entries = migrated_entries(live, managers, "kubectl")

    assert managers == ("kubectl-client-side-apply",)
    assert entries is not None
    assert [one["manager"] for one in entries] == ["kubectl"]
    assert entries[0]["fieldsV1"]["f:data"] == {"f:a": {}, "f:b": {}}
    assert migrated_entries({"metadata": {"managedFields": [ours]}}, managers, "kubectl") is None
