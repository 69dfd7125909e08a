"""The connections under a client: one for requests, one for each watch, to one server at a time.

A client sticks to a server until a connection to it is refused, reset or silent too long (HTTP/2 ping after
30 s, 15 s for the answer); the next request or watch then goes to the next server in the list. Requests whose
connection ends before their answer end as `Unsure`: whether they took effect is not known. Handlers only.

Each write is journalled before it leaves and when its answer arrives: a process may be crashed there, between any
two of its writes, or before it learns what became of one.

Sources: k8s.io/apimachinery/pkg/util/net/http.go (ReadIdleTimeout 30 s, PingTimeout 15 s).

Not modelled: TLS, client-side rate limits (KCM 20/30, scheduler and kubelet 50/100), retry after 429.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.api import (
    ERROR,
    WATCH,
    WRITE_VERBS,
    Request,
    Response,
    Status,
    WatchEvent,
)
from chaoskube.models.client.events import UNSURE, WriteAnswered, WriteSent
from chaoskube.models.constants import HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT
from chaoskube.models.objects import evolve
from chaoskube.sim import SECOND, Address, Connection, Process, TimedOut, Timer, Unsure

OnDone = Callable[[Response | Unsure], None]
OnEvent = Callable[[WatchEvent], None]
OnEnd = Callable[[Status | str], None]


class _Waiting:
    """A request without an answer yet."""

    __slots__ = ("is_write", "on_done", "timer")

    def __init__(self, on_done: OnDone, timer: Timer | None, is_write: bool) -> None:
        self.on_done = on_done
        self.timer = timer
        self.is_write = is_write


def _sent(request: Request, number: int) -> WriteSent:
    key = f"{request.namespace}/{request.name}" if request.namespace else request.name
    return WriteSent(
        verb=request.verb,
        resource=request.resource,
        key=key,
        number=number,
        subresource=request.subresource,
    )


class Transport:
    """Carries one process's requests and watches to the API servers."""

    def __init__(self, process: Process, servers: tuple[Address, ...]) -> None:
        assert servers, "a client needs at least one server"
        self._process = process
        self._servers = servers
        self._current = 0
        self._connection: Connection | None = None
        self._next_id = 0
        self._life = process.life
        self._pending: dict[int, _Waiting] = {}

    @property
    def server(self) -> Address:
        """The server that new connections go to."""
        return self._servers[self._current]

    def request(self, request: Request, on_done: OnDone, *, user: str, timeout_ns: int | None = None) -> None:
        """Send `request` as `user`; `on_done` hears its answer, or why nobody knows, exactly once."""
        self._next_id += 1
        number = self._next_id
        is_write = request.verb in WRITE_VERBS
        if is_write and not self._record(_sent(request, number)):
            return
        timer = None
        if timeout_ns is not None:
            timer = self._process.call_later(timeout_ns, self._too_late, number, timeout_ns)
        self._pending[number] = _Waiting(on_done, timer, is_write)
        self._open().send(evolve(request, id=number, user=user))

    def _record(self, event: WriteSent | WriteAnswered) -> bool:
        """Journal it; False when whoever listened ended this life of the process, now or just before."""
        if self._is_over():
            return False
        self._process.record(event)
        return not self._is_over()

    def _is_over(self) -> bool:
        return self._process.life != self._life or not self._process.is_alive

    def _open(self) -> Connection:
        connection = self._connection
        if connection is None:
            server = self.server
            connection = self._process.connect(
                server,
                label="api",
                on_message=self._answered,
                on_close=lambda reason: self._lost(server, reason),
            )
            connection.keepalive(HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT)
            self._connection = connection
        return connection

    def _answered(self, message: object) -> None:
        assert isinstance(message, Response), f"an API server answers with a Response, not {message!r}"
        waiting = self._pending.pop(message.id, None)
        if waiting is not None:
            self._settle(message.id, waiting, message)

    def _too_late(self, number: int, timeout_ns: int) -> None:
        waiting = self._pending.pop(number)
        self._settle(number, waiting, TimedOut(f"no answer within {timeout_ns / SECOND:g} s"))

    def _lost(self, server: Address, reason: str) -> None:
        self._connection = None
        self._avoid(server)
        pending, self._pending = self._pending, {}
        for number, waiting in pending.items():
            self._settle(number, waiting, Unsure(f"connection to {server.ip}: {reason}"))

    def _settle(self, number: int, waiting: _Waiting, answer: Response | Unsure) -> None:
        if waiting.timer is not None:
            waiting.timer.cancel()
        if waiting.is_write:
            code = answer.code if isinstance(answer, Response) else UNSURE
            if not self._record(WriteAnswered(number=number, code=code)):
                return
        waiting.on_done(answer)

    def _avoid(self, server: Address) -> None:
        if server == self.server:
            self._current = (self._current + 1) % len(self._servers)

    def watch(self, request: Request, on_event: OnEvent, on_end: OnEnd) -> WatchHandle:
        """Open a watch on a connection of its own."""
        return WatchHandle(self._process, self.server, request, on_event, on_end, self._avoid)


class WatchHandle:
    """One running watch. `on_end` hears once why it ended: a Status, or how the connection closed."""

    def __init__(
        self,
        process: Process,
        server: Address,
        request: Request,
        on_event: OnEvent,
        on_end: OnEnd,
        avoid: Callable[[Address], None],
    ) -> None:
        assert request.verb == WATCH, f"a watch, not {request.verb}"
        self.server = server
        self._on_event = on_event
        self._on_end = on_end
        self._avoid = avoid
        self._ended = False
        self._connection = process.connect(
            server,
            label=f"watch/{request.resource}",
            on_message=self._message,
            on_close=self._closed,
        )
        self._connection.keepalive(HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT)
        self._connection.send(request)

    def cancel(self) -> None:
        """Stop; nothing is heard of it any more."""
        self._ended = True
        self._connection.close()

    def _message(self, message: object) -> None:
        if self._ended:
            return
        if isinstance(message, WatchEvent) and message.type != ERROR:
            self._on_event(message)
            return
        status: object
        if isinstance(message, WatchEvent):
            status = message.object
        else:
            assert isinstance(message, Response), f"a watch carries events or a refusal, not {message!r}"
            status = message.body
        assert isinstance(status, Status), f"an error holds a Status, not {status!r}"
        self._ended = True
        self._connection.close()
        self._on_end(status)

    def _closed(self, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        if reason != "closed":
            self._avoid(self.server)
        self._on_end(reason)
