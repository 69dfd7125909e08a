"""Merging a configuration into an object by its type, and taking fields out again. Pure; what goes in stays as it is.

A merge removes nothing: leaves are the configuration's, mappings and keyed lists merge. A merged list has the
configuration's order for what it names; items of the object alone stay before the next shared one.
Source: sigs.k8s.io/structured-merge-diff typed/{merge,remove}.go.

Called by applying.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaoskube.models.objects.managed.field_set import FieldSet, name_element, path_text
from chaoskube.models.objects.managed.shapes import (
    ABSENT,
    ShapeError,
    child_of,
    declares,
    element_of,
    is_atomic,
    item_element,
    shape_of,
)
from chaoskube.models.objects.schema import Property


def merge(live: Any, wanted: Any, found: Property) -> Any:
    """`live` with all that `wanted` says; ABSENT when nothing is left to say."""
    before, after = shape_of(found, live), shape_of(found, wanted)
    if wanted is ABSENT or wanted is None:
        after = before
    if after == "scalar" or live is not ABSENT and live is not None and before != after:
        return live if wanted is ABSENT else wanted
    container = Mapping if after == "map" else (list, tuple)
    old: Any = live if isinstance(live, container) else None
    new: Any = wanted if isinstance(wanted, container) else None
    if is_atomic(found, after) or not old and not new:
        return live if wanted is ABSENT else wanted
    if after == "map":
        return _merge_maps(old or {}, new or {}, found)
    return _merge_lists(old or (), new or (), found)


def _merge_maps(live: Mapping[str, Any], wanted: Mapping[str, Any], found: Property) -> Any:
    result = {}
    for name in {**live, **wanted}:
        child = child_of(found, name) or {"type": "any"}
        value = merge(live.get(name, ABSENT), wanted.get(name, ABSENT), child)
        if value is not ABSENT:
            result[name] = value
    return result or ABSENT


def _merge_lists(live: Sequence[Any], wanted: Sequence[Any], found: Property) -> Any:
    left = [item_element(found, item) for item in live]
    right = [item_element(found, item) for item in wanted]
    theirs = dict(zip(right, wanted, strict=True))
    if len(theirs) < len(right):
        twice = next(element for place, element in enumerate(right) if element in right[:place])
        raise ShapeError(f"duplicate entries for key {path_text((twice,))}")
    # an item that stands twice in the live list is replaced, not merged with
    ours = {
        element: ABSENT if left.count(element) > 1 else item for element, item in zip(left, live, strict=True)
    }
    result = []
    for element, place in _order(left, right):
        if element in theirs:
            value = merge(ours.get(element, ABSENT), theirs[element], element_of(found))
        else:
            value = merge(live[place], ABSENT, element_of(found))
        if value is not ABSENT:
            result.append(value)
    return result or ABSENT


def _order(left: list[str], right: list[str]) -> list[tuple[str, int]]:
    """The elements of both lists in the order of the result, with the place in the left list of those only there."""
    result: list[tuple[str, int]] = []
    shared = [element for element in right if element in left]
    done: set[str] = set()
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right):
            if left[i] == right[j]:
                result.append((right[j], -1))
                done.add(right[j])
                i, j, shared = i + 1, j + 1, shared[1:]
                continue
            if left[i] in right and shared and shared[0] != left[i]:
                i += 1  # it comes where the configuration has it
                continue
        if i < len(left):
            if left[i] not in right:
                result.append((left[i], i))
                i += 1
                continue
            if left[i] in done:
                i += 1
        if j < len(right):
            result.append((right[j], -1))
            done.add(right[j])
            if shared and shared[0] == right[j]:
                shared = shared[1:]
            j += 1
    return result


def remove_fields(value: Any, gone: FieldSet, found: Property) -> Any:
    """`value` without the fields and items of the set; None when nothing of it is left."""
    shape = shape_of(found, value)
    if shape == "scalar":
        return value
    if not value or is_atomic(found, shape):
        return None
    if shape == "list":
        return _remove_items(value, gone, found)
    result = {}
    for name, inner in value.items():
        element = name_element(name)
        if element in gone.members:
            continue
        below = gone.below(element)
        result[name] = (
            remove_fields(inner, below, child_of(found, name) or {"type": "any"}) if below else inner
        )
    return result or None


def _remove_items(items: Sequence[Any], gone: FieldSet, found: Property) -> Any:
    result = []
    for item in items:
        element = item_element(found, item)
        if element in gone.members:
            continue
        below = gone.below(element)
        result.append(remove_fields(item, below, element_of(found)) if below else item)
    return result or None


def with_named_fields(fields: FieldSet, found: Property) -> FieldSet:
    """The set, and in it the structs' fields that are only on the way to a member. (EnsureNamedFieldsAreMembers)"""
    members = list(fields.members)
    children = {}
    for element, below in fields.children.items():
        name = element[2:]
        if element.startswith("f:"):
            child = child_of(found, name)
            if declares(found, name):
                members.append(element)
        else:
            child = element_of(found)
        children[element] = with_named_fields(below, child or {"type": "any"})
    return FieldSet(members=frozenset(members), children=type(fields.children)(children))
