"""What the real server answers (400) when JSON does not fit its Go structs.

Source: Go's encoding/json as vendored in sigs.k8s.io/json, staging/src/k8s.io/apimachinery/pkg/runtime/error.go
(strict decoding). The words are rebuilt from the schema: the innermost struct, the path of fields without
indexes, the Go type.

Called by the API server when a body cannot be decoded, or is to be decoded strictly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.schema import Problem, Property, properties_of, struct_of
from chaoskube.sim import UsageError

_GO_TYPES: Final[Mapping[str, str]] = {
    "string": "string",
    "byte": "[]uint8",
    "int32": "int32",
    "int64": "int64",
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
}
_FITS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "byte": (str,),
    "int32": (int,),
    "int64": (int,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_QUANTITY: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


def decoding_error(tree: Mapping[str, Any]) -> str | None:
    """The first thing Go's decoder would stumble over, in its words; None when the object fits."""
    struct = struct_of(str(tree.get("apiVersion", "")), str(tree.get("kind", "")))
    return None if struct is None else _struct_error(tree, struct, ())


def strict_error(problems: Iterable[Problem]) -> str | None:
    """What fieldValidation=Strict answers to unknown fields; None when there are none."""
    unknown = [
        f'unknown field "{problem.path}"'
        for problem in problems
        if problem.message.startswith("unknown field")
    ]
    return f"strict decoding error: {', '.join(unknown)}" if unknown else None


def _struct_error(tree: Mapping[str, Any], struct: str, path: tuple[str, ...]) -> str | None:
    properties = properties_of(struct)
    for name, value in tree.items():
        if value is None or name not in properties:
            continue
        found = _value_error(value, properties[name], struct, (*path, name))
        if found:
            return found
    return None


def _value_error(value: object, found: Property, struct: str, path: tuple[str, ...]) -> str | None:
    if "struct" in found:
        if isinstance(value, Mapping):
            return _struct_error(value, found["struct"], path)
        return _mismatch(value, found, struct, path)
    if "items" in found:
        if not isinstance(value, (list, tuple)):
            return _mismatch(value, found, struct, path)
        return next(filter(None, (_value_error(item, found["items"], struct, path) for item in value)), None)
    if "values" in found:
        if not isinstance(value, Mapping):
            return _mismatch(value, found, struct, path)
        parts = (_value_error(item, found["values"], struct, path) for item in value.values())
        return next(filter(None, parts), None)
    return _plain_error(value, found, struct, path)


def _plain_error(value: object, found: Property, struct: str, path: tuple[str, ...]) -> str | None:
    kind = found["type"]
    if kind == "quantity":
        return _quantity_error(value)
    fits = _FITS.get(kind)
    if (
        value is None
        or fits is None
        or isinstance(value, fits)
        and isinstance(value, bool) is (kind == "boolean")
    ):
        return None
    return _mismatch(value, found, struct, path)


def _quantity_error(value: object) -> str | None:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            Quantity(value)
        except UsageError:
            return _QUANTITY
        return None
    return _QUANTITY


def _mismatch(value: object, found: Property, struct: str, path: tuple[str, ...]) -> str:
    owner = struct.rpartition(".")[2]
    return (
        f"json: cannot unmarshal {_json_kind(value)} into Go struct field {owner}.{'.'.join(path)} "
        f"of type {_go_type(found)}"
    )


def _go_type(found: Property) -> str:
    if "struct" in found:
        return ".".join(found["struct"].split(".")[-2:])
    if "items" in found:
        return f"[]{_go_type(found['items'])}"
    if "values" in found:
        return f"map[string]{_go_type(found['values'])}"
    return _GO_TYPES.get(found["type"], found["type"])


def _json_kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "object" if isinstance(value, Mapping) else "array"
