"""The scale of every kind that has one: what it shows, what changes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "app", "image": "registry.example/app:v1"}]},
}
KINDS = [
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "ReplicaSet", "replicasets"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("v1", "ReplicationController", "replicationcontrollers"),
]
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"


def made(api: Any, api_version: str, kind: str, plural: str) -> str:
    """The path of a workload with one replica."""
    labels: Any = {"app": "a"}
    selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
    spec: dict[str, Any] = {"selector": selector, "template": POD, "replicas": 1}
    if kind == "StatefulSet":
        spec["serviceName"] = "a"
    root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
    path = f"{root}/namespaces/default/{plural}"
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    code, answer = api.http("POST", path, body=body)
    assert code == 201, answer
    return f"{path}/a"


@pytest.mark.parametrize(("api_version", "kind", "plural"), KINDS)
def test_each_workload_is_scaled_through_its_scale(
    api: Any, api_version: str, kind: str, plural: str
) -> None:
    """Replicas change, the selector is shown as text, and the parent's version moves on."""
    path = made(api, api_version, kind, plural)
    _, before = api.http("GET", f"{path}/scale")
    before["spec"]["replicas"] = 3
    code, scaled = api.http("PUT", f"{path}/scale", body=before)
    stale, _ = api.http("PUT", f"{path}/scale", body=before)
    _, parent = api.http("GET", path)

    assert (code, stale) == (200, 409)
    assert scaled["spec"] == {"replicas": 3} and scaled["status"]["selector"] == "app=a"
    assert parent["spec"]["replicas"] == 3
    assert parent["metadata"]["resourceVersion"] == scaled["metadata"]["resourceVersion"]


def test_a_scale_takes_json_patches_and_merge_patches(api: Any) -> None:
    """A test that fails is 422, as for any object."""
    path = f"{made(api, *KINDS[0])}/scale"
    test = {"op": "test", "path": "/spec/replicas", "value": 1}
    replace = {"op": "replace", "path": "/spec/replicas", "value": 4}
    code, scaled = api.http("PATCH", path, media=JSON_PATCH, body=[test, replace])
    late, refused = api.http("PATCH", path, media=JSON_PATCH, body=[test, replace])
    _, merged = api.http("PATCH", path, media=MERGE, body={"spec": {"replicas": 2}})

    assert (code, scaled["spec"]["replicas"]) == (200, 4)
    assert (late, refused["reason"]) == (422, "Invalid")
    assert merged["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"spec": []},
        {"spec": {"replicas": "3"}},
        {"spec": {"replicas": True}},
        {"spec": {"replicas": 2**31}},
        {"spec": {"replicas": 1.5}},
        {"metadata": "x"},
        {"metadata": {"resourceVersion": 7}},
    ],
)
def test_what_is_no_scale_is_a_bad_request(api: Any, body: Any) -> None:
    """A hostile client gets a Status."""
    path = f"{made(api, *KINDS[0])}/scale"

    assert api.http("PUT", path, body=body)[0] == 400
    if isinstance(body, dict):
        assert api.http("PATCH", path, media=MERGE, body=body)[0] == 400


def test_a_scale_that_is_put_names_its_object(api: Any) -> None:
    """handlers/rest.go, checkName: of every PUT, that of a subresource too."""
    path = f"{made(api, *KINDS[0])}/scale"
    other = api.http("PUT", path, body={"metadata": {"name": "other"}, "spec": {"replicas": 2}})
    none = api.http("PUT", path, body={"spec": {"replicas": 2}})

    assert (other[0], none[0]) == (400, 400)
    assert other[1]["message"] == "the name of the object (other) does not match the name on the URL (a)"
    assert none[1]["message"] == (
        "the name of the object (a based on URL) was undeterminable: name must be provided"
    )
