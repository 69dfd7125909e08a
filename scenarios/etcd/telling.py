"""How the events of an etcd cluster and its clients read in a story: one line each, who did what.

A table from event type to a function; an event that isn't in it is not worth telling. Clients are told by what became
of their calls (`telling_calls.py`). What every member does in turn, because Raft says so (a lease ends, history is
forgotten), is told of the first one. Times and the choice of what is shown are the report's business.

Called by `EtcdCluster.tell`, entry by entry in their order.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.etcd.events import AlarmCleared, AlarmRaised, MemberStopped
from chaoskube.models.etcd.messages import Event
from chaoskube.models.etcd.view import (
    Applied,
    BecameLeader,
    CallAnswered,
    CallMade,
    Compacted,
    LeaseEnded,
    MemberListChanged,
    Recovered,
    Restored,
    SnapshotInstalled,
    SnapshotSaved,
    SteppedDown,
    Voted,
    WatchDelivered,
    WatchEnded,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.scenarios.etcd.locking import LockHeld, LockLeft
from chaoskube.scenarios.etcd.telling_calls import answered, asks, keys
from chaoskube.sim import (
    BitRotted,
    Entry,
    FaultEnded,
    FaultStarted,
    Journal,
    Line,
    OperationEnded,
    OperationStarted,
    ProcessPanicked,
    ProcessStarted,
    ProcessStopped,
)

EVENTS_SHOWN = 4


class Teller:
    """Knows what was asked, what is never answered, and what has been told already."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._open: set[int] | None = None
        self._asked: dict[tuple[str, int, int], object] = {}
        self._lives: dict[str, int] = {}
        self._first: dict[object, int] = {}

    def tell(self, entry: Entry) -> Line | None:
        """The decisive events in words; None for the rest."""
        event = entry.event
        if isinstance(event, ProcessStarted):
            self._lives[entry.by] = event.life
        if isinstance(event, CallMade):
            self._asked[self._call(entry, event.number)] = event.request
            return Line(entry.by, f"{asks(event.request)}: no answer") if self._is_open(entry) else None
        if isinstance(event, CallAnswered):
            words = answered(self._asked.get(self._call(entry, event.number)), event)
            return Line(entry.by, words) if words else None
        if isinstance(event, LeaseEnded | Compacted) and not self._is_first(entry):
            return None
        teller = _TELLERS.get(type(event))
        words = teller(event) if teller is not None else ""
        return Line(_component(entry), words) if words else None

    def _call(self, entry: Entry, number: int) -> tuple[str, int, int]:
        return (entry.by, self._lives.get(entry.by, 0), number)

    def _is_open(self, call: Entry) -> bool:
        """Does the journal end without an answer to this call? Then it is told when it was made."""
        if self._open is None:
            made: dict[tuple[str, int], int] = {}
            for entry in self._journal.entries:
                if isinstance(entry.event, CallMade):
                    made[(entry.by, entry.event.number)] = entry.seq
                elif isinstance(entry.event, CallAnswered):
                    made.pop((entry.by, entry.event.number), None)
            self._open = set(made.values())
        return call.seq in self._open

    def _is_first(self, entry: Entry) -> bool:
        """Is this entry the first with such an event?"""
        return self._first.setdefault(entry.event, entry.seq) == entry.seq


def _component(entry: Entry) -> str:
    """Who does it: faults happen, and operations are the operator's."""
    if isinstance(entry.event, FaultStarted | FaultEnded):
        return "fault"
    if isinstance(entry.event, OperationStarted | OperationEnded):
        return "operator"
    return entry.by


def _recovered(event: Recovered) -> str:
    if event.last_index == 0:
        return ""
    snapshot = f", a snapshot up to entry {event.snapshot_index}" if event.snapshot_index else ""
    return (
        f"finds on its disk: term {event.term}, entries up to {event.last_index}{snapshot}, "
        f"a database with revision {event.revision} and everything up to entry {event.consistent_index}"
    )


def _members(event: MemberListChanged) -> str:
    learners = f", learners {', '.join(event.learners)}" if event.learners else ""
    leaving = f" and of the old {', '.join(event.voters_outgoing)}" if event.voters_outgoing else ""
    return f"counts the votes of {', '.join(event.voters)}{leaving} from entry {event.index} on{learners}"


def _stopped(event: ProcessStopped) -> str:
    """Whoever ends itself has said why."""
    return {"crash": "is killed", "power": "loses power", "exit": ""}.get(
        event.reason, f"ends: {event.reason}"
    )


def _opened(event: WatchOpened) -> str:
    start = f"asked for revision {event.start_revision}" if event.start_revision else "asked for what is new"
    kinds = (
        f", without {' and '.join(one.removeprefix('NO') for one in event.filters)}" if event.filters else ""
    )
    return (
        f"has watch {event.watch} on {keys(event.key, event.range_end)} at {event.member}, {start}{kinds}: gets events from revision "
        f"{event.next_revision} on"
    )


def _events(events: tuple[Event, ...]) -> str:
    shown = [f"{one.type.value} {one.kv.key} at {one.kv.mod_revision}" for one in events[:EVENTS_SHOWN]]
    more = f" and {len(events) - EVENTS_SHOWN} more" if len(events) > EVENTS_SHOWN else ""
    return f"{', '.join(shown)}{more}"


_TELLERS: dict[type, Callable[..., str]] = {
    Applied: lambda event: (
        f"refuses what entry {event.index} asks for (request {event.request_id}), and stays at revision {event.revision}"
        if event.failed
        else ""
    ),
    BecameLeader: lambda event: (
        f"becomes the leader of term {event.term}, with entry {event.first_index} as its first"
    ),
    SteppedDown: lambda event: f"no longer leads term {event.led_term}",
    Voted: lambda event: f"votes for {event.candidate} in term {event.term}",
    Recovered: _recovered,
    MemberStopped: lambda event: f"ends itself: {event.reason}",
    ProcessPanicked: lambda event: f"panics: {event.why}",
    ProcessStopped: _stopped,
    ProcessStarted: lambda event: f"starts again, life {event.life}" if event.life > 1 else "",
    BitRotted: lambda event: f"has flipped bits in record {event.place} of {event.file}",
    SnapshotSaved: lambda event: f"keeps a snapshot of everything up to entry {event.index}",
    SnapshotInstalled: lambda event: (
        f"takes a leader's snapshot of everything up to entry {max(event.index, event.consistent_index)} "
        f"(revision {event.revision})"
    ),
    MemberListChanged: _members,
    Compacted: lambda event: f"forgets the history before revision {event.revision}",
    LeaseEnded: lambda event: f"ends lease {event.id:x}: {event.reason}",
    AlarmRaised: lambda event: f"knows of alarm {event.kind} for {event.member}",
    AlarmCleared: lambda event: f"knows that alarm {event.kind} for {event.member} is over",
    Restored: lambda event: f"is made anew from a backup, at revision {event.revision}",
    WatchOpened: _opened,
    WatchDelivered: lambda event: f"watch {event.watch} gets {_events(event.events)}",
    WatchProgressed: lambda event: (
        f"watch {event.watch} is told that it has everything up to revision {event.revision}"
    ),
    WatchEnded: lambda event: f"watch {event.watch} ends: {event.reason}",
    LockHeld: lambda event: (
        f"is told at revision {event.revision} that it holds the lock, with {event.key} of revision {event.token}"
    ),
    LockLeft: lambda event: f"is done with {event.key}",
    FaultStarted: lambda event: event.text,
    FaultEnded: lambda event: f"healed: {event.text}",
    OperationStarted: lambda event: event.text,
    OperationEnded: lambda event: f"done: {event.text}",
}
