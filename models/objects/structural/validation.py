"""What a schema says of a value: causes with the words of the validator that the real server uses. Pure.

On an update a part that has not changed may break the schema: the schema came later (ratcheting). Parts correspond by their
field, in lists only by the keys of x-kubernetes-list-type: map.

Sources: k8s.io/kube-openapi/pkg/validation/{validate,errors}/*.go, staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/
validation/{validation,ratcheting}.go. Where the real one walks a map in Go's random order, this one goes by name.

Called by the API server for custom objects, and for the defaults in a definition.
Not modelled: patterns in the syntax of RE2 that Python's re doesn't know (a pattern that re refuses matches everything).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from attrs import define, field

from chaoskube.models.objects.causes import Cause, invalid, required, too_long, unsupported
from chaoskube.models.objects.frozen import EMPTY
from chaoskube.models.objects.structural.coercion import Schema, values_of
from chaoskube.models.objects.structural.equality import same
from chaoskube.models.objects.structural.formats import is_format
from chaoskube.models.objects.structural.numbers import number_findings, number_text

ABSENT: Final = object()
"""In place of a value's older version: there is none that corresponds."""
NOWHERE: Final = "<nil>"
"""The field of a cause that stands for the whole object."""


@define
class Findings:
    """What was found of a value, and how many checks went well (to choose the nearest of several schemas)."""

    causes: list[Cause] = field(factory=list)
    passed: int = 0

    def add(self, cause: Cause | None) -> None:
        """One more cause, unless it was said already."""
        if cause is not None and cause.message not in [known.message for known in self.causes]:
            self.causes.append(cause)

    def merge(self, other: Findings) -> None:
        """All that another one found."""
        for cause in other.causes:
            self.add(cause)
        self.passed += other.passed


def validate(value: object, schema: Schema, *, old: object = ABSENT, where: str = "") -> tuple[Cause, ...]:
    """What is wrong with a value; `where` it stands, when it is a part of an object."""
    causes = _check(value, schema, "", old).causes
    if not where:
        return tuple(causes)
    return tuple([_under(where, cause) for cause in causes])


def _under(where: str, cause: Cause) -> Cause:
    inner = "" if cause.field == NOWHERE else f".{cause.field}"
    return Cause(field=f"{where}{inner}", reason=cause.reason, message=cause.message)


# ---- one value


def _check(value: object, schema: Schema, path: str, old: object) -> Findings:
    found = Findings()
    _add_type(value, schema, path, found)
    if value is None:
        _add_enum(value, schema, path, found)
    else:
        _add_all(value, schema, path, old, found)
    if found.causes and old is not ABSENT and same(value, old):
        return Findings(passed=found.passed)
    return found


def _add_all(value: object, schema: Schema, path: str, old: object, found: Findings) -> None:
    found.passed += 1
    found.merge(_check_junctors(value, schema, path, old))
    found.passed += 1
    if isinstance(value, str):
        _add_text(value, schema, path, found)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        for cause in number_findings(value, schema, path):
            found.add(cause)
        found.passed += 2
    elif isinstance(value, (list, tuple)):
        _add_list(value, schema, path, old, found)
    _add_enum(value, schema, path, found)
    found.passed += 1
    if isinstance(value, Mapping):
        _add_fields(value, schema, path, old, found)
    found.passed += 1


def cause_at(path: str, value: object, message: str, *, reason: str = "FieldValueInvalid") -> Cause:
    """A cause whose message begins with where it is, as this validator's do."""
    made = invalid(path.removeprefix(".") or NOWHERE, value, f"{path} in body {message}")
    return Cause(field=made.field, reason=reason, message=made.message)


def _plain(message: str) -> Cause:
    """What the validator says of no field in particular."""
    return invalid(NOWHERE, "", message)


# ---- types


def _types_of(schema: Schema) -> tuple[str, ...]:
    if schema.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    return (schema["type"],) if schema.get("type") else ()


def json_type(value: object) -> str:
    """What JSON calls a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "object" if isinstance(value, Mapping) else "array"


def _add_type(value: object, schema: Schema, path: str, found: Findings) -> None:
    types, actual = _types_of(schema), json_type(value)
    if not types or value is None and schema.get("nullable") or _is_type(value, actual, types):
        found.passed += 1
        return
    message = f'must be of type {",".join(types)}: "{actual}"'
    found.add(cause_at(path, actual, message, reason="FieldValueTypeInvalid"))


def _is_type(value: object, actual: str, types: Sequence[str]) -> bool:
    if actual in types:
        return True
    if actual == "number":
        return "integer" in types and isinstance(value, float) and value.is_integer()
    return actual == "integer" and "number" in types


def _add_enum(value: object, schema: Schema, path: str, found: Findings) -> None:
    allowed = schema.get("enum")
    if allowed and not any(value is not None and same(value, one) for one in allowed):
        names = [one if isinstance(one, str) else number_text(one) for one in allowed]
        found.add(unsupported(path.removeprefix(".") or NOWHERE, value, names))


# ---- text


def _add_text(value: str, schema: Schema, path: str, found: Findings) -> None:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    pattern = schema.get("pattern")
    if longest is not None and len(value) > longest:
        found.add(too_long(path.removeprefix(".") or NOWHERE, longest))
    elif shortest is not None and len(value) < shortest:
        found.add(cause_at(path, value, f"should be at least {shortest} chars long"))
    elif pattern and not _is_matched(pattern, value):
        found.add(cause_at(path, value, f"should match '{pattern}'"))
    found.passed += 1
    name = schema.get("format")
    if name and _types_of(schema) in ((), ("string",)) and not is_format(value, name):
        message = f'must be of type {name}: "{value}"'
        found.add(cause_at(path, value, message, reason="FieldValueTypeInvalid"))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _is_matched(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(value) is not None


# ---- lists


def _add_list(value: Sequence[Any], schema: Schema, path: str, old: object, found: Findings) -> None:
    items = schema.get("items")
    if items is not None:
        for index, item in enumerate(value):
            found.merge(_check(item, items, f"{path}[{index}]", _counterpart(item, schema, old)))
    shortest, longest = schema.get("minItems"), schema.get("maxItems")
    if shortest is not None and len(value) < shortest:
        found.add(cause_at(path, len(value), f"should have at least {shortest} items"))
    if longest is not None and len(value) > longest:
        found.add(_too_many(path, len(value), longest))
    if schema.get("uniqueItems") and any(same(one, two) for i, one in enumerate(value) for two in value[:i]):
        found.add(cause_at(path, "", "shouldn't contain duplicates"))
    found.passed += 2


def _counterpart(item: object, schema: Schema, old: object) -> object:
    """The item of the old list with the same keys."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") != "map" or not keys or not isinstance(old, (list, tuple)):
        return ABSENT
    if not isinstance(item, Mapping):
        return ABSENT
    for one in old:
        if isinstance(one, Mapping) and all(same(one.get(key), item.get(key)) for key in keys):
            return one
    return ABSENT


def _too_many(path: str, count: int, most: int) -> Cause:
    message = f"Too many: {count}: must have at most {most} item{'' if most == 1 else 's'}"
    return Cause(field=path.removeprefix(".") or NOWHERE, reason="FieldValueTooMany", message=message)


# ---- objects


def _add_fields(value: Mapping[str, Any], schema: Schema, path: str, old: object, found: Findings) -> None:
    fewest, most = schema.get("minProperties"), schema.get("maxProperties")
    if fewest is not None and len(value) < fewest:
        found.add(cause_at(path, len(value), f"should have at least {fewest} properties"))
    if most is not None and len(value) > most:
        found.add(_too_many(path, len(value), most))
    properties: Mapping[str, Schema] = schema.get("properties") or EMPTY
    others = values_of(schema)
    if others is not None:
        for name in sorted(value):
            if name not in properties:
                found.merge(_check(value[name], others, f"{path}.{name}", _older(name, path, old)))
    for name in sorted(properties):
        if name in value:
            below = f"{path}.{name}" if path else name
            found.merge(_check(value[name], properties[name], below, _older(name, path, old)))
    for name in schema.get("required") or ():
        if name not in value:
            found.add(required(f"{path}.{name}".removeprefix(".")))


def _older(name: str, path: str, old: object) -> object:
    if not isinstance(old, Mapping) or name not in old or not path and name in ("apiVersion", "kind"):
        return ABSENT
    return old[name]


# ---- allOf, anyOf, oneOf, not


def _check_junctors(value: object, schema: Schema, path: str, old: object) -> Findings:
    found = Findings(passed=1)
    if schema.get("anyOf"):
        _add_any(value, schema["anyOf"], path, old, found)
    if schema.get("oneOf"):
        _add_one(value, schema["oneOf"], path, old, found)
    if schema.get("allOf"):
        tried = [_check(value, one, path, old) for one in schema["allOf"]]
        for result in tried:
            found.merge(result)
        failed = [result for result in tried if result.causes]
        if failed:
            more = ". None validated" if len(failed) == len(tried) else ""
            found.add(_plain(f'"{path}" must validate all the schemas (allOf){more}'))
    if schema.get("not") is not None and not _check(value, schema["not"], path, old).causes:
        found.add(_plain(f'"{path}" must not validate the schema (not)'))
    return found


def _add_any(value: object, schemas: Sequence[Schema], path: str, old: object, found: Findings) -> None:
    failures = []
    for one in schemas:
        result = _check(value, one, path, old)
        if not result.causes:
            found.merge(result)
            return
        failures.append(result)
    found.add(_plain(f'"{path}" must validate at least one schema (anyOf)'))
    found.merge(_nearest(failures))


def _add_one(value: object, schemas: Sequence[Schema], path: str, old: object, found: Findings) -> None:
    results = [_check(value, one, path, old) for one in schemas]
    valid = [result for result in results if not result.causes]
    if len(valid) == 1:
        found.merge(valid[0])
        return
    more = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
    found.add(_plain(f'"{path}" must validate one and only one schema (oneOf). {more}'))
    if not valid:
        found.merge(_nearest(results))


def _nearest(failures: Sequence[Findings]) -> Findings:
    """The failure with most checks that went well; the first of equals."""
    return max(failures, key=lambda result: result.passed)
