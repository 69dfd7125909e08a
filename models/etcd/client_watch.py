"""The client's end of watch streams: one connection with one watch, or several that share it.

A watch has a `WatchHandle`. It ends at the first trouble: whoever watches begins anew from what it saw. Parts of a
fragmented answer are put together again before anybody hears of them (client/v3/watch.go).

Made by `EtcdClient.watch`. The handle writes to the journal what its process was told, under a name that is unique
for stream and watch. Not modelled: a stream that reconnects by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from chaoskube.models.etcd.errors import NO_LEADER, NOT_SUPPORTED_FOR_LEARNER
from chaoskube.models.etcd.events import WatchDelivered, WatchEnded, WatchOpened, WatchProgressed
from chaoskube.models.etcd.messages import (
    STREAM_WATCH_ID,
    Event,
    WatchCancel,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchProgress,
    WatchProgressNotice,
)
from chaoskube.sim import Address, Connection

if TYPE_CHECKING:
    from chaoskube.models.etcd.client import EtcdClient

_END_OF_STREAM = (NO_LEADER.message, NOT_SUPPORTED_FOR_LEARNER.message)
"""Reasons that end a whole stream, not one watch."""


@frozen(kw_only=True)
class Hears:
    """Whom a watch tells what."""

    on_events: Callable[[tuple[Event, ...], int], None]
    on_end: Callable[[str], None]
    on_progress: Callable[[int], None] | None
    on_created: Callable[[int], None] | None


class WatchHandle:
    """One watch. `cancel()` ends it without a word to its owner."""

    def __init__(self, stream: ClientStream, create: WatchCreate, hears: Hears, name: str) -> None:
        self.is_open = True
        self.compact_revision = 0
        self.watch_id: int | None = None
        """As the member announced it; None until then."""
        self.name = name
        self.create = create
        self._stream = stream
        self._hears = hears
        self._fragments: list[Event] = []

    def cancel(self) -> None:
        """End the watch."""
        if self.is_open:
            self.is_open = False
            self._record(WatchEnded(watch=self.name, reason="no longer wanted"))
            self._stream.cancel(self)

    def request_progress(self) -> None:
        """Ask for a progress notice of the stream; it comes through `on_progress`."""
        if self.is_open:
            self._stream.request_progress()

    # -- called by the stream

    def created(self, message: WatchCreated, member: str) -> None:
        """The member has it."""
        self.watch_id = message.watch_id
        create = self.create
        self._record(
            WatchOpened(
                watch=self.name,
                member=member,
                key=create.key,
                range_end=create.range_end,
                next_revision=create.start_revision or message.revision + 1,
                start_revision=create.start_revision,
                filters=tuple([one.value for one in create.filters]),
                prev_kv=create.prev_kv,
                progress_notify=create.progress_notify,
            )
        )
        if self._hears.on_created is not None:
            self._hears.on_created(message.revision)

    def delivered(self, message: WatchEvents) -> None:
        """Events, or a part of them."""
        events = message.events
        if message.fragment or self._fragments:
            self._fragments.extend(events)
            if message.fragment:
                return
            events, self._fragments = tuple(self._fragments), []
        self._record(WatchDelivered(watch=self.name, events=events))
        self._hears.on_events(events, message.revision)

    def progressed(self, revision: int) -> None:
        """Everything up to `revision` was delivered."""
        self._record(WatchProgressed(watch=self.name, revision=revision))
        if self._hears.on_progress is not None:
            self._hears.on_progress(revision)

    def end(self, reason: str, compact_revision: int = 0) -> None:
        """It is over, and its owner hears it."""
        if self.is_open:
            self.is_open = False
            self.compact_revision = compact_revision
            self._record(WatchEnded(watch=self.name, reason=reason))
            self._hears.on_end(reason)

    def _record(self, event: object) -> None:
        self._stream.client.process.record(event)


class ClientStream:
    """A connection for watches, to the endpoint that calls used when it was opened."""

    def __init__(self, client: EtcdClient, label: str, *, is_shared: bool) -> None:
        self.client = client
        self.is_shared = is_shared
        self.is_open = True
        self._endpoint: Address = client.endpoint
        self._connection: Connection = client.open(label, client.endpoint, self._on_message, self._on_close)
        self._asked: deque[WatchHandle] = deque()
        self._watches: dict[int, WatchHandle] = {}
        self._count = 0

    def watch(self, create: WatchCreate, hears: Hears) -> WatchHandle:
        """Ask for a watch."""
        self._count += 1
        local = f"{self.client.process.name}:{self._connection.local.port}"
        name = f"{local}#{self._count}" if self.is_shared else local
        handle = WatchHandle(self, create, hears, name)
        self._asked.append(handle)
        self._connection.send(create)
        return handle

    def cancel(self, handle: WatchHandle) -> None:
        """Its owner wants no more."""
        if handle.watch_id is not None:
            self._connection.send(WatchCancel(handle.watch_id))
            self._watches.pop(handle.watch_id, None)
        if not self._watches and not any(one.is_open for one in self._asked):
            self._close()

    def request_progress(self) -> None:
        """Ask how far the stream is."""
        self._connection.send(WatchProgress())

    def _close(self) -> None:
        self.is_open = False
        self._connection.close()

    def _on_message(self, message: object) -> None:
        if isinstance(message, WatchEvents):
            handle = self._watches.get(message.watch_id)
            if handle is not None:
                handle.delivered(message)
        elif isinstance(message, WatchProgressNotice):
            self._on_progress(message)
        elif isinstance(message, WatchCreated):
            self._on_created(message)
        else:
            assert isinstance(message, WatchCanceled), f"an etcd member sent {message!r} on a watch"
            self._on_canceled(message)

    def _on_created(self, message: WatchCreated) -> None:
        handle = self._asked.popleft()
        if handle.is_open:
            self._watches[message.watch_id] = handle
            handle.created(message, self._connection.peer_name)
        else:
            self._connection.send(WatchCancel(message.watch_id))

    def _on_progress(self, message: WatchProgressNotice) -> None:
        for watch_id, handle in list(self._watches.items()):
            if handle.is_open and message.watch_id in (STREAM_WATCH_ID, watch_id):
                handle.progressed(message.revision)

    def _on_canceled(self, message: WatchCanceled) -> None:
        reason = f"canceled: {message.reason}"
        if message.watch_id != STREAM_WATCH_ID:
            handle = self._watches.pop(message.watch_id, None)
            if handle is not None:
                if message.compact_revision:
                    self._connection.send(WatchCancel(message.watch_id))
                self._end_one(handle, reason, message.compact_revision)
        elif message.reason in _END_OF_STREAM:
            self._close()
            self.client.leave(self._endpoint)
            self._end_all(reason)
        else:
            self._end_one(self._asked.popleft(), reason)

    def _end_one(self, handle: WatchHandle, reason: str, compact_revision: int = 0) -> None:
        if not self._watches and not self._asked:
            self._close()
        handle.end(reason, compact_revision)

    def _end_all(self, reason: str) -> None:
        handles = [*self._watches.values(), *self._asked]
        self._watches.clear()
        self._asked.clear()
        for handle in handles:
            handle.end(reason)

    def _on_close(self, reason: str) -> None:
        self.is_open = False
        self.client.leave(self._endpoint)
        self._end_all(reason)
