"""The clients' ends of one watch cache's watches: events and bookmarks out, time-outs, and clients that are too slow.

A client that takes nothing (a frozen process, a lost network) fills its buffer; what comes then is held for as long
as the budget lasts, and then the watch is closed: the client resumes from what it saw, or lists anew.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher,cache_watcher}.go (dispatchEvent, add).

Called by `cache_feed.py` and `uncached.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaoskube.models.apiserver.api import WatchEvent
from chaoskube.models.apiserver.events import BookmarkDue, SlowWatchClosed, WatchOver, WatchServed
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.watcher import TimeBudget, Watcher
from chaoskube.sim import Connection, Process, Timer, reached

LOOK_AGAIN_NS = 5_000_000


class Line:
    """One watch and its connection. `held`: what a slow client is not sent yet; None while it keeps up."""

    __slots__ = ("buffer", "connection", "end", "held")

    def __init__(self, connection: Connection, buffer: int, end: Timer) -> None:
        self.connection = connection
        self.buffer = buffer
        self.end = end
        self.held: list[WatchEvent] | None = None


class WatchLines:
    """All watches that a cache serves."""

    def __init__(self, process: Process, resource: str, cache: WatchCache) -> None:
        self._process = process
        self._resource = resource
        self._cache = cache
        self._lines: dict[int, Line] = {}
        self._budget = TimeBudget(process.now)
        self._bookmark_timer: Timer | None = None
        self._bookmark_due = 0
        self._count = 0

    def next_id(self) -> int:
        """A number for a new watcher."""
        self._count += 1
        return self._count

    def serve(self, watcher: Watcher, connection: Connection, first: Iterable[WatchEvent]) -> None:
        """`watcher` is in the cache: send its first events, and what follows, until its time is up."""
        end = self._process.call_at(watcher.ends_at, self._time_is_up, watcher.id)
        self._lines[watcher.id] = Line(connection, watcher.buffer, end)
        self._process.mention(
            WatchServed(resource=self._resource, watch=watcher.id, wants_bookmarks=watcher.bookmarks)
        )
        connection.on_close = lambda reason: self._closed(watcher.id)
        for event in first:
            connection.send(event)
        if watcher.bookmarks and (self._bookmark_timer is None or watcher.bookmark_at < self._bookmark_due):
            self._set_bookmark_timer()

    def send(self, watcher_id: int, event: WatchEvent) -> None:
        """One event to one watch, unless its client is slow."""
        line = self._lines[watcher_id]
        if line.held is not None:
            line.held.append(event)
        elif is_full(line):
            self._hold(watcher_id, line, event)
        else:
            line.connection.send(event)

    def end(self, watcher_ids: Iterable[int]) -> None:
        """The cache gave these watches up: close them."""
        for watcher_id in watcher_ids:
            self._forget(watcher_id).close()

    # ---- slow clients

    def _hold(self, watcher_id: int, line: Line, event: WatchEvent) -> None:
        line.held = [event]
        self._wait(watcher_id, line, self._budget.take(self._process.now))

    def _wait(self, watcher_id: int, line: Line, left_ns: int) -> None:
        step_ns = min(left_ns, LOOK_AGAIN_NS)
        self._process.call_later(step_ns, self._look_again, watcher_id, line, left_ns - step_ns)

    def _look_again(self, watcher_id: int, line: Line, left_ns: int) -> None:
        if self._lines.get(watcher_id) is not line or line.held is None:
            return
        if not is_full(line):
            self._budget.give_back(left_ns)
            held, line.held = line.held, None
            for event in held:
                line.connection.send(event)
        elif left_ns > 0:
            self._wait(watcher_id, line, left_ns)
        else:
            self._close_slow(watcher_id, line)

    def _close_slow(self, watcher_id: int, line: Line) -> None:
        reached("apiserver: a slow watch was closed")
        self._process.record(
            SlowWatchClosed(
                server=self._process.name, resource=self._resource, client=line.connection.peer_name
            )
        )
        self._cache.remove_watcher(watcher_id)
        self._forget(watcher_id).close()

    # ---- ends

    def _closed(self, watcher_id: int) -> None:
        if watcher_id in self._lines:
            self._forget(watcher_id)
            self._cache.remove_watcher(watcher_id)

    def _time_is_up(self, watcher_id: int) -> None:
        if watcher_id in self._lines:
            self._cache.remove_watcher(watcher_id)
            self._forget(watcher_id).close()

    def _forget(self, watcher_id: int) -> Connection:
        line = self._lines.pop(watcher_id)
        line.end.cancel()
        self._process.mention(WatchOver(resource=self._resource, watch=watcher_id))
        return line.connection

    # ---- bookmarks

    def _send_bookmarks(self) -> None:
        for watcher_id in self._cache.due_bookmarks(self._process.now):
            self._process.mention(BookmarkDue(resource=self._resource, watch=watcher_id))
            line = self._lines[watcher_id]
            if self._cache.has_news(watcher_id) and line.held is None and not is_full(line):
                line.connection.send(self._cache.bookmark())
        self._set_bookmark_timer()

    def _set_bookmark_timer(self) -> None:
        if self._bookmark_timer is not None:
            self._bookmark_timer.cancel()
        due = self._cache.next_bookmark_at()
        self._bookmark_due = due or 0
        self._bookmark_timer = None
        if due is not None:
            self._bookmark_timer = self._process.call_at(due, self._send_bookmarks)


def is_full(line: Line) -> bool:
    """Whether as much waits for the client as may."""
    return line.connection.backlog >= line.buffer
