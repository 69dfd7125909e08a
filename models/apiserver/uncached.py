"""Watches of what has no cache (Events): each client's watch is a watch of etcd of its own.

Without a version the client gets what exists, then what happens; with one, everything after it, or 410 when etcd has
forgotten that. Whatever ends etcd's watch for good is told as an ERROR event, and the client's watch is over.
Source: staging/src/k8s.io/apiserver/pkg/storage/etcd3/watcher.go.

Called by `watches.py`. Not modelled: bookmarks but that after the initial events (etcd's storage sends none), the
buffers between etcd and a slow client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chaoskube.models.apiserver.api import ADDED, BOOKMARK, ERROR, Bookmark, Status, WatchEvent
from chaoskube.models.apiserver.cache_feed import is_lost
from chaoskube.models.apiserver.errors import expired, internal_error
from chaoskube.models.apiserver.event_versions import read_event
from chaoskube.models.apiserver.watcher import Change, Watcher, event_for
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import EtcdClient, WatchHandle
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import MILLISECOND, Connection, Process

TOO_OLD: Final = "The resourceVersion for the provided watch is too old."
RESUME_NS: Final = 100 * MILLISECOND


class UncachedWatch:
    """One client's watch of etcd."""

    def __init__(
        self,
        process: Process,
        client: EtcdClient,
        resource: Resource,
        watcher: Watcher,
        connection: Connection,
    ) -> None:
        self._process = process
        self._client = client
        self._resource = resource
        self._watcher = watcher
        self._connection = connection
        self._handle: WatchHandle | None = None
        connection.on_close = lambda reason: self._stop()
        process.call_at(watcher.ends_at, self._end)

    def begin(self, initial: Sequence[etcd.KeyValue], revision: int, *, end_mark: bool) -> None:
        """Tell what exists, as read at `revision`, and go on from there."""
        watcher = self._watcher
        for kv in initial:
            event = WatchEvent(ADDED, read_event(kv, self._resource))
            if watcher.matches is None or watcher.matches(read_event(kv, self._resource)):
                self._connection.send(event)
        if end_mark:
            mark = Bookmark(
                kind=self._resource.kind,
                api_version=self._resource.api_version,
                resource_version=str(revision),
                initial_events_end=True,
            )
            self._connection.send(WatchEvent(BOOKMARK, mark))
        watcher.after = revision
        self._watch()

    def _watch(self) -> None:
        if self._connection.is_closed:
            return
        watcher = self._watcher
        create = etcd.WatchCreate(
            key=watcher.prefix,
            range_end="" if watcher.exact else etcd.prefix_end(watcher.prefix),
            start_revision=watcher.after + 1,
            prev_kv=True,
            require_leader=True,
        )
        self._handle = self._client.watch(
            create,
            on_events=self._on_events,
            on_end=self._on_end,
            label=f"etcd-watch/{self._resource.name}",
        )

    def _on_events(self, events: Sequence[etcd.Event], revision: int) -> None:
        for event in events:
            is_put = event.type is etcd.EventType.PUT
            change = Change(
                key=event.kv.key,
                revision=event.kv.mod_revision,
                obj=read_event(event.kv, self._resource) if is_put else None,
                prev=read_event(event.prev_kv, self._resource) if event.prev_kv is not None else None,
            )
            told = event_for(self._watcher, change, {})
            self._watcher.after = max(self._watcher.after, change.revision)
            if told is not None:
                self._connection.send(told)

    def _on_end(self, reason: str) -> None:
        compacted = self._handle is not None and self._handle.compact_revision
        self._handle = None
        if compacted:
            self._refuse(expired(TOO_OLD).status)
        elif is_lost(reason):
            self._process.call_later(RESUME_NS, self._watch)
        else:
            self._refuse(internal_error(reason).status)

    def _refuse(self, status: Status) -> None:
        if self._connection.is_open:
            self._connection.send(WatchEvent(ERROR, status))
        self._end()

    def _end(self) -> None:
        self._stop()
        if not self._connection.is_closed:
            self._connection.close()

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
