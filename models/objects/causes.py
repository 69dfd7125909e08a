"""Why an object is refused: causes with the real server's wording.

Source: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go, pkg/api/errors/errors.go (NewInvalid).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import attrs
from attrs import frozen

from chaoskube.models.objects.codec import encode
from chaoskube.models.objects.frozen import FrozenDict, Tree


@frozen(kw_only=True)
class Cause:
    """One thing that is wrong: where, of what sort, in words."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def invalid(field: str, value: object, detail: str) -> Cause:
    """A value that is not allowed."""
    return Cause(
        field=field, reason="FieldValueInvalid", message=f"Invalid value: {go_text(value)}: {detail}"
    )


def required(field: str, detail: str = "") -> Cause:
    """A value that is missing."""
    return Cause(field=field, reason="FieldValueRequired", message=_with("Required value", detail))


def duplicate(field: str, value: object) -> Cause:
    """A value that may stand only once."""
    return Cause(field=field, reason="FieldValueDuplicate", message=f"Duplicate value: {go_text(value)}")


def forbidden(field: str, detail: str) -> Cause:
    """A value that may not be given here."""
    return Cause(field=field, reason="FieldValueForbidden", message=f"Forbidden: {detail}")


def not_found(field: str, value: object) -> Cause:
    """A name that means nothing here."""
    return Cause(field=field, reason="FieldValueNotFound", message=f"Not found: {go_text(value)}")


def too_long(field: str, bytes_max: int) -> Cause:
    """More bytes than allowed."""
    message = f"Too long: may not be more than {bytes_max} bytes"
    return Cause(field=field, reason="FieldValueTooLong", message=message)


def too_many(field: str, count: int, items_max: int) -> Cause:
    """More items than allowed."""
    message = f"Too many: {count}: must have at most {items_max} items"
    return Cause(field=field, reason="FieldValueTooMany", message=message)


def invalid_without_value(field: str, detail: str) -> Cause:
    """Something that is not allowed, and too big or too plain to be shown."""
    return Cause(field=field, reason="FieldValueInvalid", message=f"Invalid value: {detail}")


def unsupported(field: str, value: object, allowed: Sequence[str]) -> Cause:
    """A value that is none of those allowed."""
    names = ", ".join(f'"{name}"' for name in allowed)
    message = f"Unsupported value: {go_text(value)}: supported values: {names}"
    return Cause(field=field, reason="FieldValueNotSupported", message=message)


def not_negative(field: str, value: int | None) -> list[Cause]:
    """What is to be said of a number below zero."""
    return (
        [invalid(field, value, "must be greater than or equal to 0")]
        if value is not None and value < 0
        else []
    )


def invalid_message(kind: str, group: str, name: str, causes: Iterable[Cause]) -> str:
    """The message of the Status: `Deployment.apps "web" is invalid: ...`; what is said twice stands once."""
    lines = list(dict.fromkeys(str(cause) for cause in causes))
    qualified = f"{kind}.{group}" if group else kind
    body = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    return f'{qualified} "{name}" is invalid: {body}'


def go_text(value: object) -> str:
    """A value as Kubernetes quotes it in a cause: JSON without spaces, the keys of maps in order."""
    if attrs.has(type(value)):
        value = _with_sorted_maps(encode(value))
    elif isinstance(value, FrozenDict):
        value = {key: value[key] for key in sorted(value)}
    elif isinstance(value, tuple):
        value = [encode(item) if attrs.has(type(item)) else item for item in value]
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _with_sorted_maps(tree: Tree) -> Tree:
    for name in _MAPS:
        if isinstance(tree.get(name), dict):
            tree[name] = {key: tree[name][key] for key in sorted(tree[name])}
    return tree


_MAPS = ("matchLabels", "limits", "requests", "nodeSelector")


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text
