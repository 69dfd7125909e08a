"""Who watches what at one member: who is up to date, who has to catch up, and whose connection is full.

A *synced* watcher gets each revision as it is applied. One that begins in the past is *unsynced* until the loop
(every 100 ms, at most 512 watchers and 1000 revisions for each in a round) has handed it what it missed. One
whose stream is full becomes a *victim*: its events wait with it, and a second loop (10 ms) tries again until they
are taken. A watcher gets each matching event once, revisions in order, or is told that what it still wanted is
compacted. server/storage/mvcc/watchable_store.go, watcher_group.go.

`min_revision` of a watcher moves only with what it is sent, so a synced watcher in a quiet range lags behind; that
matters when a snapshot replaces the store (`restore`), because everybody catches up from there.

Pure: the member calls `notify` after each applied revision, `catch_up` and `retry_victims` from its loops,
`restore` after it installed a snapshot; sessions open a `stream`. Each decision that once was a bug in etcd has a
method of its own.
Not modelled: the interval tree (all watchers are looked at), the random choice of 512 out of more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import define, field, frozen

from chaoskube.models.etcd.messages import (
    COMPACTED,
    Event,
    WatchCanceled,
    WatchMessage,
    WatchProgressNotice,
)
from chaoskube.models.etcd.mvcc import Store
from chaoskube.models.etcd.watch_stream import Watcher, WatchStream
from chaoskube.sim import ModelBug, reached

COMPACTED_REASON: Final = COMPACTED.message


@frozen(kw_only=True)
class WatchLimits:
    """Bounds of a hub; etcd's own (watchable_store.go, watcher_group.go)."""

    window: int = 64
    """Messages under way to a client before its stream counts as blocked: about what HTTP/2's 64 KiB hold."""
    buffer: int = 128
    """Responses that wait in a stream: chanBufLen."""
    watchers_per_round: int = 512
    """maxWatchersPerSync."""
    revisions_per_batch: int = 1000
    """watchBatchMaxRevs."""


@define(kw_only=True)
class Batch:
    """Events for one watcher, and the first revision that did not fit in (0: none)."""

    events: list[Event] = field(factory=list)
    more_revision: int = 0


class WatchHub:
    """All watchers of one member; each group in order of arrival."""

    def __init__(self, store: Store, limits: WatchLimits | None = None) -> None:
        self.limits = limits if limits is not None else WatchLimits()
        self._store = store
        self._synced: dict[Watcher, None] = {}
        self._unsynced: dict[Watcher, None] = {}
        self._victims: list[dict[Watcher, Batch]] = []

    @property
    def revision(self) -> int:
        """The store's."""
        return self._store.revision

    @property
    def compact_revision(self) -> int:
        """The store's."""
        return self._store.compact_revision

    @property
    def has_unsynced(self) -> bool:
        """Somebody waits for `catch_up`."""
        return bool(self._unsynced)

    @property
    def has_victims(self) -> bool:
        """Somebody waits for `retry_victims`."""
        return bool(self._victims)

    @property
    def watchers(self) -> tuple[Watcher, ...]:
        """Everybody who watches: up to date, behind, held up."""
        held_up = [watcher for batch in self._victims for watcher in batch]
        return (*self._synced, *self._unsynced, *held_up)

    def stream(
        self,
        send: Callable[[WatchMessage], None],
        has_room: Callable[[], bool] | None = None,
        on_blocked: Callable[[], None] | None = None,
    ) -> WatchStream:
        """A client's stream. `has_room` says if its connection takes more; `on_blocked` hears when it did not."""
        if has_room is None or on_blocked is None:
            return WatchStream(self, send)
        return WatchStream(self, send, has_room, on_blocked)

    def add(self, watcher: Watcher) -> None:
        """It watches from now on; from the future or from the next change on it is synced at once."""
        start, revision = watcher.start_revision, self._store.revision
        if start == 0 or start > revision:
            watcher.min_revision = max(start, revision + 1)
            self._synced[watcher] = None
        else:
            self._unsynced[watcher] = None

    def remove(self, watcher: Watcher) -> None:
        """It watches no more."""
        self._synced.pop(watcher, None)
        self._unsynced.pop(watcher, None)
        for victims in self._victims:
            victims.pop(watcher, None)

    # -- news

    def notify(self, events: tuple[Event, ...], revision: int) -> None:
        """A revision was applied: tell who is up to date and cares."""
        victims: dict[Watcher, Batch] = {}
        for watcher, found in self._interested(events):
            if not watcher.stream.offer_events(watcher, found, revision):
                reached("etcd: a watch was too slow for its events")
                victims[watcher] = Batch(events=found)
                del self._synced[watcher]
            self._note_delivered(watcher, revision)
        if victims:
            self._victims.append(victims)

    def _interested(self, events: tuple[Event, ...]) -> list[tuple[Watcher, list[Event]]]:
        """Who is up to date and cares, and for what; most revisions are one event, so that goes a shorter way."""
        watchers = list(self._synced)
        if len(events) == 1:
            key = events[0].kv.key
            watchers = [one for one in watchers if one.first_key <= key < one.end_key]
        return [(one, found) for one in watchers if (found := one.matching(events))]

    def _note_delivered(self, watcher: Watcher, revision: int) -> None:
        """What it has (or waits for, as a victim) is not sent again after a snapshot (etcd issue 15271)."""
        watcher.min_revision = revision + 1

    def restore(self, store: Store) -> None:
        """A snapshot replaced the store: whoever was up to date has to catch up from what it has."""
        self._store = store
        for watcher in self._synced:
            watcher.is_restored = True
            self._unsynced[watcher] = None
        self._synced = {}

    # -- catching up

    def catch_up(self) -> None:
        """Rounds of at most 512 watchers, as long as they get fewer (syncWatchersLoop)."""
        waiting = len(self._unsynced)
        while waiting:
            self.sync_round()
            before, waiting = waiting, len(self._unsynced)
            if waiting >= before:
                return

    def sync_round(self) -> None:
        """Hand some unsynced watchers what they missed, and tell those that cannot have it (syncWatchers)."""
        group = list(self._unsynced)[: self.limits.watchers_per_round]
        for watcher in group:
            self._check_is_behind(watcher)
            if watcher.min_revision < self._store.compact_revision:
                self._cancel_compacted(watcher)
        group = [one for one in group if one in self._unsynced]
        history = self._history(group)
        victims: dict[Watcher, Batch] = {}
        for watcher in group:
            if not self._must_hear_of_compaction(watcher):
                self._sync(watcher, history, victims)
        if victims:
            self._victims.append(victims)

    def _check_is_behind(self, watcher: Watcher) -> None:
        if watcher.min_revision > self._store.revision and not watcher.is_restored:
            raise ModelBug(f"an unsynced watcher waits for revision {watcher.min_revision}, which is to come")
        watcher.is_restored = False

    def _cancel_compacted(self, watcher: Watcher) -> None:
        """Tell it, and forget it; if its stream is full it stays, and is told in a later round."""
        compacted = self._store.compact_revision
        message = WatchCanceled(reason=COMPACTED_REASON, compact_revision=compacted, watch_id=watcher.id)
        if watcher.stream.offer(watcher, message):
            reached("etcd: a watch began in compacted history")
            del self._unsynced[watcher]

    def _must_hear_of_compaction(self, watcher: Watcher) -> bool:
        """It misses events that are gone: nothing later may be sent before it knows (etcd issue 17529)."""
        return watcher.min_revision < self._store.compact_revision

    def _history(self, group: list[Watcher]) -> list[tuple[Event, ...]]:
        starts = [one.min_revision for one in group if not self._must_hear_of_compaction(one)]
        return self._store.events_since(min(starts)) if starts else []

    def _sync(
        self, watcher: Watcher, history: list[tuple[Event, ...]], victims: dict[Watcher, Batch]
    ) -> None:
        batch = batch_for(watcher, history, self.limits.revisions_per_batch)
        watcher.min_revision = batch.more_revision or self._min_revision_when_synced(watcher)
        if not watcher.stream.offer_events(watcher, batch.events, self._store.revision):
            reached("etcd: a watch was too slow for its history")
            victims[watcher] = batch
        elif batch.more_revision:
            return
        else:
            self._synced[watcher] = None
        del self._unsynced[watcher]

    def _min_revision_when_synced(self, watcher: Watcher) -> int:
        """From now on, but never earlier than it asked for (etcd issue 20221)."""
        return max(self._store.revision + 1, watcher.min_revision)

    # -- slow streams

    def retry_victims(self) -> None:
        """Offer victims their events again, as long as any is taken (syncVictimsLoop)."""
        while self._move_victims():
            pass

    def _move_victims(self) -> bool:
        offered, self._victims = self._victims, []
        still: dict[Watcher, Batch] = {}
        moved = False
        for victims in offered:
            for watcher, batch in victims.items():
                if not watcher.stream.offer_events(watcher, batch.events, watcher.min_revision - 1):
                    still[watcher] = batch
                    continue
                moved = True
                is_behind = watcher.min_revision <= self._store.revision
                (self._unsynced if is_behind else self._synced)[watcher] = None
        if still:
            self._victims.append(still)
        return moved

    # -- progress

    def report_progress(self, watchers: Mapping[int, Watcher], watch_id: int) -> None:
        """Tell how far these watches of one stream are, if all are up to date; one notice for all."""
        if watchers and self._may_report(watchers.values()):
            first = next(iter(watchers.values()))
            first.stream.offer(first, WatchProgressNotice(self._store.revision, watch_id=watch_id))

    def _may_report(self, watchers: Iterable[Watcher]) -> bool:
        """Nothing that is to come may be promised as delivered (etcd issues 15220 and 20221)."""
        revision = self._store.revision
        return all(one in self._synced and revision >= one.start_revision for one in watchers)


def batch_for(watcher: Watcher, history: list[tuple[Event, ...]], revisions_max: int) -> Batch:
    """What of the history a watcher still wants, at most so many revisions of it (eventBatch)."""
    batch = Batch()
    revisions = 0
    for events in history:
        found = watcher.matching(events)
        if found:
            if revisions == revisions_max:
                batch.more_revision = found[0].kv.mod_revision
                break
            revisions += 1
            batch.events.extend(found)
    return batch
