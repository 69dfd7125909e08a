"""Our validation refuses what a real API server refused, with the same causes and the same message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaoskube.models.objects import (
    Cause,
    KubeObject,
    decode,
    default,
    encode,
    evolve,
    invalid_message,
    resource_for,
    strategic_merge_patch,
    validate_create,
    validate_update,
)

RECORDED = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "refused.jsonl").read_text().splitlines()
]
CREATES = [record for record in RECORDED if record["verb"] == "POST"]


def admitted(tree: dict[str, Any], path: str) -> KubeObject:
    """The object as it comes to validation: defaulted, in the namespace of the request."""
    tree = {
        **tree,
        "metadata": {**tree["metadata"], "namespace": path.split("/namespaces/")[1].split("/")[0]},
    }
    return decode(default(tree))


def words(causes: list[dict[str, str]] | tuple[Cause, ...]) -> list[tuple[str, str, str]]:
    """Causes as they are compared; the dump of Go structs that pods get appended is left out."""
    rows = [
        (c.field, c.reason, c.message) if isinstance(c, Cause) else (c["field"], c["reason"], c["message"])
        for c in causes
    ]
    return list(
        dict.fromkeys((field, reason, message.partition("\n@@")[0]) for field, reason, message in rows)
    )


@pytest.mark.parametrize("record", CREATES, ids=lambda r: (r["answer"].get("message") or "taken")[:60])
def test_a_created_object_is_refused_as_by_the_real_server(record: dict[str, Any]) -> None:
    """Recorded from Kubernetes 1.36 (api-invalid-objects): what is refused, and what is taken."""
    obj = admitted(record["body"], record["path"])

    causes = validate_create(obj)

    assert words(causes) == words(record["answer"].get("causes", []) if record["status"] == 422 else [])
    if causes:
        group = resource_for(obj.kind, obj.api_version).group
        assert invalid_message(obj.kind, group, obj.name, causes) == record["answer"]["message"]


def test_updates_are_refused_as_by_the_real_server() -> None:
    """Recorded from Kubernetes 1.36 (api-immutable-fields), one after the other."""
    stored: dict[str, dict[str, Any]] = {}
    compared = 0
    for record in RECORDED:
        if record["verb"] == "POST" and record["status"] == 201:
            stored[f"{record['path'].partition('?')[0]}/{record['answer']['metadata']['name']}"] = record[
                "answer"
            ]
        if record["verb"] != "PATCH" or record["type"] != "application/strategic-merge-patch+json":
            continue
        old = stored[record["path"]]
        if record["body"].get("spec", {}).get("type") == "ExternalName":
            continue  # the server first drops the addresses of the old type: tests of the API server
        new = decode(default(strategic_merge_patch(old, record["body"])))

        causes = validate_update(decode(old), new)

        expected = record["answer"]["causes"] if record["status"] == 422 else []
        assert words(causes) == words(expected), record["body"]
        compared += 1
        if record["status"] == 200:
            stored[record["path"]] = record["answer"]
    assert compared > 10


def test_an_object_that_is_being_deleted_gets_no_new_finalizer() -> None:
    """The garbage collector relies on it: what goes, goes."""
    old = decode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}})
    going = evolve(old, **{"metadata.deletion_timestamp": 0, "metadata.finalizers": ("a/b",)})

    causes = validate_update(going, evolve(going, **{"metadata.finalizers": ("a/b", "c/d")}))

    text = 'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}'
    assert [cause.message for cause in causes] == [text] * 2  # said by both validations of an update


def test_defaulting_a_stored_object_changes_nothing() -> None:
    """Else every update would be a change."""
    for record in RECORDED:
        if record["status"] == 201:
            assert encode(decode(default(record["answer"]))) == record["answer"]
