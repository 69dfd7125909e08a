"""Which keys of a range are answered, and in which order (etcd server/etcdserver/txn/range.go).

Called by the store for a range that asks for it.
Not modelled: etcd sorts with Go's sort.Sort, which may put equal ones in any order once there are more than a few; here they
stay in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaoskube.models.etcd.key_messages import Range, SortOrder, SortTarget
from chaoskube.models.etcd.key_values import KeyValue, value_bytes


def ordered(found: list[KeyValue], request: Range) -> list[KeyValue]:
    """`found` (sorted by key) without what the bounds leave out, in the order that is asked for."""
    left = [kv for kv in found if _is_within(kv, request)] if request.has_bounds else found
    if request.limit > 0 and request.sort_order is SortOrder.NONE and not request.has_bounds:
        # Sorting by something else than the key is only then done before the limit when an order is given.
        left = left[: request.limit + 1]
    is_down = request.sort_order is SortOrder.DESCEND
    if request.sort_target is SortTarget.KEY and not is_down:
        return left
    if request.sort_target is SortTarget.VALUE:
        return sorted(left, key=lambda kv: value_bytes(kv.value), reverse=is_down)
    return sorted(left, key=_SORT_KEYS[request.sort_target], reverse=is_down)


def _is_within(kv: KeyValue, request: Range) -> bool:
    """Bounds that are 0 aren't there."""
    mod, create = kv.mod_revision, kv.create_revision
    return not (
        (request.max_mod_revision and mod > request.max_mod_revision)
        or (request.min_mod_revision and mod < request.min_mod_revision)
        or (request.max_create_revision and create > request.max_create_revision)
        or (request.min_create_revision and create < request.min_create_revision)
    )


_SORT_KEYS: Final[dict[SortTarget, Callable[[KeyValue], int | str]]] = {
    SortTarget.KEY: lambda kv: kv.key,
    SortTarget.VERSION: lambda kv: kv.version,
    SortTarget.CREATE: lambda kv: kv.create_revision,
    SortTarget.MOD: lambda kv: kv.mod_revision,
}
