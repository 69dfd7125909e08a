"""The shell around one watch cache: lists and watches etcd, shows its watchers what changed, wakes who waits.

When its etcd watch is canceled (no leader, compacted), all client watches of the resource end, and the cache begins
anew with a list. A watch whose connection is lost goes on from where it was: nobody but the cache's readers notice. While somebody waits for a revision the feed asks etcd for progress every 100 ms, because a resource
to which nothing happens would never get there.

A real server fills all its caches when it boots. A feed that starts later asks etcd for the state of that moment
(`since`) and for what happened from then on: its cache ends up the same, unless that has been compacted.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher.go,progress/watch_progress.go},
staging/src/k8s.io/apiserver/pkg/storage/etcd3/event.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from chaoskube.models.apiserver.events import CacheReset
from chaoskube.models.apiserver.storage import from_kv
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.watch_lines import WatchLines
from chaoskube.models.constants import WATCH_CACHE_WAIT, WATCH_PROGRESS_PERIOD
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import EtcdClient, WatchHandle
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import MILLISECOND, SECOND, Process, Timer

RELIST_NS: Final = 1 * SECOND
RESUME_NS: Final = 100 * MILLISECOND
RECONNECT_NS: Final = 1 * SECOND
RECONNECT_NS_MAX: Final = 120 * SECOND


@frozen
class Waiter:
    """Somebody who waits for a revision."""

    revision: int
    resume: Callable[[bool], None]
    timer: Timer


class CacheFeed:
    """Keeps one `WatchCache` up to date; `lines` serves its watchers."""

    def __init__(
        self,
        process: Process,
        client: EtcdClient,
        resource: Resource,
        key_prefix: str,
        since: int = 0,
        read: Callable[[etcd.KeyValue], KubeObject] = from_kv,
        window: int = 0,
    ) -> None:
        self.on_change: Callable[[], None] | None = None
        """Called whenever the cache holds something else."""
        self._read = read
        self._is_closed = False
        self.cache = WatchCache(kind=resource.kind, api_version=resource.api_version, window=window)
        self.cache.down_since = process.now
        self.lines = WatchLines(process, resource.name, self.cache)
        self._process = process
        self._client = client
        self._resource = resource
        self._prefix = key_prefix
        self._handle: WatchHandle | None = None
        self._lost = 0
        """How often in a row the connection of the watch was lost."""
        self._waiters: list[Waiter] = []
        self._progress_timer: Timer | None = None
        self._progress_asked_at = -WATCH_PROGRESS_PERIOD
        self._list(since)

    # ---- from etcd

    def _list(self, revision: int = 0) -> None:
        if self._is_closed:
            return
        request = etcd.Range(key=self._prefix, range_end=etcd.prefix_end(self._prefix), revision=revision)
        self._client.request(request, lambda outcome: self._listed(outcome, revision))

    def _listed(self, outcome: object, asked: int) -> None:
        if self._is_closed:
            return
        if not isinstance(outcome, etcd.RangeResponse):
            if asked and outcome == etcd.COMPACTED:
                self._list()
            else:
                self._process.call_later(RELIST_NS, self._list)
            return
        revision = asked or outcome.revision
        self.cache.replace([(kv.key, self._read(kv)) for kv in outcome.kvs], revision)
        self._watch(revision)
        self._wake()
        if self.on_change is not None:
            self.on_change()

    def _watch(self, revision: int) -> None:
        """Everything after `revision`."""
        if self._is_closed:
            return
        create = etcd.WatchCreate(
            key=self._prefix,
            range_end=etcd.prefix_end(self._prefix),
            start_revision=revision + 1,
            prev_kv=True,
            progress_notify=True,
            require_leader=True,
        )
        self._handle = self._client.watch(
            create,
            on_events=self._on_events,
            on_progress=self._on_progress,
            on_end=self._on_end,
            on_created=self._on_created,
            label=f"etcd-watch/{self._resource.name}",
        )

    def _on_created(self, revision: int) -> None:
        self._lost = 0

    def _on_events(self, events: Sequence[etcd.Event], revision: int) -> None:
        now = self._process.now
        cache = self.cache
        changes = []
        broken = ""
        for event in events:
            if not is_whole(event):
                broken = f"etcd event received with PrevKv=nil (key={event.kv.key!r}, modRevision={event.kv.mod_revision})"
                break
            obj: KubeObject | None = None
            if event.type is etcd.EventType.PUT:
                obj = self._read(event.kv)
            changes.append(cache.apply(event.kv.key, obj, event.kv.mod_revision, now))
        if self._waiters:
            self._wake()
        send = self.lines.send
        for change in changes:
            for watcher_id, watch_event in cache.dispatch(change):
                send(watcher_id, watch_event)
        if broken:
            self._give_up(broken)
        elif self.on_change is not None:
            self.on_change()

    def _on_progress(self, revision: int) -> None:
        self.cache.progress(revision)
        if self._waiters:
            self._wake()

    def _give_up(self, reason: str) -> None:
        """What came cannot be passed on truly: begin anew."""
        if self._handle is not None:
            self._handle.cancel()
        self._begin_anew(reason)

    def _on_end(self, reason: str) -> None:
        """The watch is over. Only a lost connection can be resumed, from where it was."""
        if is_lost(reason):
            self._handle = None
            delay_ns = resume_after_ns(self._lost)
            self._lost += 1
            self._process.call_later(delay_ns, self._watch, self.cache.revision)
        else:
            self._begin_anew(reason)

    def _begin_anew(self, reason: str) -> None:
        ended = self.cache.reset(self._process.now)
        self._handle = None
        self._process.record(
            CacheReset(
                server=self._process.name,
                resource=self._resource.name,
                watches=len(ended),
                reason=reason,
            )
        )
        self.lines.end(ended)
        self._process.call_later(RELIST_NS, self._list)

    def close(self) -> None:
        """The resource is served no more, or differently: its watches end, and whoever waits waited in vain."""
        self._is_closed = True
        if self._handle is not None:
            self._handle.cancel()
        self.lines.end(self.cache.reset(self._process.now))
        waiting, self._waiters = self._waiters, []
        for waiter in waiting:
            waiter.timer.cancel()
            waiter.resume(False)

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


def is_lost(reason: str) -> bool:
    """Whether a watch ended because its connection did; etcd's client resumes such a watch by itself (watch.go)."""
    return not reason.startswith("canceled")


def resume_after_ns(lost: int) -> int:
    """How long before the watch is asked for again: at once, then as gRPC waits to connect (backoff.go)."""
    if not lost:
        return RESUME_NS
    return min(int(RECONNECT_NS * 1.6 ** min(lost - 1, 20)), RECONNECT_NS_MAX)


def is_whole(event: etcd.Event) -> bool:
    """Whether a change came with the state before it; compaction may have taken that away."""
    is_create = event.type is etcd.EventType.PUT and event.kv.create_revision == event.kv.mod_revision
    return is_create or event.prev_kv is not None
