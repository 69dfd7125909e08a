"""A host's clocks drift and jump, its processes live by them, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.sim import MILLISECOND, SECOND, Process, UsageError, World
from chaoskube.sim.host_clock import HostClock

EPOCH = 1_767_225_600 * SECOND


def run(act: Callable[[World, Process, Process], None]) -> None:
    """Two processes on two machines."""
    with World() as world:
        one = world.process("one", host="a", boot=lambda _: None)
        other = world.process("other", host="b", boot=lambda _: None)
        one.start()
        other.start()
        world.call_later(1000 * SECOND, lambda: None)
        act(world, one, other)


@pytest.mark.parametrize(("ppm", "due"), [(250_000, 80), (-200_000, 125), (0, 100)])
def test_timers_run_by_the_rate_of_their_host(ppm: int, due: int) -> None:
    """A process whose clock is fast acts too early, by everybody else's."""

    def act(world: World, one: Process, other: Process) -> None:
        world.host("a").drift(ppm)
        fired: dict[str, int] = {}
        for process in (one, other):
            process.call_later(
                100 * SECOND, lambda name: fired.update({name: world.now // SECOND}), process.name
            )
        slept: list[int] = []

        async def sleep() -> None:
            await one.sleep(100 * SECOND)
            slept.append(world.now // SECOND)

        one.spawn(sleep)
        world.advance(200 * SECOND)

        assert fired == {"one": due, "other": 100} and slept == [due]

    run(act)


def test_a_timer_that_is_set_already_follows_the_rate_that_comes_later() -> None:
    def act(world: World, one: Process, other: Process) -> None:
        fired: list[tuple[int, int]] = []
        one.call_later(100 * SECOND, lambda: fired.append((world.now // SECOND, one.now // SECOND)))
        cancelled = one.call_later(50 * SECOND, fired.append, (0, 0))
        world.advance(20 * SECOND)
        cancelled.cancel()
        drift = world.host("a").drift(1_000_000)
        world.advance(10 * SECOND)
        drift.heal()
        world.advance(100 * SECOND)

        assert fired == [(90, 100)]

    run(act)


def test_the_monotonic_clock_drifts_and_never_jumps_and_the_wall_clock_does_both() -> None:
    def act(world: World, one: Process, other: Process) -> None:
        host = world.host("a")
        jump = host.step_wall(-3600 * SECOND)
        assert (one.monotonic_ns(), one.wall_ns()) == (0, EPOCH - 3600 * SECOND)
        drift = host.drift(100_000)
        world.advance(100 * SECOND)
        assert one.monotonic_ns() == one.now == 110 * SECOND
        assert one.wall_ns() == host.wall_ns() == EPOCH - 3600 * SECOND + 110 * SECOND
        assert (other.monotonic_ns(), other.wall_ns()) == (100 * SECOND, EPOCH + 100 * SECOND)
        drift.heal()
        assert one.monotonic_ns() == 110 * SECOND
        jump.heal()
        jump.heal()
        world.advance(SECOND)

        assert one.monotonic_ns() == 111 * SECOND
        assert one.wall_ns() == other.wall_ns() == EPOCH + 101 * SECOND

    run(act)


def test_a_jump_of_the_wall_clock_moves_no_timer() -> None:
    def act(world: World, one: Process, other: Process) -> None:
        fired: list[int] = []
        one.call_later(10 * SECOND, lambda: fired.append(world.now))
        world.host("a").step_wall(3600 * SECOND)
        world.advance(20 * SECOND)

        assert fired == [10 * SECOND]

    run(act)


def test_a_process_that_comes_to_a_host_later_has_the_hosts_clocks() -> None:
    def act(world: World, one: Process, other: Process) -> None:
        world.host("a").drift(100_000)
        world.host("a").step_wall(SECOND)
        world.advance(10 * SECOND)
        late = world.process("late", host="a", boot=lambda _: None)

        assert (late.now, late.wall_ns()) == (one.now, one.wall_ns()) == (11 * SECOND, EPOCH + 12 * SECOND)

    run(act)


def test_the_journal_and_disks_keep_the_worlds_time() -> None:
    def act(world: World, one: Process, other: Process) -> None:
        world.host("a").drift(1_000_000)
        world.advance(10 * SECOND)
        synced: list[int] = []
        one.disk.append("log", 1)
        one.disk.sync(lambda: synced.append(world.now - 10 * SECOND))
        one.record("ten seconds")
        world.advance(SECOND)

        assert world.journal.entries[-1].at == 10 * SECOND and synced == [2 * MILLISECOND + 100_000]

    run(act)


def test_time_cannot_stand_still() -> None:
    def act(world: World, one: Process, other: Process) -> None:
        world.host("a").drift(-600_000)
        with pytest.raises(UsageError, match="stand still"):
            world.host("a").drift(-400_000)

    run(act)


@given(
    st.lists(st.tuples(st.integers(-900_000, 900_000), st.integers(0, 10**12)), max_size=6),
    st.integers(0, 10**13),
)
def test_a_timer_is_due_at_the_first_instant_that_shows_its_time(
    changes: list[tuple[int, int]], ahead: int
) -> None:
    """Never early by its own clock, never late by more than a tick of it; and time never goes back."""
    with World() as world:
        clock = HostClock(world.clock)
        shown = clock.now
        for ppm, lasting in changes:
            clock.run_at(ppm)
            assert clock.now == shown
            world.clock.move_to(world.now + lasting)
            assert clock.now >= shown
            shown = clock.now
        due = clock.world_time(shown + ahead)
        world.clock.move_to(max(due - 1, world.now))
        assert clock.now < shown + ahead or ahead == 0 or due <= world.now
        world.clock.move_to(due)
        assert clock.now >= shown + ahead
