"""One client's watch: what it sees of a change, when its bookmarks are due, how long it may be slow. Pure.

A watch cache shows each change to each of its watchers. A watcher sees only what is newer than what it was told
when it began, only its keys, and through selectors: what starts to match is ADDED to it, what stops is DELETED.
A client that takes nothing gets a buffer; when that is full, all slow watches of a cache share a budget of waiting
time, and whoever is still full after it is cut off.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher,cache_watcher,time_budget,watch_cache}.go.

Called by `watch_cache.py`, `watch_lines.py` and `uncached.py`. Not modelled: the other watches of a resource wait while
a slow one uses the budget up (at most 100 ms).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, frozen

from chaoskube.models.apiserver.api import ADDED, DELETED, MODIFIED, WatchEvent
from chaoskube.models.apiserver.storage import stamped

if TYPE_CHECKING:
    from chaoskube.models.objects import KubeObject

Predicate = Callable[["KubeObject"], bool]

EVENT_FRESH_SECONDS = 75
BOOKMARK_PERIOD_NS = 60_000_000_000
BOOKMARK_BEFORE_END_NS = 2_000_000_000
CHANNEL_MIN = 10
CHANNEL_MAX = 100
CHANNEL_MAX_INDEXED = 1000
INDEXED = ("pods", "nodes", "secrets", "configmaps")
"""Resources with an indexed field; a watch of them that doesn't use it has the longer buffer."""
CONNECTION_HOLDS = 1000
"""model: events on their way, of 4 KiB each: client-go's HTTP/2 transport takes 4 MiB a stream before it blocks."""
BUDGET_NS_MAX = 100_000_000
BUDGET_NS_PER_SECOND = 50_000_000


@frozen(kw_only=True)
class Change:
    """One committed change of a key, as etcd told it; objects carry their resource version."""

    key: str
    revision: int
    obj: KubeObject | None
    """The new state, or None for a delete."""
    prev: KubeObject | None
    """The state before, or None for a create."""


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
    buffer: int = 2 * CHANNEL_MIN + CONNECTION_HOLDS
    """So many events may wait for the client."""


def event_for(watcher: Watcher, change: Change, memo: dict[str, WatchEvent]) -> WatchEvent | None:
    """How `watcher` sees `change`; `memo` shares the event between those that see it alike."""
    if not is_news(watcher, change):
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


def is_news(watcher: Watcher, change: Change) -> bool:
    """Whether the watcher hasn't been told yet: what it began with may hold changes that are shown to it afterwards."""
    return change.revision > watcher.after


def _make_event(kind: str, change: Change) -> WatchEvent:
    if kind != DELETED:
        assert change.obj is not None, f"{kind} without an object at {change.key}"
        return WatchEvent(kind, change.obj)
    assert change.prev is not None, f"{kind} without a previous object at {change.key}"
    return WatchEvent(DELETED, last_state(change.prev, change.revision))


def last_state(prev: KubeObject, revision: int) -> KubeObject:
    """The object of a DELETED event: as it was, but with the version of its end."""
    return stamped(prev, revision)


def next_bookmark_at(now: int, ends_at: int) -> int:
    """In a minute, but once at two seconds before the watch ends (cache_watcher.go, nextBookmarkTime)."""
    before_end = ends_at - BOOKMARK_BEFORE_END_NS
    heartbeat = now + BOOKMARK_PERIOD_NS
    return before_end if now < before_end < heartbeat else heartbeat


def buffer_of(resource: str, capacity: int) -> int:
    """How many events may wait for a client: one second of the ring, twice, and what its connection holds."""
    wanted = -(-capacity // EVENT_FRESH_SECONDS)
    most = CHANNEL_MAX_INDEXED if resource in INDEXED else CHANNEL_MAX
    return 2 * min(max(wanted, CHANNEL_MIN), most) + CONNECTION_HOLDS


class TimeBudget:
    """How long slow watches may hold things up: 50 ms more each second, never over 100 ms."""

    def __init__(self, now: int) -> None:
        self._left_ns = 0
        self._at = now

    def take(self, now: int) -> int:
        """All that there is."""
        self._left_ns = min(
            self._left_ns + (now - self._at) * BUDGET_NS_PER_SECOND // 1_000_000_000, BUDGET_NS_MAX
        )
        self._at = now
        taken, self._left_ns = self._left_ns, 0
        return taken

    def give_back(self, unused_ns: int) -> None:
        """What wasn't needed."""
        self._left_ns = min(self._left_ns + max(unused_ns, 0), BUDGET_NS_MAX)
