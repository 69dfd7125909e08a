"""Which fields the simulation acts on, and which it only carries along.

The facts are in acted_on.json (made from the code by tests/models/objects/acted_on_build.py): for each class and field the rooms that read it,
such as `scheduler` or `node`. Here they are put together with the fields that the real API has, path by path. Fields that
only rules of the API server look at when an object is written (defaults, validation) are not acted on.

Called by the command that explains fields, and by the door for manifests.
Not modelled: metadata, of which all that is typed is acted on for every kind.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from chaoskube.models.objects.fields import json_name
from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.objects.kinds import class_of
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.schema import Property, properties_of, struct_of

_HEAD: Final = frozenset({"apiVersion", "kind", "metadata"})
_DEEP: Final = 12


@frozen(kw_only=True)
class FieldUse:
    """One field: `spec.containers[].image`, and the rooms that act on it; none: it is carried."""

    path: str
    rooms: tuple[str, ...] = ()


def field_uses(api_version: str, kind: str) -> tuple[FieldUse, ...]:
    """Every field of a kind but its metadata, down to what is carried whole: what nobody reads has no parts."""
    struct, cls = struct_of(api_version, kind), class_of(api_version, kind)
    if struct is None:
        return ()
    return tuple(_uses(struct, cls, "", _DEEP))


def uses_in(tree: Mapping[str, Any]) -> tuple[FieldUse, ...]:
    """The same for the fields that stand in one object."""
    known = {use.path: use for use in field_uses(str(tree.get("apiVersion")), str(tree.get("kind")))}
    return tuple(known[path] for path in _paths(tree, "", known))


def is_acted_on(api_version: str, kind: str) -> bool:
    """Whether any component does something because of what an object of this kind says."""
    return any(use.rooms for use in field_uses(api_version, kind))


def _uses(struct: str, cls: type | None, path: str, depth: int) -> Iterator[FieldUse]:
    hints = _hints(cls) if cls is not None else {}
    read = _facts().get(cls.__name__, {}) if cls is not None else {}
    for name, found in properties_of(struct).items():
        if not path and name in _HEAD:
            continue
        where = f"{path}.{name}" if path else name
        inner, suffix = _inside(found)
        part = _class_in(hints.get(name))
        if part is not None and "struct" in inner and name in read and depth > 0:
            yield from _uses(inner["struct"], part, where + suffix, depth - 1)
        else:
            yield FieldUse(path=where, rooms=tuple(read.get(name, ())))


def _inside(found: Property) -> tuple[Property, str]:
    """What a list or map holds."""
    if "items" in found:
        return found["items"], "[]"
    return (found["values"], "{}") if "values" in found else (found, "")


def _paths(tree: Mapping[str, Any], path: str, known: Mapping[str, FieldUse]) -> Iterator[str]:
    """The paths of an object's fields that are known, each once."""
    seen: dict[str, None] = {}
    for name, value in tree.items():
        where = f"{path}.{name}" if path else name
        if where in known:
            seen[where] = None
        elif isinstance(value, Mapping):
            seen.update(dict.fromkeys(_paths(value, where, known)))
        elif isinstance(value, (list, tuple)):
            for item in value:
                if isinstance(item, Mapping):
                    seen.update(dict.fromkeys(_paths(item, f"{where}[]", known)))
    yield from seen


@cache
def _hints(cls: type) -> dict[str, object]:
    hints = get_type_hints(cls, include_extras=True)
    return {json_name(field.name): hints[field.name] for field in attrs.fields(cls) if field.name != "extra"}


def _class_in(hint: object) -> type | None:
    """The struct class of an attribute, itself or in a list or map."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return next((found for arm in get_args(hint) if (found := _class_in(arm)) is not None), None)
    if origin is tuple:
        return _class_in(get_args(hint)[0])
    if origin is FrozenDict:
        return _class_in(get_args(hint)[1])
    if origin is Annotated or not isinstance(hint, type) or hint is Quantity:
        return None
    return hint if attrs.has(hint) else None


@cache
def _facts() -> dict[str, dict[str, list[str]]]:
    result: dict[str, dict[str, list[str]]] = json.loads(
        files(__package__).joinpath("acted_on.json").read_text(encoding="utf-8")
    )
    return result
