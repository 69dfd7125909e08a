"""Aims: an action falls on the moment that it names, the text of a trace is that aim, and what never comes is told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import attrs
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.action import Step, parse_step
from chaoskube.aim import Aim, Mark, marks_seen, ordinal, parse_aim
from chaoskube.faults.crash import Crash
from chaoskube.faults.pause import Pause
from chaoskube.generate import generate
from chaoskube.invariant import always
from chaoskube.minimise import minimise
from chaoskube.moment import moment, stream_moment
from chaoskube.passes import lower_aims, rename_throughout
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenario import Scenario, Setup
from chaoskube.sim import (
    SECOND,
    Address,
    Connection,
    Entry,
    Line,
    Process,
    ProcessStopped,
    UsageError,
    World,
    seconds,
)


@frozen(kw_only=True)
class ToySent:
    """A worker is about to send letter `number` about a topic."""

    number: int
    topic: str


@frozen(kw_only=True)
class ToyThanked:
    """The thanks for a letter are there."""

    number: int


@frozen(kw_only=True)
class Filed:
    """The office has filed a letter."""

    number: int


moment("letter", before=ToySent, after=ToyThanked, paired_by="number", told_by=("topic",))
stream_moment("thanks", label="post/{}")


class Office:
    """Two workers send a letter each second, on work and play in turns; an office files and thanks, 10 ms later."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.world = world
        self.observer = None
        world.process("office", host="host-o", boot=self._boot_office).start()
        for name in ("worker-1", "worker-2"):
            world.process(name, host=f"host-{name}", boot=self._boot).start()

    def _boot_office(self, process: Process) -> None:
        def accept(connection: Connection) -> None:
            connection.on_message = lambda number: self._file(process, connection, number)

        process.listen(80, accept)

    def _file(self, process: Process, connection: Connection, number: object) -> None:
        assert isinstance(number, int)
        process.record(Filed(number=number))
        process.call_later(SECOND // 100, connection.send, number)

    def _boot(self, process: Process) -> None:
        post = process.connect(Address(self.world.network.ip_of("host-o"), 80), label="post/letters")
        post.on_message = lambda number: process.record(ToyThanked(number=_number(number)))
        process.spawn(self._work, process, post)

    async def _work(self, process: Process, post: Connection) -> None:
        number = 0
        while True:
            await process.sleep(SECOND)
            number += 1
            process.record(ToySent(number=number, topic="work" if number % 2 else "play"))
            post.send(number)

    def targets(self, kind: str) -> Sequence[str]:
        return ("worker-1", "worker-2", "office") if kind == "process" else ()

    def warm(self) -> str | None:
        return None if self.world.now >= 5 * SECOND // 2 else "it is early"

    def unsettled(self) -> str | None:
        return None

    def tell(self, entry: Entry) -> Line | None:
        return None

    def assumptions(self) -> Sequence[str]:
        return ()


def _number(message: object) -> int:
    assert isinstance(message, int)
    return message


@always(on=[ProcessStopped])
def nobody_dies_between(event: Entry, memory: dict[str, object]) -> None:
    """Nobody dies at 500 ms past a second of the world's clock."""
    assert event.at % SECOND != 0, f"{event.by} died with a letter in hand"


OFFICE = Scenario(name="office", doc="Letters.", build=Office, menu=(Crash, Pause), invariants=())
STRICT = attrs.evolve(OFFICE, invariants=(nobody_dies_between,))


def played(*lines: str, duration: str = "6s", scenario: Scenario = OFFICE) -> tuple[Result, list[Entry]]:
    """The run of these lines, and its journal."""
    with Session(scenario) as session:
        session.warm_up()
        for step in map(parse_step, lines):
            session.advance_to(step.at)
            session.apply(step.action, step.aim)
        result = session.finish(seconds(duration), settles=False)
        return result, list(session.world.journal.entries)


def told(entries: list[Entry], *types: type) -> list[tuple[int, str, str]]:
    """When, who and what, in milliseconds."""
    return [
        (one.at // 1_000_000, one.by, type(one.event).__name__)
        for one in entries
        if isinstance(one.event, types) and one.at > 5 * SECOND // 2
    ]


def letters(entries: list[Entry], by: str, event: type) -> list[int]:
    return [one.event.number for one in entries if isinstance(one.event, event) and one.by == by]  # type: ignore[attr-defined]  # each has a number


def test_what_is_aimed_before_happens_before_it_takes_effect() -> None:
    """A crash between two writes is the most telling there is: the second must not have left."""
    result, entries = played("before 2nd letter of worker-1 crash process=worker-1 down=60s")

    assert told(entries, ProcessStopped) == [(4000, "worker-1", "ProcessStopped")]
    assert letters(entries, "worker-1", ToySent) == [1, 2, 3, 4]
    filed = letters(entries, "office", Filed)
    assert filed.count(3) == 2 and filed.count(4) == 1, "worker-2's alone: the fourth of worker-1 never left"
    assert [step.text() for step in result.plan.steps] == [
        "before 2nd letter of worker-1 crash process=worker-1 down=60s"
    ]


def test_what_is_aimed_after_happens_when_its_answer_is_there() -> None:
    """The write is done, and whoever sent it dies before it can act on the answer."""
    _, entries = played("after 2nd letter of worker-1 crash process=worker-1 down=60s")

    assert told(entries, ProcessStopped) == [(4011, "worker-1", "ProcessStopped")]
    assert letters(entries, "office", Filed).count(4) == 2


def test_words_before_the_name_say_which() -> None:
    _, entries = played("before 2nd play letter of worker-2 crash process=worker-1 down=60s")

    assert told(entries, ProcessStopped) == [(6000, "worker-1", "ProcessStopped")]


def test_moments_are_counted_from_the_time_of_the_step() -> None:
    """Removing what came before doesn't change what is meant."""
    _, entries = played("from 2s before 1st letter of worker-1 crash process=worker-1 down=60s")

    assert told(entries, ProcessStopped) == [(5000, "worker-1", "ProcessStopped")]


@pytest.mark.parametrize(("side", "seen"), [("before", [1, 2, 3]), ("after", [1, 2, 3, 4])])
def test_a_message_of_a_stream_can_be_aimed_at(side: str, seen: list[int]) -> None:
    """Before: it has arrived, and nobody has looked at it."""
    for words in ("2nd letters thanks", "2nd post/letters message"):
        _, entries = played(f"{side} {words} at worker-1 crash process=worker-1 down=60s")

        assert letters(entries, "worker-1", ToyThanked) == seen


def test_what_is_frozen_in_the_middle_of_its_code_sends_when_it_thaws() -> None:
    _, entries = played("before 1st letter of worker-1 pause process=worker-1 down=1500ms")

    filed = [one.at for one in entries if isinstance(one.event, Filed) and one.event.number == 3]
    assert [at // 1_000_000 for at in filed] == [3000, 4500]


def test_a_moment_that_never_comes_is_told_and_left_out() -> None:
    """A trace must not claim what didn't happen."""
    result, _ = played(
        "before 99th letter of worker-1 crash process=worker-1", "at 1s crash process=worker-2"
    )

    assert [step.text() for step in result.plan.steps] == ["at 1s crash process=worker-2 down=2s"]
    (left_out,) = result.skipped
    assert left_out.step.text().startswith("before 99th")
    assert left_out.reason == "its moment never came: there were only 6"


def test_an_answer_that_dies_with_its_process_is_replaced_by_the_next() -> None:
    """Numbers begin anew in a new life: the old pair must not be taken for a new one."""
    _, entries = played(
        "after 2nd letter of worker-1 crash process=worker-2 down=60s",
        "at 1505ms crash process=worker-1 down=500ms",
        duration="8s",
    )

    assert told(entries, ProcessStopped) == [
        (4005, "worker-1", "ProcessStopped"),
        (5516, "worker-2", "ProcessStopped"),
    ]


def test_an_aimed_run_repeats_to_the_last_byte() -> None:
    lines = (
        "before 2nd letter of worker-1 crash process=worker-1 down=1s",
        "from 1s after 1st letter of worker-2 pause process=office down=2s",
    )
    first, _ = played(*lines)
    plan = attrs.evolve(first.plan, duration_ns=6 * SECOND)

    assert [step.text() for step in first.plan.steps] == [parse_step(line).text() for line in lines]
    assert play(plan, settles=False).digest == first.digest
    assert played(lines[0])[0].digest != first.digest


MARKS = st.sampled_from(
    [
        Mark(moment="letter", process="worker-1"),
        Mark(moment="letter", process="a@b-1", kinds=("work",)),
        Mark(moment="thanks", process="kubelet@node-1", kinds=("letters",)),
        Mark(moment="message", process="x", kinds=("watch/pods",)),
    ]
)
AIMS = st.builds(Aim, side=st.sampled_from(["before", "after"]), nth=st.integers(1, 999), mark=MARKS)


@given(AIMS, st.integers(0, 10**11))
def test_a_step_is_what_its_text_says(aim: Aim, at: int) -> None:
    step = Step(at=at // 10**6 * 10**6, action=Crash(process="worker-1"), aim=aim)

    assert parse_step(step.text()) == step
    assert parse_aim(f"{aim.text()} heal") == (aim, "heal")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "before 0th letter of worker-1 heal",
            "'0th' must be 1st, 2nd, .*; write it like: before 2nd write of",
        ),
        ("before second letter of worker-1 heal", "must be 1st, 2nd, .*; write it like: "),
        ("before 1st leter of worker-1 heal", "did you mean 'letter'"),
        ("before 1st letter heal", "is not an aimed action"),
        ("before 1st thanks at worker-1 heal", "write it like: before 2nd pods thanks at worker-1"),
        ("after 1st message at worker-1 heal", "write it like: after 2nd watch/pods message at worker-1"),
        ("from 5s crash process=worker-1", "is not an aimed action"),
        ("during 1st letter of worker-1 heal", "is not an action"),
        ("at 5s", "is not an action"),
        ("before 1st letter of worker-1 explode", "explode"),
    ],
)
def test_what_is_no_aim_is_answered_with_what_would_be(line: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_step(line)


def test_ordinals() -> None:
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th",
    ]  # fmt: skip


def test_an_aim_at_nobody_cannot_be_applied() -> None:
    result = play(
        Plan(
            scenario=OFFICE,
            steps=(parse_step("before 1st letter of worker-9 crash process=worker-1"),),
            duration_ns=SECOND,
        )
    )

    assert "no process 'worker-9' to aim at" in result.skipped[0].reason


def test_the_generator_knows_what_happens_again_and_again() -> None:
    """It aims at what these components do, not at what others might, nor at what came once."""

    def texts(session: Session) -> list[str]:
        names = session.targets("process")
        return [one.text() for one in marks_seen(session.world.journal.entries, session.world.network, names)]

    with Session(OFFICE) as session:
        session.warm_up()
        early = texts(session)
        session.advance_to(10 * SECOND)
        late = texts(session)

    assert sorted(early) == ["letter of worker-1", "letter of worker-2"]
    assert "play letter of worker-2" in late and "letters thanks at worker-1" in late
    assert not [text for text in late if "office" in text]


def test_the_hunt_aims_and_the_minimiser_brings_it_nearer() -> None:
    """What only a crash in the middle of a letter shows is found, and stays aimed at the first one."""
    found = (
        result
        for result in (generate(STRICT, seed) for seed in range(200))
        if result.failure is not None and any(step.aim is not None for step in result.plan.steps)
    )

    small = [[step.text() for step in minimise(result).plan.steps] for result in islice(found, 5)]

    assert ["before 1st letter of worker-1 crash process=worker-1 down=100ms"] in small


def test_passes_make_aims_simpler_and_rename_them_along() -> None:
    plan = Plan(
        scenario=OFFICE,
        steps=(parse_step("before 9th work letter of worker-2 crash process=worker-2"),),
        duration_ns=SECOND,
    )

    def names(kind: str) -> Sequence[str]:
        return ("worker-1", "worker-2") if kind == "process" else ()

    assert [one.steps[0].when() for one in lower_aims(plan, names)] == [
        "before 9th letter of worker-2",
        "before 1st work letter of worker-2",
        "before 4th work letter of worker-2",
        "before 8th work letter of worker-2",
    ]
    assert [one.steps[0].text() for one in rename_throughout(plan, names)] == [
        "before 9th work letter of worker-1 crash process=worker-1 down=2s"
    ]
