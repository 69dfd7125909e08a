"""An API server that answers as it is told, one request after the other, and a reflector that asks it.

Who calls it: the tests of reflector, pager, informer and their queue.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.api import (
    ADDED,
    BOOKMARK,
    DELETED,
    ERROR,
    MODIFIED,
    Bookmark,
    Cause,
    ObjectList,
    Request,
    Response,
    Status,
    WatchEvent,
)
from chaoskube.models.client.api import ApiClient
from chaoskube.models.objects import ObjectMeta, Pod
from chaoskube.sim import SECOND, Address, Connection, Process, World, seconds

Turn = Callable[[Connection, Request], None]

EXPIRED = Status(code=410, reason="Expired", message="too old resource version")
TOO_LARGE = Status(
    code=504,
    reason="Timeout",
    message="Too large resource version: 99, current: 12",
    causes=(Cause(reason="ResourceVersionTooLarge", message="Too large resource version"),),
    retry_after_seconds=0,
)
BUSY = Status(code=429, reason="TooManyRequests", message="too many requests")
BROKEN = Status(code=500, reason="InternalError", message="an error on the server")
BAD = Status(code=400, reason="BadRequest", message="sendInitialEvents is forbidden")


def pod(name: str, version: int, uid: str = "") -> Pod:
    """A pod at a version."""
    metadata = ObjectMeta(name=name, namespace="ns", uid=uid or name, resource_version=str(version))
    return Pod(metadata=metadata)


def added(*pods: Pod) -> tuple[WatchEvent, ...]:
    """An event for each."""
    return tuple([WatchEvent(ADDED, each) for each in pods])


def modified(each: Pod) -> WatchEvent:
    """It changed."""
    return WatchEvent(MODIFIED, each)


def deleted(each: Pod) -> WatchEvent:
    """It is gone."""
    return WatchEvent(DELETED, each)


def bookmark(version: int, *, end: bool = False) -> WatchEvent:
    """Nothing else up to there; `end` ends the initial events."""
    return WatchEvent(
        BOOKMARK,
        Bookmark(kind="Pod", api_version="v1", resource_version=str(version), initial_events_end=end),
    )


def stream(*events: WatchEvent) -> Turn:
    """Take the watch, send these, and stay open."""

    def turn(connection: Connection, request: Request) -> None:
        for event in events:
            connection.send(event)

    return turn


def cut(*events: WatchEvent) -> Turn:
    """Take the watch, send these, and break off a second and a half later."""

    def turn(connection: Connection, request: Request) -> None:
        stream(*events)(connection, request)
        connection.process.call_later(3 * SECOND // 2, connection.reset)

    return turn


def ends(*events: WatchEvent) -> Turn:
    """Take the watch, send these, and close at once."""

    def turn(connection: Connection, request: Request) -> None:
        stream(*events)(connection, request)
        connection.close()

    return turn


def fails(status: Status, *events: WatchEvent) -> Turn:
    """Take the watch, send these, then an ERROR event."""
    return stream(*events, WatchEvent(ERROR, status))


def refuses(status: Status) -> Turn:
    """Answer with this Status."""

    def turn(connection: Connection, request: Request) -> None:
        connection.send(Response(id=request.id, code=status.code, body=status))

    return turn


def lists(*pods: Pod, version: int, token: str = "") -> Turn:
    """Answer with these pods."""

    def turn(connection: Connection, request: Request) -> None:
        body = ObjectList(
            kind="PodList", api_version="v1", resource_version=str(version), items=pods, continue_token=token
        )
        connection.send(Response(id=request.id, code=200, body=body))

    return turn


class Script:
    """A world with a server that takes these turns (the last one for ever), and one client process."""

    def __init__(self, boot: Callable[[ApiClient], object], *turns: Turn) -> None:
        self.world = World(seed=3)
        self.world.call_later(seconds(10_000), lambda: None)
        self.world.add_host("server")
        self.world.add_host("client")
        self.turns = list(turns)
        self.requests: list[Request] = []
        self.times: list[int] = []
        self._boot = boot
        self.server = self.world.process(
            "server", host="server", boot=lambda process: process.listen(6443, self._accept)
        )
        self.server.start()
        self.client = self.world.process("client", host="client", boot=self._boot_client)
        self.client.start()
        self.world.advance(SECOND // 2)

    def _boot_client(self, process: Process) -> None:
        address = Address(self.world.network.ip_of("server"), 6443)
        self._boot(ApiClient(process, (address,), user="test"))

    def _accept(self, connection: Connection) -> None:
        def on_message(message: object) -> None:
            assert isinstance(message, Request), f"a request, not {message!r}"
            self.requests.append(message)
            self.times.append(self.world.now)
            turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
            turn(connection, message)

        connection.on_message = on_message

    def advance(self, duration: float) -> None:
        """Let so many seconds pass."""
        self.world.advance(seconds(duration))

    def asked(self) -> list[str]:
        """The requests so far: `list RV`, `watch RV`, `stream RV` (with initial events)."""
        return [_short(request) for request in self.requests]

    def waits(self) -> list[float]:
        """The seconds between one request and the next."""
        pairs = zip(self.times, self.times[1:], strict=False)
        return [(later - earlier) / SECOND for earlier, later in pairs]


def _short(request: Request) -> str:
    options = request.options
    verb = "stream" if options.send_initial_events else request.verb
    extra = f" limit={options.limit}" if options.limit else ""
    extra += f" continue={options.continue_token}" if options.continue_token else ""
    return f"{verb} {options.resource_version or '-'}{extra}"
