"""Questions asked of plain JSON trees: a path's text, number, list or mapping, with a quiet default.

A recording's objects stay as JSON, because the comparer must see fields that no model knows. Who calls it:
every module of this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"
Tree: TypeAlias = Mapping[str, Json]

_NOTHING: Tree = {}


def at(tree: Json, *path: str) -> Json:
    """What stands at the path, None where there is nothing."""
    for key in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(key)
    return tree


def text(tree: Json, *path: str) -> str:
    """The string at the path, "" where there is none."""
    found = at(tree, *path)
    return found if isinstance(found, str) else ""


def number(tree: Json, *path: str, default: int = 0) -> int:
    """The whole number at the path."""
    found = at(tree, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def mapping(tree: Json, *path: str) -> Tree:
    """The mapping at the path, an empty one where there is none."""
    found = at(tree, *path)
    return found if isinstance(found, Mapping) else _NOTHING


def items(tree: Json, *path: str) -> Iterator[Tree]:
    """The mappings of the list at the path."""
    found = at(tree, *path)
    for item in found if isinstance(found, list) else []:
        if isinstance(item, Mapping):
            yield item


def condition(tree: Json, kind: str) -> Tree:
    """The status condition of that type, an empty mapping where there is none."""
    return next(
        (found for found in items(tree, "status", "conditions") if text(found, "type") == kind), _NOTHING
    )


def unix_seconds(stamp: str) -> int:
    """An object's time (RFC 3339) in whole seconds since 1970."""
    return int(datetime.fromisoformat(stamp).timestamp())


def as_tree(found: Json) -> Tree:
    """The value as a mapping; an empty one when it is something else."""
    return found if isinstance(found, Mapping) else _NOTHING
