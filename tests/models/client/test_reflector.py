"""How a cache comes to be and stays like the server's, against a server that behaves as it is told.

The server here speaks the real protocol over the simulated network; what it refuses is part of each test.
Each claim is from client-go's tools/cache/reflector.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import evolve

from chaoskube.models.apiserver.api import (
    ADDED,
    BOOKMARK,
    DELETED,
    ERROR,
    LIST,
    MODIFIED,
    Bookmark,
    ObjectList,
    Request,
    Response,
    Status,
    WatchEvent,
)
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.events import InformerRelisted, InformerSynced, WatchResumed
from chaoskube.models.client.informer import Informer
from chaoskube.models.objects import ObjectMeta, Pod
from chaoskube.sim import SECOND, Address, Connection, Process, World, seconds

GONE = Status(code=410, reason="Expired", message="too old resource version")
REFUSED = Status(code=400, reason="BadRequest", message="sendInitialEvents is forbidden")


def pod(name: str, version: int, uid: str = "") -> Pod:
    """A pod at a version."""
    metadata = ObjectMeta(name=name, namespace="ns", uid=uid or name, resource_version=str(version))
    return Pod(metadata=metadata)


class Server:
    """An API server of pods: `pods` are there at `revision`; `put` and `drop` change and tell."""

    def __init__(self) -> None:
        self.pods: dict[str, Pod] = {}
        self.revision = 10
        self.streams = True
        self.expired_below = 0
        self.requests: list[Request] = []
        self.watches: list[Connection] = []

    def boot(self, process: Process) -> None:
        """Listen."""
        self.watches.clear()
        process.listen(6443, self._accept)

    def _accept(self, connection: Connection) -> None:
        def on_message(message: object) -> None:
            assert isinstance(message, Request)
            self._answer(connection, message)

        connection.on_message = on_message

    def _answer(self, connection: Connection, request: Request) -> None:
        self.requests.append(request)
        options = request.options
        if request.verb == LIST:
            body = ObjectList(
                kind="PodList",
                api_version="v1",
                resource_version=str(self.revision),
                items=tuple(self.pods.values()),
            )
            connection.send(Response(id=request.id, code=200, body=body))
        elif options.send_initial_events and not self.streams:
            connection.send(Response(id=request.id, code=400, body=REFUSED))
        elif options.resource_version and int(options.resource_version) < self.expired_below:
            connection.send(WatchEvent(ERROR, GONE))
        else:
            self.watches.append(connection)
            if options.send_initial_events:
                for each in self.pods.values():
                    connection.send(WatchEvent(ADDED, each))
                connection.send(WatchEvent(BOOKMARK, self._bookmark(initial=True)))

    def _bookmark(self, *, initial: bool = False) -> Bookmark:
        return Bookmark(
            kind="Pod",
            api_version="v1",
            resource_version=str(self.revision),
            initial_events_end=initial,
        )

    def put(self, name: str, *, tell: bool = True, uid: str = "") -> None:
        """Create or change a pod."""
        self.revision += 1
        kind = MODIFIED if name in self.pods else ADDED
        self.pods[name] = pod(name, self.revision, uid)
        self._tell(WatchEvent(kind, self.pods[name]), tell)

    def drop(self, name: str, *, tell: bool = True) -> None:
        """Delete a pod."""
        self.revision += 1
        last = self.pods.pop(name)
        gone = evolve(last, metadata=evolve(last.metadata, resource_version=str(self.revision)))
        self._tell(WatchEvent(DELETED, gone), tell)

    def bookmark(self) -> None:
        """Say how far things are."""
        self._tell(WatchEvent(BOOKMARK, self._bookmark()), True)

    def _tell(self, event: WatchEvent, tell: bool) -> None:
        if tell:
            for connection in self.watches:
                connection.send(event)


class Stage:
    """A world with such a server and one informer."""

    def __init__(self, prepare: Callable[[Server], None] = lambda _: None) -> None:
        self.world = World(seed=3)
        self.world.add_host("server")
        self.world.add_host("client")
        self.server = Server()
        self.server.put("a", tell=False)
        prepare(self.server)
        self.process = self.world.process("server", host="server", boot=self.server.boot)
        self.process.start()
        self.told: list[str] = []
        self.world.process("client", host="client", boot=self._boot).start()
        self.world.advance(seconds(1))

    def _boot(self, process: Process) -> None:
        address = Address(self.world.network.ip_of("server"), 6443)
        self.informer = Informer(ApiClient(process, (address,), user="test"), "pods")
        self.informer.add_handler(
            on_add=lambda new: self.told.append(f"+{new.name}"),
            on_update=lambda old, new: self.told.append(
                f"~{new.name}" if old.uid == new.uid else f"!{new.name}"
            ),
            on_delete=lambda old: self.told.append(f"-{old.name}"),
        )
        self.informer.start()

    def names(self) -> list[str]:
        """What the informer knows."""
        return [each.name for each in self.informer.list()]

    def happened(self, kind: type) -> int:
        """How often an event was journalled."""
        return sum(1 for entry in self.world.journal.entries if type(entry.event) is kind)

    def asked(self) -> list[tuple[str, str, bool]]:
        """The requests so far: verb, version, streaming list."""
        return [
            (each.verb, each.options.resource_version, each.options.send_initial_events)
            for each in self.server.requests
        ]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A world with one informer that has synced."""
    made = Stage()
    yield made
    made.world.close()


def test_it_begins_with_a_streaming_list_and_goes_on_with_the_same_stream(stage: Stage) -> None:
    """WatchListClient: one watch, first everything, then changes; bookmarks only move the version."""
    stage.server.put("b")
    stage.server.drop("a")
    stage.world.advance(seconds(1))

    assert stage.asked() == [("watch", "", True)]
    assert stage.told == ["+a", "+b", "-a"]
    assert stage.names() == ["b"]
    stage.server.revision = 99
    stage.server.bookmark()
    stage.world.advance(seconds(1))
    assert stage.informer.last_resource_version == "99"
    assert stage.happened(InformerSynced) == 1


def test_where_streaming_is_refused_it_lists_at_version_0() -> None:
    """RV "0": any state of the server's cache is good enough the first time."""
    stage = Stage(lambda server: setattr(server, "streams", False))

    assert stage.asked() == [("watch", "", True), ("list", "0", False), ("watch", "11", False)]
    assert stage.names() == ["a"]
    stage.world.close()


def test_a_broken_watch_resumes_from_the_last_version_and_misses_nothing(stage: Stage) -> None:
    """No relist: the server still knows what came after."""
    stage.world.advance(seconds(5))
    stage.server.watches[0].reset()
    stage.world.advance(seconds(1))

    assert stage.asked()[-1] == ("watch", "11", False)
    assert stage.happened(WatchResumed) == 1
    assert stage.happened(InformerRelisted) == 0


def test_an_expired_version_is_a_relist_that_tells_every_difference(stage: Stage) -> None:
    """A pod made anew under its name is one update with another uid; one that is gone is a delete."""
    stage.server.put("b")
    stage.server.put("c")
    stage.world.advance(seconds(5))
    stage.told.clear()
    stage.server.put("a", tell=False, uid="a-again")
    stage.server.drop("b", tell=False)
    stage.server.put("d", tell=False)
    stage.server.expired_below = 15
    stage.server.watches[-1].reset()
    stage.world.advance(seconds(5))

    assert sorted(stage.told) == ["!a", "+d", "-b", "~c"]
    assert stage.names() == ["a", "c", "d"]
    assert stage.happened(InformerRelisted) == 1
    # resumed from 13: expired; a list as new as 13: expired as well; then whatever there is
    assert [version for verb, version, _ in stage.asked()[1:]] == ["13", "13", ""]


def test_a_server_that_is_down_is_tried_with_backoff_and_found_again(stage: Stage) -> None:
    """Refused: wait 0.8 s, 1.6 s, ... with jitter, keep the version."""
    stage.world.advance(seconds(5))
    stage.process.crash()
    stage.world.advance(seconds(20))
    before = len(stage.server.requests)
    stage.process.start()
    stage.world.advance(seconds(40))

    assert stage.asked()[before:] == [("watch", "11", False)]
    stage.server.put("b")
    stage.world.advance(SECOND)
    assert stage.names() == ["a", "b"]


def test_indexes_follow_every_change(stage: Stage) -> None:
    """A reconcile asks an index, never the whole store."""
    stage.informer.add_index("initial", lambda each: (each.name[:1],))
    stage.server.put("ab")
    stage.world.advance(seconds(1))

    assert [each.name for each in stage.informer.by_index("initial", "a")] == ["a", "ab"]
    assert [each.name for each in stage.informer.by_index("namespace", "ns")] == ["a", "ab"]
    stage.server.drop("a")
    stage.world.advance(seconds(1))
    assert [each.name for each in stage.informer.by_index("initial", "a")] == ["ab"]
    assert stage.informer.list("other") == ()
