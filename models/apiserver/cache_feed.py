"""The shell around one watch cache: lists and watches etcd, sends to clients, wakes who waits for a revision.

When its etcd watch ends, for whatever reason, all client watches of the resource end, and the cache begins anew
with a list. While somebody waits for a revision the feed asks etcd for progress every 100 ms, because a resource
to which nothing happens would never get there.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher.go,progress/watch_progress.go}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from chaoskube.models.apiserver.api import WatchEvent
from chaoskube.models.apiserver.events import CacheReset
from chaoskube.models.apiserver.storage import from_kv
from chaoskube.models.apiserver.watch_cache import WatchCache, Watcher
from chaoskube.models.constants import WATCH_CACHE_WAIT, WATCH_PROGRESS_PERIOD
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import EtcdClient, WatchHandle
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND, Connection, Process, Timer

RELIST_NS: Final = 1 * SECOND


@frozen
class Waiter:
    """Somebody who waits for a revision."""

    revision: int
    resume: Callable[[bool], None]
    timer: Timer


class CacheFeed:
    """Keeps one `WatchCache` up to date and serves its watchers."""

    def __init__(self, process: Process, client: EtcdClient, resource: Resource, key_prefix: str) -> None:
        self.cache = WatchCache(kind=resource.kind, api_version=resource.api_version)
        self.down_since = process.now
        self._process = process
        self._client = client
        self._resource = resource
        self._prefix = key_prefix
        self._handle: WatchHandle | None = None
        self._connections: dict[int, Connection] = {}
        self._ends: dict[int, Timer] = {}
        self._waiters: list[Waiter] = []
        self._progress_timer: Timer | None = None
        self._progress_asked_at = -WATCH_PROGRESS_PERIOD
        self._bookmark_timer: Timer | None = None
        self._bookmark_due = 0
        self._watch_count = 0
        self._list()

    # ---- from etcd

    def _list(self) -> None:
        request = etcd.Range(key=self._prefix, range_end=etcd.prefix_end(self._prefix))
        self._client.request(request, self._listed)

    def _listed(self, outcome: object) -> None:
        if not isinstance(outcome, etcd.RangeResponse):
            self._process.call_later(RELIST_NS, self._list)
            return
        self.cache.replace([(kv.key, from_kv(kv)) for kv in outcome.kvs], outcome.revision)
        create = etcd.WatchCreate(
            key=self._prefix,
            range_end=etcd.prefix_end(self._prefix),
            start_revision=outcome.revision + 1,
            progress_notify=True,
            require_leader=True,
        )
        self._handle = self._client.watch(
            create,
            on_events=self._on_events,
            on_progress=self._on_progress,
            on_end=self._on_end,
            label=f"etcd-watch/{self._resource.name}",
        )
        self._wake()

    def _on_events(self, events: Sequence[etcd.Event], revision: int) -> None:
        now = self._process.now
        for event in events:
            obj: KubeObject | None = None
            if event.type is etcd.EventType.PUT:
                obj = from_kv(event.kv)
            sends = self.cache.apply(event.kv.key, obj, event.kv.mod_revision, now)
            for watcher_id, watch_event in sends:
                self._connections[watcher_id].send(watch_event)
        if self._waiters:
            self._wake()

    def _on_progress(self, revision: int) -> None:
        self.cache.progress(revision)
        if self._waiters:
            self._wake()

    def _on_end(self, reason: str) -> None:
        ended = self.cache.reset()
        self._handle = None
        self.down_since = self._process.now
        self._process.record(
            CacheReset(
                server=self._process.name,
                resource=self._resource.name,
                watches=len(ended),
                reason=reason,
            )
        )
        for watcher_id in ended:
            self._forget(watcher_id).close()
        self._process.call_later(RELIST_NS, self._list)

    # ---- who waits for a revision

    def wait_for(self, revision: int, resume: Callable[[bool], None]) -> None:
        """Call `resume(True)` once the cache has seen `revision`, or `resume(False)` after 3 s."""
        if self.cache.is_ready and self.cache.revision >= revision:
            resume(True)
            return
        timer = self._process.call_later(WATCH_CACHE_WAIT, self._expire, resume)
        self._waiters.append(Waiter(revision, resume, timer))
        self._want_progress()

    def _expire(self, resume: Callable[[bool], None]) -> None:
        self._waiters = [waiter for waiter in self._waiters if waiter.resume is not resume]
        resume(False)

    def _wake(self) -> None:
        revision = self.cache.revision
        due = [waiter for waiter in self._waiters if waiter.revision <= revision]
        self._waiters = [waiter for waiter in self._waiters if waiter.revision > revision]
        for waiter in due:
            waiter.timer.cancel()
            waiter.resume(True)

    def _want_progress(self) -> None:
        if self._progress_timer is None:
            at = max(self._process.now, self._progress_asked_at + WATCH_PROGRESS_PERIOD)
            self._progress_timer = self._process.call_at(at, self._ask_progress)

    def _ask_progress(self) -> None:
        self._progress_timer = None
        if not self._waiters:
            return
        self._progress_asked_at = self._process.now
        if self._handle is not None:
            self._handle.request_progress()
        self._want_progress()

    # ---- watchers

    def next_id(self) -> int:
        """A number for a new watcher."""
        self._watch_count += 1
        return self._watch_count

    def serve(self, watcher: Watcher, connection: Connection, first: Sequence[WatchEvent]) -> None:
        """`watcher` is in the cache: send its first events, and what follows, until its time is up."""
        self._connections[watcher.id] = connection
        connection.on_close = lambda reason: self._closed(watcher.id)
        self._ends[watcher.id] = self._process.call_at(watcher.ends_at, self._time_is_up, watcher.id)
        for event in first:
            connection.send(event)
        if watcher.bookmarks and (self._bookmark_timer is None or watcher.bookmark_at < self._bookmark_due):
            self._set_bookmark_timer()

    def _closed(self, watcher_id: int) -> None:
        if watcher_id in self._connections:
            self._forget(watcher_id)
            self.cache.remove_watcher(watcher_id)

    def _time_is_up(self, watcher_id: int) -> None:
        if watcher_id in self._connections:
            self.cache.remove_watcher(watcher_id)
            self._forget(watcher_id).close()

    def _forget(self, watcher_id: int) -> Connection:
        self._ends.pop(watcher_id).cancel()
        return self._connections.pop(watcher_id)

    def _send_bookmarks(self) -> None:
        for watcher_id in self.cache.due_bookmarks(self._process.now):
            self._connections[watcher_id].send(self.cache.bookmark())
        self._set_bookmark_timer()

    def _set_bookmark_timer(self) -> None:
        if self._bookmark_timer is not None:
            self._bookmark_timer.cancel()
        due = self.cache.next_bookmark_at()
        self._bookmark_due = due or 0
        self._bookmark_timer = None
        if due is not None:
            self._bookmark_timer = self._process.call_at(due, self._send_bookmarks)
