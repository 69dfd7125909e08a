"""One server's copy of one resource: the newest objects, the last events, and who watches them. Pure.

The shell (`cache_feed.py`) feeds it from one etcd list and one etcd watch; everything it answers is a value for
the shell to send. Two servers have two caches, and each may lag behind etcd on its own: that lag is the
stale read that clients see. The ring of events lets a watch resume from a revision roughly 75 s old under load,
or arbitrarily old when little happened; what is older is "too old resource version", and the client lists anew.
After a relist (`replace`) the ring is empty and all watches are over.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{watch_cache,cacher,cache_watcher}.go.

Not modelled: the budget that closes the watches of slow clients, lazily copied snapshots (an exact list is
computed backwards from the ring, which reaches as far as the snapshots of the real cache do).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from attrs import define, frozen

from chaoskube.models.apiserver.api import (
    ADDED,
    BOOKMARK,
    DELETED,
    ERROR,
    MODIFIED,
    Bookmark,
    Status,
    WatchEvent,
)
from chaoskube.models.apiserver.storage import stamped

if TYPE_CHECKING:
    from chaoskube.models.objects import KubeObject

CAPACITY_MIN = 100
CAPACITY_MAX = 102_400
EVENT_FRESH_NS = 75_000_000_000
BOOKMARK_PERIOD_NS = 60_000_000_000
BOOKMARK_BEFORE_END_NS = 2_000_000_000

Predicate = Callable[["KubeObject"], bool]


@frozen(kw_only=True)
class Change:
    """One committed change of a key, as etcd told it; objects carry their resource version."""

    key: str
    revision: int
    obj: KubeObject | None
    """The new state, or None for a delete."""
    prev: KubeObject | None
    """The state before, or None for a create."""


@frozen
class RingEntry:
    """A change with the time it was cached."""

    at: int
    change: Change


@define(kw_only=True)
class Watcher:
    """One client's watch: which objects, and from which revision on."""

    id: int
    prefix: str
    """Only keys that start with it (a namespace), or the key itself."""
    exact: bool
    matches: Predicate | None
    after: int
    """Only events of a later revision are sent."""
    bookmarks: bool
    bookmark_at: int
    ends_at: int


class WatchCache:
    """The newest state of one resource as this server knows it."""

    def __init__(self, *, kind: str, api_version: str) -> None:
        self.kind = kind
        self.api_version = api_version
        self.is_ready = False
        self.was_ready = False
        """Whether it has ever been filled."""
        self.revision = 0
        """Everything up to here has been seen."""
        self._list_revision = 0
        self._ring_lost_some = False
        self._capacity = CAPACITY_MIN
        self._ring: deque[RingEntry] = deque()
        self._objects: dict[str, KubeObject] = {}
        self._keys: list[str] = []
        self._watchers: dict[int, Watcher] = {}

    # ---- fed from etcd

    def replace(self, items: Iterable[tuple[str, KubeObject]], revision: int) -> None:
        """Start anew from an etcd list; the caller has ended every watch before."""
        assert not self._watchers, f"{len(self._watchers)} watches outlived a relist of {self.kind}"
        self._objects = dict(items)
        self._keys = sorted(self._objects)
        self._ring.clear()
        self._ring_lost_some = False
        self._list_revision = self.revision = revision
        self.is_ready = self.was_ready = True

    def reset(self) -> tuple[int, ...]:
        """The etcd watch broke: not ready until the next `replace`. Returns the watches that are over."""
        ended = tuple(self._watchers)
        self._watchers.clear()
        self.is_ready = False
        return ended

    def apply(
        self, key: str, obj: KubeObject | None, revision: int, now: int
    ) -> list[tuple[int, WatchEvent]]:
        """Take one change (None: deleted); returns what goes to which watcher, in watcher order."""
        prev = self._objects.get(key)
        if obj is not None:
            if prev is None:
                insort(self._keys, key)
            self._objects[key] = obj
        elif prev is not None:
            del self._objects[key]
            del self._keys[bisect_left(self._keys, key)]
        self.revision = revision
        change = Change(key=key, revision=revision, obj=obj, prev=prev)
        self._remember(change, now)
        return self._dispatch(change)

    def progress(self, revision: int) -> None:
        """Etcd says that nothing happened here up to `revision`."""
        self.revision = max(self.revision, revision)

    def _remember(self, change: Change, now: int) -> None:
        ring = self._ring
        if len(ring) >= self._capacity:
            self._resize(now)
        while len(ring) >= self._capacity:
            ring.popleft()
            self._ring_lost_some = True
        ring.append(RingEntry(now, change))

    def _resize(self, now: int) -> None:
        ring = self._ring
        if now - ring[0].at < EVENT_FRESH_NS:
            self._capacity = min(self._capacity * 2, CAPACITY_MAX)
        elif now - ring[len(ring) - self._capacity // 4].at > EVENT_FRESH_NS:
            self._capacity = max(self._capacity // 2, CAPACITY_MIN)

    def _dispatch(self, change: Change) -> list[tuple[int, WatchEvent]]:
        out: list[tuple[int, WatchEvent]] = []
        memo: dict[str, WatchEvent] = {}
        for watcher in self._watchers.values():
            event = _event_for(watcher, change, memo)
            if event is not None:
                out.append((watcher.id, event))
        return out

    # ---- reads

    def get(self, key: str) -> KubeObject | None:
        """The object under `key` as this cache knows it."""
        return self._objects.get(key)

    def select(self, prefix: str, matches: Predicate | None = None) -> list[tuple[str, KubeObject]]:
        """Keys and objects under `prefix`, in key order."""
        return list(self._select(self._keys, self._objects, prefix, matches))

    def select_at(
        self, revision: int, prefix: str, matches: Predicate | None = None
    ) -> list[tuple[str, KubeObject]] | None:
        """The state at exactly `revision`, or None when the ring doesn't reach that far (or that far ahead)."""
        oldest = self._ring[0].change.revision if self._ring_lost_some else self._list_revision
        if revision > self.revision or revision < oldest:
            return None
        objects = dict(self._objects)
        for entry in reversed(self._ring):
            change = entry.change
            if change.revision <= revision:
                break
            if change.prev is None:
                objects.pop(change.key, None)
            else:
                objects[change.key] = change.prev
        return list(self._select(sorted(objects), objects, prefix, matches))

    @staticmethod
    def _select(
        keys: list[str], objects: dict[str, KubeObject], prefix: str, matches: Predicate | None
    ) -> Iterable[tuple[str, KubeObject]]:
        for key in islice(keys, bisect_left(keys, prefix), None):
            if not key.startswith(prefix):
                return
            obj = objects[key]
            if matches is None or matches(obj):
                yield key, obj

    # ---- watches

    def is_too_old(self, revision: int) -> Status | None:
        """The error for a watch that wants everything after `revision`, or None when the ring has it all."""
        if not self._ring_lost_some:
            oldest = self._list_revision + 1
        else:
            oldest = self._ring[0].change.revision
        if revision >= oldest - 1:
            return None
        return Status(
            code=410,
            reason="Expired",
            message=f"too old resource version: {revision} ({oldest - 1})",
        )

    def add_watcher(self, watcher: Watcher, *, initial_state: bool) -> list[WatchEvent]:
        """Begin a watch; returns its first events.

        With `initial_state` these are ADDED for what exists; else what happened after `watcher.after`, or one
        ERROR event, and then the watch has not begun.
        """
        if initial_state:
            watcher.after = self.revision
            first = [WatchEvent(ADDED, obj) for key, obj in self._initial(watcher)]
            self._watchers[watcher.id] = watcher
            return first
        too_old = self.is_too_old(watcher.after)
        if too_old is not None:
            return [WatchEvent(ERROR, too_old)]
        first = []
        for entry in self._ring_after(watcher.after):
            event = _event_for(watcher, entry.change, {})
            if event is not None:
                first.append(event)
        self._watchers[watcher.id] = watcher
        return first

    def _initial(self, watcher: Watcher) -> list[tuple[str, KubeObject]]:
        if watcher.exact:
            obj = self._objects.get(watcher.prefix)
            found = obj is not None and (watcher.matches is None or watcher.matches(obj))
            return [(watcher.prefix, obj)] if found and obj is not None else []
        return self.select(watcher.prefix, watcher.matches)

    def _ring_after(self, revision: int) -> list[RingEntry]:
        newer: list[RingEntry] = []
        for entry in reversed(self._ring):
            if entry.change.revision <= revision:
                break
            newer.append(entry)
        newer.reverse()
        return newer

    def remove_watcher(self, watcher_id: int) -> None:
        """The watch is over (its client went away, or its time is up)."""
        self._watchers.pop(watcher_id, None)

    @property
    def watcher_count(self) -> int:
        """How many watches are running."""
        return len(self._watchers)

    def bookmark(self, *, initial_events_end: bool = False) -> WatchEvent:
        """A BOOKMARK that says: you have seen everything up to the cache's revision."""
        bookmark = Bookmark(
            kind=self.kind,
            api_version=self.api_version,
            resource_version=str(self.revision),
            initial_events_end=initial_events_end,
        )
        return WatchEvent(BOOKMARK, bookmark)

    def next_bookmark_at(self) -> int | None:
        """When the next bookmark is due, None when nobody wants any."""
        return min([w.bookmark_at for w in self._watchers.values() if w.bookmarks], default=None)

    def due_bookmarks(self, now: int) -> list[int]:
        """The watchers whose bookmark is due at `now`; their next one is set."""
        due = []
        for watcher in self._watchers.values():
            if watcher.bookmarks and watcher.bookmark_at <= now:
                due.append(watcher.id)
                watcher.bookmark_at = next_bookmark_at(now, watcher.ends_at)
        return due


def next_bookmark_at(now: int, ends_at: int) -> int:
    """In a minute, but once at two seconds before the watch ends (cacher.go, nextBookmarkTime)."""
    before_end = ends_at - BOOKMARK_BEFORE_END_NS
    heartbeat = now + BOOKMARK_PERIOD_NS
    return before_end if now < before_end < heartbeat else heartbeat


def _event_for(watcher: Watcher, change: Change, memo: dict[str, WatchEvent]) -> WatchEvent | None:
    """How `watcher` sees `change`: selectors make ADDED and DELETED of what starts or stops matching."""
    if change.revision <= watcher.after:
        return None
    if watcher.exact:
        if change.key != watcher.prefix:
            return None
    elif not change.key.startswith(watcher.prefix):
        return None
    matches = watcher.matches
    is_in = change.obj is not None and (matches is None or matches(change.obj))
    was_in = change.prev is not None and (matches is None or matches(change.prev))
    if is_in:
        kind = MODIFIED if was_in else ADDED
    elif was_in:
        kind = DELETED
    else:
        return None
    event = memo.get(kind)
    if event is None:
        event = memo[kind] = _make_event(kind, change)
    return event


def _make_event(kind: str, change: Change) -> WatchEvent:
    if kind != DELETED:
        assert change.obj is not None, f"{kind} without an object at {change.key}"
        return WatchEvent(kind, change.obj)
    assert change.prev is not None, f"{kind} without a previous object at {change.key}"
    return WatchEvent(DELETED, stamped(change.prev, change.revision))
