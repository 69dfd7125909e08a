"""PATCH at the server: options, refusals with their real words, and managers of writes that aren't an apply."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from chaoskube.models.apiserver.api import Request

from .conftest import Api

Tree = dict[str, Any]
PATH = "/api/v1/namespaces/default/configmaps/c"
JSON, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
CONFIG: Tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
POD: Tree = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "a", "image": "i"}]},
}


@pytest.mark.parametrize(
    ("media", "body", "status", "said"),
    [
        (
            JSON,
            {},
            400,
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
        (
            JSON,
            ["x"],
            400,
            "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp",
        ),
        (
            JSON,
            [{"op": "remove", "path": "/nope"}],
            422,
            "the server rejected our request due to an error in our request",
        ),
        (
            JSON,
            [{"op": "test", "path": "/data/a", "value": "2"}],
            422,
            "the server rejected our request due to an error in our request",
        ),
        (
            JSON,
            [{"op": "test", "path": "/data/a", "value": "1"}] * 10_001,
            413,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
        ),
        (
            MERGE,
            [1],
            400,
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (STRATEGIC, [1], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (
            STRATEGIC,
            {"data": {"$patch": "merge"}},
            500,
            "unknown patch type: merge in map: map[$patch:merge]",
        ),
        (STRATEGIC, {"metadata": {"$retainKeys": 1}}, 400, "invalid patch format of retainKeys"),
        (
            STRATEGIC,
            {"data": {"a": 5}},
            422,
            ' "" is invalid: patch: Invalid value: "map[data:map[a:5]]": json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
        ),
    ],
)
def test_refusals(api: Api, media: str, body: Any, status: int, said: str) -> None:
    """handlers/patch.go."""
    api.http("POST", "/api/v1/namespaces/default/configmaps", body=CONFIG)

    code, answer = api.http("PATCH", PATH, {}, media, body)

    assert (code, answer["message"]) == (status, said)


@pytest.mark.parametrize(
    ("media", "patch"),
    [
        (MERGE, {"metadata": {"foo": 1}, "bogus": 1, "data": {"a": "b"}}),
        (
            JSON,
            [{"op": "add", "path": "/metadata/foo", "value": 1}, {"op": "add", "path": "/bogus", "value": 1}],
        ),
    ],
)
def test_unknown_fields_of_a_patch_are_told_in_the_order_of_their_names(
    api: Api, media: str, patch: Any
) -> None:
    """handlers/patch.go decodes what the patch library wrote, and that writes the maps it touched by key."""
    path = "/api/v1/namespaces/default/configmaps"
    api.http("POST", path, None, None, {"metadata": {"name": "ordered"}})

    code, answer = api.http("PATCH", f"{path}/ordered", {"fieldValidation": "Strict"}, media, patch)

    assert code == 422
    assert answer["message"].endswith(
        'strict decoding error: unknown field "bogus", unknown field "metadata.foo"'
    )


def test_options_must_go_together(api: Api) -> None:
    """ValidatePatchOptions."""
    _, forced = api.http("PATCH", PATH, {"force": "true"}, MERGE, {})
    _, long = api.http("PATCH", PATH, {"fieldManager": "m" * 129}, MERGE, {})

    assert "force: Forbidden: may not be specified for non-apply patch" in forced["message"]
    assert "fieldManager: Too long: may not be more than 128 bytes" in long["message"]


def test_a_patch_that_empties_a_field_leaves_it_out(api: Api) -> None:
    """Go's omitempty: and so the next patch of the same changes nothing."""
    api.http("POST", "/api/v1/namespaces/default/configmaps", body={**CONFIG, "data": {}})
    _, first = api.http("PATCH", PATH, {}, MERGE, {"metadata": {"labels": {}}, "data": {"a": None}})
    _, again = api.http("PATCH", PATH, {}, MERGE, {"metadata": {"labels": {}}, "data": {}})

    assert "data" not in first and "labels" not in first["metadata"]
    assert first["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]


def managers(tree: Tree) -> dict[str, Any]:
    """Manager to fields."""
    return {entry["manager"]: entry["fieldsV1"] for entry in tree["metadata"]["managedFields"]}


def test_every_write_has_a_manager(api: Api) -> None:
    """The field manager, else the first word of the user agent, else the program whose credentials it has."""
    api.http("POST", "/api/v1/namespaces/default/configmaps", {"fieldManager": "maker"}, body=CONFIG)
    for number, (user, client) in enumerate([("u", "tool/v1 (linux)"), ("system:node:n", ""), ("u", "")]):
        request = Request(
            verb="patch",
            resource="configmaps",
            namespace="default",
            name="c",
            patch_type="merge",
            user=user,
            client=client,
            body={"data": {f"k{number}": "1"}},
        )
        assert api.ask(request).is_success

    _, tree = api.http("GET", PATH)

    assert managers(tree) == {
        "maker": {"f:data": {".": {}, "f:a": {}}},
        "tool": {"f:data": {"f:k0": {}}},
        "kubelet": {"f:data": {"f:k1": {}}},
        "unknown": {"f:data": {"f:k2": {}}},
    }


def test_a_pods_managers_are_those_of_a_real_cluster(api: Api) -> None:
    """Who creates it has the spec with its defaults, not spec itself; the scheduler's binding has no manager."""
    api.http("POST", "/api/v1/namespaces/default/pods", {"fieldManager": "maker"}, body=POD)
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"name": "n"}}
    api.http("POST", "/api/v1/namespaces/default/pods/p/binding", body=binding)
    status = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    path = "/api/v1/namespaces/default/pods/p"
    _, tree = api.http("PATCH", f"{path}/status", {"fieldManager": "kubelet"}, STRATEGIC, status)

    owned = managers(tree)
    assert list(owned["maker"]) == ["f:spec"] and "f:nodeName" not in owned["maker"]["f:spec"]
    container = owned["maker"]["f:spec"]["f:containers"]['k:{"name":"a"}']
    assert {"f:image", "f:imagePullPolicy", "f:name", "f:resources", "f:terminationMessagePath"} <= set(
        container
    )
    assert list(owned["kubelet"]) == ["f:status"] and "f:phase" in owned["kubelet"]["f:status"]
    assert [entry.get("subresource", "") for entry in tree["metadata"]["managedFields"]] == [
        "status",
        "",
    ] or [entry.get("subresource", "") for entry in tree["metadata"]["managedFields"]] == ["", "status"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({**CONFIG, "kind": "Secret"}, 400, "invalid object type: /v1, Kind=Secret"),
        ({"data": {}}, 400, "invalid object type: /, Kind="),
        (
            {**CONFIG, "metadata": {"name": "d"}},
            400,
            "the name of the object (d) does not match the name on the URL (c)",
        ),
        (
            {**CONFIG, "metadata": {}},
            400,
            "the name of the object (c based on URL) was undeterminable: name must be provided",
        ),
        (
            {**CONFIG, "metadata": {"name": "c", "namespace": "x"}},
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            {**CONFIG, "nope": 1},
            500,
            "failed to create typed patch object (/c; /v1, Kind=ConfigMap): .nope: field not declared in schema",
        ),
    ],
)
def test_refusals_of_an_apply(api: Api, body: Tree, status: int, said: str) -> None:
    """managedfields/internal/{versioncheck,structuredmerge}.go."""
    code, answer = api.http("PATCH", PATH, {"fieldManager": "m"}, APPLY, body)

    assert (code, answer["message"]) == (status, said)


def test_several_conflicts_are_told_by_manager(api: Api) -> None:
    """managedfields/internal/conflict.go."""
    for manager, key in (("one", "a"), ("two", "b")):
        api.http(
            "PATCH", PATH, {"fieldManager": manager}, APPLY, {**CONFIG, "data": {key: "1", f"{key}2": "1"}}
        )

    data = {"a": "2", "b": "2", "b2": "2"}
    code, answer = api.http("PATCH", PATH, {"fieldManager": "three"}, APPLY, {**CONFIG, "data": data})

    assert code == 409 and len(answer["details"]["causes"]) == 3
    assert answer["message"] == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n'
        'conflicts with "two":\n- .data.b\n- .data.b2'
    )


def test_a_dry_apply_answers_and_writes_nothing(api: Api) -> None:
    """dryRun=All, for what is there and for what isn't."""
    query = {"fieldManager": "m", "dryRun": "All"}

    code, _ = api.http("PATCH", PATH, query, APPLY, CONFIG)

    assert code == 201 and api.http("GET", PATH)[0] == 404


def test_two_servers_that_apply_at_once_create_once(api: Api) -> None:
    """Both find nothing; who loses the race applies to what the other made."""
    body: Any = {**CONFIG, "data": {"a": "1"}}
    request = Request(
        verb="patch",
        resource="configmaps",
        namespace="default",
        name="c",
        patch_type="apply",
        user="u",
        body=body,
    )
    numbers = [
        api.send(attrs.evolve(request, field_manager=f"m{server}"), server=server) for server in (0, 1)
    ]
    api.world.advance(5 * 10**9)

    assert sorted(answer.code for number in numbers if (answer := api.answer(number))) == [200, 201]
    assert sorted(managers(api.http("GET", PATH)[1])) == ["m0", "m1"]


def test_kubectl_goes_over_from_client_side_apply_without_a_conflict(api: Api) -> None:
    """lastappliedmanager.go, lastappliedupdater.go: and its annotation goes with it."""
    name = "kubectl.kubernetes.io/last-applied-configuration"
    text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}'
    body = {**CONFIG, "metadata": {"name": "c", "annotations": {name: text}}}
    api.http(
        "POST",
        "/api/v1/namespaces/default/configmaps",
        {"fieldManager": "kubectl-client-side-apply"},
        body=body,
    )

    code, tree = api.http("PATCH", PATH, {"fieldManager": "kubectl"}, APPLY, {**CONFIG, "data": {"a": "2"}})

    assert code == 200 and tree["data"] == {"a": "2"}
    assert '"data":{"a":"2"}' in tree["metadata"]["annotations"][name]
