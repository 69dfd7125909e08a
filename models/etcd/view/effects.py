"""What a request must have done and answered, worked out anew from the history of the store.

A request that changes something makes the revision that its answer names, so it ran on the state before; one that changes
nothing ran on the state at that revision. `mistake_in` tries both and says in words how an answer, and the events of its
revision, differ from what comes out. Conditions, branches, puts, deletions and ranges are carried out here by a second hand
(server/etcdserver/txn/txn.go): a mistake that all members make alike would be seen by nothing else.

Used by `calls.py`. Shared with the members are only the order and the bounds of a range (`ordering.py`).
Not modelled: leases of which nobody knows any more (a put with one is refused), limits of operations.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias, TypeVar

import attrs

from chaoskube.models.etcd.key_values import value_bytes
from chaoskube.models.etcd.messages import (
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    Event,
    EventType,
    KeyValue,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    RequestOp,
    ResponseOp,
    Txn,
    TxnResponse,
    in_range,
)
from chaoskube.models.etcd.ordering import ordered

Operation: TypeAlias = Range | Put | DeleteRange | Txn
Ordered = TypeVar("Ordered", int, bytes)


class Past(Protocol):
    """What is known of the store."""

    def events_at(self, revision: int) -> tuple[Event, ...]:
        """The changes of one revision, in order."""

    def range_at(self, key: str, range_end: str, revision: int) -> tuple[KeyValue, ...]:
        """The keys of a range as of a revision, in order."""


def mistake_in(request: Operation, response: ResponseOp, past: Past) -> str:
    """How an answer differs from what the request must have done; "" where it doesn't."""
    changing = _Run(past, response.revision - 1)
    answer = changing.carry_out(request)
    if changing.events:
        foreign = _events_mistake(changing.events, past.events_at(response.revision))
        mistake = foreign or _answer_mistake(answer, response)
        if not mistake:
            return ""
    idle = _Run(past, response.revision)
    answer = idle.carry_out(request)
    otherwise = _events_mistake(idle.events, ()) or _answer_mistake(answer, response)
    if not otherwise:
        return ""
    return mistake if changing.events and (idle.events or not foreign) else otherwise


def answer_of(request: Range, found: tuple[KeyValue, ...]) -> RangeResponse:
    """What a range is answered where `found` is there, without a revision."""
    count = len(found)
    if request.count_only:
        return RangeResponse(revision=0, count=count)
    kvs = list(found) if request.is_plain else ordered(list(found), request)
    more = 0 < request.limit < len(kvs)
    if more:
        del kvs[request.limit :]
    if request.keys_only:
        kvs = [attrs.evolve(kv, value=None) for kv in kvs]
    return RangeResponse(revision=0, kvs=tuple(kvs), more=more, count=count)


class _Run:
    """One request, carried out on the state of one revision; its changes are laid over that."""

    def __init__(self, past: Past, revision: int) -> None:
        self.events: list[Event] = []
        self._past = past
        self._revision = revision
        self._changed: dict[str, KeyValue | None] = {}

    def carry_out(self, request: Operation) -> ResponseOp:
        """The answer, without revisions."""
        return self._do(request, self._choices(request))

    def _choices(self, request: RequestOp) -> list[bool]:
        """Which branch runs, for each transaction in the order in which they run: all are judged before anything is done."""
        if not isinstance(request, Txn):
            return []
        holds = all(self._holds(one) for one in request.compare)
        inner = [self._choices(one) for one in (request.success if holds else request.failure)]
        return [holds, *[choice for choices in inner for choice in choices]]

    def _holds(self, compare: Compare) -> bool:
        found = self._past.range_at(compare.key, compare.range_end, self._revision)
        return all(_holds_for(compare, kv) for kv in found) if found else _holds_for(compare, None)

    def _do(self, request: RequestOp, choices: list[bool]) -> ResponseOp:
        if isinstance(request, Put):
            return self._put(request)
        if isinstance(request, DeleteRange):
            return self._delete(request)
        if isinstance(request, Range):
            return answer_of(request, self._find(request.key, request.range_end, request.revision))
        succeeded = choices.pop(0)
        branch = request.success if succeeded else request.failure
        responses = tuple([self._do(one, choices) for one in branch])
        return TxnResponse(revision=0, succeeded=succeeded, responses=responses)

    def _find(self, key: str, range_end: str, revision: int = 0) -> tuple[KeyValue, ...]:
        if revision > 0:
            return self._past.range_at(key, range_end, revision)
        found: dict[str, KeyValue | None] = {
            kv.key: kv for kv in self._past.range_at(key, range_end, self._revision)
        }
        found.update({one: kv for one, kv in self._changed.items() if in_range(one, key, range_end)})
        return tuple([kv for _, kv in sorted(found.items()) if kv is not None])

    def _put(self, request: Put) -> PutResponse:
        before = next(iter(self._find(request.key, "")), None)
        revision = self._revision + 1
        kv = KeyValue(
            key=request.key,
            value=before.value if request.ignore_value and before is not None else request.value,
            create_revision=revision if before is None else before.create_revision,
            mod_revision=revision,
            version=1 if before is None else before.version + 1,
            lease=before.lease if request.ignore_lease and before is not None else request.lease,
        )
        self._changed[kv.key] = kv
        self.events.append(Event(type=EventType.PUT, kv=kv))
        return PutResponse(revision=0, prev_kv=before if request.prev_kv else None)

    def _delete(self, request: DeleteRange) -> DeleteRangeResponse:
        gone = self._find(request.key, request.range_end)
        for one in gone:
            kv = KeyValue(
                key=one.key, value=None, create_revision=0, mod_revision=self._revision + 1, version=0
            )
            self._changed[one.key] = None
            self.events.append(Event(type=EventType.DELETE, kv=kv))
        return DeleteRangeResponse(revision=0, deleted=len(gone), prev_kvs=gone if request.prev_kv else ())


def _holds_for(compare: Compare, kv: KeyValue | None) -> bool:
    if compare.target is not CompareTarget.VALUE:
        assert isinstance(compare.value, int), "only values are anything but numbers"
        return _compares(compare.result, _number(compare.target, kv), compare.value)
    if kv is None:
        return False
    if compare.result is CompareResult.EQUAL or compare.result is CompareResult.NOT_EQUAL:
        return (kv.value == compare.value) is (compare.result is CompareResult.EQUAL)
    return _compares(compare.result, value_bytes(kv.value), value_bytes(compare.value))


def _number(target: CompareTarget, kv: KeyValue | None) -> int:
    if kv is None:
        return 0
    return {
        CompareTarget.VERSION: kv.version,
        CompareTarget.CREATE: kv.create_revision,
        CompareTarget.MOD: kv.mod_revision,
        CompareTarget.LEASE: kv.lease,
    }[target]


def _compares(result: CompareResult, ours: Ordered, theirs: Ordered) -> bool:
    order = (ours > theirs) - (ours < theirs)
    return {
        CompareResult.EQUAL: order == 0,
        CompareResult.NOT_EQUAL: order != 0,
        CompareResult.GREATER: order > 0,
        CompareResult.LESS: order < 0,
    }[result]


# -- in words


def _events_mistake(wanted: list[Event], made: tuple[Event, ...]) -> str:
    """`made` is what the revision changed; () where nothing may have been."""
    if [(one.type, one.kv) for one in wanted] == [(one.type, one.kv) for one in made]:
        return ""
    done, due = _said_of(made), _said_of(tuple(wanted))
    return f"which made {done}, where the request makes {due}{' with another content' * (done == due)}"


def _answer_mistake(wanted: ResponseOp, told: ResponseOp) -> str:
    told = _without_revision(told)
    if wanted == told:
        return ""
    if isinstance(wanted, TxnResponse) and isinstance(told, TxnResponse):
        if wanted.succeeded != told.succeeded:
            said, truth = ("hold", "do not") if told.succeeded else ("do not hold", "do")
            return f"that its conditions {said}, and they {truth}"
        if len(wanted.responses) != len(told.responses):
            return f"{len(told.responses)} answers to {len(wanted.responses)} operations"
        pairs = zip(wanted.responses, told.responses, strict=True)
        return next(_answer_mistake(one, other) for one, other in pairs if one != other)
    if isinstance(wanted, PutResponse) and isinstance(told, PutResponse):
        return "a previous version that wasn't there"
    if isinstance(wanted, DeleteRangeResponse) and isinstance(told, DeleteRangeResponse):
        if wanted.deleted != told.deleted:
            return f"{told.deleted} deleted, where there were {wanted.deleted} keys"
        return "other previous versions than were there"
    if isinstance(wanted, RangeResponse) and isinstance(told, RangeResponse):
        return range_mistake(wanted, told)
    return f"a {type(told).__name__} where a {type(wanted).__name__} is wanted"


def range_mistake(wanted: RangeResponse, told: RangeResponse) -> str:
    """How two answers differ but for their revisions; "" where they don't."""
    if told.count != wanted.count:
        return f"{told.count} keys, where there were {wanted.count}"
    if tuple(map(_place, told.kvs)) != tuple(map(_place, wanted.kvs)):
        return f"{_said_of_keys(told.kvs)}, where there was {_said_of_keys(wanted.kvs)}"
    if told.kvs != wanted.kvs:
        return "other values than were written"
    return f"more={told.more}" if told.more != wanted.more else ""


def _without_revision(response: ResponseOp) -> ResponseOp:
    if isinstance(response, TxnResponse):
        inner = tuple([_without_revision(one) for one in response.responses])
        return attrs.evolve(response, revision=0, responses=inner)
    return attrs.evolve(response, revision=0)


def _place(kv: KeyValue) -> tuple[str, int, int]:
    return kv.key, kv.mod_revision, kv.version


def _said_of(events: tuple[Event, ...]) -> str:
    return ", ".join(f"{one.type.value} {one.kv.key}" for one in events[:5]) or "nothing"


def _said_of_keys(kvs: tuple[KeyValue, ...]) -> str:
    return ", ".join(f"{kv.key} of revision {kv.mod_revision}" for kv in kvs[:5]) or "nothing"
