"""What the OpenAPI says: unknown fields, wrong types, missing fields, near names."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from chaoskube.models.objects import (
    TYPED,
    check,
    decoding_error,
    known,
    merge_key,
    property_of,
    resource_for,
    resource_of,
    strict_error,
    struct_of,
)
from chaoskube.models.objects.schema_build import schema_of
from chaoskube.sim import UsageError

HERE = Path(__file__).parent
OPENAPI = HERE.parents[2] / ".." / "shared" / "golden" / "openapi" / "openapi_v2.json.gz"


def deployment(**spec: Any) -> dict[str, Any]:
    """A Deployment that is well, but for what is given."""
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "i"}]}}
    whole = {"selector": {"matchLabels": {"app": "a"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": whole}


def test_recorded_objects_fit_the_schema() -> None:
    """The data file is whole: nothing real is refused."""
    for line in (HERE / "data" / "objects.jsonl").read_text().splitlines():
        assert check(json.loads(line)) == []


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        ({}, []),
        ({"replicas": None}, []),
        ({"replicas": "3"}, ["spec.replicas: must be a whole number, is text ('3')"]),
        ({"replicas": 2**31}, ["spec.replicas: must fit into 32 bits, is 2147483648"]),
        ({"selector": None}, ["spec.selector: is required, and missing"]),
        (
            {"template": {"spec": {"containers": [{"name": "a", "imagee": "i"}]}}},
            ['spec.template.spec.containers[0].imagee: unknown field "imagee"; did you mean "image"?'],
        ),
        (
            {"template": {"spec": {"containers": [{"image": "i"}]}}},
            ["spec.template.spec.containers[0].name: is required, and missing"],
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": True}}},
            ["spec.strategy.rollingUpdate.maxSurge: must be a whole number or text, is true"],
        ),
    ],
)
def test_problems_are_told_with_their_path(spec: dict[str, Any], problems: list[str]) -> None:
    """As Kubernetes writes paths."""
    assert [str(problem) for problem in check(deployment(**spec))] == problems


@pytest.mark.parametrize(
    ("api_version", "kind", "words"),
    [
        ("apps/v1", "Deploymnt", 'has no kind "Deploymnt"; did you mean "Deployment"?'),
        ("apps/v1beta1", "Deployment", 'Deployment is not in "apps/v1beta1"; it is in "apps/v1"'),
        ("aps/v1", "Depl", 'no such API version as "aps/v1"; did you mean "apps/v1"?'),
    ],
)
def test_a_wrong_kind_gets_the_near_one(api_version: str, kind: str, words: str) -> None:
    """A typo should cost no search."""
    assert words in str(check({"apiVersion": api_version, "kind": kind})[0])


def test_every_typed_kind_is_known_and_has_its_resource() -> None:
    """Two tables that must not drift apart."""
    for api_version, kind in TYPED:
        assert known(api_version, kind)
        resource = resource_for(kind, api_version)
        assert resource_of(resource.plural, resource.group or None) == resource


def test_resources_say_how_they_are_served() -> None:
    """Read from the discovery documents of 1.36."""
    pods, deployments = resource_of("pods"), resource_of("deployments.apps")

    assert (pods.kind, pods.graceful, pods.namespaced, pods.has_status, pods.has_scale) == (
        "Pod",
        True,
        True,
        True,
        False,
    )
    assert (deployments.group, deployments.has_scale) == ("apps", True)
    assert resource_of("events").group == ""
    assert resource_of("services").storage_prefix == "services/specs"
    with pytest.raises(UsageError, match="nearest: deployments"):
        resource_of("deploymnts")


def test_merge_keys_come_from_the_schema() -> None:
    """Strategic merge patches stand on them."""
    assert struct_of("v1", "Pod") == "io.k8s.api.core.v1.Pod"
    assert merge_key(property_of("io.k8s.api.core.v1.PodSpec", "containers")) == "name"
    assert merge_key(property_of("io.k8s.api.core.v1.Container", "ports")) == "containerPort"
    assert merge_key(property_of("io.k8s.api.core.v1.PodSpec", "tolerations")) is None


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (
            {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": "not a list"}},
            "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": 1}},
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
        ),
        (
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "spec": {"containers": [{"resources": {"requests": {"cpu": "lots"}}}]},
            },
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (deployment(), None),
    ],
)
def test_decoding_errors_have_gos_words(tree: dict[str, Any], words: str | None) -> None:
    """Recorded from Kubernetes 1.36 (api-invalid-objects, api-create-rules)."""
    assert decoding_error(tree) == words


def test_strict_decoding_names_the_unknown_fields() -> None:
    """Recorded from Kubernetes 1.36 (api-create-rules)."""
    tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "f"}, "bogus": 1}

    assert strict_error(check(tree)) == 'strict decoding error: unknown field "bogus"'


def test_the_data_file_is_what_the_script_makes() -> None:
    """The same answers of a server give the same data."""
    if not OPENAPI.is_file():
        pytest.skip("../shared/golden/openapi is not here")
    packed = (HERE.parents[2] / "models" / "objects" / "schema.json.gz").read_bytes()

    assert json.loads(gzip.decompress(packed)) == schema_of(OPENAPI.parent)
