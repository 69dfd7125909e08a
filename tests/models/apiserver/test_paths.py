"""The HTTP face: what a path means, and answers word for word as a real server gave them."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.apiserver.api import DeleteOptions, Preconditions
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.paths import NoSuchPath, error_answer, subresources_of, to_request
from chaoskube.models.objects.resources import resource_of

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/a/pods", ("list", "pods", "a", "", "")),
        ("GET", "/api/v1/namespaces/a/pods/p", ("get", "pods", "a", "p", "")),
        ("GET", "/api/v1/namespaces", ("list", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/a", ("get", "namespaces", "", "a", "")),
        ("POST", "/api/v1/namespaces/a/pods/p/binding", ("create", "pods", "a", "p", "binding")),
        (
            "PUT",
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            ("update", "deployments", "a", "d", "scale"),
        ),
        ("DELETE", "/api/v1/namespaces/a/pods", ("deletecollection", "pods", "a", "", "")),
    ],
)
def test_a_path_and_a_method_make_a_verb(method: str, path: str, expected: tuple[str, ...]) -> None:
    """requestinfo.go."""
    request = to_request(method, path)

    got = (request.verb, request.resource, request.namespace, request.name, request.subresource)
    assert got == expected


def test_watch_is_a_query() -> None:
    """GET with watch=1."""
    query = {"watch": "1", "resourceVersion": "5", "timeoutSeconds": "3", "allowWatchBookmarks": "true"}
    request = to_request("GET", MAPS, query)

    assert request.verb == "watch" and request.options.resource_version == "5"
    assert request.options.timeout_ns == 3_000_000_000 and request.options.allow_watch_bookmarks


@pytest.mark.parametrize(
    ("value", "verb"),
    [("1", "watch"), ("True", "watch"), ("", "watch"), ("0", "list"), ("False", "list")],
)
def test_a_switch_is_on_unless_it_says_otherwise(value: str, verb: str) -> None:
    """runtime/conversion.go, Convert_Slice_string_To_bool: only false and 0 are off, in any case."""
    assert to_request("GET", "/api/v1/pods", {"watch": value}).verb == verb


def test_a_media_type_may_name_its_charset(api: Any) -> None:
    """handlers/patch.go cuts what follows the semicolon; mime.ParseMediaType does so for other bodies."""
    path = "/api/v1/namespaces/default/configmaps"
    body = {"metadata": {"name": "a"}}

    made = api.http("POST", path, None, "application/json; charset=utf-8", body)
    changed = api.http(
        "PATCH", f"{path}/a", None, "application/merge-patch+json;charset=utf-8", {"data": {"a": "b"}}
    )
    refused = api.http("PATCH", f"{path}/a", None, "application/json", {})

    assert (made[0], changed[0], changed[1]["data"]) == (201, 200, {"a": "b"})
    assert refused[1]["message"].endswith(
        ": application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
        "application/apply-patch+yaml"
    )


def test_a_rejected_json_patch_has_details_without_anything_in_them(api: Any) -> None:
    """api/errors/errors.go, NewGenericServerResponse: the details are there, and empty."""
    path = "/api/v1/namespaces/default/configmaps"
    api.http("POST", path, None, None, {"metadata": {"name": "a"}})
    media, patch = "application/json-patch+json", [{"op": "test", "path": "/data/a", "value": "b"}]

    code, answer = api.http("PATCH", f"{path}/a", None, media, patch)

    assert (code, answer["reason"], answer["details"]) == (422, "Invalid", {})


def test_a_merge_patch_cannot_make_another_kind_of_an_object(api: Any) -> None:
    """handlers/patch.go, applyPatchToCurrentObject decodes the whole result; a strategic one fills in a ConfigMap."""
    path = "/api/v1/namespaces/default/configmaps"
    api.http("POST", path, None, None, {"metadata": {"name": "a"}})
    patch = {"kind": "Secret", "data": {"a": "YQ=="}}

    merged = api.http("PATCH", f"{path}/a", None, "application/merge-patch+json", patch)
    strategic = api.http("PATCH", f"{path}/a", None, "application/strategic-merge-patch+json", patch)

    assert merged[0] == 422
    assert merged[1]["message"].endswith("converting (v1.Secret) to (core.ConfigMap): unknown conversion")
    assert (strategic[0], strategic[1]["kind"], strategic[1]["data"]) == (200, "ConfigMap", {"a": "YQ=="})


def test_delete_options_come_in_the_body() -> None:
    """The kubelet's last delete."""
    body = {"kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}}
    request = to_request("DELETE", "/api/v1/namespaces/a/pods/p", None, "application/json", body)

    assert request.delete_options == DeleteOptions(
        grace_period_seconds=0, preconditions=Preconditions(uid="u")
    )


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        (
            "GET",
            "/api/v1/namespaces/default/gadgets",
            404,
            "the server could not find the requested resource",
        ),
        ("GET", "/api/v1/configmaps/nope", 404, "the server could not find the requested resource"),
        ("POST", f"{MAPS}/nope", 405, "the server does not allow this method on the requested resource"),
        ("PUT", MAPS, 405, "the server does not allow this method on the requested resource"),
    ],
)
def test_what_does_not_exist_is_said_as_the_real_server_says_it(
    method: str, path: str, code: int, message: str
) -> None:
    """Recorded: api-create-rules."""
    with pytest.raises(ApiError) as caught:
        to_request(method, path)

    status, tree = error_answer(caught.value)
    assert isinstance(tree, dict)
    assert (status, tree["message"], tree["details"]) == (code, message, {})


def test_an_unknown_group_is_plain_text() -> None:
    """Recorded: api-create-rules."""
    with pytest.raises(NoSuchPath) as caught:
        to_request("GET", "/apis/apps/v9/things")

    assert error_answer(caught.value) == (404, "404 page not found\n")


def recorded(message: str, reason: str, code: int, details: dict[str, Any] | None) -> dict[str, Any]:
    tree: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    tree.update(message=message, code=code)
    if reason:
        tree["reason"] = reason
    if details:
        tree["details"] = details
    return tree


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        (
            "PUT",
            f"{MAPS}/c",
            {"metadata": {"name": "other"}},
            (
                "the name of the object (other) does not match the name on the URL (c)",
                "BadRequest",
                400,
                None,
            ),
        ),
        (
            "POST",
            MAPS,
            {"metadata": {"name": "rv", "resourceVersion": "5"}},
            ("resourceVersion should not be set on objects to be created", "", 500, None),
        ),
        (
            "PUT",
            f"{MAPS}/c",
            {"metadata": {"name": "c", "resourceVersion": "junk"}},
            ('strconv.ParseUint: parsing "junk": invalid syntax', "", 500, None),
        ),
        (
            "PUT",
            f"{MAPS}/missing",
            {"metadata": {"name": "missing"}},
            ('configmaps "missing" not found', "NotFound", 404, {"name": "missing", "kind": "configmaps"}),
        ),
        (
            "POST",
            MAPS,
            {"metadata": {"name": "k", "namespace": "other"}},
            (
                "the namespace of the provided object does not match the namespace sent on the request",
                "BadRequest",
                400,
                None,
            ),
        ),
    ],
)
def test_refusals_are_worded_as_recorded(
    api: Any,
    method: str,
    path: str,
    body: dict[str, Any],
    expected: tuple[str, str, int, dict[str, Any] | None],
) -> None:
    """Recorded: api-conflict, api-create-rules."""
    code, tree = api.http(method, path, None, "application/json", body)

    assert code == expected[2]
    assert tree == recorded(*expected)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            MAPS,
            {"metadata": {"name": "k"}, "data": {"a": 1}},
            (
                'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct '
                "field ConfigMap.data of type string"
            ),
        ),
        (
            "/api/v1/namespaces/default/pods",
            {"metadata": {"name": "bad"}, "spec": {"containers": "not a list"}},
            (
                'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field '
                "PodSpec.spec.containers of type []v1.Container"
            ),
        ),
    ],
)
def test_a_wrong_type_is_refused_in_gos_words(
    api: Any, path: str, body: dict[str, Any], message: str
) -> None:
    """Recorded: api-create-rules, api-invalid-objects."""
    code, tree = api.http("POST", path, None, "application/json", body)

    assert (code, tree["message"]) == (400, message)


def test_an_unknown_field_is_refused_warned_about_or_ignored(api: Any) -> None:
    """fieldValidation: Strict, Warn (the default), Ignore; the field never gets in."""
    body = {"metadata": {"name": "f"}, "data": {"a": "1"}, "bogus": 1}
    strict, tree = api.http("POST", MAPS, {"fieldValidation": "Strict"}, None, body)
    warned, made = api.http("POST", MAPS, {}, None, body)

    assert strict == 400 and tree["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus"'
    )
    assert warned == 201 and "bogus" not in made


def test_a_dry_run_answers_and_writes_nothing(api: Any) -> None:
    """Recorded: api-dry-run."""
    code, _ = api.http("POST", MAPS, {"dryRun": "All"}, None, {"metadata": {"name": "d"}})
    missing, _ = api.http("GET", f"{MAPS}/d")

    assert (code, missing) == (201, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/pods/p/nothing",
        "/api/v1/namespaces/default/configmaps/c/status",
        "/apis/apps/v1/namespaces/default/daemonsets/d/scale",
    ],
)
def test_a_subresource_that_a_kind_does_not_have_is_not_found(api: Any, path: str) -> None:
    """installer.go registers no route for it: as for a resource that isn't there, whatever the method."""
    code, answer = api.http("GET", path)

    assert (code, answer["message"]) == (404, "the server could not find the requested resource")
    assert answer["details"] == {}


def test_the_subresources_are_those_that_a_real_server_lists() -> None:
    """From its discovery documents, of the kinds that the model is about."""
    assert subresources_of(resource_of("pods")) == (
        *(
            "status",
            "attach",
            "binding",
            "ephemeralcontainers",
            "eviction",
            "exec",
            "log",
            "portforward",
            "proxy",
        ),
        "resize",
    )
    assert subresources_of(resource_of("deployments")) == ("status", "scale")
    assert subresources_of(resource_of("namespaces")) == ("status", "finalize")
    assert subresources_of(resource_of("configmaps")) == ()
