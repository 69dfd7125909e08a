"""What the schema says of a value: a scalar, a mapping or a list, and whether managers own it whole or part by part.

A `Property` (schema.py) is the type. Two kinds of it exist besides those of the built-in kinds: `{"fields": {...}}`, a
struct written out (custom resources with a schema; `rest` is the type of fields that it doesn't name), and `{"type": "deduced"}`, anything without a schema: mappings in
parts, lists whole.
Sources: sigs.k8s.io/structured-merge-diff typed/helpers.go (listItemToPathElement),
k8s.io/kube-openapi pkg/schemaconv (how list and map types are read).

Used by comparing.py and merging.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.managed.field_set import key_element, value_element
from chaoskube.models.objects.schema import (
    Property,
    map_type_of,
    properties_of,
    property_of,
    required_of,
    struct_of,
)


class _Absent:
    """No value at all, which is not the same as null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

DEDUCED: Final[Property] = {"type": "deduced"}
_NUMBERS: Final = ("int32", "int64", "integer", "number")
_TEXTS: Final = ("string", "byte", "date-time")
_EMPTY: Final[Mapping[str, object]] = {
    "int32": 0,
    "int64": 0,
    "integer": 0,
    "number": 0,
    "boolean": False,
    "string": "",
}


class ShapeError(Exception):
    """A value that doesn't fit its type: where, and why."""

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(f"{path}: {why}" if path else why)


def root_of(api_version: str, kind: str) -> Property | None:
    """The type of a built-in kind; None: there is no such kind."""
    struct = struct_of(api_version, kind)
    return None if struct is None else {"struct": struct}


def shape_of(found: Property, value: object) -> str:
    """map, list or scalar: how this type treats this value. Null and absence fit all."""
    if "struct" in found or "values" in found or "fields" in found:
        return "map"
    if "items" in found:
        return "list"
    if found.get("type") in ("any", "array", "deduced"):
        if isinstance(value, Mapping) or value is None or value is ABSENT:
            return "map"
        return "list" if isinstance(value, (list, tuple)) else "scalar"
    return "scalar"


def is_atomic(found: Property, shape: str) -> bool:
    """Whether one manager owns the mapping or list whole."""
    if found.get("type") in ("any", "array"):
        return True
    if found.get("type") == "deduced":
        return shape == "list"
    if shape == "list":
        return not _is_associative(found)
    if "map_type" in found:
        return bool(found["map_type"] == "atomic")
    return "struct" in found and map_type_of(found["struct"]) == "atomic"


def _is_associative(found: Property) -> bool:
    if "list_type" in found:
        return found["list_type"] in ("set", "map")
    return "merge" in str(found.get("strategy", "")).split(",")


def element_of(found: Property) -> Property:
    """The type of a list's items."""
    inner: Property = found.get("items", DEDUCED)
    return inner


def declares(found: Property, name: str) -> bool:
    """Whether a mapping is a struct with this field, not a dictionary that happens to have the key."""
    if "struct" in found:
        return bool(property_of(found["struct"], name))
    return name in found.get("fields", ())


def child_of(found: Property, name: str) -> Property | None:
    """The type of a mapping's field; None: there may be no such field."""
    if "struct" in found:
        return property_of(found["struct"], name) or None
    if name in found.get("fields", ()):
        child: Property = found["fields"][name]
        return child
    for others in ("values", "rest"):
        if others in found:
            child = found[others]
            return child
    return DEDUCED if found.get("type") in ("deduced", "any", "array") else None


def item_element(found: Property, item: object) -> str:
    """What a list's item is known by. Raises ShapeError when it can't be."""
    keys: Sequence[str] = found.get("map_keys", ()) or _merge_keys(found)
    if keys:
        return key_element(_keys_of(found, keys, item))
    if isinstance(item, Mapping):
        raise ShapeError("associative list without keys has an element that's a map type")
    if isinstance(item, (list, tuple)):
        raise ShapeError("not supported: associative list with lists as elements")
    if item is None:
        raise ShapeError("associative list without keys has an element that's an explicit null")
    return value_element(item)


def _merge_keys(found: Property) -> tuple[str, ...]:
    return (found["merge_key"],) if "list_type" not in found and "merge_key" in found else ()


def _keys_of(found: Property, keys: Sequence[str], item: object) -> dict[str, object]:
    if item is None:
        raise ShapeError("associative list with keys may not have a null element")
    if not isinstance(item, Mapping):
        raise ShapeError("associative list with keys may not have non-map elements")
    values: dict[str, object] = {}
    for key in keys:
        default = (child_of(element_of(found), key) or {}).get("default")
        value = item.get(key, default)
        if key in item or value is not None:
            values[key] = value
    if not values:
        named = " ".join([f'"{key}"' for key in keys])
        raise ShapeError(
            f"associative list with keys has an element that omits all key fields [{named}] "
            "(and doesn't have default values for any key fields)"
        )
    return values


def scalar_error(found: Property, value: object) -> str:
    """What is wrong with a scalar; "" when nothing is."""
    kind = found.get("type")
    if value is None or value is ABSENT:
        return ""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in _NUMBERS:
        return "" if is_number else f"expected numeric (int or float), got {_go_type(value)}"
    if kind in _TEXTS:
        said = f"expected string, got &value.valueUnstructured{{Value:{_go_value(value)}}}"
        return "" if isinstance(value, str) else said
    if kind == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got &{{{_go_value(value)}}}"
    if isinstance(value, (Mapping, list, tuple)):
        return f"expected any scalar, got &{{{_go_value(value)}}}"
    return ""


def container_error(shape: str, value: object) -> str:
    """What is wrong with a mapping or list; "" when nothing is."""
    if value is None or value is ABSENT:
        return ""
    if shape == "map":
        return "" if isinstance(value, Mapping) else f"expected map, got &{{{_go_value(value)}}}"
    return "" if isinstance(value, (list, tuple)) else f"expected list, got &{{{_go_value(value)}}}"


def empty_object(found: Property) -> Tree:
    """An object of this type as Go makes it before anything is set: structs held by value, what is always written.

    A custom object (no named struct) is empty.
    """
    struct = found.get("struct")
    if struct is None:
        return {}
    tree: Tree = {}
    required = required_of(struct)
    for name, inner in properties_of(struct).items():
        if inner.get("by_value"):
            tree[name] = empty_object(inner)
        elif name in required:
            tree[name] = _EMPTY.get(str(inner.get("type")))
    return tree


def _go_type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    return "[]interface {}" if isinstance(value, (list, tuple)) else "string"


def _go_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inner = [f'"{name}":{_go_value(value[name])}' for name in sorted(value)]
        return f"map[string]interface {{}}{{{', '.join(inner)}}}"
    if isinstance(value, (list, tuple)):
        return f"[]interface {{}}{{{', '.join([_go_value(item) for item in value])}}}"
    return f'"{value}"' if isinstance(value, str) else str(value)
