"""Server-side apply as a real API server of 1.36 answered it, with every manager and every field.

The recording's own player leaves managedFields out; here they are what is compared.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.paths import answer_of, to_request
from chaoskube.models.objects import Deployment, decode

from .conftest import Api

RECORDING = Path(__file__).parents[2] / "golden" / "recordings" / "api-server-side-apply.jsonl.gz"
Record = dict[str, Any]


def records() -> list[Record]:
    """The recording's lines."""
    with gzip.open(RECORDING, "rt") as lines:
        return [json.loads(line) for line in lines]


def steps() -> Iterator[tuple[str, Record]]:
    """The scenario's requests, and between them what the Deployment controller wrote, by revision."""
    taken = records()
    answered = [
        int(one["response"]["metadata"].get("resourceVersion", 0)) for one in taken if one["rec"] == "cmd"
    ]
    written = [
        one
        for one in taken
        if one["rec"] == "watch" and one["type"] == "MODIFIED" and is_controllers(one, answered)
    ]
    for one in taken:
        if one["rec"] != "cmd":
            continue
        revision = int(one["response"]["metadata"].get("resourceVersion", 0))
        while written and revision >= written[0]["rv"]:
            yield "controller", written.pop(0)
        yield "request", one


def is_controllers(event: Record, answered: list[int]) -> bool:
    """Whether a write was the controller's: no request of the scenario was answered with it, or it was a no-op."""
    return event["rv"] not in answered or event["rv"] == 2877


def comparable(tree: Any) -> Any:
    """Without what differs from run to run; managers in the order of their names."""
    if isinstance(tree, list):
        items = [comparable(item) for item in tree]
        if items and isinstance(tree[0], dict) and "fieldsV1" in tree[0]:
            items.sort(key=lambda entry: (entry["operation"], entry["manager"]))
        return items
    if not isinstance(tree, dict):
        return tree
    free = ("uid", "resourceVersion", "creationTimestamp", "time", "lastUpdateTime", "lastTransitionTime")
    return {
        name: "<free>" if name in free and not isinstance(value, dict) else comparable(value)
        for name, value in tree.items()
    }


def test_every_answer_is_the_recorded_one(api: Api) -> None:
    """Creation, conflicts, force, giving up, sharing, updates in between, scale, lists by key, refusals."""
    namespace = records()[0]["namespace"]
    api.http(
        "POST",
        "/api/v1/namespaces",
        body={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
    )
    for kind, record in steps():
        if kind == "controller":
            write_status(api, record["object"], namespace)
            continue
        request = to_request(
            record["verb"],
            record["path"],
            record.get("query") or {},
            record["contentType"],
            record["body"],
            user="o",
        )
        status, body = answer_of(api.ask(attrs.evolve(request, client="oracle/1.0")))

        asked = f"{record['path']} {record.get('query')} {record['body']}"
        assert status == record["status"], (asked, body)
        assert comparable(body) == comparable(record["response"]), asked


def write_status(api: Api, wanted: Record, namespace: str) -> None:
    """What the Deployment controller wrote, as its own client would."""
    name = wanted["metadata"]["name"]
    live = api.do("get", "deployments", name, namespace=namespace)
    seen = decode(wanted)
    assert isinstance(seen, Deployment)
    body = attrs.evolve(live, status=seen.status)
    request = Request(
        verb="update",
        resource="deployments",
        subresource="status",
        namespace=namespace,
        name=name,
        body=body,
        client="kube-controller-manager/v1.36.2",
    )
    assert api.ask(request).is_success


@pytest.mark.parametrize("query", [{"fieldManager": "alice"}, {"fieldManager": "alice", "force": "true"}])
def test_applying_twice_writes_once(api: Api, query: dict[str, str]) -> None:
    """An apply that changes nothing leaves the resource version as it is."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    path, media = "/api/v1/namespaces/default/configmaps/c", "application/apply-patch+yaml"
    first = api.http("PATCH", path, query, media, body)[1]

    again = api.http("PATCH", path, query, media, body)[1]

    assert again == first
