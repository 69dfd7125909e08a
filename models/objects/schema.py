"""What the API server's OpenAPI says of every built-in kind: fields, types, what is required, how lists merge.

The data is schema.json.gz, made by schema_build.py from the documents a real API server of 1.36 served. `check` finds
what is wrong with an object before it is decoded; patches ask for merge keys.

Not modelled: patterns, enumerations and bounds in the schema (validation.py has the rules that matter).
"""

from __future__ import annotations

import gzip
import json
import string
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeAlias

from attrs import frozen

from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.times import parse_time
from chaoskube.sim import UsageError

Property: TypeAlias = Mapping[
    str, Any
]  # {"type": ...} or {"struct": ...} or {"items": ...} or {"values": ...}


@frozen(kw_only=True)
class Problem:
    """What is wrong, and where: `spec.template.spec.containers[0].imagee`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def known(api_version: str, kind: str) -> bool:
    """Whether the API has this kind."""
    return f"{api_version}/{kind}" in _data()["kinds"]


def check(tree: Mapping[str, Any]) -> list[Problem]:
    """Every unknown field, wrong type and missing required field of an object."""
    api_version, kind = tree.get("apiVersion"), tree.get("kind")
    for field, value in (("apiVersion", api_version), ("kind", kind)):
        if not isinstance(value, str) or not value:
            return [
                Problem(path=field, message="is missing; every object needs apiVersion and kind, as text")
            ]
    struct = _data()["kinds"].get(f"{api_version}/{kind}")
    if struct is None:
        return [unknown_kind(str(api_version), str(kind))]
    return list(_check_struct(tree, struct, ""))


def unknown_kind(api_version: str, kind: str) -> Problem:
    """Says which kind or version was probably meant."""
    names = [identity.rpartition("/")[::2] for identity in _data()["kinds"]]
    versions = sorted(version for version, name in names if name == kind)
    if versions:
        near = next(iter(get_close_matches(api_version, versions, n=1, cutoff=0.0)), versions[0])
        return Problem(path="apiVersion", message=f'{kind} is not in "{api_version}"; it is in "{near}"')
    in_version = sorted(name for version, name in names if version == api_version)
    close = get_close_matches(kind, in_version, n=1, cutoff=0.6) or get_close_matches(
        kind, sorted(name for _, name in names), n=1, cutoff=0.6
    )
    hint = f'; did you mean "{close[0]}"?' if close else ""
    if in_version:
        return Problem(path="kind", message=f'"{api_version}" has no kind "{kind}"{hint}')
    groups = sorted({version: None for version, _ in names})
    near_version = get_close_matches(api_version, groups, n=1, cutoff=0.6)
    hint = f'; did you mean "{near_version[0]}"?' if near_version else hint
    return Problem(path="apiVersion", message=f'no such API version as "{api_version}"{hint}')


def struct_of(api_version: str, kind: str) -> str | None:
    """The name of the struct that describes a kind."""
    found: str | None = _data()["kinds"].get(f"{api_version}/{kind}")
    return found


def property_of(struct: str | None, field: str) -> Property:
    """What the schema says of a field; {} when it says nothing."""
    if struct is None:
        return {}
    found: Property = _data()["structs"].get(struct, {}).get("properties", {}).get(field, {})
    return found


def properties_of(struct: str) -> Mapping[str, Property]:
    """All fields of a struct."""
    found: Mapping[str, Property] = _data()["structs"].get(struct, {}).get("properties", {})
    return found


def map_type_of(struct: str) -> str:
    """atomic or granular: whether managers own this struct whole or field by field."""
    return str(_data()["structs"].get(struct, {}).get("map_type", "granular"))


def required_of(struct: str) -> tuple[str, ...]:
    """The fields of a struct that Go always writes."""
    return tuple(_data()["structs"].get(struct, {}).get("required", ()))


def merge_key(found: Property) -> str | None:
    """The key by which a strategic merge patch matches the items of this list; None: it is replaced."""
    return found.get("merge_key") if merges(found) else None


def merges(found: Property) -> bool:
    """Whether a strategic merge patch merges this list instead of replacing it."""
    return "merge" in str(found.get("strategy", "")).split(",")


def drop_unknown(tree: Tree) -> None:
    """Take every field out of an object that its schema doesn't have."""
    struct = struct_of(str(tree.get("apiVersion")), str(tree.get("kind")))
    if struct is not None:
        _drop_from({"struct": struct}, tree)


def _drop_from(found: Property, value: Any) -> None:
    if "struct" in found and isinstance(value, dict):
        properties = properties_of(found["struct"])
        for name in list(value):
            if name in properties:
                _drop_from(_field_for(properties, found["struct"], name, value[name]), value[name])
            else:
                del value[name]
    elif "items" in found and isinstance(value, list):
        for item in value:
            _drop_from(found["items"], item)
    elif "values" in found and isinstance(value, dict):
        for item in value.values():
            _drop_from(found["values"], item)


@cache
def _data() -> dict[str, Any]:
    packed = files(__package__).joinpath("schema.json.gz").read_bytes()
    result: dict[str, Any] = json.loads(gzip.decompress(packed))
    return result


_SCHEMA: Final = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


def _field_for(properties: Mapping[str, Property], struct: str, name: str, value: object) -> Property:
    """What a field is; some of a CustomResourceDefinition's schemas are one thing or another. (types_jsonschema.go)"""
    if struct == _SCHEMA:
        if name == "items":
            return {"items": {"struct": struct}} if isinstance(value, (list, tuple)) else {"struct": struct}
        if name in ("additionalProperties", "additionalItems") and not isinstance(value, bool):
            return {"struct": struct}
    return properties[name]


def _check_struct(tree: Mapping[str, Any], struct: str, path: str) -> Iterator[Problem]:
    definition = _data()["structs"][struct]
    properties: Mapping[str, Property] = definition["properties"]
    for name, value in tree.items():
        where = f"{path}.{name}" if path else name
        if name not in properties:
            near = get_close_matches(name, list(properties), n=1, cutoff=0.7)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            yield Problem(path=where, message=f'unknown field "{name}"{hint}')
        elif value is not None:
            yield from _check_value(value, _field_for(properties, struct, name, value), where)
    for name in definition["required"]:
        if tree.get(name) is None:
            yield Problem(path=f"{path}.{name}" if path else name, message="is required, and missing")


def _check_value(value: object, found: Property, path: str) -> Iterator[Problem]:
    if "struct" in found:
        if isinstance(value, Mapping):
            yield from _check_struct(value, found["struct"], path)
        else:
            yield Problem(path=path, message=f"must be a mapping, is {_kind_of(value)}")
    elif "items" in found:
        if not isinstance(value, (list, tuple)):
            yield Problem(path=path, message=f"must be a list, is {_kind_of(value)}")
            return
        for position, item in enumerate(value):
            if item is not None:
                yield from _check_value(item, found["items"], f"{path}[{position}]")
    elif "values" in found:
        if not isinstance(value, Mapping):
            yield Problem(path=path, message=f"must be a mapping, is {_kind_of(value)}")
            return
        for name, item in value.items():
            if item is not None:
                yield from _check_value(item, found["values"], f"{path}.{name}")
    else:
        message = _WORDS[found["type"]](value)
        if message:
            yield Problem(path=path, message=message)


def _text(value: object) -> str:
    return "" if isinstance(value, str) else f"must be text, is {_kind_of(value)}"


def _whole(value: object, bits: int = 64) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return f"must be a whole number, is {_kind_of(value)}"
    return "" if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else f"must fit into {bits} bits, is {value}"


def _number(value: object) -> str:
    return (
        ""
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else f"must be a number, is {_kind_of(value)}"
    )


def _boolean(value: object) -> str:
    return "" if isinstance(value, bool) else f"must be true or false, is {_kind_of(value)}"


def _int_or_text(value: object) -> str:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return ""
    return f"must be a whole number or text, is {_kind_of(value)}"


def _quantity(value: object) -> str:
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        return f"must be a quantity such as 500m or 2Gi, is {_kind_of(value)}"
    try:
        Quantity(value)
    except UsageError as error:
        return str(error)
    return ""


def _byte(value: object) -> str:
    if not isinstance(value, str):
        return _text(value)
    wrong = _base64_error(value)
    return "" if wrong is None else f"illegal base64 data at input byte {wrong}"


def _base64_error(text: str) -> int | None:
    """Where Go's decoder stops (encoding/base64, decodeQuantum); it passes over line ends."""
    signs = [(at, sign) for at, sign in enumerate(text) if sign not in "\r\n"]
    for number, (at, sign) in enumerate(signs):
        place = number % 4
        if sign == "=":
            rest = signs[number + 1 :]
            if place == 2 and rest and rest[0][1] == "=":
                rest = rest[1:]
            elif place == 2:
                return rest[0][0] - 1 if rest else len(text)
            return at if place < 2 else (rest[0][0] if rest else None)
        if sign not in _BASE64:
            return at
    left = len(signs) % 4
    return len(text) - left if left else None


_BASE64: Final = frozenset(string.ascii_letters + string.digits + "+/")


def _time(value: object) -> str:
    if not isinstance(value, str):
        return _text(value)
    try:
        parse_time(value)
    except UsageError as error:
        return str(error)
    return ""


def _anything(value: object) -> str:
    return ""


_WORDS: Final[Mapping[str, Callable[[object], str]]] = {
    "string": _text,
    "byte": _byte,
    "integer": _whole,
    "int64": _whole,
    "int32": lambda value: _whole(value, 32),
    "number": _number,
    "boolean": _boolean,
    "int-or-string": _int_or_text,
    "quantity": _quantity,
    "date-time": _time,
    "any": _anything,
    "array": _anything,
}


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text ({value!r})" if len(value) <= 40 else "text"
    if isinstance(value, (int, float)):
        return f"a number ({value!r})"
    return "a mapping" if isinstance(value, Mapping) else "a list"
