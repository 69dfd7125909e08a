"""The watches of one connection, and what waits to be sent to it.

All watches of a stream share one buffer of 128 responses. While the connection takes more (`has_room`) the buffer
is empty and everything leaves at once. When it is full, `offer` says no, and the hub makes the watcher a victim.
Creations and cancellations go through the same buffer, so that a watch is always announced before its events;
they are never refused. server/storage/mvcc/watcher.go (watchStream), server/etcdserver/api/v3rpc/watch.go.

Made by `WatchHub.stream`, driven by the member's session; pure. Ids and notices as etcd has them:

- the client may choose an id that is free (not 0); else the server counts from 0; a taken id is refused;
- a watch that was cancelled because of a compaction keeps its id until the client cancels it, and as long as it
  does the stream gets no progress notice on request;
- a requested notice speaks for the whole stream, and is sent only when all its watches are up to date;
- a periodic notice is for one watch, and left out when events were sent since the last.

Not modelled: the random order of buffered events and control responses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from attrs import define, frozen

from chaoskube.models.etcd.messages import (
    COMPACTED,
    FROM_KEY,
    STREAM_WATCH_ID,
    Event,
    EventType,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchFilter,
    WatchMessage,
)
from chaoskube.models.etcd.sizes import MAX_MESSAGE_BYTES, event_bytes

if TYPE_CHECKING:
    from chaoskube.models.etcd.watch import WatchHub

EMPTY_RANGE_REASON: Final = "mvcc: watcher range is empty"
DUPLICATE_ID_REASON: Final = "mvcc: duplicate watch ID provided on the WatchStream"
_AFTER_ALL_KEYS: Final = "\U0010ffff"


@define(kw_only=True, eq=False)
class Watcher:
    """One watch. It takes events from `min_revision` on; what was before it has, or never wanted."""

    stream: WatchStream
    id: int
    create: WatchCreate
    start_revision: int
    min_revision: int
    first_key: str
    end_key: str
    is_restored: bool = False
    """It was up to date when a snapshot replaced the store, so it may want the future though it is unsynced."""
    is_quiet: bool = True
    """Nothing was sent since the last periodic progress notice."""

    def matching(self, events: tuple[Event, ...]) -> list[Event]:
        """Those of one revision's events that are in its range and that it has not had."""
        first, end, least = self.first_key, self.end_key, self.min_revision
        return [one for one in events if first <= one.kv.key < end and one.kv.mod_revision >= least]


@frozen
class _Waiting:
    """A response in the buffer; `watcher` is None for what is sent even if the watch has ended since."""

    watcher: Watcher | None
    message: WatchMessage


def _always() -> bool:
    return True


def _nothing() -> None:
    pass


class WatchStream:
    """One client's stream: its watchers by id, and its buffer."""

    def __init__(
        self,
        hub: WatchHub,
        send: Callable[[WatchMessage], None],
        has_room: Callable[[], bool] = _always,
        on_blocked: Callable[[], None] = _nothing,
    ) -> None:
        self.watchers: dict[int, Watcher] = {}
        self._hub = hub
        self._send = send
        self._has_room = has_room
        self._on_blocked = on_blocked
        self._buffer: deque[_Waiting] = deque()
        self._next_id = 0

    @property
    def is_blocked(self) -> bool:
        """Something waits until the connection takes more."""
        return bool(self._buffer)

    # -- what the client asks for

    def create(self, create: WatchCreate) -> Watcher | None:
        """Begin a watch, or refuse it."""
        reason = self._why_not(create)
        if reason:
            self._refuse(reason)
            return None
        watch_id = create.watch_id or self._free_id()
        first = create.key or "\0"
        watcher = Watcher(
            stream=self,
            id=watch_id,
            create=create,
            start_revision=create.start_revision,
            min_revision=create.start_revision,
            first_key=first,
            end_key=_end_key(first, create.range_end),
        )
        self.watchers[watch_id] = watcher
        self._hub.add(watcher)
        self._control(WatchCreated(revision=self._hub.revision, watch_id=watch_id))
        return watcher

    def cancel(self, watch_id: int) -> None:
        """End a watch; what still waits for it is not sent."""
        watcher = self.watchers.pop(watch_id, None)
        if watcher is not None:
            self._hub.remove(watcher)
            self._control(WatchCanceled(reason="", watch_id=watch_id, revision=self._hub.revision))

    def request_progress(self) -> None:
        """The client asks how far the stream is."""
        self._hub.report_progress(self.watchers, STREAM_WATCH_ID)

    def progress_is_due(self) -> None:
        """The interval is over: a notice for each watch that asked for notices and has heard nothing."""
        for watcher in self.watchers.values():
            if watcher.create.progress_notify:
                if watcher.is_quiet:
                    self._hub.report_progress({watcher.id: watcher}, watcher.id)
                watcher.is_quiet = True

    def close(self) -> None:
        """The connection is over."""
        for watcher in self.watchers.values():
            self._hub.remove(watcher)
        self.watchers.clear()
        self._buffer.clear()

    def _why_not(self, create: WatchCreate) -> str:
        if create.start_revision < 0:
            return COMPACTED.message
        if create.range_end not in ("", FROM_KEY) and (create.key or "\0") >= create.range_end:
            return EMPTY_RANGE_REASON
        if create.watch_id and create.watch_id in self.watchers:
            return DUPLICATE_ID_REASON
        return ""

    def _refuse(self, reason: str) -> None:
        self._control(WatchCanceled(reason=reason, watch_id=STREAM_WATCH_ID, revision=self._hub.revision))

    def _free_id(self) -> int:
        while self._next_id in self.watchers:
            self._next_id += 1
        self._next_id += 1
        return self._next_id - 1

    # -- what the hub has for it

    def offer(self, watcher: Watcher, message: WatchMessage) -> bool:
        """Send it, or keep it in the buffer; False when that is full."""
        if not self._buffer and self._has_room():
            self._emit(message, watcher)
            return True
        if len(self._buffer) >= self._hub.limits.buffer:
            return False
        self._wait(_Waiting(watcher, message))
        return True

    def offer_events(self, watcher: Watcher, events: list[Event], revision: int) -> bool:
        """The same for events, but for those that the watch filters out; nothing is sent when none is left."""
        if watcher.create.filters:
            events = [one for one in events if not _is_filtered(one, watcher.create.filters)]
        if not events:
            return True
        message = WatchEvents(revision=revision, events=tuple(events), watch_id=watcher.id)
        return self.offer(watcher, message)

    def flush(self) -> None:
        """The connection may take more: send what waits."""
        while self._buffer and self._has_room():
            waiting = self._buffer.popleft()
            if waiting.watcher is None or self.watchers.get(waiting.watcher.id) is waiting.watcher:
                self._emit(waiting.message, waiting.watcher)

    def _control(self, message: WatchMessage) -> None:
        if not self._buffer and self._has_room():
            self._send(message)
        else:
            self._wait(_Waiting(None, message))

    def _wait(self, waiting: _Waiting) -> None:
        self._buffer.append(waiting)
        if len(self._buffer) == 1:
            self._on_blocked()

    def _emit(self, message: WatchMessage, watcher: Watcher | None) -> None:
        if watcher is None or not isinstance(message, WatchEvents):
            self._send(message)
            return
        watcher.is_quiet = False
        events = self._with_previous(watcher, message.events)
        for part in fragments(events) if watcher.create.fragment else (events,):
            is_last = part[-1] is events[-1]
            self._send(
                WatchEvents(
                    revision=message.revision, events=part, watch_id=message.watch_id, fragment=not is_last
                )
            )

    def _with_previous(self, watcher: Watcher, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """The events with the versions before, if they are wanted and not compacted by now (sendLoop)."""
        oldest = self._hub.compact_revision + 1 if watcher.create.prev_kv else None
        if all(_may_keep_previous(one, oldest) for one in events):
            return events
        return tuple(
            [one if _may_keep_previous(one, oldest) else Event(type=one.type, kv=one.kv) for one in events]
        )


def _may_keep_previous(event: Event, oldest: int | None) -> bool:
    return event.prev_kv is None or (oldest is not None and event.kv.mod_revision >= oldest)


def _end_key(key: str, range_end: str) -> str:
    if range_end == "":
        return key + "\0"
    return _AFTER_ALL_KEYS if range_end == FROM_KEY else range_end


def _is_filtered(event: Event, filters: tuple[WatchFilter, ...]) -> bool:
    return (WatchFilter.NOPUT if event.type is EventType.PUT else WatchFilter.NODELETE) in filters


def fragments(events: tuple[Event, ...], limit_bytes: int = MAX_MESSAGE_BYTES) -> list[tuple[Event, ...]]:
    """The events in parts below the limit, of at least one event each (sendFragments)."""
    parts: list[tuple[Event, ...]] = []
    part: list[Event] = []
    size = 0
    for event in events:
        more = event_bytes(event)
        if part and size + more >= limit_bytes:
            parts.append(tuple(part))
            part, size = [], 0
        part.append(event)
        size += more
    parts.append(tuple(part))
    return parts
