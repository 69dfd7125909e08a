"""The connections under a client: one for requests, one for each watch, to one server at a time.

A client sticks to a server until a connection to it is refused, reset or silent too long (HTTP/2 ping after
30 s, 15 s for the answer); the next request or watch then goes to the next server in the list. Requests whose
connection ends before their answer end as `Unsure`: whether they took effect is not known. Handlers only.

Each write is journalled before it leaves and when its answer arrives: a process may be crashed there, between any
two of its writes, or before it learns what became of one (`Process.record` doesn't return to a process that died).

Called by `ApiClient`. Sources: k8s.io/apimachinery/pkg/util/net/http.go (ReadIdleTimeout 30 s, PingTimeout 15 s).

Not modelled: TLS. One address stands for what a load balancer or a kubeconfig with one server would be.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.models.apiserver.api import WRITE_VERBS, Request, Response
from chaoskube.models.client.attempts import RETRIES_MAX, ConnectionLost
from chaoskube.models.client.events import UNSURE, WriteAnswered, WriteSent
from chaoskube.models.client.watching import OnEnd, OnEvent, WatchHandle
from chaoskube.models.constants import HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT
from chaoskube.models.objects import evolve
from chaoskube.sim import SECOND, Address, Connection, Process, TimedOut, Timer, Unsure

OnDone = Callable[[Response | Unsure], None]


@frozen(kw_only=True)
class Caller:
    """Who asks, and the program (user agent): a user with the groups that its credentials name, or who a token names."""

    user: str = ""
    groups: tuple[str, ...] = ()
    agent: str = ""
    token: str = ""

    def signed(self, request: Request, number: int = 0) -> Request:
        """The request as this caller's, with its number on the connection."""
        return evolve(
            request,
            id=number,
            user=self.user,
            groups=self.groups,
            client=self.agent,
            token=self.token,
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
        self._was_open = False
        self._pending: dict[int, _Waiting] = {}

    @property
    def server(self) -> Address:
        """The server that new connections go to."""
        return self._servers[self._current]

    def request(
        self, request: Request, on_done: OnDone, *, caller: Caller, timeout_ns: int | None = None
    ) -> None:
        """Send `request` once; `on_done` hears its answer, or why nobody knows, exactly once."""
        self._next_id += 1
        number = self._next_id
        is_write = request.verb in WRITE_VERBS
        if is_write:
            self._process.record(_sent(request, number))
        timer = None
        if timeout_ns is not None:
            timer = self._process.call_later(timeout_ns, self._too_late, number, timeout_ns)
        self._pending[number] = _Waiting(on_done, timer, is_write)
        self._open().send(caller.signed(request, number))

    def _open(self) -> Connection:
        connection = self._connection
        if connection is None:
            server = self.server
            connection = self._process.connect(
                server,
                label="api",
                on_message=self._answered,
                on_close=lambda reason: self._lost(server, reason),
                on_open=self._opened,
            )
            connection.keepalive(HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT)
            self._connection = connection
            self._was_open = False
        return connection

    def _opened(self) -> None:
        self._was_open = True

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
        lost = ConnectionLost(server.ip, reason, was_open=self._was_open)
        pending, self._pending = self._pending, {}
        for number, waiting in pending.items():
            self._settle(number, waiting, lost)

    def _settle(self, number: int, waiting: _Waiting, answer: Response | Unsure) -> None:
        if waiting.timer is not None:
            waiting.timer.cancel()
        if waiting.is_write:
            code = answer.code if isinstance(answer, Response) else UNSURE
            self._process.record(WriteAnswered(number=number, code=code))
        waiting.on_done(answer)

    def _avoid(self, server: Address) -> None:
        if server == self.server:
            self._current = (self._current + 1) % len(self._servers)

    def watch(
        self, request: Request, on_event: OnEvent, on_end: OnEnd, *, retries_max: int = RETRIES_MAX
    ) -> WatchHandle:
        """Open a watch on a connection of its own."""
        return WatchHandle(
            self._process,
            request,
            on_event,
            on_end,
            choose=lambda: self.server,
            avoid=self._avoid,
            retries_max=retries_max,
        )


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
