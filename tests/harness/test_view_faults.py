"""Each fault of a view bites as it says, and keeps what connections promise: order, and a reset that both ends hear of."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import frozen

from chaoskube.action import parse_action
from chaoskube.arguments import CannotApply
from chaoskube.discovery import load
from chaoskube.run import Session
from chaoskube.scenario import Scenario, Setup
from chaoskube.sim import MILLISECOND, SECOND, Address, Connection, Entry, Line, Process, World, seconds

STREAMS = ("watch/pods@*>client", "watch/nodes@*>client")


@frozen(kw_only=True)
class Heard:
    """The client got a message of a stream, or an answer."""

    label: str
    number: int


@frozen(kw_only=True)
class Ended:
    """A connection of the client's is over."""

    label: str
    server: str
    reason: str


class Viewer:
    """A client watches pods and nodes, ten messages a second each, and asks something each second; two servers serve it."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.world = world
        self.observer = None
        self.asked: list[tuple[str, object]] = []
        self.servers = ("server-0", "server-1")
        for name in self.servers:
            world.process(name, host=f"host-{name}", boot=self._serve).start()
        self.client = world.process("client", host="host-client", boot=self._boot_client)
        self.client.start()

    def _serve(self, process: Process) -> None:
        def accept(connection: Connection) -> None:
            connection.on_message = lambda message: self._asked(process, connection, message)
            if connection.label.startswith("watch/"):
                self._tick(process, connection, 1)

        process.listen(80, accept)

    def _asked(self, process: Process, connection: Connection, message: object) -> None:
        self.asked.append((process.name, message))
        process.call_later(MILLISECOND, connection.send, message)

    def _tick(self, process: Process, connection: Connection, number: int) -> None:
        if not connection.is_closed:
            connection.send(number)
            process.call_later(SECOND // 10, self._tick, process, connection, number + 1)

    def _boot_client(self, process: Process) -> None:
        for label in ("watch/pods", "watch/nodes"):
            self._connect(process, label, 0)
        self._ask(process, self._connect(process, "api", 0), 1)

    def _connect(self, process: Process, label: str, server: int) -> Connection:
        name = self.servers[server]
        connection = process.connect(Address(self.world.network.ip_of(f"host-{name}"), 80), label=label)
        connection.on_message = lambda number: process.record(Heard(label=label, number=_number(number)))
        connection.on_close = lambda reason: self._lost(process, label, server, reason)
        return connection

    def _lost(self, process: Process, label: str, server: int, reason: str) -> None:
        process.record(Ended(label=label, server=self.servers[server], reason=reason))
        if label != "api":
            process.call_later(SECOND // 2, self._connect, process, label, 1 - server)

    def _ask(self, process: Process, connection: Connection, number: int) -> None:
        connection.send(number)
        process.call_later(SECOND, self._ask, process, connection, number + 1)

    def targets(self, kind: str) -> Sequence[str]:
        known = {
            "process": ("client", *self.servers),
            "server": self.servers,
            "stream": STREAMS,
            "question": ("api@client>*",),
        }
        return known.get(kind, ())

    def warm(self) -> str | None:
        return None if self.world.now >= 3 * SECOND // 2 else "it is early"

    def unsettled(self) -> str | None:
        return None

    def tell(self, entry: Entry) -> Line | None:
        return None

    def assumptions(self) -> Sequence[str]:
        return ()


def _number(message: object) -> int:
    assert isinstance(message, int)
    return message


class Played:
    """What the client saw in a story of ten seconds."""

    def __init__(self, *lines: str) -> None:
        load()
        viewers: list[Viewer] = []

        def build(world: World, setup: Setup) -> Viewer:
            viewers.append(Viewer(world, setup))
            return viewers[0]

        scenario = Scenario(name="viewer", doc="One who looks.", build=build, menu=(), invariants=())
        with Session(scenario) as session:
            session.warm_up()
            for line in lines:
                session.apply(parse_action(line))
            session.finish(10 * SECOND, settles=False)
            self.entries = [
                (one.at - session.began, one.event)
                for one in session.world.journal.entries
                if one.at >= session.began
            ]
        self.asked = viewers[0].asked

    def numbers(self, label: str, *, after: str = "0s", until: str = "10s") -> list[int]:
        """What was heard of a stream in this time."""
        return [
            event.number
            for at, event in self.entries
            if isinstance(event, Heard) and event.label == label and seconds(after) <= at < seconds(until)
        ]

    @property
    def ends(self) -> list[Ended]:
        return [event for _, event in self.entries if isinstance(event, Ended)]


def test_a_frozen_stream_says_nothing_and_then_everything_in_order() -> None:
    """A view that stands still is behind, not broken: nobody reconnects, and nothing is missing at the end."""
    seen = Played("freeze-stream stream=watch/pods@*>client lasting=4s")

    first, *_, last = seen.numbers("watch/pods")
    assert seen.numbers("watch/pods", after="0.1s", until="4s") == []
    assert seen.numbers("watch/pods") == list(range(first, last + 1))
    assert len(seen.numbers("watch/nodes", until="4s")) == 40
    assert seen.ends == []


def test_a_dropped_stream_is_reset_once() -> None:
    """Both ends hear of it; the other streams of the client go on."""
    seen = Played("drop-stream stream=watch/pods@*>client")

    assert seen.ends == [Ended(label="watch/pods", server="server-0", reason="reset")]
    assert seen.numbers("watch/pods")[0] == 1, "the server began anew"


def test_nothing_can_be_dropped_that_isnt_there() -> None:
    with pytest.raises(CannotApply, match="there is no stream"):
        Played("drop-stream stream=watch/cats@*>client")


def test_an_event_is_hidden_until_later_ones_have_passed_elsewhere() -> None:
    """A client then knows of nodes what it doesn't know of pods yet, though that was first."""
    seen = Played("hide-event stream=watch/pods@*>client nth=5 until=watch/nodes@*>client later=8")

    pods = seen.numbers("watch/pods")
    assert pods == list(range(pods[0], pods[-1] + 1))
    assert len(seen.numbers("watch/pods", until="1.1s")) == 4
    assert len(seen.numbers("watch/pods", until="1.4s")) >= 12


def test_an_event_is_hidden_until_later_ones_wait_behind_it() -> None:
    """They come together: whoever is told by keys sees only the last."""
    seen = Played("hide-event stream=watch/pods@*>client nth=1 later=5")

    times = [at for at, event in seen.entries if isinstance(event, Heard) and event.label == "watch/pods"]
    assert len({at for at in times[:6]}) == 1
    assert len({at for at in times[6:12]}) == 6


def test_a_lost_answer_is_of_a_request_that_arrived() -> None:
    """The client knows only that its connection broke; the server has seen the request."""
    seen = Played("lose-answer question=api@client>*")

    assert seen.ends == [Ended(label="api", server="server-0", reason="reset")]
    assert [one for _, one in seen.asked] == [1, 2, 3]
    assert seen.numbers("api") == [], "the first two were answered before the story began"


def test_an_initial_list_is_cut_each_time_it_is_begun() -> None:
    """Connections that are open already are left alone."""
    quiet = Played("cut-initial-list stream=watch/pods@*>client nth=3 lasting=4s")
    cut = Played(
        "cut-initial-list stream=watch/pods@*>client nth=3 lasting=2s",
        "drop-stream stream=watch/pods@*>client",
    )

    assert quiet.ends == []
    assert [one.label for one in cut.ends] == ["watch/pods"] * 3
    assert cut.numbers("watch/pods")[:7] == [1, 2, 3, 1, 2, 3, 1]


def test_a_steered_process_reaches_one_server_alone() -> None:
    """What it had open to others is reset, and they refuse it until that is healed."""
    seen = Played("steer process=client server=server-1 lasting=3s")

    assert {one.server for one in seen.ends} == {"server-0"}
    assert seen.numbers("watch/pods")[0] == 1
    with pytest.raises(CannotApply, match="is a server itself"):
        Played("steer process=server-0 server=server-1")


def test_a_stream_must_be_named_whole() -> None:
    with pytest.raises(CannotApply):
        Played("freeze-stream stream=watch/pods")
