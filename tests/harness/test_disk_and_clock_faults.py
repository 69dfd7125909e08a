"""Faults of disks and clocks bite, are gone when healed, and spare a process that has no disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from attrs import frozen

from chaoskube.action import parse_action
from chaoskube.arguments import CannotApply
from chaoskube.discovery import load
from chaoskube.run import Session
from chaoskube.scenario import Scenario, Setup
from chaoskube.scenarios.menus import BEYOND, everything
from chaoskube.sim import MILLISECOND, SECOND, Entry, Line, Process, ProcessPanicked, Rotten, World

STORY_NS = 20 * SECOND
CLOCKS_ARE_WRONG_NS = 5 * SECOND


@frozen(kw_only=True)
class Saved:
    """The writer's record is safe. `since_local` is its monotonic clock's time since the last one."""

    took: int
    since_local: int
    wall_error: int
    found: int
    rotten: int


class Writer:
    """`writer` saves a record each second of its own; `idler` keeps nothing."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.world = world
        self.observer = None
        world.process("writer", host="host-w", boot=self._boot).start()
        world.process("idler", host="host-i", boot=lambda process: None).start()

    def _boot(self, process: Process) -> None:
        found = process.disk.read("log")
        rotten = sum(1 for record in found if isinstance(record, Rotten))
        self._save(process, process.now, len(found), rotten)

    def _save(self, process: Process, before: int, found: int, rotten: int) -> None:
        began, now = self.world.now, process.now
        process.disk.append("log", now)

        def saved() -> None:
            process.record(
                Saved(
                    took=self.world.now - began,
                    since_local=now - before,
                    wall_error=process.wall_ns() - self.world.wall_ns(),
                    found=found,
                    rotten=rotten,
                )
            )

        process.disk.sync(saved)
        process.call_later(SECOND, self._save, process, now, found, rotten)

    def targets(self, kind: str) -> Sequence[str]:
        return {"process": ("writer", "idler"), "host": ("host-w", "host-i")}.get(kind, ())

    def warm(self) -> str | None:
        return None if self.world.now >= 3 * SECOND + SECOND // 2 else "it is early"

    def unsettled(self) -> str | None:
        return None

    def tell(self, entry: Entry) -> Line | None:
        return None

    def assumptions(self) -> Sequence[str]:
        return ()


WRITER = Scenario(
    name="writer", doc="A process with a disk, and one without.", build=Writer, menu=(), invariants=()
)


def play(*lines: str) -> tuple[list[Entry], list[Entry]]:
    """What was journalled in the first 5 s of the story, and in the last 5 s."""
    load()
    with Session(WRITER) as session:
        session.warm_up()
        for line in lines:
            session.apply(parse_action(line))
        session.finish(STORY_NS, settles=False)
        entries = [one for one in session.world.journal.entries if one.at >= session.began]
        early = [one for one in entries if one.at < session.began + CLOCKS_ARE_WRONG_NS]
        return early, [one for one in entries if one.at >= session.began + STORY_NS - 5 * SECOND]


def saves(entries: Sequence[Entry]) -> list[Saved]:
    return [one.event for one in entries if isinstance(one.event, Saved)]


@pytest.mark.parametrize(
    ("line", "is_bitten"),
    [
        ("slow-disk process=writer factor=5 lasting=5s", lambda saved: saved.took >= 5 * 2_100_000),
        ("slow-disk process=writer extra=100ms lasting=5s", lambda saved: saved.took == 102_100_000),
        ("clock-offset host=host-w offset=3s lasting=5s", lambda saved: saved.wall_error == 3 * SECOND),
        ("clock-offset host=host-w way=behind lasting=5s", lambda saved: saved.wall_error == -2 * SECOND),
        ("clock-drift host=host-w ppm=100000 lasting=5s", lambda saved: saved.wall_error > 0),
        ("clock-drift host=host-w ppm=100000 way=slow lasting=5s", lambda saved: saved.wall_error < 0),
    ],
)
def test_it_bites_at_once_and_is_gone_when_it_is_over(line: str, is_bitten: Callable[[Saved], bool]) -> None:
    early, late = play(line)

    assert saves(early) and all(is_bitten(saved) for saved in saves(early))
    assert len(saves(late)) == 5
    assert {(saved.took, saved.wall_error) for saved in saves(late)} == {(2_100_000, 0)}


def test_a_jump_stays_until_everything_is_healed() -> None:
    early, late = play("clock-jump host=host-w jump=1m way=backwards")
    assert {saved.wall_error for saved in saves(early + late)} == {-60 * SECOND}

    early, late = play("clock-jump host=host-w jump=1m", "heal")
    assert {saved.wall_error for saved in saves(early + late)} == {0}


def test_timers_of_a_fast_host_come_early_and_by_its_own_clock_in_time() -> None:
    """200 000 ppm: six of its seconds in five."""
    early, _ = play("clock-drift host=host-w ppm=200000 lasting=20s")

    assert {saved.since_local for saved in saves(early)} == {SECOND}
    assert len(saves(early)) == 6


def test_a_full_disk_ends_who_cannot_do_without_and_space_brings_it_back() -> None:
    early, late = play("full-disk process=writer lasting=5s")
    panics = [one for one in early if isinstance(one.event, ProcessPanicked)]

    assert len(panics) == 1 and panics[0].by == "writer"
    assert not saves(early) and len(saves(late)) == 5


def test_rot_is_met_at_the_next_start_and_repaired_in_the_end() -> None:
    early, _ = play("bit-rot process=writer back=1 lasting=10s", "crash process=writer down=1s")
    assert [(saved.found, saved.rotten) for saved in saves(early)] == [(4, 1)] * 4

    early, _ = play("bit-rot process=writer back=1 lasting=0.5s", "crash process=writer down=1s")
    assert [(saved.found, saved.rotten) for saved in saves(early)] == [(4, 0)] * 4


def test_a_lying_disk_loses_in_a_crash_what_it_said_was_safe() -> None:
    _, late = play("lying-disk process=writer lasting=20s")
    assert {saved.took for saved in saves(late)} == {2_100_000}

    load()
    with Session(WRITER) as session:
        session.warm_up()
        session.apply(parse_action("lying-disk process=writer lasting=20s"))
        session.advance_to(5 * SECOND)
        session.apply(parse_action("crash process=writer down=1s"))
        session.finish(10 * SECOND, settles=False)
        assert saves(session.world.journal.entries)[-1].found == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("slow-disk process=idler", "keeps nothing on a disk"),
        ("full-disk process=idler", "keeps nothing on a disk"),
        ("bit-rot process=idler", "keeps nothing on a disk"),
        ("lying-disk process=idler", "keeps nothing on a disk"),
        ("crash-renaming process=idler", "keeps nothing on a disk"),
        ("bit-rot process=writer file=2", "has 1 files"),
        ("bit-rot process=writer back=50", "none 50 back"),
    ],
)
def test_what_makes_no_sense_says_so(line: str, why: str) -> None:
    with pytest.raises(CannotApply, match=why):
        play(line)


def test_a_disk_is_full_once() -> None:
    with pytest.raises(CannotApply, match="full already"):
        play("full-disk process=writer", "full-disk process=writer")


def test_who_crashed_while_its_disk_was_full_starts_when_the_crash_is_over() -> None:
    early, late = play("full-disk process=writer lasting=1s", "crash process=writer down=4s")

    assert not [saved for saved in saves(early) if saved.found == 0 and saved.took != 2_100_000]
    assert next(one.at // MILLISECOND for one in early if isinstance(one.event, Saved)) >= 4000
    assert len(saves(late)) == 5


def test_menus_of_everything_leave_out_what_no_invariant_can_stand() -> None:
    load()
    verbs = {action.verb for action in everything()}

    assert {"slow-disk", "full-disk", "bit-rot", "clock-offset", "clock-jump", "clock-drift"} <= verbs
    assert not verbs & set(BEYOND)
