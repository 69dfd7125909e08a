"""What Go leaves out when it writes an object: empty lists and dictionaries, and nulls, unless they are always written.

A client may send `labels: {}`; the server's struct has no labels then, and so have its answers and what it stores.
Structs stay when they are empty: behind a pointer `{}` says something, and held by value they are always written. Numbers,
texts and truth values stay as well: whether an empty one counts is known to the classes only (codec.py).
Source: the JSON tags of staging/src/k8s.io/api/*/v1/types.go, as the OpenAPI's `required` shows them.

Called by the API server for what it reads as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.schema import Property, properties_of, required_of, struct_of


def without_empties(tree: Mapping[str, Any]) -> Tree:
    """An object's tree as Go writes it; of a kind without a schema as it is."""
    struct = struct_of(str(tree.get("apiVersion", "")), str(tree.get("kind", "")))
    return dict(tree) if struct is None else _of_struct(tree, struct)


def _of_struct(tree: Mapping[str, Any], struct: str) -> Tree:
    plan = _plan(struct)
    result: Tree = {}
    for name, value in tree.items():
        if type(value) in _SCALARS:
            result[name] = value
            continue
        is_required, found = plan.get(name, _UNKNOWN)
        if is_required or not _is_left_out(value, found):
            result[name] = _inside(value, found)
    return result


_SCALARS: Final = (str, int, bool, float)
_UNKNOWN: Final[tuple[bool, Property]] = (False, {})


@cache
def _plan(struct: str) -> Mapping[str, tuple[bool, Property]]:
    """Each field of a struct: whether it is always written, and its type."""
    required = required_of(struct)
    return {name: (name in required, found) for name, found in properties_of(struct).items()}


def _is_left_out(value: object, found: Property) -> bool:
    if value is None:
        return True
    return not value and ("items" in found if isinstance(value, (list, tuple)) else "values" in found)


_ZEROS: Final = {
    "string": "",
    "byte": "",
    "int32": 0,
    "int64": 0,
    "integer": 0,
    "number": 0,
    "boolean": False,
}


def _zero(found: Property) -> Any:
    """What Go makes of a null in a list or a dictionary: the zero of its type."""
    return {} if "struct" in found else _ZEROS.get(str(found.get("type")))


def _inside(value: Any, found: Property) -> Any:
    if not value:
        return value
    if isinstance(value, (list, tuple)):
        inner = found.get("items", {})
        if None in value:
            value = [_zero(inner) if item is None else item for item in value]
        return [_inside(item, inner) for item in value] if "type" not in inner else list(value)
    if not isinstance(value, dict):
        return value
    if "struct" in found:
        return _of_struct(value, found["struct"])
    inner = found.get("values", {})
    if None in value.values():
        value = {name: _zero(inner) if item is None else item for name, item in value.items()}
    return (
        {name: _inside(item, inner) for name, item in value.items()} if "type" not in inner else dict(value)
    )
