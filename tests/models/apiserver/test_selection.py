"""Which fields each kind can be selected by, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

DEFAULT = "/api/v1/namespaces/default"
ONLY_META = 'is not a known field selector: only "metadata.name", "metadata.namespace"'


@pytest.mark.parametrize(
    ("path", "selector", "message"),
    [
        (f"{DEFAULT}/configmaps", "data.a=1", f'"data.a" {ONLY_META}'),
        ("/apis/apps/v1/replicasets", "status.replicas=1", f'"status.replicas" {ONLY_META}'),
        (f"{DEFAULT}/pods", "status.hostIP=1", "field label not supported: status.hostIP"),
        ("/api/v1/nodes", "metadata.namespace=a", "field label not supported: metadata.namespace"),
        ("/apis/batch/v1/jobs", "spec.a=1", 'field label "spec.a" not supported for Job'),
        (f"{DEFAULT}/pods", "z=1,a=1", "field label not supported: a"),
        (
            f"{DEFAULT}/pods",
            "metadata.name",
            "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
        ),
        (f"{DEFAULT}/pods", "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        (f"{DEFAULT}/pods", "metadata.name=\\x", "invalid field selector: invalid escape sequence: \\x"),
    ],
)
def test_a_label_that_a_kind_does_not_take_is_refused_in_its_words(
    api: Any, path: str, selector: str, message: str
) -> None:
    """pkg/apis/*/v1/conversion.go and, for kinds without a function of their own, runtime/conversion.go; terms are
    sorted before they are read (fields/selector.go, parseSelector)."""
    code, answer = api.http("GET", path, {"fieldSelector": selector})

    assert (code, answer["reason"], answer["message"]) == (400, "BadRequest", message)


@pytest.mark.parametrize(
    ("resource", "body", "selector"),
    [
        ("secrets", {"type": "example.com/a"}, "type=example.com/a"),
        ("services", {"spec": {"type": "ExternalName", "externalName": "b"}}, "spec.type=ExternalName"),
        (
            "events",
            {"involvedObject": {"namespace": "default", "fieldPath": "spec"}, "source": {"component": "me"}},
            "source=me,involvedObject.fieldPath=spec",
        ),
    ],
)
def test_fields_of_a_kind_select(api: Any, resource: str, body: dict[str, Any], selector: str) -> None:
    """pkg/registry/core/{secret,service,event}/strategy.go: ToSelectableFields."""
    path = f"{DEFAULT}/{resource}"
    assert api.http("POST", path, None, None, {"metadata": {"name": "x"}, **body})[0] == 201

    found = api.http("GET", path, {"fieldSelector": selector})[1]
    others = api.http("GET", path, {"fieldSelector": selector.replace("=", "!=", 1)})[1]

    assert [one["metadata"]["name"] for one in found["items"]] == ["x"]
    assert "x" not in [one["metadata"]["name"] for one in others["items"]]
