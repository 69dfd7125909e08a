"""What is journalled around a write, and that a process may be crashed there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.apiserver.api import CREATE, GET, ListOptions, Request, Response, Status
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.attempts import ConnectionLost
from chaoskube.models.client.events import UNSURE, WriteAnswered, WriteSent
from chaoskube.models.client.limits import ClientLimits
from chaoskube.models.client.transport import OnDone
from chaoskube.models.objects import ObjectMeta, Pod
from chaoskube.sim import SECOND, Address, Connection, Process, Unsure, World, seconds

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
        self.process.handle(self.process.life, self.client.request, (request, then or self.heard.append))
        self.world.advance(SECOND)

    def count(self, verb: str) -> int:
        """How many such requests arrived."""
        return sum(1 for _, each in self.arrived if each == verb)

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


BUSY = Status(code=429, reason="TooManyRequests", retry_after_seconds=2)


@pytest.mark.parametrize("request_", [WRITE, READ], ids=["write", "read"])
def test_who_is_told_to_come_again_comes_again_by_itself(stage: Stage, request_: Request) -> None:
    """with_retry.go: Retry-After is obeyed whatever the verb, since a 429 did nothing."""
    stage.answers = [BUSY, BUSY]
    stage.send(request_)
    stage.world.advance(seconds(5))

    assert [at // SECOND for at, _ in stage.arrived] == [0, 2, 4]
    assert [isinstance(one, Response) and one.code for one in stage.heard] == [200]


def test_a_429_that_names_no_time_is_the_callers(stage: Stage) -> None:
    """An eviction that a budget refuses: kubectl decides when to try again."""
    stage.answers = [Status(code=429, reason="TooManyRequests")]
    stage.send(WRITE)

    assert [isinstance(one, Response) and one.code for one in stage.heard] == [429]


def test_after_ten_retries_the_caller_hears_the_refusal(stage: Stage) -> None:
    """maxRetries."""
    stage.answers = [BUSY] * 20
    stage.send(READ)
    stage.world.advance(seconds(60))

    assert len(stage.arrived) == 11
    assert [isinstance(one, Response) and one.code for one in stage.heard] == [429]


@pytest.mark.parametrize(("request_", "again"), [(READ, 2), (WRITE, 1)], ids=["read", "write"])
def test_reads_alone_are_sent_again_when_the_connection_breaks(
    stage: Stage, request_: Request, again: int
) -> None:
    """Of a write nobody knows whether it happened: the caller hears `Unsure`."""
    stage.answers = [None]
    stage.send(request_)
    stage.server.crash()
    stage.server.start()
    stage.world.advance(seconds(3))

    assert len(stage.arrived) == again
    assert isinstance(stage.heard[0], ConnectionLost if request_ is WRITE else Response)


def test_a_refused_connection_is_heard_of_at_once(stage: Stage) -> None:
    """Nobody listens: no retry of the client's own."""
    stage.server.crash()
    stage.send(READ)

    assert isinstance(stage.heard[0], Unsure)


def test_the_limiter_lets_a_burst_through_and_holds_back_the_rest(stage: Stage) -> None:
    """Five a second, two at once: a write is journalled when it leaves, not when it was asked for."""
    address = Address(stage.world.network.ip_of("server"), 6443)
    stage.client = ApiClient(stage.process, (address,), user="test", limits=ClientLimits(qps=5, burst=2))
    for _ in range(4):
        stage.process.handle(stage.process.life, stage.client.request, (WRITE, stage.heard.append))
    stage.world.advance(SECOND)

    sent = [entry.at for entry in stage.world.journal.entries if isinstance(entry.event, WriteSent)]
    assert [at * 10 // SECOND for at in sent] == [0, 0, 2, 4]


def test_each_user_of_one_connection_has_a_limiter_of_its_own(stage: Stage) -> None:
    """kube-controller-manager: a clientset for each controller."""
    address = Address(stage.world.network.ip_of("server"), 6443)
    first = ApiClient(stage.process, (address,), user="a", limits=ClientLimits(qps=1, burst=1))
    for client in (first, first.as_user("b"), first.unlimited(), first.unlimited()):
        stage.process.handle(stage.process.life, client.request, (READ, stage.heard.append))
    stage.world.advance(SECOND // 2)

    assert len(stage.heard) == 4


def test_the_server_learns_who_asks(stage: Stage) -> None:
    """User, groups and program travel with every request; a token in place of the first two."""
    seen: list[tuple[str, tuple[str, ...], str, str]] = []
    address = Address(stage.world.network.ip_of("server"), 6443)
    client = ApiClient(stage.process, (address,), user="u", groups=("g",), agent="kubectl")

    def accept(connection: Connection) -> None:
        def on_message(message: object) -> None:
            assert isinstance(message, Request), f"a request, not {message!r}"
            seen.append((message.user, message.groups, message.client, message.token))

        connection.on_message = on_message

    stage.world.process("ear", host="server", boot=lambda p: p.listen(7000, accept)).start()
    other = ApiClient(
        stage.process, (Address(address.ip, 7000),), user="u", groups=("g",), agent="kubectl"
    ).as_user("v", groups=("h",))
    for each in (client, other, other.with_token("t"), other.with_token("t").unlimited()):
        each.request(READ, stage.heard.append)
        each.watch("pods", "ns", ListOptions(), lambda event: None, lambda why: None)
    stage.world.advance(SECOND)

    by_name, by_token = ("v", ("h",), "kubectl", ""), ("", (), "kubectl", "t")
    assert sorted(seen) == [by_token] * 4 + [by_name] * 2
