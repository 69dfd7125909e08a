"""The type of a custom object, from the structural schema of its definition.

A field without a schema is anything: mappings in parts, lists whole. Metadata is Kubernetes' own.
Source: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder, k8s.io/kube-openapi pkg/schemaconv.

Called by the API server for writes of custom objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.objects.managed.shapes import DEDUCED
from chaoskube.models.objects.schema import Property

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_HEAD: Final[Mapping[str, Property]] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"struct": _META},
}
_SCALARS: Final[Mapping[str, str]] = {
    "string": "string",
    "integer": "int64",
    "number": "number",
    "boolean": "boolean",
}


@lru_cache(maxsize=256)
def type_of_custom(schema: FrozenDict[str, Any]) -> Property:
    """The type of the objects that this openAPIV3Schema describes."""
    root = _type_of(schema)
    fields = root.get("fields", {})
    if not fields and "values" not in root:
        return {"fields": dict(_HEAD), "rest": DEDUCED}
    return {**root, "fields": {**fields, **_HEAD}}


def _type_of(schema: Mapping[str, Any]) -> Property:
    result = _bare_type_of(schema)
    for long, short in (
        ("x-kubernetes-list-type", "list_type"),
        ("x-kubernetes-list-map-keys", "map_keys"),
        ("x-kubernetes-map-type", "map_type"),
        ("default", "default"),
    ):
        if long in schema:
            result[short] = schema[long]
    return result


def _bare_type_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": "int-or-string"}
    if kind == "array":
        return {"items": _type_of(schema.get("items") or {})}
    if isinstance(kind, str) and kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if kind != "object":
        return dict(DEDUCED)
    fields = {name: _type_of(inner) for name, inner in (schema.get("properties") or {}).items()}
    if schema.get("x-kubernetes-embedded-resource"):
        fields |= _HEAD
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping):
        return {"fields": fields, "values": _type_of(more)} if fields else {"values": _type_of(more)}
    if more or schema.get("x-kubernetes-preserve-unknown-fields") or not fields:
        return {"fields": fields, "rest": DEDUCED} if fields else dict(DEDUCED)
    return {"fields": fields}
