"""What is journalled around a write, and that a process may be crashed there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.apiserver.api import CREATE, GET, Request, Response, Status
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.events import UNSURE, WriteAnswered, WriteSent
from chaoskube.models.client.transport import OnDone
from chaoskube.models.objects import ObjectMeta, Pod
from chaoskube.sim import SECOND, Address, Connection, Process, World, seconds

POD = Pod(metadata=ObjectMeta(name="a", namespace="ns"))
WRITE = Request(verb=CREATE, resource="pods", namespace="ns", name="a", body=POD)
READ = Request(verb=GET, resource="pods", namespace="ns", name="a")


class Stage:
    """A server that answers each request with the next of `answers` (None: never), and one client."""

    def __init__(self) -> None:
        self.world = World(seed=1)
        self.world.call_later(seconds(1000), lambda: None)
        self.world.add_host("server")
        self.world.add_host("client")
        self.answers: list[Status | None] = []
        self.arrived: list[tuple[int, str]] = []
        self.heard: list[object] = []
        self.server = self.world.process("server", host="server", boot=self._serve)
        self.server.start()
        self.process = self.world.process("client", host="client", boot=self._boot)
        self.process.start()

    def _serve(self, process: Process) -> None:
        process.listen(6443, self._accept)

    def _accept(self, connection: Connection) -> None:
        def on_message(message: object) -> None:
            assert isinstance(message, Request), f"a request, not {message!r}"
            self.arrived.append((self.world.now, message.verb))
            answer = self.answers.pop(0) if self.answers else Status(code=200)
            if answer is not None:
                connection.send(Response(id=message.id, code=answer.code, body=answer))

        connection.on_message = on_message

    def _boot(self, process: Process) -> None:
        address = Address(self.world.network.ip_of("server"), 6443)
        self.client = ApiClient(process, (address,), user="test")

    def send(self, request: Request, then: OnDone | None = None) -> None:
        """Send as the client, and let a second pass."""
        self.client.request(request, then or self.heard.append)
        self.world.advance(SECOND)

    def journalled(self) -> list[object]:
        """The events of writes so far."""
        return [
            entry.event
            for entry in self.world.journal.entries
            if isinstance(entry.event, WriteSent | WriteAnswered)
        ]

    def crash_at(self, event: type) -> None:
        """Crash the client the moment it journals such an event."""
        self.world.journal.subscribe(event, lambda entry: self.process.crash())


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A client and its server."""
    made = Stage()
    yield made
    made.world.close()


def test_a_write_is_journalled_before_it_leaves_and_when_its_answer_arrives(stage: Stage) -> None:
    """Reads are not: nothing is aimed at them."""
    stage.send(WRITE)
    stage.send(READ)

    assert stage.journalled() == [
        WriteSent(verb="create", resource="pods", key="ns/a", number=1),
        WriteAnswered(number=1, code=200),
    ]
    assert len(stage.heard) == 2


def test_an_answer_that_never_comes_is_journalled_as_unsure(stage: Stage) -> None:
    """The connection broke: the write may have happened."""
    stage.answers = [None]
    stage.send(WRITE)
    stage.server.crash()
    stage.world.advance(SECOND)

    last = stage.journalled()[-1]
    assert last == WriteAnswered(number=1, code=UNSURE)
    assert isinstance(last, WriteAnswered)
    assert last.is_unsure


@pytest.mark.parametrize(
    ("event", "arrives"), [(WriteSent, []), (WriteAnswered, ["create"])], ids=["before", "after"]
)
def test_a_crash_there_falls_between_two_writes(stage: Stage, event: type, arrives: list[str]) -> None:
    """Before: the write never leaves. After: it happened, and the component never learns of it."""
    stage.crash_at(event)
    stage.send(WRITE)

    assert [verb for _, verb in stage.arrived] == arrives
    assert stage.heard == []


def test_a_crash_at_one_lost_write_silences_the_others(stage: Stage) -> None:
    """All were under way when the connection broke: a dead process hears of none."""
    stage.answers = [None, None]
    stage.send(WRITE)
    stage.send(WRITE)
    stage.crash_at(WriteAnswered)
    stage.server.crash()
    stage.world.advance(SECOND)

    assert stage.heard == []
    assert [type(event) for event in stage.journalled()] == [WriteSent, WriteSent, WriteAnswered]
