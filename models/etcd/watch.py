"""Who watches what at one member: watchers that are up to date, and watchers that still have to catch up.

A *synced* watcher gets each new revision as it is applied. A watcher that begins in the past is *unsynced*
until the loop (every 100 ms) has handed it everything it missed. Events of one revision always come together,
revisions in order, each once. Etcd server/storage/mvcc/watchable_store.go, watcher_group.go.

Called by the member: `notify` after each applied revision, `catch_up` from its loop; `send` is the watcher's stream.
Not modelled: slow watchers (a stream never fills up), limits on watchers per loop, filters.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
from attrs import define

from chaoskube.models.etcd.messages import (
    Event,
    WatchCanceled,
    WatchCreate,
    WatchEvents,
    WatchMessage,
    WatchProgressNotice,
    in_range,
)
from chaoskube.models.etcd.mvcc import Store
from chaoskube.sim import reached

COMPACTED_REASON = "etcdserver: mvcc: required revision has been compacted"
EMPTY_RANGE_REASON = "etcdserver: watcher range is empty"


@define(kw_only=True, eq=False)
class Watcher:
    """One watch of one client. `next_revision` is the first that it hasn't been sent."""

    create: WatchCreate
    next_revision: int
    send: Callable[[WatchMessage], None]
    is_synced: bool
    is_quiet: bool = True
    """Nothing was sent since the last periodic progress notice."""


class WatchHub:
    """All watchers of one member, in order of creation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._synced: dict[Watcher, None] = {}
        self._unsynced: dict[Watcher, None] = {}

    @property
    def has_unsynced(self) -> bool:
        """Somebody waits for `catch_up`."""
        return bool(self._unsynced)

    @property
    def watchers(self) -> tuple[Watcher, ...]:
        """Everybody who watches, those that are up to date first."""
        return (*self._synced, *self._unsynced)

    def add(self, create: WatchCreate, send: Callable[[WatchMessage], None]) -> Watcher:
        """A new watcher; from the future or from now on it is synced at once."""
        revision = self._store.revision
        start = create.start_revision
        synced = start == 0 or start > revision
        watcher = Watcher(
            create=create, next_revision=start if start else revision + 1, send=send, is_synced=synced
        )
        (self._synced if synced else self._unsynced)[watcher] = None
        return watcher

    def remove(self, watcher: Watcher) -> None:
        """It watches no more."""
        self._synced.pop(watcher, None)
        self._unsynced.pop(watcher, None)

    def notify(self, events: tuple[Event, ...], revision: int) -> None:
        """A revision was applied: tell who is up to date and cares."""
        for watcher in list(self._synced):
            if revision >= watcher.next_revision:
                self._deliver(watcher, events, revision)
                watcher.next_revision = revision + 1

    def catch_up(self) -> None:
        """Hand every unsynced watcher what it missed, or cancel it when that is compacted."""
        unsynced, self._unsynced = self._unsynced, {}
        for watcher in unsynced:
            if watcher.next_revision < self._store.compact_revision:
                reached("etcd: a watch began in compacted history")
                watcher.send(
                    WatchCanceled(reason=COMPACTED_REASON, compact_revision=self._store.compact_revision)
                )
                continue
            self._deliver_history(watcher)
            watcher.next_revision = self._store.revision + 1
            watcher.is_synced = True
            self._synced[watcher] = None

    def progress(self, watcher: Watcher) -> None:
        """The client asks how far its watch is; no answer while it is behind (etcd issue 15220)."""
        if watcher.is_synced:
            watcher.send(WatchProgressNotice(self._store.revision))

    def progress_all(self) -> None:
        """The periodic notice to those that asked for it and have heard nothing else."""
        for watcher in list(self._synced):
            if watcher.create.progress_notify:
                if watcher.is_quiet:
                    watcher.send(WatchProgressNotice(self._store.revision))
                watcher.is_quiet = True

    def _deliver_history(self, watcher: Watcher) -> None:
        found: list[Event] = []
        for events in self._store.events_since(watcher.next_revision):
            found.extend(_matching(watcher.create, events))
        if found:
            watcher.is_quiet = False
            watcher.send(WatchEvents(revision=self._store.revision, events=tuple(found)))

    def _deliver(self, watcher: Watcher, events: tuple[Event, ...], revision: int) -> None:
        matching = _matching(watcher.create, events)
        if matching:
            watcher.is_quiet = False
            watcher.send(WatchEvents(revision=revision, events=matching))


def _matching(create: WatchCreate, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events a watch asks for; the very same tuple when that is all of them."""
    found = tuple([event for event in events if in_range(event.kv.key, create.key, create.range_end)])
    if len(found) == len(events):
        found = events
    if create.prev_kv:
        return found
    return tuple([event if event.prev_kv is None else attrs.evolve(event, prev_kv=None) for event in found])
