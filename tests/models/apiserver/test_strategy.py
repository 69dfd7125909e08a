"""New and changed objects are prepared and judged as the recorded server did."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chaoskube.models.apiserver import strategy
from chaoskube.models.apiserver.paths import object_tree
from chaoskube.models.objects import (
    DaemonSet,
    DaemonSetSpec,
    Deployment,
    GenericObject,
    Job,
    KubeObject,
    ObjectMeta,
    PodTemplateSpec,
    StatefulSet,
    class_of,
    decode,
    evolve,
    freeze,
    merge_patch,
    resource_of,
    strategic_merge_patch,
    validate_create,
    validate_update,
)
from chaoskube.models.objects.defaults import default
from tests.models.objects.recorded import HERE, Tree, creations, records

# Filled in by somebody else: allocation, admission, the clock, and what a client may not say.
NOT_OURS = {
    "metadata": ("uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink", "finalizers"),
    "spec": (
        "tolerations",
        "priority",
        "priorityClassName",
        "preemptionPolicy",
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "healthCheckNodePort",
    ),
    "status": ("lastPhaseTransitionTime", "conditions"),
}
KINDS_OF_ADMISSION = "limit-ranger"
WRITTEN_DOWN_LATE = (
    "api-conflict.",
    "api-dry-run.",
)  # bodies that their writer had changed when they were recorded


def prepared(record: Tree) -> KubeObject:
    """What the server makes of a body before it is judged."""
    body, answer = record["body"], record["response"]
    namespace = re.search("namespaces/([^/]+)/", record["path"])
    meta = answer.get("metadata", {})
    uid = meta.get("uid", "") or uid_in(answer)
    name = body.get("metadata", {}).get("name") or meta.get("name", "")
    return strategy.prepare_create(
        decode(default(body)),
        uid=uid,
        name=name,
        namespace=namespace.group(1) if namespace else "",
        now_ns=0,
    )


def uid_in(status: Tree) -> str:
    """The uid that a refused object would have had: some messages show it."""
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", status.get("message", ""))
    return found.group(0) if found else "a-uid"


def compared(tree: Tree) -> Tree:
    """The part of an object that its strategy and defaults make."""
    kept = {key: dict(value) if isinstance(value, dict) else value for key, value in tree.items()}
    for part, names in NOT_OURS.items():
        for name in names:
            if isinstance(kept.get(part), dict):
                kept[part].pop(name, None)
    if kept["kind"] == "Service":
        kept["spec"]["ports"] = [
            {key: value for key, value in port.items() if key != "nodePort"}
            for port in kept["spec"].get("ports", ())
        ]
    return kept


def is_ours(record: Tree) -> bool:
    """Whether what was sent is an object of a kind with a class, to a collection of its own."""
    body = record["body"]
    is_collection = record["path"].rstrip("/").rsplit("/", 1)[-1] not in ("binding", "eviction", "token")
    known = class_of(body.get("apiVersion", ""), body.get("kind", "")) is not None
    return is_collection and known and "bogus" not in body and "dryRun=" not in str(record.get("query"))


def test_what_was_created_is_what_we_make_of_it() -> None:
    """Defaults, status, generation, labels and annotations of each kind, as recorded."""
    kinds = set()
    for place, record in creations(status=201):
        if not is_ours(record) or KINDS_OF_ADMISSION in str(record["response"]):
            continue
        if place.startswith(WRITTEN_DOWN_LATE):
            continue
        obj = prepared(record)
        assert validate_create(obj) == (), place
        assert compared(object_tree(obj)) == compared(record["response"]), place
        kinds.add(obj.kind)

    assert kinds >= {"Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ResourceQuota"}


def test_what_was_refused_is_refused_in_the_same_words() -> None:
    """Every cause, in the same order: api-invalid-objects and others."""
    refused = 0
    for place, record in creations(status=422):
        causes = record["response"].get("details", {}).get("causes", ())
        if not is_ours(record) or any("allocate IP" in cause["message"] for cause in causes):
            continue
        if any(cause["field"] == "dryRun" for cause in causes):
            continue
        ours = [(cause.field, cause.reason, cause.message) for cause in validate_create(prepared(record))]
        theirs = [(cause["field"], cause["reason"], cause["message"]) for cause in causes]
        assert list(dict.fromkeys(ours)) == theirs, place
        refused += 1

    assert refused >= 50


def test_what_may_not_change_is_refused_in_the_same_words() -> None:
    """api-immutable-fields, with the server's own structs in some messages."""
    stored: dict[str, Tree] = {}
    judged = 0
    for record in records(HERE / "api-immutable-fields.jsonl.gz"):
        if record["rec"] == "watch":
            tree = record["object"]
            stored[f"{tree['kind']}/{tree['metadata']['name']}"] = tree
        if record["rec"] != "cmd" or record["verb"] not in ("POST", "PATCH"):
            continue
        answer = record["response"]
        if record["verb"] == "PATCH":
            judged += judge_patch(record, stored)
        if record["status"] in (200, 201):
            stored[f"{answer['kind']}/{answer['metadata']['name']}"] = answer

    assert judged >= 34


def judge_patch(record: Tree, stored: dict[str, Tree]) -> int:
    """Apply one recorded patch, and compare what is said of it."""
    plural, name = record["path"].rsplit("/", 2)[-2:]
    current = stored.get(f"{resource_of(plural).kind}/{name}")
    if current is None:
        return 0
    old = decode(current)
    if "strategic" in record["contentType"]:
        tree = strategic_merge_patch(object_tree(old), record["body"], old.kind, old.api_version)
    else:
        tree = merge_patch(object_tree(old), record["body"])
    new = strategy.prepare_update(
        decode(default({"apiVersion": old.api_version, "kind": old.kind, **tree})), old
    )
    ours = [(cause.field, cause.reason, cause.message) for cause in validate_update(old, new)]
    causes = record["response"].get("details", {}).get("causes", ()) if record["status"] == 422 else ()
    theirs = [(cause["field"], cause["reason"], cause["message"]) for cause in causes]
    assert ours == theirs, f"{record['t']} {record['path']} {record['body']}"
    return 1


def test_a_template_that_changes_counts_in_an_annotation_of_a_daemon_set() -> None:
    """pkg/registry/apps/daemonset/strategy.go: spec.templateGeneration, which v1 shows as an annotation."""
    first = strategy.prepare_create(
        DaemonSet(metadata=ObjectMeta(name="d")), uid="u", name="d", namespace="n", now_ns=0
    )
    template = PodTemplateSpec(metadata=ObjectMeta(labels=freeze({"a": "b"})))
    changed = evolve(first, **{"spec.template": template})

    second = strategy.prepare_update(changed, first)
    third = strategy.prepare_update(evolve(second, **{"metadata.labels": freeze({"c": "d"})}), second)

    assert isinstance(first, DaemonSet) and first.spec == DaemonSetSpec()
    counts = [obj.metadata.annotations[strategy.TEMPLATE_GENERATION] for obj in (first, second, third)]
    assert counts == ["1", "2", "2"]
    assert [obj.metadata.generation for obj in (first, second, third)] == [1, 2, 2]


@pytest.mark.parametrize("kind", [Deployment(), StatefulSet(), Job(), DaemonSet()])
def test_a_write_to_the_object_leaves_its_status_and_the_other_way_round(kind: Any) -> None:
    """Two writers, two halves: neither can undo the other's."""
    old = (
        evolve(kind, **{"metadata.name": "x", "status.observed_generation": 3})
        if hasattr(kind.status, "observed_generation")
        else evolve(kind, **{"metadata.name": "x", "status.active": 3})
    )
    wanted = evolve(old, status=type(old.status)(), metadata=evolve(old.metadata, finalizers=("a.b/c",)))

    assert strategy.prepare_update(wanted, old).status == old.status  # type: ignore[attr-defined]
    reported = strategy.prepare_status_update(
        evolve(old, spec=type(old.spec)(), status=type(old.status)()), old
    )
    assert reported.spec == old.spec and reported.status == type(old.status)()  # type: ignore[attr-defined]


def test_a_custom_object_counts_generations_and_keeps_its_metadata_in_a_status_write() -> None:
    """customresource/{strategy,status_strategy}.go."""
    tree = {
        "apiVersion": "a.b/v1",
        "kind": "Gadget",
        "metadata": {"name": "g"},
        "spec": {"n": 1},
        "status": {},
    }
    new = strategy.prepare_create(decode(tree), uid="u", name="g", namespace="n", now_ns=0)
    kept = strategy.prepare_create(decode(tree), uid="u", name="g", namespace="n", now_ns=0, has_status=False)
    assert isinstance(new, GenericObject) and isinstance(kept, GenericObject)
    labelled = evolve(
        new, **{"metadata.labels": freeze({"a": "b"}), "content": freeze({"status": {"ok": 1}})}
    )

    changed = strategy.prepare_update(evolve(new, content=freeze({"spec": {"n": 2}})), new)
    reported = strategy.prepare_status_update(labelled, new)

    assert (new.metadata.generation, changed.metadata.generation) == (1, 2)
    assert "status" not in new.content and "status" in kept.content
    assert reported.metadata.labels == {} and reported.content == {"spec": {"n": 1}, "status": {"ok": 1}}  # type: ignore[attr-defined]
