"""What a structural schema does to a value before anybody judges it: pruning, nulls, defaults. Pure.

Fields that the schema doesn't know are dropped, unless it says x-kubernetes-preserve-unknown-fields; apiVersion, kind and
metadata of the object itself and of embedded resources always stay. A null where the schema allows none means absent. Then
defaults are filled in, from the outside in, so that a default may hold fields that have defaults.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}/*.go.

Called by the API server for custom objects, when they come in and when they are read from etcd.
Not modelled: pruning inside the metadata of embedded resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chaoskube.models.objects.frozen import EMPTY, Tree, thaw

Schema = Mapping[str, Any]
META_FIELDS: Final = ("apiVersion", "kind", "metadata")
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
EMBEDDED: Final = "x-kubernetes-embedded-resource"


def values_of(schema: Schema) -> Schema | None:
    """The schema of a map's values; None when it says nothing about them (`true` says nothing, too)."""
    found = schema.get("additionalProperties")
    return found if isinstance(found, Mapping) else None


# ---- what the schema doesn't know


def pruned(tree: Tree, schema: Schema) -> tuple[Tree, tuple[str, ...]]:
    """A custom object without what its schema doesn't know, and the paths of what was dropped, sorted."""
    dropped: list[str] = []
    kept = _pruned(tree, {**schema, EMBEDDED: True}, "", dropped)
    assert isinstance(kept, dict), f"pruning made {kept!r} of an object"
    return kept, tuple(sorted(dropped))


def _pruned(value: object, schema: Schema | None, path: str, dropped: list[str]) -> object:
    if schema is not None and schema.get(PRESERVE):
        return _preserved(value, schema, path, dropped)
    if isinstance(value, Mapping):
        return _pruned_fields(value, EMPTY if schema is None else schema, path, dropped)
    if isinstance(value, (list, tuple)):
        items = None if schema is None else schema.get("items")
        return [_pruned(item, items, f"{path}[{index}]", dropped) for index, item in enumerate(value)]
    return value


def _pruned_fields(value: Mapping[str, Any], schema: Schema, path: str, dropped: list[str]) -> Tree:
    properties, kept = schema.get("properties") or EMPTY, {}
    for name, field in value.items():
        below = f"{path}.{name}" if path else name
        if schema.get(EMBEDDED) and name in META_FIELDS:
            kept[name] = field
        elif name in properties:
            kept[name] = _pruned(field, properties[name], below, dropped)
        elif schema.get("additionalProperties"):
            kept[name] = _pruned(field, values_of(schema), below, dropped)
        elif name not in META_FIELDS or path:
            dropped.append(below)
    return kept


def _preserved(value: object, schema: Schema | None, path: str, dropped: list[str]) -> object:
    """Unknown fields stay here; known ones are pruned by their own schemas."""
    if schema is None:
        return value
    if isinstance(value, Mapping):
        properties, kept = schema.get("properties") or EMPTY, {}
        for name, field in value.items():
            below = f"{path}.{name}" if path else name
            if schema.get(EMBEDDED) and name in META_FIELDS:
                kept[name] = field
            elif name in properties:
                kept[name] = _pruned(field, properties[name], below, dropped)
            elif schema.get("additionalProperties"):
                kept[name] = _pruned(field, values_of(schema), below, dropped)
            else:
                kept[name] = field
        return kept
    if isinstance(value, (list, tuple)):
        items = schema.get("items")
        return [_preserved(item, items, f"{path}[{index}]", dropped) for index, item in enumerate(value)]
    return value


# ---- nulls


def without_nulls(value: object, schema: Schema | None) -> Any:
    """Without the nulls that are not allowed where they stand, except where a default will take their place."""
    if isinstance(value, Mapping):
        kept = {}
        for name, field in value.items():
            inner = _schema_of_field(name, schema)
            if not (_is_forbidden_null(field, inner) and inner is not None and "default" not in inner):
                kept[name] = without_nulls(field, inner)
        return kept
    if isinstance(value, (list, tuple)):
        items = None if schema is None else schema.get("items")
        return [without_nulls(item, items) for item in value]
    return value


def _schema_of_field(name: str, schema: Schema | None) -> Schema | None:
    if schema is None:
        return None
    properties = schema.get("properties") or EMPTY
    return properties[name] if name in properties else values_of(schema)


def _is_forbidden_null(value: object, schema: Schema | None) -> bool:
    return value is None and schema is not None and not schema.get("nullable")


# ---- defaults


def with_defaults(value: object, schema: Schema | None) -> Any:
    """With the schema's defaults where nothing stands, or a null that isn't allowed."""
    if schema is None:
        return value
    if isinstance(value, Mapping):
        return _with_default_fields(value, schema)
    if isinstance(value, (list, tuple)):
        items = schema.get("items")
        return [with_defaults(_or_default(item, items), items) for item in value]
    return value


def _with_default_fields(value: Mapping[str, Any], schema: Schema) -> Tree:
    properties: Mapping[str, Schema] = schema.get("properties") or EMPTY
    filled, others = dict(value), values_of(schema)
    for name, inner in properties.items():
        default = inner.get("default")
        if default is not None and (name not in filled or _is_forbidden_null(filled[name], inner)):
            filled[name] = thaw(default)
    for name, field in filled.items():
        if name in properties:
            filled[name] = with_defaults(field, properties[name])
        elif others is not None:
            filled[name] = with_defaults(_or_default(field, others), others)
    return filled


def _or_default(value: object, schema: Schema | None) -> object:
    """A default stands for a null that isn't allowed; there may be none, and the null stays."""
    if schema is not None and _is_forbidden_null(value, schema):
        return thaw(schema.get("default"))
    return value
