"""Every kind with a class fits what the real server's OpenAPI says of it."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import attrs
import pytest

from chaoskube.models.objects import (
    EMPTY,
    TYPED,
    FrozenDict,
    KubeObject,
    Property,
    Quantity,
    decode,
    encode,
    properties_of,
    resource_for,
    struct_of,
)
from chaoskube.models.objects.fields import json_name

KINDS = sorted(TYPED)
WANTED = [
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Service",
    "Endpoints",
    "EndpointSlice",
    "Ingress",
    "IngressClass",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StorageClass",
    "VolumeAttachment",
    "Node",
    "Lease",
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "PriorityClass",
    "ControllerRevision",
    "Event",
    "CustomResourceDefinition",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
]
ANY_TREE = {"struct", "items", "values", "type"}


def test_all_kinds_that_are_modelled_have_a_class() -> None:
    """The rest are GenericObjects."""
    assert sorted(kind for _, kind in TYPED) == sorted(WANTED)


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
def test_each_field_is_typed_as_the_openapi_says(api_version: str, kind: str) -> None:
    """A field with another name or type than the real one would be carried past those who act on it."""
    wrong = list(mistakes(TYPED[api_version, kind], struct_of(api_version, kind), kind))

    assert wrong == []


def mistakes(cls: type, struct: str | None, path: str) -> Iterator[str]:
    """Where a class and the struct of the same name say different things."""
    assert struct is not None, path
    properties = properties_of(struct)
    hints = get_type_hints(cls, include_extras=True)
    for attribute in attrs.fields(cls):
        if not attribute.init or attribute.name == "extra":
            continue
        name = "apiVersion" if attribute.name == "api_version" else json_name(attribute.name)
        if name == "managedFields":
            continue  # a value of its own, with tests of its own
        if name not in properties:
            yield f"{path}.{name} is not in {struct}"
        else:
            yield from of_value(plain(hints[attribute.name]), properties[name], f"{path}.{name}")


def of_value(hint: Any, found: Property, path: str) -> Iterator[str]:
    origin = get_origin(hint)
    if hint is Any:
        return
    if origin is tuple:
        if "items" not in found:
            yield f"{path} is no list"
        else:
            yield from of_value(get_args(hint)[0], found["items"], f"{path}[]")
    elif origin is FrozenDict:
        inner = get_args(hint)[1]
        if inner is not Any and "values" not in found:
            yield f"{path} is no map"
        elif inner is not Any:
            yield from of_value(inner, found["values"], f"{path}{{}}")
    elif attrs.has(hint) and hint is not Quantity:
        yield from mistakes(hint, found.get("struct"), path)
    elif found.get("type") not in ALLOWED[hint]:
        yield f"{path} is {found}, not {hint}"


ALLOWED: dict[Any, tuple[str, ...]] = {
    str: ("string", "byte"),
    int: ("int32", "int64", "integer"),
    bool: ("boolean",),
    Quantity: ("quantity",),
    int | str: ("int-or-string",),
    Annotated[int, "time"]: ("date-time",),
    Annotated[int, "micro"]: ("date-time",),
}


def plain(hint: Any) -> Any:
    """The hint without `| None`."""
    if get_origin(hint) in (Union, types.UnionType):
        arms = [arm for arm in get_args(hint) if arm is not type(None)]
        return arms[0] if len(arms) == 1 else int | str
    return hint


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
def test_each_field_of_the_openapi_is_typed_or_carried(api_version: str, kind: str) -> None:
    """An object with every field that the real server knows, two levels deep and deeper, comes back the same."""
    struct = struct_of(api_version, kind)
    assert struct is not None
    tree = {**sample(struct, depth=12), "apiVersion": api_version, "kind": kind}

    obj = decode(tree)

    assert type(obj) is TYPED[api_version, kind]
    assert encode(obj) == tree


def sample(struct: str, *, depth: int) -> dict[str, Any]:
    """A struct with all of its fields, down to some depth."""
    return {
        name: KNOWN_SAMPLES.get(name) or value_of(found, depth=depth - 1)
        for name, found in properties_of(struct).items()
    }


def value_of(found: Property, *, depth: int) -> Any:
    if "struct" in found:
        return sample(found["struct"], depth=depth) if depth > 0 else {"x": "y"}
    if "items" in found:
        return [value_of(found["items"], depth=depth)]
    if "values" in found:
        return {"a": value_of(found["values"], depth=depth)}
    return SAMPLES[found["type"]]


MANAGED = [
    {
        "manager": "kubectl",
        "operation": "Apply",
        "apiVersion": "v1",
        "time": "2026-01-02T03:04:05Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}},
    }
]
MICRO = "2026-01-02T03:04:05.000006Z"
KNOWN_SAMPLES: dict[str, Any] = {
    "managedFields": MANAGED,
    "openAPIV3Schema": {"type": "object", "default": None},
    **dict.fromkeys(("acquireTime", "renewTime", "eventTime", "lastObservedTime"), MICRO),
}
SAMPLES: dict[str, Any] = {
    "string": "text",
    "byte": "dGV4dA==",
    "int32": 3,
    "int64": 4,
    "integer": 5,
    "number": 1.5,
    "boolean": True,
    "quantity": "500m",
    "int-or-string": "25%",
    "date-time": "2026-01-02T03:04:05Z",
    "any": {"any": ["thing", None]},
    "array": ["x"],
}


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
def test_each_class_is_frozen_named_and_served(api_version: str, kind: str) -> None:
    """An empty one of each can be made, hashed and written."""
    cls = TYPED[api_version, kind]
    empty = cls()  # type: ignore[call-arg]  # each kind has defaults for all its fields

    assert isinstance(empty, KubeObject) and hash(empty) == hash(cls())  # type: ignore[call-arg]
    assert (empty.api_version, empty.kind, empty.extra) == (api_version, kind, EMPTY)
    assert resource_for(kind, api_version).kind == kind
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        empty.kind = "Other"  # type: ignore[misc]
