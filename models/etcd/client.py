"""A client of etcd on somebody else's process: one connection for calls, one for each watch.

It stays with one endpoint; when that refuses, resets or answers nothing, it goes on to the next. A call is
sent once: whether to try again is the caller's business, because after a lost answer nobody knows whether
the call had an effect. Answers are a response, an `EtcdError` (with `is_definite`), or an `Unsure`.

    client = EtcdClient(process, (Address(ip, 2379), ...))
    client.request(Range(key="/a"), on_done)            # handler style
    response = await client.call(Range(key="/a"))       # task style: raises Refused or Unsure
    handle = client.watch(WatchCreate(key="/a"), on_events=..., on_end=...)

Times as the API server's own client has them (apiserver storage/storagebackend/factory/etcd3.go: dial
time-out 20 s, keep-alive 30 s + 10 s).
Not modelled: balancing over endpoints by health, the client's own retries of reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from chaoskube.models.constants import (
    ETCD_CALL_TIMEOUT,
    ETCD_DIAL_TIMEOUT,
    ETCD_KEEPALIVE_INTERVAL,
    ETCD_KEEPALIVE_TIMEOUT,
)
from chaoskube.models.etcd.events import WatchDelivered, WatchEnded, WatchOpened, WatchProgressed
from chaoskube.models.etcd.messages import (
    Answer,
    Call,
    EtcdError,
    Event,
    Request,
    Response,
    WatchCancel,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchProgress,
    WatchProgressNotice,
)
from chaoskube.sim import (
    MILLISECOND,
    SECOND,
    Address,
    Connection,
    Process,
    Refused,
    Reply,
    TimedOut,
    Timer,
    Unsure,
)

CLIENT_PORT: Final = 2379
"""Where a member listens for clients (etcd's default)."""
RECONNECT_NS: Final = 100 * MILLISECOND
"""A pause before the next endpoint is tried, so that a dead cluster isn't hammered."""

Outcome: TypeAlias = Response | EtcdError | Unsure


class EtcdClient:
    """Calls and watches of one process, over the endpoints given."""

    def __init__(self, process: Process, endpoints: tuple[Address, ...]) -> None:
        self.process = process
        self._endpoints = endpoints
        self._place = 0
        self._connection: Connection | None = None
        self._calls: dict[int, tuple[Callable[[Outcome], None], Timer]] = {}
        self._count = 0

    @property
    def endpoint(self) -> Address:
        """The endpoint in use."""
        return self._endpoints[self._place]

    # -- calls

    def request(
        self, request: Request, on_done: Callable[[Outcome], None], timeout_ns: int = ETCD_CALL_TIMEOUT
    ) -> None:
        """Send one call; `on_done` is called exactly once, never before this returns."""
        if self._connection is None:
            self._connect()
        self._count += 1
        number = self._count
        timer = self.process.call_later(timeout_ns, self._on_timeout, number, timeout_ns)
        self._calls[number] = (on_done, timer)
        assert self._connection is not None
        self._connection.send(Call(number, request))

    async def call(self, request: Request, timeout_ns: int = ETCD_CALL_TIMEOUT) -> Response:
        """The response. Raises Refused (its status is the EtcdError) when it certainly had no effect, else Unsure."""
        reply: Reply[Outcome] = self.process.reply()
        self.request(request, reply.set, timeout_ns)
        outcome = await reply.wait()
        if isinstance(outcome, Unsure):
            raise outcome
        if isinstance(outcome, EtcdError):
            if outcome.is_definite:
                raise Refused(outcome)
            raise Unsure(outcome.message)
        return outcome

    def next_endpoint(self) -> None:
        """Leave this endpoint: calls in flight end as Unsure, the next call goes elsewhere."""
        if self._connection is not None:
            self._connection.close()
            self._lost("closed")

    def _connect(self) -> None:
        connection = self.process.connect(
            self.endpoint,
            label="etcd",
            timeout_ns=ETCD_DIAL_TIMEOUT,
            on_message=self._on_answer,
            on_close=self._lost,
        )
        connection.keepalive(ETCD_KEEPALIVE_INTERVAL, ETCD_KEEPALIVE_TIMEOUT)
        self._connection = connection

    def _on_answer(self, message: object) -> None:
        assert isinstance(message, Answer), f"an etcd member answered with {message!r}"
        waiting = self._calls.pop(message.id, None)
        if waiting is not None:
            on_done, timer = waiting
            timer.cancel()
            on_done(message.response)

    def _on_timeout(self, number: int, timeout_ns: int) -> None:
        waiting = self._calls.pop(number, None)
        if waiting is not None:
            self.next_endpoint()
            waiting[0](TimedOut(f"etcd at {self.endpoint} gave no answer within {timeout_ns / SECOND:g} s"))

    def _lost(self, reason: str) -> None:
        lost = self.endpoint
        self._connection = None
        self._place = (self._place + 1) % len(self._endpoints)
        calls, self._calls = self._calls, {}
        for on_done, timer in calls.values():
            timer.cancel()
            on_done(Unsure(f"the connection to etcd at {lost} ended: {reason}"))

    # -- watches

    def watch(
        self,
        create: WatchCreate,
        *,
        on_events: Callable[[tuple[Event, ...], int], None],
        on_end: Callable[[str], None],
        on_progress: Callable[[int], None] | None = None,
        on_created: Callable[[int], None] | None = None,
        label: str = "etcd-watch",
    ) -> WatchHandle:
        """Open a watch on a connection of its own. It ends at the first trouble: begin anew from what you saw.

        `on_end` gets the reason: "canceled: ..." with the member's words (a compacted start revision is in
        `WatchHandle.compact_revision`), or the way the connection ended.
        """
        return WatchHandle(self, create, on_events, on_end, on_progress, on_created, label)

    def open_watch(self, handle: WatchHandle, label: str) -> Connection:
        """A connection for a watch, to the endpoint that calls use."""
        connection = self.process.connect(
            self.endpoint,
            label=label,
            timeout_ns=ETCD_DIAL_TIMEOUT,
            on_message=handle.on_message,
            on_close=handle.on_close,
        )
        connection.keepalive(ETCD_KEEPALIVE_INTERVAL, ETCD_KEEPALIVE_TIMEOUT)
        return connection

    def leave(self, endpoint: Address) -> None:
        """`endpoint` is in trouble: if it is the one in use, use the next from now on."""
        if endpoint == self.endpoint:
            if self._connection is not None:
                self.next_endpoint()
            else:
                self._place = (self._place + 1) % len(self._endpoints)


class WatchHandle:
    """One watch. `cancel()` ends it without a word to its owner."""

    def __init__(
        self,
        client: EtcdClient,
        create: WatchCreate,
        on_events: Callable[[tuple[Event, ...], int], None],
        on_end: Callable[[str], None],
        on_progress: Callable[[int], None] | None,
        on_created: Callable[[int], None] | None,
        label: str,
    ) -> None:
        self.is_open = True
        self.compact_revision = 0
        self._client = client
        self._create = create
        self._endpoint = client.endpoint
        self._on_events = on_events
        self._on_end = on_end
        self._on_progress = on_progress
        self._on_created = on_created
        self._connection = client.open_watch(self, label)
        self._name = f"{client.process.name}:{self._connection.local.port}"
        self._connection.send(create)

    def cancel(self) -> None:
        """End the watch."""
        if self.is_open:
            self.is_open = False
            self._record(WatchEnded(watch=self._name, reason="no longer wanted"))
            self._connection.send(WatchCancel())
            self._connection.close()

    def request_progress(self) -> None:
        """Ask for a progress notice; it comes through `on_progress`."""
        if self.is_open:
            self._connection.send(WatchProgress())

    def on_message(self, message: object) -> None:
        """Something arrived for this watch."""
        if not self.is_open:
            return
        if isinstance(message, WatchEvents):
            self._record(WatchDelivered(watch=self._name, events=message.events))
            self._on_events(message.events, message.revision)
        elif isinstance(message, WatchProgressNotice):
            self._record(WatchProgressed(watch=self._name, revision=message.revision))
            if self._on_progress is not None:
                self._on_progress(message.revision)
        elif isinstance(message, WatchCreated):
            self._created(message.revision)
        else:
            assert isinstance(message, WatchCanceled), f"an etcd member sent {message!r} on a watch"
            self.compact_revision = message.compact_revision
            self._connection.close()
            if not message.compact_revision:
                self._client.leave(self._endpoint)
            self._end(f"canceled: {message.reason}")

    def _created(self, revision: int) -> None:
        create = self._create
        self._record(
            WatchOpened(
                watch=self._name,
                member=self._connection.peer_name,
                key=create.key,
                range_end=create.range_end,
                next_revision=create.start_revision or revision + 1,
            )
        )
        if self._on_created is not None:
            self._on_created(revision)

    def _end(self, reason: str) -> None:
        self.is_open = False
        self._record(WatchEnded(watch=self._name, reason=reason))
        self._on_end(reason)

    def _record(self, event: object) -> None:
        self._client.process.record(event)

    def on_close(self, reason: str) -> None:
        """The connection ended."""
        if self.is_open:
            self._client.leave(self._endpoint)
            self._end(reason)
