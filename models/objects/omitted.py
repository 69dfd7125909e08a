"""What Go leaves out when it writes an object: empty lists and dictionaries, and nulls, unless they are always written.

A client may send `labels: {}`; the server's struct has no labels then, and so have its answers and what it stores.
Structs stay when they are empty: behind a pointer `{}` says something, and held by value they are always written. Numbers,
texts and truth values stay as well: whether an empty one counts is known to the classes only (codec.py).
Source: the JSON tags of staging/src/k8s.io/api/*/v1/types.go, as the OpenAPI's `required` shows them.

Called by the API server for what it reads as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.schema import Property, properties_of, required_of, struct_of


def without_empties(tree: Mapping[str, Any]) -> Tree:
    """An object's tree as Go writes it; of a kind without a schema as it is."""
    struct = struct_of(str(tree.get("apiVersion", "")), str(tree.get("kind", "")))
    return dict(tree) if struct is None else _of_struct(tree, struct)


def _of_struct(tree: Mapping[str, Any], struct: str) -> Tree:
    properties, required = properties_of(struct), required_of(struct)
    result: Tree = {}
    for name, value in tree.items():
        found = properties.get(name, {})
        if name in required or not _is_left_out(value, found):
            result[name] = _inside(value, found)
    return result


def _is_left_out(value: object, found: Property) -> bool:
    if value is None:
        return True
    return not value and (
        isinstance(value, (list, tuple))
        and "items" in found
        or isinstance(value, Mapping)
        and "values" in found
    )


def _inside(value: Any, found: Property) -> Any:
    if isinstance(value, Mapping):
        if "struct" in found:
            return _of_struct(value, found["struct"])
        inner = found.get("values", {})
        return {name: _inside(item, inner) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_inside(item, found.get("items", {})) for item in value]
    return value
