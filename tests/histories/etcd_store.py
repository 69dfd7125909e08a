"""etcd's keys as a sequential model: what each request answers at a revision, and what it leaves behind.

Written for the recordings, apart from `chaoskube.models.etcd`, so that the two can be held against each other: no
leases, no compaction, no reads of old revisions.
"""

from __future__ import annotations

from collections.abc import Hashable

from attrs import evolve, frozen

from chaoskube.models.etcd.messages import (
    Compare,
    CompareResult,
    DeleteRange,
    DeleteRangeResponse,
    Event,
    EventType,
    KeyValue,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
    in_range,
)

from .etcd_recording import KvRequest, KvResponse


@frozen(kw_only=True)
class Keys:
    """All keys at a revision, by name."""

    revision: int = 1
    kvs: tuple[KeyValue, ...] = ()

    def get(self, key: str) -> KeyValue | None:
        """The key, if it exists."""
        return next((kv for kv in self.kvs if kv.key == key), None)


class EtcdKeys:
    """The sequential model of etcd's KV service."""

    def initial(self) -> Keys:
        """An empty store is at revision 1."""
        return Keys()

    def step(self, state: Keys, input: KvRequest, output: KvResponse | None, /) -> tuple[bool, Keys]:
        """Carry a request out; an answer is right if it is the same in every field."""
        answer, after = carry_out(state, input)
        return output is None or output == answer, after

    def is_read(self, input: KvRequest, output: KvResponse | None, /) -> bool:
        """Ranges alone: whether another request writes depends on the state."""
        return isinstance(input, Range)

    def partition(self, input: KvRequest, /) -> Hashable:
        """A transaction may touch every key."""
        return None

    def describe(self, input: KvRequest, output: KvResponse | None, /) -> str:
        """As in `Put k0 = "1.5" @17`."""
        at = f" @{output.revision}" if output is not None else " ?"
        if isinstance(input, Txn):
            return f"Txn of {', '.join(_words(one) for one in (*input.success, *input.failure))}{at}"
        return f"{_words(input)}{at}"


def carry_out(state: Keys, request: KvRequest) -> tuple[KvResponse, Keys]:
    """The answer to a request, and the keys after it."""
    revision = state.revision + 1
    answer, kvs = _applied(state.kvs, request, revision)
    after = state if kvs is state.kvs else Keys(revision=revision, kvs=kvs)
    return evolve(answer, revision=after.revision), after


def events_between(before: Keys, after: Keys) -> tuple[Event, ...]:
    """What a watch on all keys is told of the revision between two states, by key."""
    events = []
    for key in sorted({kv.key for kv in (*before.kvs, *after.kvs)}):
        old, new = before.get(key), after.get(key)
        if new is None:
            gone = KeyValue(key=key, value=None, create_revision=0, mod_revision=after.revision, version=0)
            events.append(Event(type=EventType.DELETE, kv=gone, prev_kv=old))
        elif new != old:
            events.append(Event(type=EventType.PUT, kv=new, prev_kv=old))
    return tuple(events)


def _applied(
    kvs: tuple[KeyValue, ...], request: KvRequest, revision: int
) -> tuple[KvResponse, tuple[KeyValue, ...]]:
    """The answer without its revision; the same tuple of keys where nothing was written."""
    if isinstance(request, Range):
        found = tuple(kv for kv in kvs if in_range(kv.key, request.key, request.range_end))
        return RangeResponse(revision=0, kvs=found, count=len(found)), kvs
    if isinstance(request, Put):
        old = next((kv for kv in kvs if kv.key == request.key), None)
        new = KeyValue(
            key=request.key,
            value=request.value,
            create_revision=old.create_revision if old else revision,
            mod_revision=revision,
            version=old.version + 1 if old else 1,
        )
        others = (kv for kv in kvs if kv is not old)
        return PutResponse(revision=0), tuple(sorted((*others, new), key=_key))
    if isinstance(request, DeleteRange):
        kept = tuple(kv for kv in kvs if not in_range(kv.key, request.key, request.range_end))
        deleted = len(kvs) - len(kept)
        return DeleteRangeResponse(revision=0, deleted=deleted), kept if deleted else kvs
    succeeded = all(_holds(kvs, compare) for compare in request.compare)
    responses = []
    for one in request.success if succeeded else request.failure:
        answer, kvs = _applied(kvs, one, revision)
        responses.append(answer)
    return TxnResponse(revision=0, succeeded=succeeded, responses=tuple(responses)), kvs


def _holds(kvs: tuple[KeyValue, ...], compare: Compare) -> bool:
    """Comparisons of the mod revision, as the recordings have them."""
    found = next((kv.mod_revision for kv in kvs if kv.key == compare.key), 0)
    wanted = compare.value
    assert isinstance(wanted, int), f"mod revision {wanted!r} in {compare}"
    if compare.result is CompareResult.EQUAL:
        return found == wanted
    if compare.result is CompareResult.NOT_EQUAL:
        return found != wanted
    return found > wanted if compare.result is CompareResult.GREATER else found < wanted


def _words(request: KvRequest) -> str:
    if isinstance(request, Put):
        return f'Put {request.key} = "{request.value}"'
    if isinstance(request, Txn):
        return "Txn"
    return f"{type(request).__name__} {request.key}{'..' if request.range_end else ''}"


def _key(kv: KeyValue) -> str:
    return kv.key
