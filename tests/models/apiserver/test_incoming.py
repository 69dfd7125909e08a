"""What comes over HTTP and is too large, too deep, or no text: the refusals of the real server, at the limits themselves."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api

MIB = 1024 * 1024
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BOXES = "/apis/example.com/v1/namespaces/default/boxes"
BOX = {
    "metadata": {"name": "boxes.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "boxes", "singular": "box", "kind": "Box"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def deep(levels: int) -> Any:
    """Lists in each other."""
    tree: Any = 1
    for _ in range(levels):
        tree = [tree]
    return tree


def said(api: Api, method: str, path: str, body: Any, media: str = "application/json") -> tuple[int, str]:
    """The code, and the message of a refusal."""
    code, tree = api.http(method, path, None, media, body)
    return code, tree.get("message", "")


@pytest.mark.parametrize("size", [262_144, 262_145])
def test_annotations_may_have_256_kib_together(api: Api, size: int) -> None:
    """apimachinery, validation/objectmeta.go TotalAnnotationSizeLimitB: keys count, too."""
    body = {"metadata": {"name": "a", "annotations": {"k": "x" * (size - 1)}}}
    code, message = said(api, "POST", LEASES, body)

    if size == 262_144:
        assert code == 201
    else:
        why = "metadata.annotations: Too long: may not be more than 262144 bytes"
        assert (code, message) == (422, f'Lease.coordination.k8s.io "a" is invalid: {why}')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_of_more_than_3_mib_is_refused_unread(api: Api, method: str) -> None:
    """kubernetes/kubernetes#73805: create, update, patch and delete alike."""
    path = CONFIG_MAPS if method == "POST" else f"{CONFIG_MAPS}/a"
    media = "application/merge-patch+json" if method == "PATCH" else "application/json"
    code, message = said(api, method, path, {"data": {"a": "x" * 3 * MIB}}, media)

    assert (code, message) == (413, "Request entity too large: limit is 3145728")


def test_a_config_map_may_have_1_mib(api: Api) -> None:
    """pkg/apis/core/validation: MaxSecretSize counts the data alone."""
    fits = said(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"a": "x" * (MIB - 1)}})
    code, message = said(
        api, "POST", CONFIG_MAPS, {"metadata": {"name": "b"}, "data": {"a": "x" * (MIB + 1)}}
    )

    assert fits[0] == 201
    assert code == 422 and "Too long: may not be more than 1048576 bytes" in message


@pytest.mark.parametrize(
    ("size", "why"),
    [
        (1_400_000, ""),
        (1_600_000, "etcdserver: request is too large"),
        (2_200_000, "rpc error: code = ResourceExhausted desc = trying to send message larger than max (22"),
    ],
)
def test_etcd_takes_one_and_a_half_mib(api: Api, size: int, why: str) -> None:
    """The server itself takes 3 MiB; etcd's refusals, and its client's, come through as 500 without a reason."""
    assert api.http("POST", DEFINITIONS, None, None, BOX)[0] == 201
    api.world.advance(8_000_000_000)
    body = {"apiVersion": "example.com/v1", "kind": "Box", "metadata": {"name": "a"}, "a": "x" * size}
    code, tree = api.http("POST", BOXES, None, None, body)

    assert code == (500 if why else 201)
    if why:
        assert tree["message"].startswith(why) and "reason" not in tree
        assert api.http("GET", f"{BOXES}/a")[0] == 404


@pytest.mark.parametrize("media", ["application/merge-patch+json", "application/strategic-merge-patch+json"])
def test_what_is_nested_too_deeply_is_refused(api: Api, media: str) -> None:
    """The real server's Go decoder stops, too, if later."""
    created = said(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "data": deep(100_000)})
    patched = said(api, "PATCH", f"{CONFIG_MAPS}/a", {"data": deep(100_000)}, media)

    assert created[0] == 400 and "json parse error: exceeded max depth" in created[1]
    assert patched == (400, "error decoding patch: exceeded max depth")


def test_half_a_surrogate_pair_becomes_a_replacement_sign(api: Api) -> None:
    """encoding/json, decode.go unquote."""
    code, tree = api.http(
        "POST", CONFIG_MAPS, None, None, {"metadata": {"name": "a"}, "data": {"a": "x\ud800y"}}
    )

    assert (code, tree["data"]["a"]) == (201, "x\ufffdy")


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 10**5000], ids=["inf", "nan", "10**5000"])
def test_numbers_that_no_float_holds_are_refused(api: Api, number: float) -> None:
    """Python's own decoder makes infinity of 1e400; Go's refuses it."""
    assert said(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "x": number})[0] == 400


@pytest.mark.parametrize("key", ["", "a.b", "a[0]", ".", "[0]"])
def test_unknown_fields_of_any_name_are_dropped(api: Api, key: str) -> None:
    """A name with a dot or a bracket is no path."""
    code, tree = api.http(
        "POST", CONFIG_MAPS, None, None, {"metadata": {"name": "a", key: {"b": 1}}, key: [1]}
    )

    assert code == 201
    assert key not in tree and key not in tree["metadata"]


def test_what_is_never_stored_cannot_be_read(api: Api) -> None:
    """Reviews are questions; a binding by name alone binds as pods/NAME/binding does."""
    api.http("POST", "/api/v1/namespaces/default/pods", None, None,
             {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "b"}]}})  # fmt: skip
    bound = api.http("POST", "/api/v1/namespaces/default/bindings", None, None,
                     {"metadata": {"name": "p"}, "target": {"name": "n"}})  # fmt: skip

    assert bound[0] == 201
    assert api.http("GET", "/api/v1/namespaces/default/pods/p")[1]["spec"]["nodeName"] == "n"
    assert api.http("GET", "/apis/authentication.k8s.io/v1/tokenreviews")[0] == 405


@pytest.mark.parametrize("subresource", ["binding", "eviction"])
def test_orders_of_the_wrong_types_are_refused(api: Api, subresource: str) -> None:
    """They are decoded into structs as everything else is."""
    path = f"/api/v1/namespaces/default/pods/p/{subresource}"
    bodies: tuple[Any, ...] = (
        {"metadata": True},
        {"metadata": {"name": 1}},
        {"target": "n", "deleteOptions": []},
        [],
        "{x",
    )
    for body in bodies:
        assert api.http("POST", path, None, None, body)[0] == 400


@pytest.mark.parametrize("media", ["application/merge-patch+json", "application/json-patch+json"])
def test_a_patch_cannot_rename(api: Api, media: str) -> None:
    """rest.go checkName: the object after the patch must be the one on the URL."""
    api.http("POST", CONFIG_MAPS, None, None, {"metadata": {"name": "a"}})
    body: Any = {"metadata": {"name": "b"}}
    if media == "application/json-patch+json":
        body = [{"op": "replace", "path": "/metadata/name", "value": "b"}]

    assert said(api, "PATCH", f"{CONFIG_MAPS}/a", body, media) == (
        400,
        "the name of the object (b) does not match the name on the URL (a)",
    )


def test_what_was_read_can_be_written_again_without_a_change(api: Api) -> None:
    """Empty parts that came with the body (`spec: {}`) and were filled since must not make two objects of one."""
    code, made = api.http("POST", "/api/v1/namespaces", None, None, {"metadata": {"name": "n"}, "spec": {}})
    again = api.http("PUT", "/api/v1/namespaces/n", None, None, made)

    assert code == 201
    assert again == (200, made)


@pytest.mark.parametrize("watch", ["", "true"])
def test_a_field_selector_that_is_none_is_refused(api: Api, watch: str) -> None:
    """Of lists and of watches alike: 400, before anything is read."""
    if watch:
        stream = api.watch("configmaps", field_selector="metadata.name")
        api.world.advance(1_000_000_000)
        assert stream.refused is not None and stream.refused.code == 400
    else:
        assert api.http("GET", CONFIG_MAPS, {"fieldSelector": "metadata.name"})[0] == 400


def test_a_job_with_a_selector_that_is_none_is_refused(api: Api) -> None:
    """pkg/apis/batch/validation, validateGeneratedSelector: what is no selector is told once, and not asked to match."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}
    selector = {"matchExpressions": [{"key": "a", "operator": "Near"}]}
    body = {"metadata": {"name": "j"}, "spec": {"selector": selector, "template": template}}
    code, message = said(api, "POST", "/apis/batch/v1/namespaces/default/jobs", body)

    assert code == 422
    assert 'operator: Invalid value: "Near": not a valid selector operator' in message
