"""What clients asked and were told, held against the one history of the store as each answer arrives.

The commit order is known inside a simulation, and every answer carries a revision: so an answer to a linearizable call
is right when its revision isn't older than anything that anybody was told before it was asked, and when it is what the
history says for that revision. An answer to a serializable one only has to be what the history says for its own. One look-up an
answer, no search, never "unknown".

Only clients that keep a history are checked (`CallMade`, `CallAnswered`). Part of `EtcdView`.
Not modelled: the content of answers inside transactions; calls that read no keys (their revision is checked).
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.etcd.events import CallAnswered, CallMade, Restored
from chaoskube.models.etcd.messages import (
    DeleteRange,
    DeleteRangeResponse,
    EventType,
    KeyValue,
    LeaseGrant,
    LeaseRevoke,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.sim import Entry, Journal

LINEARIZABLE = (Range, Put, DeleteRange, Txn, LeaseGrant, LeaseRevoke)


@frozen(kw_only=True)
class Asked:
    """A call under way."""

    request: object
    at: int
    floor: int
    """The newest revision that anybody had been told of when it was asked."""
    own: int
    """The newest that this client had been told of."""


class CallsView:
    """Calls under way, and answers that the history doesn't bear out, in words."""

    def __init__(self, journal: Journal, store: StoreView) -> None:
        self.stale_read = ""
        """A linearizable read was answered with the past, or with what never was."""
        self.foreign_past = ""
        """A serializable read was answered with what never was."""
        self.wrong_write = ""
        """A write was answered with what it didn't do."""
        self.fallen_revision = ""
        """A client was told a smaller revision than before."""
        self.answered = 0
        """How many answers were checked."""
        self._store = store
        self._asked: dict[tuple[str, int], Asked] = {}
        self._told: dict[str, int] = {}
        self._floor = 1
        journal.subscribe(CallMade, self._made)
        journal.subscribe(CallAnswered, self._answered)
        store.on_restored.append(self._restored)

    @property
    def floor(self) -> int:
        """The newest revision that anybody was told of."""
        return max(self._floor, self._store.acknowledged_revision)

    def _made(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CallMade)
        self._asked[(entry.by, event.number)] = Asked(
            request=event.request, at=entry.at, floor=self.floor, own=self._told.get(entry.by, 1)
        )

    def _answered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CallAnswered)
        asked = self._asked.pop((entry.by, event.number), None)
        if asked is None or event.response is None:
            return
        self.answered += 1
        self._check(entry.by, asked, event.response)

    def _check(self, client: str, asked: Asked, response: object) -> None:
        request = asked.request
        if isinstance(request, Range) and isinstance(response, RangeResponse):
            wrong = self._wrong_range(request, response)
            if may_be_stale(request):
                self.foreign_past = self.foreign_past or _said(client, request, wrong)
                return
            if not wrong and response.revision < asked.floor:
                wrong = f"revision {response.revision}; revision {asked.floor} was known before it was asked"
            self.stale_read = self.stale_read or _said(client, request, wrong)
        elif not isinstance(request, LINEARIZABLE) or may_be_stale(request):
            return
        revision = getattr(response, "revision", 0)
        if not isinstance(request, Range):
            self.wrong_write = self.wrong_write or _said(client, request, self._wrong_write(asked, response))
        if revision < asked.own and not self.fallen_revision:
            self.fallen_revision = f"{client} was told of revision {asked.own}, and then of {revision} in answer to {_short(request)}"
        self._told[client] = max(self._told.get(client, 1), revision)
        self._floor = max(self._floor, revision)

    # -- what the history says

    def _wrong_range(self, request: Range, response: RangeResponse) -> str:
        """How the answer differs from the history at its revision; "" where it doesn't."""
        store = self._store
        if response.revision > store.revision:
            return f"revision {response.revision}; no member had made more than {store.revision}"
        if not request.is_plain or request.limit:
            return ""
        wanted = store.range_at(request.key, request.range_end, request.revision or response.revision)
        if response.count != len(wanted):
            return f"{response.count} keys at revision {response.revision}, where there were {len(wanted)}"
        if request.count_only:
            return ""
        got = response.kvs
        if tuple(map(_place, got)) != tuple(map(_place, wanted)):
            return f"{_said_of(got)} at revision {response.revision}, where there was {_said_of(wanted)}"
        if not request.keys_only and got != wanted:
            return f"other values at revision {response.revision} than were written"
        return ""

    def _wrong_write(self, asked: Asked, response: object) -> str:
        revision = getattr(response, "revision", 0)
        if revision < asked.floor:
            return f"revision {revision}; revision {asked.floor} was known before it was asked"
        if revision > self._store.revision:
            return f"revision {revision}; no member had made more than {self._store.revision}"
        request = asked.request
        if isinstance(request, Put) and isinstance(response, PutResponse):
            return self._wrong_put(request, response)
        if isinstance(request, DeleteRange) and isinstance(response, DeleteRangeResponse):
            return self._wrong_delete(request, response)
        if isinstance(request, Txn) and isinstance(response, TxnResponse):
            return self._wrong_txn(request, response)
        return ""

    def _wrong_put(self, request: Put, response: PutResponse) -> str:
        changes = self._store.events_at(response.revision)
        made = [one.kv for one in changes if one.type is EventType.PUT and one.kv.key == request.key]
        if not made or not (request.ignore_value or made[-1].value == request.value):
            return f"revision {response.revision}, which wrote something else"
        before = self._store.value_at(request.key, response.revision - 1)
        if response.prev_kv is not None and response.prev_kv != before:
            return f"a previous version that wasn't there before revision {response.revision}"
        return ""

    def _wrong_delete(self, request: DeleteRange, response: DeleteRangeResponse) -> str:
        before = response.revision - 1 if response.deleted else response.revision
        wanted = self._store.range_at(request.key, request.range_end, before)
        if len(wanted) != response.deleted:
            return f"{response.deleted} deleted at revision {response.revision}, where there were {len(wanted)} keys"
        return ""

    def _wrong_txn(self, request: Txn, response: TxnResponse) -> str:
        branch = request.success if response.succeeded else request.failure
        if len(response.responses) != len(branch):
            return f"{len(response.responses)} answers to {len(branch)} operations"
        for one in branch:
            if isinstance(one, Put) and not one.ignore_value:
                changes = self._store.events_at(response.revision)
                if not any(event.kv.key == one.key and event.kv.value == one.value for event in changes):
                    return f"revision {response.revision}, which didn't write {one.key}"
        return ""

    def _restored(self, entry: Entry) -> None:
        """Calls under way ask the old cluster. Revisions that are made anew may be told anew."""
        event = entry.event
        assert isinstance(event, Restored)
        self._asked.clear()
        self._floor = min(self._floor, event.revision)
        for client, revision in self._told.items():
            self._told[client] = min(revision, event.revision)


def may_be_stale(request: object) -> bool:
    """Is it enough for the answer to be of some past (server/etcdserver/txn/util.go IsTxnSerializable)?"""
    if isinstance(request, Txn):
        return all(may_be_stale(one) for one in (*request.success, *request.failure))
    return isinstance(request, Range) and request.serializable


def _place(kv: KeyValue) -> tuple[str, int, int]:
    return kv.key, kv.mod_revision, kv.version


def _short(request: object) -> str:
    key = getattr(request, "key", "")
    return f"{type(request).__name__} {key}".strip()


def _said(client: str, request: object, wrong: str) -> str:
    return f"{client} asked for {_short(request)} and was told {wrong}" if wrong else ""


def _said_of(kvs: tuple[KeyValue, ...]) -> str:
    return ", ".join(f"{kv.key} of revision {kv.mod_revision}" for kv in kvs[:5]) or "nothing"
