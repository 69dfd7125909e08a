"""Mutants of watches: each breaks one promise, and none that is asked for before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.etcd import watch_stream
from chaoskube.models.etcd.messages import (
    Event,
    EventType,
    WatchEvents,
    WatchFilter,
    WatchMessage,
    WatchProgressNotice,
)
from chaoskube.models.etcd.watch import Batch, WatchHub
from chaoskube.models.etcd.watch_stream import Watcher, WatchStream
from tests.quality.mutant import mutant


@mutant("watch-filterable", scenario="etcd-watch")
def filters_are_forgotten() -> Iterator[None]:
    """A watch that wants no puts, or no deletions, gets them all the same."""

    def keep(_event: Event, _filters: tuple[WatchFilter, ...]) -> bool:
        return False

    with patched(watch_stream, "_is_filtered", keep):
        yield


@mutant("watch-ordered", scenario="etcd-watch")
def history_is_told_backwards() -> Iterator[None]:
    """A watch that has to catch up hears of what it missed newest first."""
    history = WatchHub._history

    def backwards(self: WatchHub, group: list[Watcher]) -> list[tuple[Event, ...]]:
        return history(self, group)[::-1]

    with patched(WatchHub, "_history", backwards):
        yield


@mutant("watch-unique", scenario="etcd-watch")
def newest_is_history_twice() -> Iterator[None]:
    """The newest revision, which may just have been applied, is added to the history that has it already."""
    history = WatchHub._history

    def with_newest(self: WatchHub, group: list[Watcher]) -> list[tuple[Event, ...]]:
        known = history(self, group)
        return known + known[-1:]

    with patched(WatchHub, "_history", with_newest):
        yield


@mutant("watch-atomic", scenario="etcd-watch")
def each_event_has_a_response() -> Iterator[None]:
    """Every event goes out in a response of its own."""
    emit = WatchStream._emit

    def emit_each(self: WatchStream, message: WatchMessage, watcher: Watcher | None) -> None:
        parts: Iterable[WatchMessage] = (message,)
        if isinstance(message, WatchEvents):
            parts = [evolve(message, events=(event,)) for event in message.events]
        for part in parts:
            emit(self, part, watcher)

    with patched(WatchStream, "_emit", emit_each):
        yield


@mutant("watch-bookmarkable", scenario="etcd-watch")
def notices_promise_the_next_revision() -> Iterator[None]:
    """A notice of progress names the revision that comes next, not the last that came."""

    def report_too_far(self: WatchHub, watchers: Mapping[int, Watcher], watch_id: int) -> None:
        if watchers and self._may_report(watchers.values()):
            first = next(iter(watchers.values()))
            first.stream.offer(first, WatchProgressNotice(self.revision + 1, watch_id=watch_id))

    with patched(WatchHub, "report_progress", report_too_far):
        yield


@mutant("watch-resumable", scenario="etcd-watch")
def history_begins_late() -> Iterator[None]:
    """A watch that begins in the past isn't told of the very revision that it asked for."""
    sync = WatchHub._sync

    def sync_late(
        self: WatchHub, watcher: Watcher, history: list[tuple[Event, ...]], victims: dict[Watcher, Batch]
    ) -> None:
        if watcher.min_revision == watcher.start_revision:
            watcher.min_revision += 1
        sync(self, watcher, history, victims)

    with patched(WatchHub, "_sync", sync_late):
        yield


@mutant("watch-is-create", scenario="etcd-watch")
def every_put_creates() -> Iterator[None]:
    """A watch from now on, without previous versions, hears of every put as if it had made its key."""
    with_previous = WatchStream._with_previous

    def as_new(self: WatchStream, watcher: Watcher, events: tuple[Event, ...]) -> tuple[Event, ...]:
        events = with_previous(self, watcher, events)
        if watcher.create.prev_kv or watcher.create.start_revision:
            return events
        return tuple(
            evolve(one, kv=evolve(one.kv, create_revision=one.kv.mod_revision))
            if one.type is EventType.PUT
            else one
            for one in events
        )

    with patched(WatchStream, "_with_previous", as_new):
        yield


@mutant("watch-reliable", scenario="etcd-watch")
def one_event_a_revision() -> Iterator[None]:
    """Of a revision that changes several keys a watch is told of the first."""
    matching = Watcher.matching

    def first_match(self: Watcher, events: tuple[Event, ...]) -> list[Event]:
        return matching(self, events)[:1]

    with patched(Watcher, "matching", first_match):
        yield


@mutant("watch-prev-kv", scenario="etcd-watch")
def previous_is_present() -> Iterator[None]:
    """As the previous version of a key a watch gets the one that the event made."""
    with_previous = WatchStream._with_previous

    def with_present(self: WatchStream, watcher: Watcher, events: tuple[Event, ...]) -> tuple[Event, ...]:
        told = with_previous(self, watcher, events)
        return tuple(one if one.prev_kv is None else evolve(one, prev_kv=one.kv) for one in told)

    with patched(WatchStream, "_with_previous", with_present):
        yield


@mutant("watches-catch-up", scenario="etcd-watch")
def caught_up_and_forgotten() -> Iterator[None]:
    """A watch that has been told its history belongs neither to those who are behind nor to those who are up to date."""
    sync = WatchHub._sync

    def sync_and_forget(
        self: WatchHub, watcher: Watcher, history: list[tuple[Event, ...]], victims: dict[Watcher, Batch]
    ) -> None:
        sync(self, watcher, history, victims)
        self._synced.pop(watcher, None)

    with patched(WatchHub, "_sync", sync_and_forget):
        yield
