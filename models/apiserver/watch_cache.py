"""One server's copy of one resource: the newest objects, the last events, and who watches them. Pure.

The shell (`cache_feed.py`) feeds it from one etcd list and one etcd watch; everything it answers is a value for
the shell to send. Two servers have two caches, and each may lag behind etcd on its own: that lag is the
stale read that clients see. The ring of events lets a watch resume from a revision roughly 75 s old under load,
or arbitrarily old when little happened; what is older is "too old resource version", and the client lists anew.
After a relist (`replace`) the ring is empty and all watches are over.

A change is applied first and shown to the watchers afterwards (`apply`, `dispatch`): whoever waited for its revision
begins in between, and must not be told of it twice.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{watch_cache,cacher,compactor}.go.

Not modelled: lazily copied snapshots (an exact list is computed backwards from the ring, which reaches as far as the
snapshots of the real cache do).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from attrs import frozen

from chaoskube.models.apiserver.api import ADDED, BOOKMARK, ERROR, Bookmark, Status, WatchEvent
from chaoskube.models.apiserver.watcher import (
    EVENT_FRESH_SECONDS,
    Change,
    Predicate,
    Watcher,
    event_for,
    next_bookmark_at,
)

if TYPE_CHECKING:
    from chaoskube.models.objects import KubeObject

CAPACITY_MIN = 100
CAPACITY_MAX = 102_400
EVENT_FRESH_NS = EVENT_FRESH_SECONDS * 1_000_000_000


@frozen
class RingEntry:
    """A change with the time it was cached."""

    at: int
    change: Change


class WatchCache:
    """The newest state of one resource as this server knows it."""

    def __init__(self, *, kind: str, api_version: str, window: int = 0) -> None:
        self.kind = kind
        self.api_version = api_version
        self.is_ready = False
        self.was_ready = False
        """Whether it has ever been filled."""
        self.down_since = 0
        """When it was last not filled (virtual ns)."""
        self.filled_at = 0
        """The revision of its first list; 0 until there was one."""
        self.revision = 0
        """Everything up to here has been seen."""
        self._is_sized = window > 0
        """The ring has one size, and doesn't follow how much happens."""
        self.capacity = window or CAPACITY_MIN
        """How many events the ring may hold now."""
        self._list_revision = 0
        self._exact_from = 0
        self._ring_lost_some = False
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
        self._list_revision = self._exact_from = self.revision = revision
        self.filled_at = self.filled_at or revision
        self.is_ready = self.was_ready = True

    def reset(self, now: int) -> tuple[int, ...]:
        """The etcd watch broke: not ready until the next `replace`. Returns the watches that are over."""
        ended = tuple(self._watchers)
        self._watchers.clear()
        self.is_ready = False
        self.down_since = now
        return ended

    def apply(self, key: str, obj: KubeObject | None, revision: int, now: int) -> Change:
        """Take one change (None: deleted); `dispatch` it afterwards."""
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
        return change

    def dispatch(self, change: Change) -> list[tuple[int, WatchEvent]]:
        """What of a change goes to which watcher, in watcher order."""
        out: list[tuple[int, WatchEvent]] = []
        memo: dict[str, WatchEvent] = {}
        for watcher in self._watchers.values():
            event = event_for(watcher, change, memo)
            if event is not None:
                out.append((watcher.id, event))
        return out

    def progress(self, revision: int) -> None:
        """Etcd says that nothing happened here up to `revision`."""
        self.revision = max(self.revision, revision)

    def compacted(self, revision: int) -> None:
        """Etcd has forgotten what is older: from here on, exact lists of it are refused as etcd would."""
        self._exact_from = max(self._exact_from, revision)

    def _remember(self, change: Change, now: int) -> None:
        ring = self._ring
        if len(ring) >= self.capacity and not self._is_sized:
            self._resize(now)
        while len(ring) >= self.capacity:
            ring.popleft()
            self._ring_lost_some = True
        ring.append(RingEntry(now, change))
        if len(ring) >= self.capacity:
            self._exact_from = max(self._exact_from, ring[0].change.revision)

    def _resize(self, now: int) -> None:
        ring = self._ring
        if now - ring[0].at < EVENT_FRESH_NS:
            self.capacity = min(self.capacity * 2, CAPACITY_MAX)
        elif now - ring[len(ring) - self.capacity // 4].at > EVENT_FRESH_NS:
            self.capacity = max(self.capacity // 2, CAPACITY_MIN)

    # ---- reads

    def get(self, key: str) -> KubeObject | None:
        """The object under `key` as this cache knows it."""
        return self._objects.get(key)

    def select(
        self, prefix: str, matches: Predicate | None = None, start: str = ""
    ) -> list[tuple[str, KubeObject]]:
        """Keys and objects under `prefix`, in key order, from the key `start` on."""
        return list(_select(self._keys, self._objects, prefix, matches, start))

    def select_at(
        self, revision: int, prefix: str, matches: Predicate | None = None, start: str = ""
    ) -> list[tuple[str, KubeObject]] | None:
        """The state at exactly `revision`, or None when the cache cannot know it."""
        if not self._exact_from <= revision <= self.revision:
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
        return list(_select(sorted(objects), objects, prefix, matches, start))

    # ---- watches

    def oldest_servable(self) -> int:
        """The oldest event that a watch can still be given."""
        return self._ring[0].change.revision if self._ring_lost_some else self._list_revision + 1

    def is_too_old(self, revision: int) -> Status | None:
        """The error for a watch that wants everything after `revision`, or None when the ring has it all."""
        oldest = self.oldest_servable()
        if revision >= oldest - 1:
            return None
        return Status(
            code=410, reason="Expired", message=f"too old resource version: {revision} ({oldest - 1})"
        )

    def add_watcher(self, watcher: Watcher, *, initial_state: bool) -> list[WatchEvent]:
        """Begin a watch; returns its first events.

        With `initial_state` these are ADDED for what exists; else what happened after `watcher.after`, or one
        ERROR event, and then the watch has not begun.
        """
        if initial_state:
            first = [WatchEvent(ADDED, obj) for _, obj in self._initial(watcher)]
            watcher.after = self.revision
        else:
            too_old = self.is_too_old(watcher.after)
            if too_old is not None:
                return [WatchEvent(ERROR, too_old)]
            first = self._missed(watcher)
            watcher.after = max(watcher.after, self.revision)
        self._watchers[watcher.id] = watcher
        return first

    def _initial(self, watcher: Watcher) -> list[tuple[str, KubeObject]]:
        if watcher.exact:
            obj = self._objects.get(watcher.prefix)
            found = obj is not None and (watcher.matches is None or watcher.matches(obj))
            return [(watcher.prefix, obj)] if found and obj is not None else []
        return self.select(watcher.prefix, watcher.matches)

    def _missed(self, watcher: Watcher) -> list[WatchEvent]:
        newer: list[Change] = []
        for entry in reversed(self._ring):
            if entry.change.revision <= watcher.after:
                break
            newer.append(entry.change)
        events = (event_for(watcher, change, {}) for change in reversed(newer))
        return [event for event in events if event is not None]

    def remove_watcher(self, watcher_id: int) -> None:
        """The watch is over (its client went away, or its time is up)."""
        self._watchers.pop(watcher_id, None)

    @property
    def watcher_count(self) -> int:
        """How many watches are running."""
        return len(self._watchers)

    # ---- bookmarks

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
        """The watchers whose bookmark is due at `now`; the next one of each is set."""
        due = [w for w in self._watchers.values() if w.bookmarks and w.bookmark_at <= now]
        for watcher in due:
            self.requeue(watcher, now)
        return [watcher.id for watcher in due]

    def has_news(self, watcher_id: int) -> bool:
        """Whether a bookmark says more than the watch began with, which this cache may be behind (cache_watcher.go, process)."""
        return self.revision > self._watchers[watcher_id].after

    def requeue(self, watcher: Watcher, now: int) -> None:
        """Set when a watcher gets its next bookmark, whether or not anything ever happened here."""
        watcher.bookmark_at = next_bookmark_at(now, watcher.ends_at)


def _select(
    keys: list[str], objects: dict[str, KubeObject], prefix: str, matches: Predicate | None, start: str
) -> Iterable[tuple[str, KubeObject]]:
    for key in islice(keys, bisect_left(keys, start or prefix), None):
        if not key.startswith(prefix):
            return
        obj = objects[key]
        if matches is None or matches(obj):
            yield key, obj
