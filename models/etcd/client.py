"""A client of etcd on somebody else's process: a connection for calls, and connections for watches.

It stays with one endpoint; when that refuses, resets or answers nothing, it goes on to the next. A call is
sent once: whether to try again is the caller's business, because after a lost answer nobody knows whether
the call had an effect. Reads have none, so they go round the endpoints by themselves while members are in trouble (client/v3/
retry_interceptor.go). Answers are a response, an `EtcdError` (with `is_definite`), or an `Unsure`.

    client = EtcdClient(process, (Address(ip, 2379), ...))
    client.request(Range(key="/a"), on_done)                    # handler style
    response = await client.call(Range(key="/a"))               # task style: raises Refused or Unsure
    status = await client.call(Status(), endpoint=endpoints[2])  # of that member, whatever the others do
    handle = client.watch(WatchCreate(key="/a"), on_events=..., on_end=...)

Options: `share_watches` puts all watches on one connection, as etcd's own client does; `history` writes each call
and what became of it to the journal, for who checks histories.

Times as the API server's own client has them (apiserver storage/storagebackend/factory/etcd3.go: dial
time-out 20 s, keep-alive 30 s + 10 s).
Not modelled: balancing over endpoints by health.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import frozen

from chaoskube.models.constants import (
    ETCD_CALL_TIMEOUT,
    ETCD_DIAL_TIMEOUT,
    ETCD_KEEPALIVE_INTERVAL,
    ETCD_KEEPALIVE_TIMEOUT,
)
from chaoskube.models.etcd.client_watch import ClientStream, Hears, WatchHandle
from chaoskube.models.etcd.events import CallAnswered, CallMade, KeepAliveAnswered
from chaoskube.models.etcd.messages import (
    Answer,
    Call,
    EtcdError,
    Event,
    LeaseKeepAliveResponse,
    Range,
    Request,
    Response,
    WatchCreate,
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

__all__ = ["CLIENT_PORT", "RECONNECT_NS", "EtcdClient", "Outcome", "WatchHandle"]

CLIENT_PORT: Final = 2379
"""Where a member listens for clients (etcd's default)."""
RECONNECT_NS: Final = 100 * MILLISECOND
"""A pause before the next endpoint is tried, so that a dead cluster isn't hammered."""
READ_RETRY_NS: Final = 25 * MILLISECOND
READ_TRIES: Final = 100
"""client/v3/options.go: defaultBackoffWaitBetween, defaultUnaryMaxRetries."""

Outcome: TypeAlias = Response | EtcdError | Unsure
OnDone: TypeAlias = Callable[[Outcome], None]


@frozen(kw_only=True)
class _InFlight:
    """A call that waits for its answer."""

    on_done: OnDone
    timer: Timer
    asked_at: int


class _Line:
    """A connection for calls to one endpoint, and the calls in flight on it."""

    def __init__(self, client: EtcdClient, endpoint: Address, on_lost: Callable[[_Line], None]) -> None:
        self.endpoint = endpoint
        self._client = client
        self._on_lost = on_lost
        self._calls: dict[int, _InFlight] = {}
        self._connection = client.open("etcd", endpoint, self._on_answer, self._lost)

    def send(self, number: int, request: Request, on_done: OnDone, timeout_ns: int) -> None:
        """Send one call."""
        process = self._client.process
        timer = process.call_later(timeout_ns, self._on_timeout, number, timeout_ns)
        self._calls[number] = _InFlight(on_done=on_done, timer=timer, asked_at=process.world.now)
        self._connection.send(Call(number, request))

    def close(self) -> None:
        """Calls in flight end as Unsure; those on a connection that never opened were not sent."""
        was_open = self._connection.is_open
        self._connection.close()
        self._lost("closed" if was_open else "closed before it opened, as good as refused")

    def _on_answer(self, message: object) -> None:
        assert isinstance(message, Answer), f"an etcd member answered with {message!r}"
        waiting = self._calls.pop(message.id, None)
        if waiting is not None:
            waiting.timer.cancel()
            response = message.response
            if isinstance(response, LeaseKeepAliveResponse):
                self._client.process.record(
                    KeepAliveAnswered(id=response.id, ttl=response.ttl, asked_at=waiting.asked_at)
                )
            waiting.on_done(response)

    def _on_timeout(self, number: int, timeout_ns: int) -> None:
        waiting = self._calls.pop(number, None)
        if waiting is not None:
            self.close()
            waiting.on_done(
                TimedOut(f"etcd at {self._client.endpoint} gave no answer within {timeout_ns / SECOND:g} s")
            )

    def _lost(self, reason: str) -> None:
        self._on_lost(self)
        calls, self._calls = self._calls, {}
        for waiting in calls.values():
            waiting.timer.cancel()
            waiting.on_done(Unsure(f"the connection to etcd at {self.endpoint} ended: {reason}"))


class _Repeated:
    """A read, sent again while its member is in trouble: to the next endpoint at once, and after a pause when a majority was
    asked."""

    def __init__(self, client: EtcdClient, request: Range, on_done: OnDone, timeout_ns: int) -> None:
        self._client = client
        self._request = request
        self._on_done = on_done
        self._deadline = client.process.now + timeout_ns
        self._endpoints = client.endpoints
        self._tries = 0

    def on_done(self, outcome: Outcome) -> None:
        """The answer of one try."""
        self._tries += 1
        process = self._client.process
        majority = len(self._endpoints) // 2 + 1
        pause = 0 if self._tries % majority else READ_RETRY_NS
        if not _is_in_trouble(outcome) or self._tries >= READ_TRIES or process.now + pause >= self._deadline:
            self._on_done(outcome)
        else:
            process.call_later(pause, self._again)

    def _again(self) -> None:
        client = self._client
        endpoint = self._endpoints[self._tries % len(self._endpoints)]
        client.send(self._request, self.on_done, self._deadline - client.process.now, endpoint)


def _is_in_trouble(outcome: Outcome) -> bool:
    if isinstance(outcome, EtcdError):
        return outcome.code == "Unavailable"
    return isinstance(outcome, Unsure) and not isinstance(outcome, TimedOut)


class EtcdClient:
    """Calls and watches of one process, over the endpoints given."""

    def __init__(
        self,
        process: Process,
        endpoints: tuple[Address, ...],
        *,
        share_watches: bool = False,
        history: bool = False,
    ) -> None:
        self.process = process
        self._endpoints = endpoints
        self._place = 0
        self._line: _Line | None = None
        self._chosen: dict[Address, _Line] = {}
        self._share_watches = share_watches
        self._stream: ClientStream | None = None
        self._keeps_history = history
        self._count = 0
        self._noted = 0

    @property
    def endpoint(self) -> Address:
        """The endpoint in use."""
        return self._endpoints[self._place]

    # -- calls

    def request(
        self,
        request: Request,
        on_done: OnDone,
        timeout_ns: int = ETCD_CALL_TIMEOUT,
        *,
        endpoint: Address | None = None,
    ) -> None:
        """Send one call, to the endpoint in use or to a chosen one.

        `on_done` is called exactly once, never before this returns.
        """
        if self._keeps_history:
            self._noted += 1
            self.process.record(CallMade(number=self._noted, request=request))
            on_done = self._remembering(self._noted, on_done)
        if endpoint is None and isinstance(request, Range):
            on_done = _Repeated(self, request, on_done, timeout_ns).on_done
        self.send(request, on_done, timeout_ns, endpoint)

    def send(self, request: Request, on_done: OnDone, timeout_ns: int, endpoint: Address | None) -> None:
        """One try of a call."""
        self._count += 1
        line = self._line_in_use() if endpoint is None else self._line_to(endpoint)
        line.send(self._count, request, on_done, timeout_ns)

    @property
    def endpoints(self) -> tuple[Address, ...]:
        """All of them, the one in use first."""
        return self._endpoints[self._place :] + self._endpoints[: self._place]

    async def call(
        self, request: Request, timeout_ns: int = ETCD_CALL_TIMEOUT, *, endpoint: Address | None = None
    ) -> Response:
        """The response. Raises Refused (its status is the EtcdError) when it certainly had no effect, else Unsure."""
        reply: Reply[Outcome] = self.process.reply()
        self.request(request, reply.set, timeout_ns, endpoint=endpoint)
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
        if self._line is not None:
            self._line.close()

    def leave(self, endpoint: Address) -> None:
        """`endpoint` is in trouble: if it is the one in use, use the next from now on."""
        if endpoint == self.endpoint:
            if self._line is not None:
                self.next_endpoint()
            else:
                self._turn()

    def _line_in_use(self) -> _Line:
        if self._line is None:
            self._line = _Line(self, self.endpoint, self._line_lost)
        return self._line

    def _line_to(self, endpoint: Address) -> _Line:
        if endpoint not in self._chosen:
            self._chosen[endpoint] = _Line(self, endpoint, self._chosen_lost)
        return self._chosen[endpoint]

    def _line_lost(self, line: _Line) -> None:
        if self._line is line:
            self._line = None
            self._turn()

    def _chosen_lost(self, line: _Line) -> None:
        if self._chosen.get(line.endpoint) is line:
            del self._chosen[line.endpoint]

    def _turn(self) -> None:
        self._place = (self._place + 1) % len(self._endpoints)

    def _remembering(self, number: int, on_done: OnDone) -> OnDone:
        """`on_done`, after the outcome is in the journal."""

        def answered(outcome: Outcome) -> None:
            self.process.record(_answered(number, outcome))
            on_done(outcome)

        return answered

    def open(
        self,
        label: str,
        endpoint: Address,
        on_message: Callable[[object], None],
        on_close: Callable[[str], None],
    ) -> Connection:
        """A connection to a member, with the client's time-outs."""
        connection = self.process.connect(
            endpoint,
            label=label,
            timeout_ns=ETCD_DIAL_TIMEOUT,
            on_message=on_message,
            on_close=on_close,
        )
        connection.keepalive(ETCD_KEEPALIVE_INTERVAL, ETCD_KEEPALIVE_TIMEOUT)
        return connection

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
        """Open a watch. It ends at the first trouble: begin anew from what you saw.

        `on_end` gets the reason: "canceled: ..." with the member's words (a compacted start revision is in
        `WatchHandle.compact_revision`), or the way the connection ended.
        """
        hears = Hears(
            on_events=on_events,
            on_end=on_end,
            on_progress=on_progress,
            on_created=on_created,
        )
        return self._stream_for(label).watch(create, hears)

    def _stream_for(self, label: str) -> ClientStream:
        if not self._share_watches:
            return ClientStream(self, label, is_shared=False)
        if self._stream is None or not self._stream.is_open:
            self._stream = ClientStream(self, label, is_shared=True)
        return self._stream


def _answered(number: int, outcome: Outcome) -> CallAnswered:
    if isinstance(outcome, Unsure):
        return CallAnswered(number=number, unsure=str(outcome))
    if not isinstance(outcome, EtcdError):
        return CallAnswered(number=number, response=outcome)
    if outcome.is_definite:
        return CallAnswered(number=number, error=outcome.message)
    return CallAnswered(number=number, unsure=outcome.message)
