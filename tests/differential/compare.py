"""One history on both sides, compared field by field.

Not compared: the headers inside a transaction's answer (etcd documents that they mean nothing), the seconds that are left of a
lease (a real clock runs), and the number of a lease that the server chose.
"""

from __future__ import annotations

import attrs
from attrs import frozen

from chaoskube.models.etcd.messages import (
    DeleteRangeResponse,
    EtcdError,
    Event,
    EventType,
    KeyValue,
    LeaseLeasesResponse,
    LeaseTimeToLiveResponse,
    Put,
    PutResponse,
    RangeResponse,
    Request,
    Response,
    TxnResponse,
    WatchCreate,
    WatchFilter,
    in_range,
)
from tests.differential.deviations import Deviation, explanation
from tests.differential.oracle import Oracle
from tests.differential.ours import Ours

SENTINEL = Put(key="~", value="end")
"""Sorts after every other key; ends a history, so that a watch knows that it has seen everything."""


@frozen
class Difference(Exception):
    """The two sides say different things about a history."""

    what: str
    ours: object
    real: object

    def __str__(self) -> str:
        return f"{self.what}\n  ours: {self.ours}\n  real: {self.real}"


def comparable(answer: Response | EtcdError) -> Response | EtcdError:
    """The answer without what isn't compared."""
    if isinstance(answer, TxnResponse):
        return attrs.evolve(answer, responses=tuple(_inner(one) for one in answer.responses))
    if isinstance(answer, RangeResponse):
        return attrs.evolve(answer, kvs=tuple(_kv(one) for one in answer.kvs))
    if isinstance(answer, PutResponse):
        return attrs.evolve(answer, prev_kv=answer.prev_kv and _kv(answer.prev_kv))
    if isinstance(answer, DeleteRangeResponse):
        return attrs.evolve(answer, prev_kvs=tuple(_kv(one) for one in answer.prev_kvs))
    if isinstance(answer, LeaseTimeToLiveResponse):
        return attrs.evolve(answer, ttl=min(answer.ttl, 0))
    if isinstance(answer, LeaseLeasesResponse):
        return attrs.evolve(answer, leases=tuple(sorted(answer.leases)))
    return attrs.evolve(answer, is_definite=True) if isinstance(answer, EtcdError) else answer


def _inner(
    answer: RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse,
) -> RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse:
    bare = comparable(answer)
    assert isinstance(bare, RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse)
    return attrs.evolve(bare, revision=0)


def _kv(kv: KeyValue) -> KeyValue:
    """An empty value and none are the same on the wire."""
    return attrs.evolve(kv, value=kv.value or None)


def comparable_event(event: Event) -> Event:
    """The event without what isn't compared."""
    return attrs.evolve(event, kv=_kv(event.kv), prev_kv=event.prev_kv and _kv(event.prev_kv))


def compare_history(
    history: tuple[Request, ...], oracle: Oracle, watch: WatchCreate | None
) -> list[Deviation]:
    """Ask both sides; raises Difference. The known deviations that were met are returned."""
    oracle.empty()
    ours = Ours()
    for place, request in enumerate((*history, SENTINEL)):
        expected, real = comparable(ours.ask(request)), comparable(oracle.ask(request))
        if expected != real:
            raise Difference(f"request {place}: {request}", expected, real)
    end = ours.state.store.revision
    told = [comparable_event(one) for one in ours.told]
    really_told = [comparable_event(one) for one in oracle.told(end)]
    if told != really_told:
        raise Difference("events of a watch from the beginning", told, really_told)
    return [] if watch is None else _compare_past(ours, oracle, watch)


def _compare_past(ours: Ours, oracle: Oracle, watch: WatchCreate) -> list[Deviation]:
    """A watch that starts in the past; its filters never hide the sentinel.

    One that would start in the future starts at the compacted revision, where it is most interesting.
    """
    store = ours.state.store
    if watch.start_revision > store.revision:
        watch = attrs.evolve(watch, start_revision=store.compact_revision)
    real = oracle.told_from(watch, store.revision)
    if watch.start_revision < store.compact_revision:
        if real != store.compact_revision:
            raise Difference(f"{watch} is canceled with", store.compact_revision, real)
        return []
    expected = [
        comparable_event(event if watch.prev_kv else attrs.evolve(event, prev_kv=None))
        for events in store.events_since(watch.start_revision)
        for event in events
        if in_range(event.kv.key, watch.key, watch.range_end)
        and not (event.type is EventType.DELETE and WatchFilter.NODELETE in watch.filters)
    ]
    if not isinstance(real, list):
        raise Difference(f"{watch} is canceled", expected, real)
    got = [comparable_event(one) for one in real]
    if got == expected:
        return []
    known = explanation(oracle.version, expected, got, store.compact_revision)
    if known is None:
        raise Difference(f"events of {watch}", expected, got)
    return [known]
