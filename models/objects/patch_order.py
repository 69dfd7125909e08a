"""The order of a list that a strategic merge patch touched.

Items that the patch names stand in the patch's order, the others keep the order that the live list gave them, and the
two are interleaved: an item of the server stands before the first of the patch's items that was behind it.
Source: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (normalizeElementOrder, mergeSortedSlice).

Called by patch_strategic.py and patch_diff.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaoskube.models.objects.patch_errors import (
    MAP,
    ListOfLists,
    PatchError,
    go_text,
    go_type,
    no_merge_key,
    wrong_type,
)


def item_type(*lists: Sequence[Any]) -> str:
    """The one type of all items, as Go calls it; lists with items of several types are refused."""
    types = dict.fromkeys(go_type(item) for items in lists for item in items)
    if not types:
        raise PatchError("no elements in any of the given slices")
    if next(iter(types)).startswith("[]"):
        raise ListOfLists
    if len(types) > 1:
        raise PatchError(f"list element types are not identical: {go_text(list(lists))}")
    return next(iter(types))


def are_maps(*lists: Sequence[Any]) -> bool:
    """Whether the items of these lists are mappings."""
    return item_type(*lists) == MAP


def same(one: object, other: object) -> bool:
    """Equal as Go compares what is behind two interfaces: true is not 1."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def identity(item: Any, key: str | None) -> Any:
    """What an item is known by: its merge key's value, or itself."""
    return item.get(key) if key is not None and isinstance(item, Mapping) else item


def place_in(items: Sequence[Any], wanted: object, key: str | None) -> int:
    """Where the item with this identity stands; -1: nowhere."""
    for place, item in enumerate(items):
        if same(identity(item, key), wanted):
            return place
    return -1


def need_merge_key(key: str, *lists: Sequence[Any]) -> None:
    """Refuse items without the merge key."""
    for items in lists:
        for item in items:
            if not isinstance(item, Mapping):
                raise wrong_type(MAP, item)
            if key not in item:
                raise no_merge_key(item, key)


def sorted_by(items: Sequence[Any], order: Sequence[Any], key: str | None) -> list[Any]:
    """`items` in the order of `order`; what isn't in it goes first, deletions last."""
    if key is not None:
        need_merge_key(key, items, order)
    doomed = [item for item in items if isinstance(item, Mapping) and item.get("$patch") == "delete"]
    kept = [item for item in items if not any(item is other for other in doomed)]
    return sorted(kept, key=lambda item: place_in(order, identity(item, key), key)) + doomed


def in_order(merged: Sequence[Any], order: Sequence[Any], live: Sequence[Any], key: str | None) -> list[Any]:
    """`merged` with what `order` names in that order, and the rest put in where the live list had it."""
    named: list[Any] = []
    own: list[Any] = []
    for item in merged:
        (named if place_in(order, identity(item, key), key) >= 0 else own).append(item)
    return _interleaved(sorted_by(own, live, key), sorted_by(named, order, key), live, key)


def _interleaved(own: list[Any], named: list[Any], live: Sequence[Any], key: str | None) -> list[Any]:
    result: list[Any] = []
    waiting = list(own)
    for item in named:
        there = place_in(live, identity(item, key), key)
        while waiting and 0 <= place_in(live, identity(waiting[0], key), key) < there:
            result.append(waiting.pop(0))
        result.append(item)
    return result + waiting
