"""A set of fields of an object: a tree of path elements, each a member of the set or only on the way to one.

A path element is written as in FieldsV1: `f:name` (a field), `k:{"name":"app"}` (the item of a list with these keys),
`v:"x"` (the item of a set), `i:0` (a place). Sets never change; operations make new ones. A parent and its children are
members independently of each other.
Sources: sigs.k8s.io/structured-merge-diff fieldpath/{set,element,serialize,serialize-pe}.go.

Used by all of this package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from attrs import field, frozen

from chaoskube.models.objects.frozen import EMPTY, FrozenDict, Tree

Path: TypeAlias = tuple[str, ...]

SHARED_MAX: Final = 8192
_KINDS: Final = "fkvi"  # also the order in which elements are listed


@frozen(kw_only=True)
class FieldSet:
    """Fields below one place of an object."""

    members: frozenset[str] = frozenset()
    children: FrozenDict[str, FieldSet] = field(default=EMPTY)

    def __bool__(self) -> bool:
        return bool(self.members or self.children)

    def has(self, path: Path) -> bool:
        """Whether the field at `path` is a member."""
        node: FieldSet | None = self
        for step in path[:-1]:
            node = node.children.get(step) if node is not None else None
        return bool(path) and node is not None and path[-1] in node.members

    def below(self, element: str) -> FieldSet:
        """The members below an element, seen from there."""
        return self.children.get(element, NOTHING)

    def paths(self) -> Iterator[Path]:
        """All members: those of a level first, then level by level below."""
        for element in sorted(self.members, key=_order):
            yield (element,)
        for element in sorted(self.children, key=_order):
            for path in self.children[element].paths():
                yield (element, *path)

    def union(self, other: FieldSet) -> FieldSet:
        """Members of either."""
        if not self or not other or self is other:
            return self or other
        children = dict(self.children)
        for element, below in other.children.items():
            children[element] = children[element].union(below) if element in children else below
        return _set(self.members | other.members, children)

    def intersection(self, other: FieldSet) -> FieldSet:
        """Members of both."""
        children = {
            element: below.intersection(other.children[element])
            for element, below in self.children.items()
            if element in other.children
        }
        return _set(self.members & other.members, children)

    def difference(self, other: FieldSet) -> FieldSet:
        """Members of this one that aren't members of the other; a parent and its child are not the same."""
        if not other:
            return self
        children = {
            element: below.difference(other.below(element)) for element, below in self.children.items()
        }
        return _set(self.members - other.members, children)

    def without(self, other: FieldSet) -> FieldSet:
        """As `difference`, but with a member of the other goes all that is below it."""
        if not other:
            return self
        children = {
            element: below.without(other.below(element))
            for element, below in self.children.items()
            if element not in other.members
        }
        return _set(self.members - other.members, children)

    def encode(self) -> Tree:
        """The set as FieldsV1."""
        tree: Tree = {}
        for element in sorted({**dict.fromkeys(self.members), **self.children}, key=_order):
            below = self.children.get(element)
            tree[element] = {} if below is None else below.encode()
            if below is not None and element in self.members:
                tree[element] = {".": {}, **tree[element]}
        return tree

    @staticmethod
    def decode(tree: Mapping[str, Any]) -> FieldSet:
        """The set that FieldsV1 stands for. Elements of an unknown kind are dropped; malformed ones are a ValueError."""
        members: list[str] = []
        children: dict[str, FieldSet] = {}
        for name, inner in tree.items():
            if name == ".":
                continue
            element = _canonical(name)
            if element is None:
                continue
            if not isinstance(inner, Mapping):
                raise ValueError(f"fieldsV1: {name} must be a mapping, is {inner!r}")  # noqa: TRY004  # as all else that is malformed
            below = FieldSet.decode(inner)
            if "." in inner or not below:
                members.append(element)
            if below:
                children[element] = below
        return _set(frozenset(members), children)


def _set(members: frozenset[str], children: Mapping[str, FieldSet]) -> FieldSet:
    full = {element: below for element, below in children.items() if below}
    if not members and not full:
        return NOTHING
    return _shared(members, FrozenDict(full))


@lru_cache(maxsize=SHARED_MAX)
def _shared(members: frozenset[str], children: FrozenDict[str, FieldSet]) -> FieldSet:
    """One set for all that are equal: a thousand pods of one template have the same managers."""
    return FieldSet(members=members, children=children)


NOTHING: Final = FieldSet()


def of_paths(*paths: Path) -> FieldSet:
    """The set with these members; the empty path is the whole object, which nobody owns."""
    builder = Builder()
    for path in paths:
        builder.add(path)
    return builder.done()


class Builder:
    """A set in the making."""

    __slots__ = ("_children", "_members")

    def __init__(self) -> None:
        self._members: dict[str, None] = {}
        self._children: dict[str, Builder] = {}

    def add(self, path: Path) -> None:
        """Make the field at `path` a member."""
        node = self
        for step in path[:-1]:
            node = node._children.setdefault(step, Builder())
        if path:
            node._members[path[-1]] = None

    def done(self) -> FieldSet:
        """The set."""
        return _set(frozenset(self._members), {name: node.done() for name, node in self._children.items()})


# ---- path elements


def name_element(name: str) -> str:
    """A field, or a key of a mapping."""
    return f"f:{name}"


def key_element(keys: Mapping[str, object]) -> str:
    """The item of a list that has these values in its key fields."""
    return f"k:{_json(dict(sorted(keys.items())))}"


def value_element(value: object) -> str:
    """This item of a set."""
    return f"v:{_json(value)}"


def path_text(path: Path) -> str:
    """A path as messages show it: .spec.containers[name="app"].image."""
    return "".join([_element_text(element) for element in path])


def _element_text(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys: dict[str, object] = json.loads(rest)
        return f"[{','.join([f'{name}={_value_text(value)}' for name, value in keys.items()])}]"
    return f"[={_value_text(json.loads(rest))}]" if kind == "v" else f"[{rest}]"


def _value_text(value: object) -> str:
    return _json(value)


def _canonical(element: str) -> str | None:
    """The element as this room writes it; None: of a kind that we don't know."""
    kind, colon, rest = element[:1], element[1:2], element[2:]
    if colon != ":":
        raise ValueError(f"fieldsV1: {element!r} must begin with a kind and a colon, as in f:spec")
    if kind == "k":
        keys = json.loads(rest)
        if not isinstance(keys, dict):
            raise ValueError(f"fieldsV1: {element!r} must hold a mapping of keys")
        return key_element(keys)
    if kind == "v":
        return value_element(json.loads(rest))
    if kind == "i":
        return f"i:{int(rest)}"
    return element if kind == "f" else None


def _order(element: str) -> tuple[int, str]:
    return _KINDS.find(element[:1]), element


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
