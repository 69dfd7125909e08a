"""What clients asked and were told, held against the one history of the store as each answer arrives.

The commit order is known inside a simulation, and every answer carries a revision: so an answer to a linearizable call
is right when its revision isn't older than anything that anybody was told before it was asked, and when it is what the
history says for that revision (`effects.py`). An answer to a serializable one only has to be what the history says for its own. One
look-up an answer, no search, never "unknown". What watches and serializable reads tell is known from then on, too: it was
committed. Refusals are held against what has been compacted, and against what was known.

Only clients that keep a history are checked (`CallMade`, `CallAnswered`). Part of `EtcdView`.
Not modelled: refusals for other reasons (a lease or key that isn't there); of lease calls only the revision is checked.
"""

from __future__ import annotations

from bisect import bisect_left

from attrs import frozen

from chaoskube.models.etcd.events import (
    Acknowledged,
    CallAnswered,
    CallMade,
    Compacted,
    Restored,
    WatchDelivered,
    WatchEnded,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.models.etcd.messages import (
    COMPACTED,
    FUTURE_REVISION,
    Compact,
    DeleteRange,
    DeleteRangeResponse,
    LeaseGrant,
    LeaseRevoke,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.view.effects import answer_of, mistake_in, range_mistake
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.models.raft.events import ReadConfirmed
from chaoskube.sim import Entry, Journal, show

CHECKED = (Range, Put, DeleteRange, Txn, LeaseGrant, LeaseRevoke, Compact)


@frozen(kw_only=True)
class Asked:
    """A call under way."""

    request: object
    floor: int
    """The newest revision that anybody had been told of when it was asked."""
    own: int
    """The newest that this client had been told of."""
    compacted: int
    """What was before this revision had been forgotten."""


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
        self.is_on_lease = False
        """Reads are answered on the leader's lease: a leader that is cut off notices after two election time-outs, others
        may elect after one, so a read may be old for a moment."""
        self.low_read_index = ""
        """A member was told to answer reads before it has what had been acknowledged when they came."""
        self.answered = 0
        """How many answers were checked."""
        self._store = store
        self._asked: dict[tuple[str, int], Asked] = {}
        self._told: dict[str, int] = {}
        self._floor = 1
        self._compacted = 0
        self._acknowledged: list[tuple[int, int]] = [(0, 0)]
        """When the highest acknowledged entry became a higher one."""
        self._watches: set[str] = set()
        """Those that are open, and of this cluster."""
        journal.subscribe(Compacted, self._was_compacted)
        journal.subscribe(WatchOpened, self._watch_opened)
        journal.subscribe(WatchDelivered, self._watch_delivered)
        journal.subscribe(WatchProgressed, self._watch_progressed)
        journal.subscribe(WatchEnded, self._watch_ended)
        journal.subscribe(Acknowledged, self._was_acknowledged)
        journal.subscribe(ReadConfirmed, self._read_confirmed)
        journal.subscribe(CallMade, self._made)
        journal.subscribe(CallAnswered, self._answered)
        store.on_restored.append(self._restored)

    @property
    def floor(self) -> int:
        """The newest revision that anybody was told of."""
        return max(self._floor, self._store.acknowledged_revision)

    def _was_acknowledged(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Acknowledged)
        if event.index > self._acknowledged[-1][1]:
            self._acknowledged.append((entry.at, event.index))

    def _read_confirmed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ReadConfirmed)
        if self.is_on_lease:
            return
        place = bisect_left(self._acknowledged, (event.asked_at, 0)) - 1
        known = self._acknowledged[max(place, 0)][1]
        if event.index < known and not self.low_read_index:
            self.low_read_index = (
                f"{entry.by} asked at {show(event.asked_at)} how far reads must be, and was told {event.index}; "
                f"entry {known} was acknowledged by then"
            )

    def _made(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CallMade)
        may_be_old = self.is_on_lease and is_read(event.request)
        self._asked[(entry.by, event.number)] = Asked(
            request=event.request,
            floor=0 if may_be_old else self.floor,
            own=0 if may_be_old else self._told.get(entry.by, 1),
            compacted=0 if may_be_old else self._compacted,
        )

    def _answered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CallAnswered)
        asked = self._asked.pop((entry.by, event.number), None)
        if asked is None:
            return
        if event.response is not None:
            self.answered += 1
            self._check(entry.by, asked, event.response)
        elif event.error:
            self._refused(entry.by, asked, event.error)

    def _was_compacted(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Compacted)
        self._compacted = max(self._compacted, event.revision)

    def _check(self, client: str, asked: Asked, response: object) -> None:
        request, revision = asked.request, getattr(response, "revision", 0)
        if isinstance(request, CHECKED):
            wrong = self._wrong_answer(request, response)
            if may_be_stale(request):
                self.foreign_past = self.foreign_past or _said(client, request, wrong)
                self._heard(revision)
                return
            wrong = wrong or _too_old(asked, response)
            if is_read(request):
                self.stale_read = self.stale_read or _said(client, request, wrong)
            else:
                self.wrong_write = self.wrong_write or self._store.repeated or _said(client, request, wrong)
            if revision < asked.own and not self.fallen_revision:
                self.fallen_revision = f"{client} was told of revision {asked.own}, and then of {revision} in answer to {_short(request)}"
            self._told[client] = max(self._told.get(client, 1), revision)
            self._heard(revision)

    def _heard(self, revision: int) -> None:
        """Somebody knows of it from now on; of one that nobody has made nothing follows."""
        self._floor = max(self._floor, min(revision, self._store.revision))

    # -- what the history says

    def _wrong_answer(self, request: object, response: object) -> str:
        """How the answer differs from the history at its revision; "" where it doesn't."""
        revision = getattr(response, "revision", 0)
        if revision > self._store.revision:
            return f"revision {revision}; no member had made more than {self._store.revision}"
        if isinstance(request, Range) and isinstance(response, RangeResponse):
            return self._wrong_range(request, response)
        if isinstance(request, Put | DeleteRange | Txn) and isinstance(
            response, PutResponse | DeleteRangeResponse | TxnResponse
        ):
            mistake = mistake_in(request, response, self._store)
            return f"revision {revision}: {mistake}" if mistake else ""
        return ""

    def _wrong_range(self, request: Range, response: RangeResponse) -> str:
        at = request.revision if request.revision > 0 else response.revision
        if at > response.revision:
            return f"revision {at}, when the newest was {response.revision}"
        found = self._store.range_at(request.key, request.range_end, at)
        mistake = range_mistake(answer_of(request, found), response)
        return f"at revision {response.revision}: {mistake}" if mistake else ""

    def _refused(self, client: str, asked: Asked, error: str) -> None:
        """What was said to be compacted, or to come, must have been."""
        request = asked.request
        revisions = revisions_read(request)
        if not revisions:
            return
        newest, wrong = self._store.compacted, ""
        is_gone = min(revisions) <= newest if isinstance(request, Compact) else min(revisions) < newest
        if error == COMPACTED.message and not is_gone:
            wrong = f"that revision {min(revisions)} is compacted; history goes back to {newest}"
        if error == FUTURE_REVISION.message and max(revisions) <= asked.floor and not may_be_stale(request):
            wrong = f"that revision {max(revisions)} is to come; revision {asked.floor} was known before it was asked"
        if is_read(request):
            self.stale_read = self.stale_read or _said(client, request, wrong)
        else:
            self.wrong_write = self.wrong_write or _said(client, request, wrong)

    # -- what watches tell

    def _watch_opened(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchOpened)
        self._watches.add(event.watch)

    def _watch_delivered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchDelivered)
        if event.watch in self._watches:
            self._heard(max((one.kv.mod_revision for one in event.events), default=1))

    def _watch_progressed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchProgressed)
        if event.watch in self._watches:
            self._heard(event.revision)

    def _watch_ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchEnded)
        self._watches.discard(event.watch)

    def _restored(self, entry: Entry) -> None:
        """Calls under way ask the old cluster. Revisions that are made anew may be told anew."""
        event = entry.event
        assert isinstance(event, Restored)
        self._asked.clear()
        self._acknowledged = [(0, 0)]
        self._watches.clear()
        self._compacted = 0
        self._floor = min(self._floor, event.revision)
        for client, revision in self._told.items():
            self._told[client] = min(revision, event.revision)


def _too_old(asked: Asked, response: object) -> str:
    revision = getattr(response, "revision", 0)
    if revision < asked.floor:
        return f"revision {revision}; revision {asked.floor} was known before it was asked"
    gone = [one for one in revisions_read(asked.request, response) if one < asked.compacted]
    return f"what was at revision {gone[0]}, which had been compacted before it was asked" if gone else ""


def is_read(request: object) -> bool:
    """Does it change nothing, whatever branch runs?"""
    if isinstance(request, Txn):
        return all(is_read(one) for one in (*request.success, *request.failure))
    return isinstance(request, Range)


def may_be_stale(request: object) -> bool:
    """Is it enough for the answer to be of some past (server/etcdserver/txn/util.go IsTxnSerializable)?"""
    if isinstance(request, Txn):
        return all(may_be_stale(one) for one in (*request.success, *request.failure))
    return isinstance(request, Range) and request.serializable


def revisions_read(request: object, response: object = None) -> list[int]:
    """The revisions that it names: of ranges, or of a compaction; of a transaction's branches that which ran, or both."""
    if isinstance(request, Txn):
        if isinstance(response, TxnResponse):
            branch = request.success if response.succeeded else request.failure
            ran = zip(branch, response.responses, strict=False)
            return [found for one, answer in ran for found in revisions_read(one, answer)]
        return [found for one in (*request.success, *request.failure) for found in revisions_read(one)]
    named = request.revision if isinstance(request, Range | Compact) else 0
    return [named] if named > 0 else []


def _short(request: object) -> str:
    key = getattr(request, "key", "")
    return f"{type(request).__name__} {key}".strip()


def _said(client: str, request: object, wrong: str) -> str:
    return f"{client} asked for {_short(request)} and was told {wrong}" if wrong else ""
