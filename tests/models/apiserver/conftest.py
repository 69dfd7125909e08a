"""A small world: three etcd members, two API servers, and a hand on the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs
import pytest

from chaoskube.models.apiserver.api import (
    ListOptions,
    ObjectList,
    Request,
    Response,
    Status,
    WatchEvent,
)
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.paths import NoSuchPath, answer_of, error_answer, to_request
from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.apiserver.server_options import PERMISSIVE, ServerOptions
from chaoskube.models.etcd.member import add_members, endpoints
from chaoskube.sim import SECOND, Address, Connection, Process, World


class Stream:
    """One watch, and what came."""

    def __init__(self, api: Api, server: int, request: Request) -> None:
        self.events: list[WatchEvent] = []
        self.refused: Response | None = None
        self.end = ""
        self.connection = api.connect(server, f"watch/{request.resource}", self._on_message, self._on_close)
        self.connection.send(request)

    def _on_message(self, message: object) -> None:
        if isinstance(message, Response):
            self.refused = message
        else:
            assert isinstance(message, WatchEvent)
            self.events.append(message)

    def _on_close(self, reason: str) -> None:
        self.end = reason

    def seen(self) -> list[tuple[str, str]]:
        """(type, name) of each event."""
        return [(event.type, getattr(event.object, "name", "")) for event in self.events]


class Api:
    """The world, and requests that are answered before they return."""

    def __init__(self, world: World, options: ServerOptions = PERMISSIVE) -> None:
        self.world = world
        hosts = tuple(f"control-{place}" for place in range(3))
        self.members = add_members(world, hosts)
        peers = endpoints(self.members)
        self.servers = [
            world.process(
                f"apiserver-{place}",
                host=f"control-{place}",
                boot=partial(boot_apiserver, etcd_endpoints=peers[place:] + peers[:place], options=options),
            )
            for place in range(2)
        ]
        self.user: Process = world.process("user", host="desk", boot=lambda process: None)
        for process in (*self.members, *self.servers, self.user):
            process.start()
        self._answers: dict[int, Response] = {}
        self._count = 0
        self._links: dict[int, Connection] = {}
        world.advance(8 * SECOND)

    def connect(self, server: int, label: str, on_message: Any, on_close: Any) -> Connection:
        """A connection from the user to a server."""
        address = Address(self.world.network.ip_of(f"control-{server}"), 6443)
        return self.user.connect(address, label=label, on_message=on_message, on_close=on_close)

    def send(self, request: Request, server: int = 0) -> int:
        """Send and don't wait; the number of the request."""
        self._count += 1
        link = self._links.get(server)
        if link is None or not link.is_open:
            link = self._links[server] = self.connect(server, "api", self._on_message, lambda reason: None)
        link.send(attrs.evolve(request, id=self._count, user=request.user or "user"))
        return self._count

    def _on_message(self, message: object) -> None:
        assert isinstance(message, Response)
        self._answers[message.id] = message

    def answer(self, number: int) -> Response | None:
        """The answer to a request, if it has come."""
        return self._answers.get(number)

    def ask(self, request: Request, server: int = 0) -> Response:
        """Send and wait."""
        number = self.send(request, server)
        assert self.world.run_until(lambda: number in self._answers, 70 * SECOND, SECOND // 1000), request
        return self._answers[number]

    def request(self, verb: str, resource: str, name: str = "", **fields: Any) -> Request:
        """A request in the default namespace."""
        namespace = fields.pop("namespace", "" if resource in ("nodes", "namespaces") else "default")
        return Request(verb=verb, resource=resource, namespace=namespace, name=name, **fields)

    def do(self, verb: str, resource: str, name: str = "", server: int = 0, **fields: Any) -> Any:
        """The body of the answer, whatever it is."""
        return self.ask(self.request(verb, resource, name, **fields), server).body

    def create(self, obj: Any, server: int = 0) -> Any:
        """Create, and insist."""
        resource = {"EndpointSlice": "endpointslices"}.get(obj.kind, obj.kind.lower() + "s")
        made = self.do("create", resource, server=server, body=obj)
        assert not isinstance(made, Status), made
        return made

    def names(self, resource: str, server: int = 0, **options: Any) -> list[str]:
        """The names in a list."""
        found = self.do("list", resource, server=server, options=ListOptions(**options))
        assert isinstance(found, ObjectList), found
        return [obj.name for obj in found.items]

    def watch(self, resource: str, server: int = 0, namespace: str = "default", **options: Any) -> Stream:
        """Begin a watch."""
        return Stream(
            self,
            server,
            Request(verb="watch", resource=resource, namespace=namespace, options=ListOptions(**options)),
        )

    def delay_etcd_watch(self, server: int, resource: str, extra_ns: int) -> None:
        """What etcd says of a resource reaches that server late."""
        name = self.servers[server].name
        self.world.network.delay_stream("*", name, f"etcd-watch/{resource}", extra_ns)

    def http(self, method: str, path: str, query: Any = None, media: Any = None, body: Any = None) -> Any:
        """(status, tree) as an HTTP client sees it."""
        try:
            request = to_request(method, path, query, media, body, user="user")
        except (ApiError, NoSuchPath) as error:
            return error_answer(error)
        return answer_of(self.ask(request))


@pytest.fixture
def api() -> Iterator[Api]:
    """A warm control plane."""
    with World(seed=7) as world:
        yield Api(world)


@pytest.fixture
def control_plane() -> type[Api]:
    """How to make one, for tests with worlds of their own."""
    return Api
