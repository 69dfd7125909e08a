"""What happened in an etcd cluster, put together from the journal: for invariants and reports alone.

`RaftView` keeps who led which term and what was committed where; `EtcdView` keeps the one history of revisions
and how far each watch has come. Both keep what was known *before* the event that is being recorded, plus a
`conflict` in words as soon as two members say different things: an invariant only has to look.

Made by the observer (`EtcdView(world.journal)`) and by tests; no component may import it. The events that an
invariant may wake on are re-exported here.
"""

from __future__ import annotations

from typing import TypeVar

from attrs import define

from chaoskube.models.etcd.events import (
    Acknowledged,
    Applied,
    WatchDelivered,
    WatchEnded,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.models.etcd.messages import Event, in_range
from chaoskube.models.raft.events import BecameLeader, Committed, SteppedDown, Voted
from chaoskube.sim import Entry, Journal

__all__ = [
    "Acknowledged",
    "Applied",
    "BecameLeader",
    "Committed",
    "EtcdView",
    "RaftView",
    "SteppedDown",
    "Voted",
    "WatchDelivered",
    "WatchEnded",
    "WatchOpened",
    "WatchProgressed",
]

Kind = TypeVar("Kind")


def _event(entry: Entry, kind: type[Kind]) -> Kind:
    assert isinstance(entry.event, kind)
    return entry.event


@define(kw_only=True)
class Chosen:
    """What the first member that knew says is committed at an index."""

    term: int
    content: int
    by: str


class RaftView:
    """Leaders and committed entries of one cluster."""

    def __init__(self, journal: Journal) -> None:
        self.leaders_by_term: dict[int, dict[str, int]] = {}
        """For each term its leaders, with the index of their first own entry."""
        self.chosen: dict[int, Chosen] = {}
        self.committed_conflict = ""
        """Two members hold different entries to be committed at one index; in words."""
        self.votes: dict[tuple[int, str], str] = {}
        self.vote_conflict = ""
        """A member gave two votes in one term; in words."""
        self.acknowledged_index = 0
        """The highest index that a client was told of."""
        journal.subscribe(BecameLeader, self._became_leader)
        journal.subscribe(Committed, self._committed)
        journal.subscribe(Voted, self._voted)
        journal.subscribe(Acknowledged, self._acknowledged)

    def newer_leader_without(self, index: int, term: int) -> str:
        """A leader of a later term whose log lacked the entry at `index` of `term`, in words; "" for none."""
        for later, leaders in self.leaders_by_term.items():
            if later > term:
                for leader, first_index in leaders.items():
                    if first_index <= index:
                        return f"{leader}, which leads term {later} from index {first_index} on"
        return ""

    def _became_leader(self, entry: Entry) -> None:
        event = _event(entry, BecameLeader)
        self.leaders_by_term.setdefault(event.term, {})[entry.by] = event.first_index

    def _voted(self, entry: Entry) -> None:
        event = _event(entry, Voted)
        first = self.votes.setdefault((event.term, entry.by), event.candidate)
        if first != event.candidate:
            self.vote_conflict = (
                f"{entry.by} voted for {first} and for {event.candidate} in term {event.term}"
            )

    def _committed(self, entry: Entry) -> None:
        event = _event(entry, Committed)
        index = event.first
        for term, content in zip(event.terms, event.contents, strict=True):
            chosen = self.chosen.get(index)
            if chosen is None:
                self.chosen[index] = Chosen(term=term, content=content, by=entry.by)
            elif chosen.term != term or chosen.content != content:
                self.committed_conflict = (
                    f"index {index} is request {chosen.content} of term {chosen.term} for {chosen.by} "
                    f"and request {content} of term {term} for {entry.by}"
                )
            index += 1

    def _acknowledged(self, entry: Entry) -> None:
        event = _event(entry, Acknowledged)
        self.acknowledged_index = max(self.acknowledged_index, event.index)


@define(kw_only=True)
class Watching:
    """How far a watch has come, as the process that watches knows."""

    key: str
    range_end: str
    next_revision: int
    conflict: str = ""
    """What was delivered isn't what the history says; in words."""


@define(kw_only=True)
class Revision:
    """One revision, as the first member that made it says."""

    events: tuple[Event, ...]
    request_id: int
    by: str


class EtcdView:
    """The history of one cluster's store, and its watches."""

    def __init__(self, journal: Journal) -> None:
        self.raft = RaftView(journal)
        self.revisions: dict[int, Revision] = {}
        self.revision = 1
        """The newest that any member has made."""
        self.applied: dict[str, int] = {}
        """The newest revision of each member."""
        self.revision_conflict = ""
        """Two members made different contents of one revision; in words."""
        self.acknowledged: dict[int, int] = {}
        """For each acknowledged revision the number of its request."""
        self.acknowledged_conflict = ""
        self.watches: dict[str, Watching] = {}
        journal.subscribe(Applied, self._applied)
        journal.subscribe(Acknowledged, self._acknowledged)
        journal.subscribe(WatchOpened, self._watch_opened)
        journal.subscribe(WatchDelivered, self._watch_delivered)
        journal.subscribe(WatchProgressed, self._watch_progressed)
        journal.subscribe(WatchEnded, self._watch_ended)

    def _applied(self, entry: Entry) -> None:
        event = _event(entry, Applied)
        self.applied[entry.by] = event.revision
        known = self.revisions.get(event.revision)
        if known is None:
            self.revisions[event.revision] = Revision(
                events=event.events, request_id=event.request_id, by=entry.by
            )
            self.revision = max(self.revision, event.revision)
        elif known.request_id != event.request_id or known.events != event.events:
            self.revision_conflict = (
                f"revision {event.revision} is {_say(known.events)} for {known.by} "
                f"and {_say(event.events)} for {entry.by}"
            )

    def _acknowledged(self, entry: Entry) -> None:
        event = _event(entry, Acknowledged)
        made = self.revisions.get(event.revision)
        if made is None or made.request_id == event.request_id:
            first = self.acknowledged.setdefault(event.revision, event.request_id)
            if first != event.request_id and made is not None:
                self.acknowledged_conflict = f"revision {event.revision} was acknowledged for the requests {first} and {event.request_id}"

    # -- watches

    def _watch_opened(self, entry: Entry) -> None:
        event = _event(entry, WatchOpened)
        self.watches[event.watch] = Watching(
            key=event.key, range_end=event.range_end, next_revision=event.next_revision
        )

    def _watch_ended(self, entry: Entry) -> None:
        self.watches.pop(_event(entry, WatchEnded).watch, None)

    def _watch_delivered(self, entry: Entry) -> None:
        event = _event(entry, WatchDelivered)
        watching = self.watches[event.watch]
        last = event.events[-1].kv.mod_revision
        wanted = self._matching(watching, last)
        if not _same(wanted, event.events) and not watching.conflict:
            watching.conflict = (
                f"{event.watch} on {watching.key} was sent {_say(event.events)} "
                f"where the history has {_say(wanted)}"
            )
        watching.next_revision = max(watching.next_revision, last + 1)

    def _watch_progressed(self, entry: Entry) -> None:
        event = _event(entry, WatchProgressed)
        watching = self.watches[event.watch]
        missed = self._matching(watching, event.revision)
        if missed and not watching.conflict:
            watching.conflict = (
                f"{event.watch} on {watching.key} was told that it has everything up to revision "
                f"{event.revision} and never got {_say(missed)}"
            )
        watching.next_revision = max(watching.next_revision, event.revision + 1)

    def _matching(self, watching: Watching, last: int) -> tuple[Event, ...]:
        """What the watch still has to get of the history up to revision `last`."""
        found: list[Event] = []
        for revision in range(watching.next_revision, last + 1):
            made = self.revisions.get(revision)
            if made is not None:
                for event in made.events:
                    if in_range(event.kv.key, watching.key, watching.range_end):
                        found.append(event)
        return tuple(found)


def _same(wanted: tuple[Event, ...], got: tuple[Event, ...]) -> bool:
    """The same changes; a previous version may be left out, but not be another one."""
    return len(wanted) == len(got) and all(
        one is other
        or (
            one.type is other.type
            and one.kv == other.kv
            and (other.prev_kv is None or one.prev_kv == other.prev_kv)
        )
        for one, other in zip(wanted, got, strict=True)
    )


def _say(events: tuple[Event, ...]) -> str:
    if not events:
        return "nothing"
    return ", ".join(f"{one.type.value} {one.kv.key} at {one.kv.mod_revision}" for one in events[:5])
