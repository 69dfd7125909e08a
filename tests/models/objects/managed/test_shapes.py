"""What the schema says of values: who owns what whole, and how items are known."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects.managed.shapes import (
    DEDUCED,
    ShapeError,
    child_of,
    empty_object,
    is_atomic,
    item_element,
    root_of,
    shape_of,
)
from chaoskube.models.objects.schema import Property


def at(api_version: str, kind: str, *names: str) -> Property:
    """The type of a field."""
    found = root_of(api_version, kind)
    for name in names:
        assert found is not None
        found = child_of(found.get("items", found), name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        (("apps/v1", "Deployment", "spec", "selector"), True),
        (("apps/v1", "Deployment", "spec", "template"), False),
        (("v1", "Pod", "spec", "nodeSelector"), True),
        (("v1", "Pod", "spec", "tolerations"), True),
        (("v1", "Pod", "spec", "containers"), False),
        (("v1", "Pod", "spec", "containers", "args"), True),
        (("v1", "Pod", "metadata", "finalizers"), False),
        (("v1", "Pod", "metadata", "labels"), False),
        (("v1", "PersistentVolume", "spec", "claimRef"), False),
        (("v1", "Endpoints", "subsets"), True),
        (("discovery.k8s.io/v1", "EndpointSlice", "endpoints"), True),
        (("v1", "Service", "spec", "ports"), False),
    ],
)
def test_what_is_owned_whole(path: tuple[str, ...], whole: bool) -> None:
    """x-kubernetes-list-type and map-type of the real OpenAPI; a field's own word counts more than its type's."""
    found = at(*path)

    assert is_atomic(found, shape_of(found, None)) is whole


def test_items_are_known_by_their_keys_and_defaults() -> None:
    """A port without a protocol is the TCP one."""
    ports = at("v1", "Pod", "spec", "containers", "ports")

    assert item_element(ports, {"containerPort": 80}) == 'k:{"containerPort":80,"protocol":"TCP"}'
    assert item_element(at("v1", "Pod", "metadata", "finalizers"), "x/y") == 'v:"x/y"'
    assert item_element(at("v1", "Pod", "metadata", "ownerReferences"), {"uid": "u"}) == 'k:{"uid":"u"}'


@pytest.mark.parametrize(
    ("name", "item", "why"),
    [
        ("finalizers", {}, "map type"),
        ("finalizers", [1], "lists as elements"),
        ("finalizers", None, "explicit null"),
        ("ownerReferences", None, "null element"),
        ("ownerReferences", "x", "non-map"),
    ],
)
def test_items_that_cannot_be_told_apart_are_refused(name: str, item: Any, why: str) -> None:
    """typed/helpers.go."""
    with pytest.raises(ShapeError, match=why):
        item_element(at("v1", "Pod", "metadata", name), item)


def test_a_new_object_has_what_go_holds_by_value() -> None:
    """So an applier of spec.x doesn't come to own spec itself."""
    empty = empty_object({"struct": "io.k8s.api.apps.v1.Deployment"})

    assert empty["spec"]["strategy"] == {}
    assert empty["spec"]["template"]["spec"]["containers"] is None
    assert "replicas" not in empty["spec"] and empty["status"] == {}


def test_without_a_schema_mappings_are_parts_and_lists_are_whole() -> None:
    """Custom objects whose definition says nothing."""
    assert not is_atomic(DEDUCED, "map") and is_atomic(DEDUCED, "list")
    assert child_of(DEDUCED, "anything") == DEDUCED
