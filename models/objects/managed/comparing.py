"""Which fields a tree has, and which differ between two trees of one type. Pure.

Leaves are scalars and what is owned whole; empty mappings and lists are leaves when both sides are empty. An item of a
list and a key of a mapping is a field itself, so that it can be owned without its content.
Source: sigs.k8s.io/structured-merge-diff typed/{tofieldset,compare,validate}.go.

Called by updating.py and applying.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from chaoskube.models.objects.managed.field_set import (
    NOTHING,
    Builder,
    FieldSet,
    Path,
    name_element,
    path_text,
)
from chaoskube.models.objects.managed.shapes import (
    ABSENT,
    ShapeError,
    child_of,
    container_error,
    declares,
    element_of,
    is_atomic,
    item_element,
    scalar_error,
    shape_of,
)
from chaoskube.models.objects.schema import Property


@frozen(kw_only=True)
class Comparison:
    """What one tree has that another hasn't; no field is in two of the sets."""

    removed: FieldSet = NOTHING
    modified: FieldSet = NOTHING
    added: FieldSet = NOTHING

    @property
    def taken(self) -> FieldSet:
        """What whoever made the change has set."""
        return self.modified.union(self.added)

    def ignoring(self, fields: FieldSet) -> Comparison:
        """As if these fields, and all below them, were the same."""
        if not fields:
            return self
        return evolve(
            self,
            removed=self.removed.without(fields),
            modified=self.modified.without(fields),
            added=self.added.without(fields),
        )


# ---- all fields of a tree


def fields_of(tree: Mapping[str, Any], found: Property) -> FieldSet:
    """Every leaf and every item that a tree mentions. (typed/tofieldset.go)"""
    builder = Builder()
    _collect(tree, found, (), builder)
    return builder.done()


def _collect(value: Any, found: Property, path: Path, into: Builder) -> None:
    shape = shape_of(found, value)
    if shape == "scalar" or is_atomic(found, shape):
        into.add(path)
    elif shape == "list":
        _collect_items(value or (), found, path, into)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            child, where = child_of(found, name), (*path, name_element(name))
            _collect(inner, child or {"type": "any"}, where, into)
            is_empty = inner is None or isinstance(inner, Mapping) and not inner
            if is_empty or not declares(found, name):
                into.add(where)


def _collect_items(items: Any, found: Property, path: Path, into: Builder) -> None:
    by_element: dict[str, list[Any]] = {}
    for item in items:
        by_element.setdefault(item_element(found, item), []).append(item)
    for element, same in by_element.items():
        if len(same) == 1:
            _collect(same[0], element_of(found), (*path, element), into)
        into.add((*path, element))


# ---- two trees


class _Difference:
    """The three sets in the making."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.removed = Builder()
        self.modified = Builder()
        self.added = Builder()


def compare(old: Mapping[str, Any], new: Mapping[str, Any], found: Property) -> Comparison:
    """What the new tree has removed, modified and added. Raises ShapeError where items can't be told apart."""
    into = _Difference()
    _compare(old, new, found, (), into)
    return Comparison(removed=into.removed.done(), modified=into.modified.done(), added=into.added.done())


def _compare(old: Any, new: Any, found: Property, path: Path, into: _Difference) -> None:
    before, after = shape_of(found, old), shape_of(found, new)
    if new is ABSENT:
        after = before
    elif old is ABSENT or old is None:
        before = after
    elif new is None:
        after = before
    if before != after:
        _compare_as(before, old, new, found, path, into)
    is_leaf = _compare_as(after, old, new, found, path, into)
    if not is_leaf:
        if old is ABSENT:
            into.added.add(path)
        elif new is ABSENT:
            into.removed.add(path)


def _compare_as(shape: str, old: Any, new: Any, found: Property, path: Path, into: _Difference) -> bool:
    """Compare as this shape; says whether it was a leaf."""
    if shape == "scalar":
        _compare_leaf(old, new, path, into)
        return True
    container = Mapping if shape == "map" else (list, tuple)
    before: Any = old if isinstance(old, container) else None
    after: Any = new if isinstance(new, container) else None
    if is_atomic(found, shape) or not before and not after:
        _compare_leaf(old, new, path, into)
        return True
    if shape == "map":
        _compare_maps(before or {}, after or {}, found, path, into)
    else:
        _compare_lists(before or (), after or (), found, path, into)
    return False


def _compare_leaf(old: Any, new: Any, path: Path, into: _Difference) -> None:
    if old is ABSENT:
        into.added.add(path)
    elif new is ABSENT:
        into.removed.add(path)
    elif not equal(old, new):
        into.modified.add(path)


def _compare_maps(
    old: Mapping[str, Any], new: Mapping[str, Any], found: Property, path: Path, into: _Difference
) -> None:
    for name in {**old, **new}:
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before is not after:
            _compare(
                before, after, child_of(found, name) or {"type": "any"}, (*path, name_element(name)), into
            )


def _compare_lists(old: Any, new: Any, found: Property, path: Path, into: _Difference) -> None:
    before, after = _by_element(old, found), _by_element(new, found)
    inner = element_of(found)
    for element in {**before, **after}:
        left, right = before.get(element, []), after.get(element, [])
        where = (*path, element)
        if len(left) < 2 and len(right) < 2:
            _compare(left[0] if left else ABSENT, right[0] if right else ABSENT, inner, where, into)
        elif len(left) >= 2 and len(right) >= 2:
            if not equal(left, right):
                into.modified.add(where)
        elif len(left) >= 2:
            if right:
                _compare(ABSENT, right[0], inner, where, into)
            into.removed.add(where)
        else:
            if left:
                _compare(left[0], ABSENT, inner, where, into)
            into.added.add(where)


def _by_element(items: Any, found: Property) -> dict[str, list[Any]]:
    result: dict[str, list[Any]] = {}
    for item in items:
        result.setdefault(item_element(found, item), []).append(item)
    return result


def equal(one: object, other: object) -> bool:
    """Equal as JSON, frozen or not; true is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return isinstance(one, bool) is isinstance(other, bool) and one == other


# ---- does a tree fit its type?


def check_shape(tree: Mapping[str, Any], found: Property) -> None:
    """Refuse what an apply configuration may not hold: unknown fields, wrong types, two items with one key."""
    said = _errors(tree, found, ())
    if said:
        raise ShapeError(said[0] if len(said) == 1 else "\n".join(["errors:", *[f"  {one}" for one in said]]))


def _errors(value: Any, found: Property, path: Path) -> list[str]:
    shape = shape_of(found, value)
    why = scalar_error(found, value) if shape == "scalar" else container_error(shape, value)
    if why:
        return [f"{path_text(path)}: {why}"]
    if shape == "map":
        return _errors_in_map(value or {}, found, path)
    return _errors_in_list(value or (), found, path) if shape == "list" else []


def _errors_in_map(value: Mapping[str, Any], found: Property, path: Path) -> list[str]:
    said: list[str] = []
    for name, inner in value.items():
        where = (*path, name_element(name))
        child = child_of(found, name)
        if child is None:
            return [*said, f"{path_text(where)}: field not declared in schema"]
        said += _errors(inner, child, where)
    return said


def _errors_in_list(value: Any, found: Property, path: Path) -> list[str]:
    said: list[str] = []
    seen: dict[str, None] = {}
    for place, item in enumerate(value):
        element = f"i:{place}"
        if not is_atomic(found, "list"):
            try:
                element = item_element(found, item)
            except ShapeError as error:
                return [*said, f"{path_text(path)}: element {place}: {error}"]
            if element in seen:
                said.append(f"{path_text(path)}: duplicate entries for key {path_text((element,))}")
            seen[element] = None
        said += _errors(item, element_of(found), (*path, element))
    return said
