"""Histories of requests, as Hypothesis strategies.

Revisions are drawn as distances from the newest, and resolved against our own store, so that they lie around those that there
are. Few keys, so that requests meet; two leases that never run out while a history runs.

Left out because the real server would not survive it: a put that keeps the value of a key that the same transaction may delete.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import attrs
from hypothesis import strategies as st

from chaoskube.models.etcd.messages import (
    Compact,
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseLeases,
    LeaseRevoke,
    LeaseTimeToLive,
    Put,
    Range,
    Request,
    RequestOp,
    SortOrder,
    SortTarget,
    Txn,
    WatchCreate,
    WatchFilter,
)
from tests.differential.ours import Ours
from tests.differential.values import with_revisions

KEYS = ("a", "b", "b/c", "c", "d")
ENDS = ("", "", "\0", "c", "b0", "z", "a")
VALUES = ("", "0", "1", "10", "2", "zz")
LEASES = (1, 2)
TTLS = (600, 86_400, 9_000_000_000, 9_000_000_001)
OPERATIONS_MAX = 24

keys = st.sampled_from(KEYS)
values = st.sampled_from(VALUES)
leases = st.sampled_from((0, 0, 0, 0, 0, 0, 1, 1, 2, 3))


T = TypeVar("T")

NEWEST = 1_000_000
"""Drawn in the place of a revision: NEWEST + n is the n-th after the newest there is then."""

nearby = st.sampled_from(range(NEWEST - 6, NEWEST + 2))
revisions = st.sampled_from((0,) * 20 + tuple(range(NEWEST - 6, NEWEST + 2)) + (-1, -2))
bounds = st.sampled_from((0,) * 12 + tuple(range(NEWEST - 6, NEWEST + 2)))


def _picked(values: Sequence[T]) -> st.SearchStrategy[T]:
    """One of many; `sampled_from` would want to print them all."""
    return st.integers(0, len(values) - 1).map(lambda place: values[place])


def puts() -> st.SearchStrategy[Put]:
    """Also such as are refused: "zz" has a value where it says that it keeps the one that is there."""
    return st.tuples(_picked(_PUTS), leases).map(_put)


_PUTS = [
    Put(key=key, value=value, prev_kv=prev_kv, ignore_value=ignore_value, ignore_lease=ignore_lease)
    for prev_kv in (False, True)
    for ignore_value, ignore_lease in ((False, False),) * 5 + ((True, False), (False, True), (True, True))
    for value in (("", "zz") if ignore_value else VALUES)
    for key in KEYS
]


def _put(drawn: tuple[Put, int]) -> Put:
    put, lease = drawn
    return attrs.evolve(put, lease=0 if put.ignore_lease and lease != 3 else lease)


def ranges() -> st.SearchStrategy[Range]:
    """With everything that can be asked for."""
    any_bounds = st.tuples(bounds, bounds, bounds, bounds)
    some_bounds = st.integers(0, 3).flatmap(lambda n: any_bounds if n == 3 else st.just((0, 0, 0, 0)))
    return st.tuples(_picked(_RANGES), _picked(_ORDERS), revisions, some_bounds).map(_range)


_RANGES = [
    Range(
        key=key,
        range_end=end,
        limit=limit,
        serializable=is_serializable,
        keys_only=is_bare,
        count_only=is_counted,
    )
    for is_serializable in (False, True)
    for is_bare, is_counted in ((False, False),) * 4 + ((True, False), (False, True))
    for limit in (0, 0, 1, 2, 3)
    for end in ENDS
    for key in KEYS
]
_ORDERS = [
    (order, target)
    for order in (SortOrder.NONE, *SortOrder)
    for target in (SortTarget.KEY, SortTarget.KEY, *SortTarget)
]


def _range(
    drawn: tuple[Range, tuple[SortOrder, SortTarget], int, tuple[int, int, int, int]],
) -> Range:
    request, (order, target), revision, (min_mod, max_mod, min_create, max_create) = drawn
    return attrs.evolve(
        request,
        sort_order=order,
        sort_target=target,
        revision=revision,
        min_mod_revision=min_mod,
        max_mod_revision=max_mod,
        min_create_revision=min_create,
        max_create_revision=max_create,
    )


def deletions() -> st.SearchStrategy[DeleteRange]:
    """One key or several."""
    return _picked(_DELETIONS)


_DELETIONS = [
    DeleteRange(key=key, range_end=end, prev_kv=prev_kv)
    for prev_kv in (False, True)
    for end in ENDS
    for key in KEYS
]


def compares() -> st.SearchStrategy[Compare]:
    """Every target, every result, one key or several."""
    numbers = st.sampled_from((0, 0, 1, 2, 3))
    about = {
        CompareTarget.VERSION: numbers,
        CompareTarget.CREATE: bounds,
        CompareTarget.MOD: bounds,
        CompareTarget.LEASE: numbers,
        CompareTarget.VALUE: values,
    }
    return _picked(_COMPARES).flatmap(
        lambda compare: about[compare.target].map(lambda value: attrs.evolve(compare, value=value))
    )


_COMPARES = [
    Compare(key=key, range_end=end, target=target, result=result, value=0)
    for result in CompareResult
    for target in CompareTarget
    for end in ("", "", "", *ENDS)
    for key in KEYS
]


def txns(depth: int = 2) -> st.SearchStrategy[Txn]:
    """Transactions, also in transactions."""
    operations: list[st.SearchStrategy[RequestOp]] = [puts(), puts(), ranges(), deletions()]
    if depth:
        operations.append(txns(depth - 1))
    branches = st.integers(0, 4).flatmap(
        lambda size: st.lists(st.one_of(operations), min_size=size, max_size=size).map(tuple)
    )
    conditions = st.lists(compares(), max_size=2).map(tuple)
    return st.builds(Txn, compare=conditions, success=branches, failure=branches)


def would_crash(txn: Txn) -> bool:
    """Is there a put that keeps something, and a deletion that the door doesn't see as meeting it?"""
    every = list(_every(txn))
    keeps = any(isinstance(one, Put) and (one.ignore_value or one.ignore_lease) for one in every)
    return keeps and any(isinstance(one, DeleteRange) and one.range_end == "\0" for one in every)


def _every(txn: Txn) -> list[RequestOp]:
    found: list[RequestOp] = []
    for operation in (*txn.success, *txn.failure):
        found += _every(operation) if isinstance(operation, Txn) else [operation]
    return found


def lease_requests() -> st.SearchStrategy[Request]:
    """Grants, also of what exists and of what is too long."""
    ids = st.sampled_from((*LEASES, 3))
    return st.one_of(
        st.builds(LeaseGrant, ttl=st.sampled_from(TTLS), id=st.sampled_from(LEASES)),
        st.builds(LeaseGrant, ttl=st.sampled_from(TTLS), id=st.sampled_from(LEASES)),
        st.builds(LeaseRevoke, ids),
        st.builds(LeaseKeepAlive, ids),
        st.builds(LeaseTimeToLive, ids, keys=st.booleans()),
        st.just(LeaseLeases()),
    )


def requests() -> st.SearchStrategy[Request]:
    """Any request that a client may send about keys and leases."""
    compactions = st.builds(Compact, revisions, physical=st.booleans())
    often: tuple[st.SearchStrategy[Request], ...] = (puts(), ranges(), txns())
    seldom: tuple[st.SearchStrategy[Request], ...] = (deletions(), lease_requests(), compactions)
    kinds = (*often, *often, *often, *seldom)
    return st.integers(0, len(kinds) - 1).flatmap(lambda place: kinds[place])


def resolved(drawn: list[Request]) -> tuple[Request, ...]:
    """The history with real revisions in it, found by asking our store."""
    ours = Ours()
    history: list[Request] = []
    for one in drawn:
        if isinstance(one, Txn) and would_crash(one):
            continue
        newest = ours.state.store.revision
        request = with_revisions(one, partial(_near, newest))
        ours.ask(request)
        history.append(request)
    return tuple(history)


def _near(newest: int, revision: int) -> int:
    return revision if revision < NEWEST // 2 else max(1, newest + revision - NEWEST)


POPULATED: tuple[Request, ...] = (
    LeaseGrant(ttl=600, id=1),
    Put(key="d", value="2"),
    Put(key="c", value="1", lease=1),
    Put(key="a", value="10"),
    Put(key="b/c", value="2"),
    Put(key="b", value=""),
    Put(key="c", value="0", lease=1),
)
"""What most histories begin with, so that there is something to ask for."""

beginnings = st.integers(0, 3).map(lambda n: POPULATED if n else ())
sizes = st.integers(0, 3).map(lambda n: OPERATIONS_MAX if n else 4)
bodies = sizes.flatmap(lambda size: st.lists(requests(), min_size=size // 2, max_size=size))
histories = st.builds(lambda beginning, body: resolved([*beginning, *body]), beginnings, bodies)

past_watches = st.builds(
    WatchCreate,
    key=keys,
    range_end=st.just("\0"),
    start_revision=st.integers(1, OPERATIONS_MAX),
    prev_kv=st.booleans(),
    filters=st.sampled_from(((), (), (WatchFilter.NODELETE,))),
)
watches = st.integers(0, 11).flatmap(lambda n: past_watches if n == 7 else st.none())
"""A watch from the past costs the real server up to 100 ms, so it is rare."""
