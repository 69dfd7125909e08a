"""A process dies where a file is replaced, with the old one or the new one on its disk, and comes back in time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chaoskube.action import parse_action
from chaoskube.discovery import load
from chaoskube.run import Session
from chaoskube.scenario import Scenario, Setup
from chaoskube.sim import SECOND, Entry, FaultEnded, Line, Process, ProcessStarted, ProcessStopped, World


class Keeper:
    """Replaces a file each second."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.observer = None
        self.found: list[tuple[object, ...]] = []
        world.process("keeper", host="host-k", boot=self._boot).start()

    def _boot(self, process: Process) -> None:
        self.found.append(process.disk.read("db"))
        self._save(process, 1)

    def _save(self, process: Process, number: int) -> None:
        process.disk.replace("db", (process.life, number))
        process.disk.sync(lambda: None)
        process.call_later(SECOND, self._save, process, number + 1)

    def targets(self, kind: str) -> Sequence[str]:
        return ("keeper",) if kind == "process" else ()

    def warm(self) -> str | None:
        return None

    def unsettled(self) -> str | None:
        return None

    def tell(self, entry: Entry) -> Line | None:
        return None

    def assumptions(self) -> Sequence[str]:
        return ()


def played(line: str) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    """What each life found on the disk, and when lives and the fault ended and began, in seconds."""
    load()
    keepers: list[Keeper] = []

    def build(world: World, setup: Setup) -> Keeper:
        keepers.append(Keeper(world, setup))
        return keepers[0]

    scenario = Scenario(
        name="keeper", doc="A file is replaced.", setup={}, build=build, menu=(), invariants=()
    )
    with Session(scenario) as session:
        session.warm_up()
        session.advance_to(SECOND // 2)
        session.apply(parse_action(line))
        session.finish(20 * SECOND, settles=False)
        kinds = (ProcessStarted, ProcessStopped, FaultEnded)
        times = [
            (one.at // SECOND, type(one.event).__name__)
            for one in session.world.journal.entries
            if isinstance(one.event, kinds)
        ]
    return keepers[0].found, times


@pytest.mark.parametrize(("unsynced", "left"), [("lost", (1, 2)), ("torn", (1, 2)), ("kept", (1, 3))])
def test_it_dies_before_the_new_file_is_safe(unsynced: str, left: object) -> None:
    """A file that is replaced is there, old or new, and never torn."""
    found, times = played(f"crash-renaming process=keeper nth=2 down=4s unsynced={unsynced}")

    assert found == [(), (left,)]
    assert times == [
        (0, "ProcessStarted"),
        (2, "ProcessStopped"),
        (6, "ProcessStarted"),
        (6, "FaultEnded"),
    ]


def test_it_waits_for_as_long_as_nothing_is_replaced_and_healing_ends_it() -> None:
    load()
    scenario = Scenario(
        name="keeper", doc="A file is replaced.", setup={}, build=Keeper, menu=(), invariants=()
    )
    with Session(scenario) as session:
        session.warm_up()
        session.advance_to(SECOND // 2)
        session.apply(parse_action("crash-renaming process=keeper nth=2 down=4s"))
        session.advance_to(SECOND)
        session.apply(parse_action("heal"))
        session.finish(20 * SECOND, settles=False)
        entries = session.world.journal.entries

        assert not any(isinstance(one.event, ProcessStopped) for one in entries)
        assert sum(isinstance(one.event, FaultEnded) for one in entries) >= 1
