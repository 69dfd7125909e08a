"""Whether a schema is structural, and its defaults are what it allows: what a definition is refused for. Pure.

Every field that anything is said of must be named, with its type, in the schema's own tree of properties; allOf, anyOf, oneOf
and not may only restrict values.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{validation,complete}.go,
pkg/apis/apiextensions/validation/validation.go (ValidateCustomResourceDefinitionOpenAPISchema).

Called by the API server for CustomResourceDefinitions.
Not modelled: limits of cost, what is allowed to stay wrong in an update.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chaoskube.models.objects.causes import Cause, forbidden, invalid, required, unsupported
from chaoskube.models.objects.frozen import EMPTY, thaw
from chaoskube.models.objects.structural.cel import CelError, parse
from chaoskube.models.objects.structural.coercion import EMBEDDED, PRESERVE, Schema, pruned, values_of
from chaoskube.models.objects.structural.lists import repeated_items
from chaoskube.models.objects.structural.validation import validate

_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_MUST_TYPE: Final = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_NESTED_ONLY: Final = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    (PRESERVE, "must be false to be structural"),
    (EMBEDDED, "must be false to be structural"),
    (_INT_OR_STRING, "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)
_ANY_INT_OR_STRING: Final = ({"type": "integer"}, {"type": "string"})
_FORBIDDEN: Final = (
    "definitions",
    "dependencies",
    "patternProperties",
    "id",
    "$ref",
    "$schema",
    "additionalItems",
)


def schema_problems(schema: Schema, path: str) -> tuple[Cause, ...]:
    """What is wrong with a schema that stands at `path`, sorted; the rest of the definition isn't looked at."""
    found = [*_generic(schema, path), *_structural(schema, "root", path), *_completeness(schema, path)]
    if not found:
        found = list(_defaults(schema, path))
    return tuple(sorted(found, key=str))


# ---- what OpenAPI is allowed at all


def _generic(schema: Schema, path: str) -> Iterator[Cause]:
    for field in _FORBIDDEN:
        if schema.get(field):
            yield forbidden(f"{path}.{field}", f"{field} is not supported")
    if schema.get("uniqueItems"):
        yield forbidden(
            f"{path}.uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        )
    if schema.get("additionalProperties") is False:
        yield forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if schema.get("properties") and schema.get("additionalProperties") not in (None, True):
        yield forbidden(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    kind = schema.get("type")
    if kind and kind not in _TYPES:
        yield unsupported(f"{path}.type", kind, _TYPES)
    yield from _list_types(schema, path)
    yield from _rules(schema, path)
    for below, inner in _inner_schemas(schema, path):
        yield from _generic(inner, below)


def _list_types(schema: Schema, path: str) -> Iterator[Cause]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    where = f"{path}.x-kubernetes-list-type"
    if kind is None:
        if keys:
            yield required(where, "must be map if x-kubernetes-list-map-keys is non-empty")
        return
    if schema.get("type") != "array":
        what = schema.get("type") or ""
        yield (
            invalid(f"{path}.type", what, "must be array if x-kubernetes-list-type is specified")
            if what
            else required(f"{path}.type", "must be array if x-kubernetes-list-type is specified")
        )
    if kind not in ("atomic", "set", "map"):
        yield unsupported(where, kind, ("atomic", "map", "set"))
    elif kind == "map" and not keys:
        yield required(
            f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"
        )
    elif kind != "map" and keys:
        yield invalid(where, kind, "must be map if x-kubernetes-list-map-keys is non-empty")
    elif kind == "map":
        yield from _map_keys(schema, keys, path)


def _map_keys(schema: Schema, keys: tuple[str, ...], path: str) -> Iterator[Cause]:
    items = schema.get("items") or EMPTY
    where = f"{path}.items"
    if items.get("type") != "object":
        yield invalid(
            f"{where}.type",
            items.get("type") or "",
            "must be object if parent array's x-kubernetes-list-type is map",
        )
        return
    properties = items.get("properties") or EMPTY
    for index, key in enumerate(keys):
        inner = properties.get(key)
        if inner is None:
            yield invalid(
                f"{path}.x-kubernetes-list-map-keys[{index}]",
                key,
                "entries must all be names of item properties",
            )
        elif inner.get("type") in ("array", "object"):
            yield invalid(
                f"{where}.properties[{key}].type",
                inner["type"],
                "must be a scalar type if parent array's x-kubernetes-list-type is map",
            )
        elif key not in (items.get("required") or ()) and "default" not in inner:
            yield required(
                f"{where}.properties[{key}].default",
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
            )


def _rules(schema: Schema, path: str) -> Iterator[Cause]:
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = f"{path}.x-kubernetes-validations[{index}]"
        text = rule.get("rule", "").strip()
        if not text:
            yield required(f"{where}.rule", "rule is not specified")
            continue
        if "message" in rule and not rule["message"].strip():
            yield invalid(f"{where}.message", rule["message"], "message must be non-empty if specified")
        try:
            parse(rule["rule"])
        except CelError as error:
            yield invalid(f"{where}.rule", dict(rule), f"compilation failed: ERROR: <input>: {error}")


def _inner_schemas(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    if isinstance(schema.get("items"), Mapping):
        yield f"{path}.items", schema["items"]
    for name, inner in (schema.get("properties") or EMPTY).items():
        yield f"{path}.properties[{name}]", inner
    if (others := values_of(schema)) is not None:
        yield f"{path}.additionalProperties", others
    for junctor in ("allOf", "anyOf", "oneOf"):
        for index, inner in enumerate(schema.get(junctor) or ()):
            yield f"{path}.{junctor}[{index}]", inner
    if isinstance(schema.get("not"), Mapping):
        yield f"{path}.not", schema["not"]


# ---- structure


def _structural(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    if schema.get("items") is not None:
        yield from _structural(schema["items"], "item", f"{path}.items")
    for name, inner in (schema.get("properties") or EMPTY).items():
        if not (level == "root" and name == "metadata"):
            yield from _structural(inner, "field", f"{path}.properties[{name}]")
    if schema.get("additionalProperties") is not None and level == "root":
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if (others := values_of(schema)) is not None:
        yield from _structural(others, "field", f"{path}.additionalProperties")
    yield from _extensions(schema, path)
    yield from _junctors(schema, path)
    if not kind and not schema.get(_INT_OR_STRING) and not schema.get(PRESERVE):
        yield required(f"{path}.type", _MUST_TYPE[level])
    if level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    if level == "root" or schema.get(EMBEDDED):
        yield from _metadata(schema, level, path)


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    for extension in (PRESERVE, EMBEDDED):
        if schema.get(_INT_OR_STRING) and schema.get(extension):
            yield invalid(f"{path}.{extension}", True, f"must be false if {_INT_OR_STRING} is true")
    if schema.get(EMBEDDED):
        if schema.get("type") not in (None, "", "object"):
            yield invalid(f"{path}.type", schema["type"], f"must be object if {EMBEDDED} is true")
        if not schema.get(PRESERVE) and not schema.get("properties"):
            yield required(
                f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
            )
    try:
        re.compile(schema.get("pattern") or "")
    except re.error as error:
        yield invalid(
            f"{path}.pattern", schema["pattern"], f"must be a valid regular expression, but isn't: {error}"
        )


def _metadata(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    properties = schema.get("properties") or EMPTY
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            yield invalid(
                f"{path}.properties[{name}].type", properties[name].get("type") or "", "must be string"
            )
    if "metadata" not in properties:
        return
    where, metadata = f"{path}.properties[metadata]", properties["metadata"]
    if metadata.get("type") != "object":
        yield invalid(f"{where}.type", metadata.get("type") or "", "must be object")
    fields = set(metadata.get("properties") or ())
    if level == "root" and (
        not fields <= {"name", "generateName"} or set(metadata) - {"type", "properties", "description"}
    ):
        yield forbidden(
            where,
            "must not specify anything other than name and generateName, but metadata is implicitly specified",
        )


def _junctors(schema: Schema, path: str) -> Iterator[Cause]:
    is_either = bool(schema.get(_INT_OR_STRING))
    for junctor in ("anyOf", "allOf", "oneOf"):
        inner = schema.get(junctor) or ()
        if is_either and junctor == "anyOf" and tuple(inner) == _ANY_INT_OR_STRING:
            continue
        for index, one in enumerate(inner):
            is_first = is_either and junctor == "allOf" and index == 0
            yield from _nested(one, f"{path}.{junctor}[{index}]", may_be_either=is_first)
    if schema.get("not") is not None:
        yield from _nested(schema["not"], f"{path}.not")


def _nested(schema: Schema, path: str, *, may_be_either: bool = False) -> Iterator[Cause]:
    for field, why in _NESTED_ONLY:
        is_rule_of_all = field == "x-kubernetes-validations" and ".allOf[" in path
        if schema.get(field) and not is_rule_of_all:
            yield forbidden(f"{path}.{field}", why)
    if "metadata" in (schema.get("properties") or ()):
        yield forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")
    for below, inner in _inner_schemas(schema, path):
        if may_be_either and tuple(schema.get("anyOf") or ()) == _ANY_INT_OR_STRING and ".anyOf[" in below:
            continue
        yield from _nested(inner, below)


# ---- what is said of a value must be said of a field that exists


def _completeness(schema: Schema, path: str) -> Iterator[Cause]:
    for junctor in ("allOf", "anyOf", "oneOf"):
        for index, inner in enumerate(schema.get(junctor) or ()):
            yield from _complete(inner, schema, f"{path}.{junctor}[{index}]", path)
    if schema.get("not") is not None:
        yield from _complete(schema["not"], schema, f"{path}.not", path)
    for below, inner in _inner_schemas(schema, path):
        if below.startswith((f"{path}.properties[", f"{path}.items", f"{path}.additionalProperties")):
            yield from _completeness(inner, below)


def _complete(nested: Schema, structure: Schema | None, path: str, where: str) -> Iterator[Cause]:
    for name, inner in (nested.get("properties") or EMPTY).items():
        known = None if structure is None else (structure.get("properties") or EMPTY).get(name)
        if known is None and not (structure is not None and values_of(structure) is not None):
            yield required(
                f"{where}.properties[{name}]", f"because it is defined in {path}.properties[{name}]"
            )
        else:
            yield from _complete(
                inner, known or EMPTY, f"{path}.properties[{name}]", f"{where}.properties[{name}]"
            )
    if nested.get("items") is not None:
        items = None if structure is None else structure.get("items")
        if items is None:
            yield required(f"{where}.items", f"because it is defined in {path}.items")
        else:
            yield from _complete(nested["items"], items, f"{path}.items", f"{where}.items")


# ---- defaults


def _defaults(schema: Schema, path: str) -> Iterator[Cause]:
    default: Any = thaw(schema.get("default"))
    if default is not None:
        where = f"{path}.default"
        wrapped = {"type": "object", "properties": {"default": schema}}
        dropped = pruned({"default": default}, wrapped)[1]
        if dropped:
            yield invalid(where, default, "must not have unknown fields")
        for cause in (*validate(default, schema), *repeated_items(default, schema)):
            inner = "" if cause.field == "<nil>" else f".{cause.field}"
            yield Cause(field=f"{where}{inner}", reason=cause.reason, message=cause.message)
    if schema.get("items") is not None:
        yield from _defaults(schema["items"], f"{path}.items")
    for name, inner in (schema.get("properties") or EMPTY).items():
        yield from _defaults(inner, f"{path}.properties[{name}]")
    if (others := values_of(schema)) is not None:
        yield from _defaults(others, f"{path}.additionalProperties")
