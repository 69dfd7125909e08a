"""The promises of one watch, as a pure check that is fed response by response.

`WatchRules` is told what a watch received (`events`, `progress`, `ended`) and compares it with the history of the
store. It keeps the first breach of each rule, in words. The rules, their exact meaning and their order are those of
etcd's robustness suite (tests/robustness/validate/watch.go):

- filter: only events of the keys, and of the kinds, that were asked for.
- ordered: an event's revision is not smaller than that of the one before.
- unique: no key comes twice at one revision.
- atomic: the events of a revision come in one response.
- bookmarkable: after a progress notice no event up to its revision; notices never go back, nor behind events.
- resumable: a watch from a revision gets the first event there is from that revision on.
- is-create: an event says that it created its key if, and only if, the key wasn't there before.
- reliable: no event between the first and the last that a watch knows of is missing, added or changed.
- prev-kv: a previous version, where one is told, is the one that was there. (Ours: none is left out, unless compacted.)

A watch without a start revision begins where it is known to begin (`first_revision`), else with what comes first. The
suite doesn't know what is compacted, and lets every absent previous version pass; who does gives `compacted`.

What is lost at a watch's very end nobody can tell from being late; `missing` is for who has waited long enough.

Used by `watches.py` for every watch in a run, and by tests with plain lists.
Not modelled: events that etcd's own quirk lets change one key twice at one revision (see `_changes_twice`).
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from attrs import frozen

from chaoskube.models.etcd.messages import Event, KeyValue, in_range


class Rule(enum.Enum):
    """The promises, in the order in which the suite reports them."""

    FILTER = "filter"
    ORDERED = "ordered"
    UNIQUE = "unique"
    ATOMIC = "atomic"
    BOOKMARKABLE = "bookmarkable"
    RESUMABLE = "resumable"
    IS_CREATE = "is-create"
    RELIABLE = "reliable"
    PREV_KV = "prev-kv"


class History(Protocol):
    """What is known of the store."""

    def events_at(self, revision: int) -> tuple[Event, ...]:
        """The changes of one revision, in order; nothing for one that isn't known."""

    def value_at(self, key: str, revision: int) -> KeyValue | None:
        """The version of a key as of a revision."""


@frozen(kw_only=True)
class Watched:
    """What a watch asked for. `first_revision` is where it begins when it named no start; 0 where that is unknown."""

    key: str
    range_end: str = ""
    start_revision: int = 0
    first_revision: int = 0
    prev_kv: bool = False
    filters: tuple[str, ...] = ()

    def matches(self, event: Event) -> bool:
        """Did the watch ask for this?"""
        if self.filters and f"NO{event.type.value}" in self.filters:
            return False
        return in_range(event.kv.key, self.key, self.range_end)


class WatchRules:
    """What one watch received, held against the history."""

    def __init__(
        self,
        watched: Watched,
        history: History,
        *,
        has_unique_revisions: bool = False,
        compacted: Callable[[], int] | None = None,
    ) -> None:
        self.watched = watched
        self.broken: dict[Rule, str] = {}
        """The first breach of each rule, in words."""
        self._history = history
        self._has_unique_revisions = has_unique_revisions
        self._compacted = compacted
        """How far history may have been forgotten; None where that is unknown."""
        self._next = watched.start_revision or watched.first_revision
        """The first revision whose events aren't in `_due` yet; 0 while the watch hasn't begun."""
        self._due: deque[Event] = deque()
        """What the watch asked for and hasn't got, as far as it was looked up."""
        self._last = 1
        """The revision of the last event."""
        self._last_keys: set[str] = set()
        """The keys that came at that revision."""
        self._response_ended_at = 1
        self._notice = 0
        self._is_first = True
        self._is_astray = False
        """What came isn't the history: from then on there is nothing to compare with."""

    @property
    def next_revision(self) -> int:
        """Events before it have come, or were never asked for."""
        return self._due[0].kv.mod_revision if self._due else self._next

    def first_broken(self) -> Rule | None:
        """The rule that the suite would name."""
        return next((rule for rule in Rule if rule in self.broken), None)

    # -- what the watch received

    def events(self, events: tuple[Event, ...]) -> None:
        """A response with events."""
        if not events:
            return
        first = events[0].kv.mod_revision
        if first == self._response_ended_at:
            self._break(Rule.ATOMIC, f"events of revision {first} came in two responses")
        self._response_ended_at = events[-1].kv.mod_revision
        if not self._next:
            self._next = first
        self._look_up(max(event.kv.mod_revision for event in events))
        for event in events:
            self._event(event)

    def progress(self, revision: int) -> None:
        """A notice that everything up to `revision` has come."""
        if revision < self._notice:
            self._break(Rule.BOOKMARKABLE, f"a notice of {revision} came after one of {self._notice}")
        if revision < self._last:
            self._break(Rule.BOOKMARKABLE, f"a notice of {revision} came after an event of {self._last}")
        self._notice = revision
        if not self._next:
            self._next = revision + 1
        self._look_up(revision)
        self._miss_nothing_up_to(revision, f"was told that it has everything up to revision {revision}")

    def ended(self, *, is_compacted: bool = False) -> None:
        """The watch is over, because what it wants is compacted or for another reason: no half of a revision may be missing."""
        self._miss_nothing_up_to(self._last, f"ended in the middle of revision {self._last}")
        begun = max(self.watched.start_revision, self.watched.first_revision)
        wanted = begun if self._is_first else max(begun, self._last + 1)
        if is_compacted and self._compacted is not None and wanted >= self._compacted():
            self._break(
                Rule.RELIABLE,
                f"was told that revision {wanted} is compacted; history goes back to {self._compacted()}",
            )

    def missing(self, revision: int) -> Event | None:
        """What should have come first of all that was to come up to `revision`, and hasn't."""
        if self._is_astray or not self._next:
            return None
        self._look_up(revision)
        due = self._due[0] if self._due else None
        return due if due is not None and due.kv.mod_revision <= revision else None

    # -- one event

    def _event(self, event: Event) -> None:
        if not self.watched.matches(event):
            self._break(Rule.FILTER, f"{say([event])} was not asked for")
        self._check_place(event)
        due = self._due[0] if self._due else None
        if self._is_first:
            self._is_first = False
            if self.watched.start_revision and due is not None and not is_same(due, event):
                self._break(Rule.RESUMABLE, f"began with {say([event])}, and {say([due])} comes first")
        before = self._history.value_at(event.kv.key, event.kv.mod_revision - 1)
        if event.is_create == (before is not None) and not self._changes_twice(event):
            said = "created" if event.is_create else "changed"
            self._break(
                Rule.IS_CREATE, f"{say([event])} was told as {said}; before it was {_say_value(before)}"
            )
        self._check_reliable(event, due)
        is_other = event.prev_kv is not before and event.prev_kv != before
        if self.watched.prev_kv and is_other and not self._changes_twice(event):
            self._check_previous(event, before)

    def _check_place(self, event: Event) -> None:
        """Ordered, unique, and not before a notice."""
        revision = event.kv.mod_revision
        if revision <= self._notice:
            self._break(Rule.BOOKMARKABLE, f"{say([event])} came after a notice of {self._notice}")
        if revision < self._last:
            self._break(Rule.ORDERED, f"{say([event])} came after revision {self._last}")
        if revision != self._last:
            self._last_keys.clear()
        elif (event.kv.key in self._last_keys or (self._has_unique_revisions and self._last_keys)) and (
            not self._changes_twice(event)
        ):
            self._break(Rule.UNIQUE, f"{say([event])} came twice")
        self._last = revision
        self._last_keys.add(event.kv.key)

    def _check_previous(self, event: Event, before: KeyValue | None) -> None:
        """It isn't what was there; one that was compacted may be absent (v3rpc/watch.go sendLoop)."""
        if event.prev_kv is not None:
            told = f"{say([event])} replaces {_say_value(event.prev_kv)}, so it was told"
            self._break(Rule.PREV_KV, f"{told}; it was {_say_value(before)}")
        elif self._compacted is not None and event.kv.mod_revision > self._compacted():
            self._break(Rule.PREV_KV, f"{say([event])} came without what was there: {_say_value(before)}")

    def _check_reliable(self, event: Event, due: Event | None) -> None:
        if self._is_astray:
            return
        if due is None or not is_same(due, event):
            self._is_astray = True
            wanted = "nothing" if due is None else say([due])
            self._break(Rule.RELIABLE, f"was sent {say([event])} where the history has {wanted}")
        else:
            self._due.popleft()

    def _miss_nothing_up_to(self, revision: int, when: str) -> None:
        if self._due and not self._is_astray and self._due[0].kv.mod_revision <= revision:
            missed = [event for event in self._due if event.kv.mod_revision <= revision]
            self._is_astray = True
            self._break(Rule.RELIABLE, f"{when} and never got {say(missed)}")

    def _look_up(self, last: int) -> None:
        """Let `_due` hold everything up to revision `last`."""
        events_at, matches = self._history.events_at, self.watched.matches
        first, end = self.watched.key, self.watched.range_end
        has_end = end not in ("", "\0")
        for revision in range(self._next, last + 1):
            for event in events_at(revision):
                key = event.kv.key
                if key < first or has_end and key >= end:
                    continue  # most of what happens, for most watches: not worth a call
                if matches(event):
                    self._due.append(event)
        self._next = max(self._next, last + 1)

    def _changes_twice(self, event: Event) -> bool:
        """The history changes this key more than once at this revision (a delete of a range that grows to the
        end of all keys may stand beside a put): what was there in between is told by the whole events alone.
        """
        key = event.kv.key
        return sum(one.kv.key == key for one in self._history.events_at(event.kv.mod_revision)) > 1

    def _break(self, rule: Rule, text: str) -> None:
        self.broken.setdefault(rule, text)


def is_same(one: Event, other: Event) -> bool:
    """The same change; what was there before is looked at by a rule of its own."""
    return one is other or (one.type is other.type and one.kv == other.kv)


def say(events: Iterable[Event]) -> str:
    """Some events in words."""
    shown = [f"{one.type.value} {one.kv.key} at {one.kv.mod_revision}" for one in events]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return ", ".join(shown[:5]) + more if shown else "nothing"


def _say_value(kv: KeyValue | None) -> str:
    return "not there" if kv is None else f"version {kv.version} of revision {kv.mod_revision}"
