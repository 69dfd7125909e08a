"""Requests and answers in files, and moved along the revisions.

A history is written as if the store began empty at revision 1. A real server that is used many times is never there again,
so every revision above 0 in a request is moved on by where it stands, and moved back in its answers.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

import attrs

from chaoskube.models.etcd import messages
from chaoskube.models.etcd.messages import Compare, CompareTarget

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
T = TypeVar("T")

REVISIONS: Final = frozenset({
    "revision", "create_revision", "mod_revision", "start_revision", "compact_revision",
    "min_mod_revision", "max_mod_revision", "min_create_revision", "max_create_revision",
})  # fmt: skip


def to_data(value: object) -> Json:
    """A value as JSON can hold it: a class by its name, with the fields that aren't as always."""
    if isinstance(value, enum.Enum):
        return {"": f"{type(value).__name__}.{value.name}"}
    if attrs.has(type(value)):
        fields = {
            one.name: to_data(getattr(value, one.name))
            for one in _fields(value)
            if getattr(value, one.name) != one.default
        }
        return {"": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [to_data(one) for one in value]
    assert value is None or isinstance(value, str | int), f"{value!r} can't be stored"
    return value


def from_data(data: Json) -> object:
    """The value again."""
    if isinstance(data, list):
        return tuple(from_data(one) for one in data)
    if not isinstance(data, dict):
        return data
    name = data[""]
    assert isinstance(name, str)
    if "." in name:
        kind, member = name.split(".")
        return getattr(messages, kind)[member]
    return getattr(messages, name)(**{key: from_data(one) for key, one in data.items() if key})


def moved(value: T, by: int) -> T:
    """The value with every revision in it moved; 0 and below mean something else, and stay."""
    return with_revisions(value, lambda revision: revision + by if revision > 0 else revision)


def with_revisions(value: T, move: Callable[[int], int]) -> T:
    """The value with each revision in it replaced by what `move` makes of it."""
    if isinstance(value, tuple):
        return type(value)(with_revisions(one, move) for one in value)
    if not attrs.has(type(value)) or isinstance(value, enum.Enum):
        return value
    changes: dict[str, object] = {}
    for one in _fields(value):
        now = getattr(value, one.name)
        changes[one.name] = move(now) if one.name in REVISIONS else with_revisions(now, move)
    if isinstance(value, Compare) and value.target in (CompareTarget.MOD, CompareTarget.CREATE):
        assert isinstance(value.value, int)
        changes["value"] = move(value.value)
    return type(value)(**changes)


def _fields(value: object) -> tuple[attrs.Attribute[object], ...]:
    kind = type(value)
    assert attrs.has(kind)
    return attrs.fields(kind)  # type: ignore[no-any-return]  # attrs says Any
