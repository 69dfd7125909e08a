"""Candidates for one lease: when they take it, renew it, lose it and let it go.

The figures are those of a recorded control plane (`control-leader-election`: two controller managers, the leader
killed, then its successor ended by SIGTERM) and of a rival's writes (`api-lease-election`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from attrs import evolve

from chaoskube.models.apiserver.api import CREATE, GET, UPDATE, Request, Response, Status
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.election import ElectionOptions, to_record
from chaoskube.models.client.events import LeaderStarted, LeaderStopped
from chaoskube.models.client.leader_election import LeaderElector
from chaoskube.models.objects import KubeObject, Lease
from chaoskube.sim import MILLISECOND, SECOND, Address, Connection, Process, World, seconds

RECORDED_TAKEOVER = (29.5253 - 12.1613, 55.0639 - 37.5488)
"""From the last renewal of a leader that was killed, or ended by SIGTERM, to the next leader's first."""


class LeaseServer:
    """An API server of one lease: get, create, and update if the version is right."""

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self.version = 0
        self.writes: list[tuple[int, str]] = []
        self.verbs: list[str] = []
        self.is_mute = False

    def boot(self, process: Process) -> None:
        """Listen."""
        process.listen(6443, self._accept)

    def _accept(self, connection: Connection) -> None:
        def on_message(message: object) -> None:
            assert isinstance(message, Request), f"a request, not {message!r}"
            self.verbs.append(message.verb)
            body = self._answer(message, connection.process.now)
            code = body.code if isinstance(body, Status) else 200
            if not self.is_mute:
                connection.send(Response(id=message.id, code=code, body=body))

        connection.on_message = on_message

    def _answer(self, request: Request, now: int) -> KubeObject | Status:
        if request.verb == GET:
            return self.lease or Status(code=404, reason="NotFound")
        assert request.verb in (CREATE, UPDATE), f"a lease is made and renewed, not {request.verb}"
        body = request.body
        assert isinstance(body, Lease), f"a lease, not {body!r}"
        if request.verb == CREATE and self.lease is not None:
            return Status(code=409, reason="AlreadyExists")
        if request.verb == UPDATE and (
            self.lease is None or body.resource_version != self.lease.resource_version
        ):
            return Status(code=409, reason="Conflict")
        self.version += 1
        self.lease = evolve(body, metadata=evolve(body.metadata, resource_version=str(self.version)))
        self.writes.append((now, to_record(self.lease).holder))
        return self.lease


class Stage:
    """A lease server and candidates, each in a process of its own that ends when it may not lead."""

    def __init__(self) -> None:
        self.world = World(seed=5)
        self.world.call_later(seconds(10_000), lambda: None)
        self.server = LeaseServer()
        self.world.add_host("server")
        self.world.process("server", host="server", boot=self.server.boot).start()
        self.electors: dict[str, LeaderElector] = {}

    def candidate(self, name: str, options: ElectionOptions | None = None) -> Process:
        """Start one."""

        def boot(process: Process) -> None:
            address = Address(self.world.network.ip_of("server"), 6443)
            client = ApiClient(process, (address,), user=name)
            elector = LeaderElector(
                client, "lease", f"{name}_{process.life}", lambda: None, process.exit, options=options
            )
            self.electors[name] = elector
            elector.start()

        self.world.add_host(name)
        process = self.world.process(name, host=name, boot=boot)
        process.start()
        return process

    def advance(self, duration: float) -> None:
        """Let so many seconds pass."""
        self.world.advance(seconds(duration))

    def terms(self) -> list[tuple[str, str]]:
        """Who started and stopped leading."""
        events = [entry.event for entry in self.world.journal.entries]
        return [
            ("+" if isinstance(event, LeaderStarted) else "-", event.identity)
            for event in events
            if isinstance(event, LeaderStarted | LeaderStopped)
        ]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Nobody leads yet."""
    made = Stage()
    yield made
    made.world.close()


def test_a_leader_renews_at_once_and_then_every_two_seconds(stage: Stage) -> None:
    """Recorded: the second write 5 ms after the first, the next ones 2.005 s apart."""
    stage.candidate("a")
    stage.advance(10)

    times = [at for at, _ in stage.server.writes]
    apart = [later - earlier for earlier, later in pairwise(times)]
    assert apart[0] < 6 * MILLISECOND
    assert all(2 * SECOND <= gap < 2 * SECOND + 10 * MILLISECOND for gap in apart[1:])
    assert stage.server.verbs[:3] == ["get", "create", "update"]


@pytest.mark.parametrize("ends", ["crash", "cancel"])
def test_the_next_leader_waits_as_long_as_recorded(stage: Stage, ends: str) -> None:
    """15 s from the last change it saw (up to 4.4 s after it was made), and up to 4.4 s more to its next try.

    A clean end without release changes nothing.
    """
    first = stage.candidate("a")
    stage.advance(3)
    stage.candidate("b")
    stage.advance(10)
    last = stage.server.writes[-1][0]
    if ends == "crash":
        first.crash()
    else:
        stage.electors["a"].cancel()
    stage.advance(25)

    taken = next(at for at, holder in stage.server.writes if holder == "b_1")
    assert 15 <= (taken - last) / SECOND <= 15 + 2 * 4.4
    assert all(15 <= recorded <= 15 + 2 * 4.4 for recorded in RECORDED_TAKEOVER)
    assert stage.server.lease is not None
    assert to_record(stage.server.lease).transitions == 1


def test_a_clean_end_with_release_lets_the_next_one_lead_at_its_next_try(stage: Stage) -> None:
    """ReleaseOnCancel: at most 4.4 s."""
    stage.candidate("a", ElectionOptions(release_on_cancel=True))
    stage.advance(3)
    stage.candidate("b")
    stage.advance(6)
    stage.electors["a"].cancel()
    stage.advance(5)

    assert [holder for _, holder in stage.server.writes if holder != "a_1"][:2] == ["", "b_1"]
    assert stage.terms() == [("+", "a_1"), ("-", "a_1"), ("+", "b_1")]


def test_a_leader_that_cannot_renew_stops_after_ten_seconds(stage: Stage) -> None:
    """And its process ends: that is what keeps two from acting for long, nothing else does."""
    process = stage.candidate("a")
    stage.advance(5)
    last = stage.server.writes[-1][0]
    stage.server.is_mute = True
    stage.advance(20)

    stopped = next(
        entry.at for entry in stage.world.journal.entries if isinstance(entry.event, LeaderStopped)
    )
    assert 10 * SECOND <= stopped - last <= int(12.1 * SECOND)
    assert not process.is_alive


def test_a_paused_leader_goes_on_when_nobody_took_its_lease_and_stops_when_somebody_did(stage: Stage) -> None:
    """Back from a long pause it reads first: its own lease may have run out."""
    first = stage.candidate("a")
    stage.advance(5)
    first.pause()
    stage.advance(30)
    first.resume()
    stage.advance(5)
    assert first.is_alive
    assert stage.server.writes[-1][1] == "a_1"

    stage.candidate("b")
    stage.advance(5)
    first.pause()
    stage.advance(30)
    first.resume()
    stage.advance(15)
    assert not first.is_alive
    assert stage.terms()[-1] == ("-", "a_1")


def test_two_candidates_that_begin_together_make_one_leader(stage: Stage) -> None:
    """Recorded: the second create is a 409; a PUT with an old version is a 409."""
    for name in ("a", "b", "c"):
        stage.candidate(name)
    stage.advance(30)

    assert len(stage.terms()) == 1
    assert len({holder for _, holder in stage.server.writes}) == 1


def test_a_new_leader_is_reported_once(stage: Stage) -> None:
    """OnNewLeader, the first one seen among them."""
    stage.candidate("a")
    stage.advance(1)
    seen: list[str] = []

    def boot(process: Process) -> None:
        address = Address(stage.world.network.ip_of("server"), 6443)
        client = ApiClient(process, (address,), user="b")
        LeaderElector(client, "lease", "b", lambda: None, lambda: None, on_new_leader=seen.append).start()

    stage.world.add_host("b")
    stage.world.process("b", host="b", boot=boot).start()
    stage.advance(10)

    assert seen == ["a_1"]
