"""Each fault bites, and is gone when it is healed: a fault that does nothing makes a hunt blind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from attrs import frozen

from chaoskube.action import parse_action
from chaoskube.arguments import CannotApply
from chaoskube.discovery import load
from chaoskube.run import Session
from chaoskube.scenario import Scenario, Setup
from chaoskube.sim import (
    MILLISECOND,
    SECOND,
    Address,
    Connection,
    Entry,
    FaultEnded,
    Line,
    Process,
    ProcessState,
    World,
)

STORY_NS = 10 * SECOND
IN_FLIGHT_NS = 10 * MILLISECOND
STREAMS = ("watch/pods@a>b", "watch/nodes@a>b", "watch/pods@*>b")


@frozen(kw_only=True)
class Heard:
    """`b` got a message, `late_ns` after it was sent."""

    way: str
    number: int
    late_ns: int


class Pair:
    """`a` tells `b` the time ten times a second, by datagram and by a connection labelled `watch/pods`."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.world = world
        self.observer = None
        world.process("b", host="host-b", boot=self._boot_b).start()
        world.process("a", host="host-a", boot=self._boot_a).start()

    def _boot_b(self, process: Process) -> None:
        process.on_datagram = lambda _sender, sent: self._hear(process, "datagram", sent)
        process.listen(80, lambda connection: self._listen(process, connection))

    def _listen(self, process: Process, connection: Connection) -> None:
        connection.on_message = lambda sent: self._hear(process, "stream", sent)

    def _boot_a(self, process: Process) -> None:
        stream = process.connect(Address(self.world.network.ip_of("host-b"), 80), label="watch/pods")
        self._tick(process, stream)

    def _tick(self, process: Process, stream: Connection) -> None:
        process.send("b", process.now)
        if not stream.is_closed:
            stream.send(process.now)
        process.call_later(SECOND // 10, self._tick, process, stream)

    def _hear(self, process: Process, way: str, sent: object) -> None:
        assert isinstance(sent, int)
        process.record(Heard(way=way, number=sent * 10 // SECOND, late_ns=process.now - sent))

    def targets(self, kind: str) -> Sequence[str]:
        known = {"process": ("a", "b"), "host": ("host-a", "host-b"), "stream": STREAMS}
        return known.get(kind, ())

    def warm(self) -> str | None:
        return None if self.world.now >= SECOND else "it is early"

    def unsettled(self) -> str | None:
        return None

    def tell(self, entry: Entry) -> Line | None:
        return None

    def assumptions(self) -> Sequence[str]:
        return ()


PAIR = Scenario(name="pair", doc="Two processes.", build=Pair, menu=(), invariants=())


def heard(*lines: str) -> tuple[list[Heard], list[Heard]]:
    """What `b` heard in the 4 s after these faults, and in the last 2 s of the story when they are healed."""
    load()
    with Session(PAIR) as session:
        session.warm_up()
        for line in lines:
            session.apply(parse_action(line))
        session.finish(STORY_NS, settles=False)
        entries = [(one.at - session.began, one.event) for one in session.world.journal.entries]
    events = [(at, event) for at, event in entries if isinstance(event, Heard) and at > IN_FLIGHT_NS]
    early = [event for at, event in events if at <= 4 * SECOND + IN_FLIGHT_NS]
    return early, [event for at, event in events if at > 8 * SECOND]


def of(way: str, events: list[Heard]) -> list[int]:
    return [event.late_ns for event in events if event.way == way]


CALM = ([500_000] * 40, [500_000] * 20)


def test_calm_is_constant_and_loses_nothing() -> None:
    """What a fault is compared with."""
    early, late = heard()

    assert (of("datagram", early), of("datagram", late)) == CALM
    assert (of("stream", early), of("stream", late)) == CALM


@pytest.mark.parametrize(
    ("line", "way", "bites"),
    [
        ("crash process=a down=5s", "datagram", lambda lates: not lates),
        ("crash process=b down=5s", "datagram", lambda lates: not lates),
        ("crash-host host=host-a down=5s", "datagram", lambda lates: not lates),
        ("pause process=a down=5s", "datagram", lambda lates: not lates),
        ("pause process=b down=5s", "stream", lambda lates: not lates),
        ("partition hosts=host-a lasting=5s", "datagram", lambda lates: not lates),
        ("partition hosts=host-a lasting=5s", "stream", lambda lates: not lates),
        ("partition hosts=host-a way=out lasting=5s", "datagram", lambda lates: not lates),
        ("partition hosts=host-a way=in lasting=5s", "datagram", lambda lates: len(lates) == 40),
        ("partition hosts=host-b way=in lasting=5s", "datagram", lambda lates: not lates),
        (
            "slow-link host=host-a other=host-b extra=20ms lasting=5s",
            "stream",
            lambda lates: max(lates) == 20_500_000,
        ),
        ("lose hosts=host-a permille=1000 lasting=5s", "datagram", lambda lates: not lates),
        ("lose hosts=host-b permille=500 lasting=5s", "datagram", lambda lates: 5 < len(lates) < 35),
        ("lose hosts=host-a permille=1000 lasting=5s", "stream", lambda lates: len(lates) == 40),
        ("duplicate hosts=host-a permille=1000 lasting=5s", "datagram", lambda lates: len(lates) == 80),
        (
            "reorder hosts=host-a window=2s lasting=5s",
            "datagram",
            lambda lates: max(lates) > 500 * MILLISECOND,
        ),
        (
            "delay-stream stream=watch/pods@a>b extra=2s lasting=5s",
            "stream",
            lambda lates: max(lates) > 2 * SECOND,
        ),
        (
            "delay-stream stream=watch/pods@a>b extra=2s lasting=5s",
            "datagram",
            lambda lates: lates == CALM[0],
        ),
        ("delay-stream stream=watch/nodes@a>b extra=2s lasting=5s", "stream", lambda lates: lates == CALM[0]),
        (
            "delay-stream 'stream=watch/pods@*>b' extra=2s lasting=5s",
            "stream",
            lambda lates: max(lates) > 2 * SECOND,
        ),
    ],
)
def test_a_fault_bites_and_is_gone_when_it_is_healed(
    line: str, way: str, bites: Callable[[list[int]], bool]
) -> None:
    """As the network knows it, in the numbers that arrive."""
    early, late = heard(line)

    assert bites(of(way, early)), of(way, early)
    assert of("datagram", late) == CALM[1]


def test_a_fault_with_nothing_to_do_is_left_out() -> None:
    """It must not stand in a trace."""
    load()
    with Session(PAIR) as session:
        session.warm_up()
        session.apply(parse_action("crash-host host=host-a down=60s"))
        for line, says in (
            ("crash process=a down=1s", "a is down already"),
            ("pause process=a down=1s", "a is not running"),
            ("crash-host host=host-a down=1s", "no power already"),
            ("partition hosts=host-a,host-b lasting=1s", "two sides"),
            ("slow-link host=host-a other=host-a extra=20ms lasting=5s", "two ends"),
            ("lose hosts=host-a,host-b permille=1000 lasting=5s", "the other side"),
        ):
            with pytest.raises(CannotApply, match=says):
                session.apply(parse_action(line))
        assert len(session.steps) == 1
        assert session.world.processes["a"].state is ProcessState.CRASHED


def test_healing_restarts_what_is_down() -> None:
    """When the story is over everything that faults took away comes back."""
    load()
    with Session(PAIR) as session:
        session.warm_up()
        session.apply(parse_action("crash-host host=host-a down=300s"))
        session.apply(parse_action("pause process=b down=120s"))
        session.finish(STORY_NS)

        assert session.world.processes["a"].is_running
        assert session.world.processes["b"].is_running


def test_heal_ends_every_fault_before_its_time() -> None:
    load()
    with Session(PAIR) as session:
        session.warm_up()
        for line in (
            "partition hosts=host-a lasting=60s",
            "pause process=b down=60s",
            "crash process=a down=60s",
        ):
            session.apply(parse_action(line))
        session.advance_to(2 * SECOND)
        session.apply(parse_action("heal"))
        session.advance_to(4 * SECOND)
        ended = [one for one in session.world.journal.entries if isinstance(one.event, FaultEnded)]
        heard_since = [
            one
            for one in session.world.journal.entries
            if isinstance(one.event, Heard) and one.at > session.began + 3 * SECOND
        ]

    assert len(ended) == 4 and {one.at - session.began for one in ended} == {2 * SECOND}
    assert len(heard_since) >= 10
