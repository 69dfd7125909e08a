"""Disks keep what was synced, and fail in the ways that a fault asks for, until it is healed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaoskube.sim import (
    MILLISECOND,
    SECOND,
    BitRotted,
    DiskError,
    DiskFull,
    Process,
    ProcessPanicked,
    ProcessState,
    Rotten,
    Unsynced,
    UsageError,
    World,
)

Act = Callable[[World, Process], None]


def run(act: Act, boot: Callable[[Process], object] = lambda process: None) -> None:
    """Let `act` do something to a process that lives."""
    with World() as world:
        process = world.process("p", host="h", boot=boot)
        process.start()
        world.call_later(100 * SECOND, lambda: None)
        act(world, process)


def synced_after(world: World, process: Process) -> int:
    """How long a write and its sync take now."""
    began, ended = world.now, []
    process.disk.append("log", 1)
    process.disk.sync(lambda: ended.append(world.now))
    world.advance(10 * SECOND)
    return ended[0] - began


def test_a_slow_disk_takes_longer_by_factor_and_by_constant_until_it_is_healed() -> None:
    def act(world: World, process: Process) -> None:
        calm = synced_after(world, process)
        slow, slower = process.disk.slow(factor=10), process.disk.slow(extra_ns=MILLISECOND)
        assert calm == 2_100_000 and synced_after(world, process) == 10 * calm + MILLISECOND
        slow.heal()
        slow.heal()
        assert synced_after(world, process) == calm + MILLISECOND
        slower.heal()
        assert synced_after(world, process) == calm

    run(act)


def test_a_disk_cannot_be_made_faster() -> None:
    def act(world: World, process: Process) -> None:
        with pytest.raises(UsageError, match="must not make a disk faster"):
            process.disk.slow(factor=0)

    run(act)


def test_a_full_disk_refuses_what_is_new_and_keeps_what_is_there() -> None:
    def act(world: World, process: Process) -> None:
        disk = process.disk
        disk.append("log", 1)
        disk.append("log", 2)
        full = disk.fill()
        with pytest.raises(DiskFull, match="p writes to 'log': no space left on device"):
            disk.append("log", 3)
        with pytest.raises(DiskError):
            disk.replace("log", 3)
        disk.truncate("log", 1)
        assert disk.read("log") == (1,) and disk.is_full
        full.heal()
        disk.append("log", 3)

        assert disk.read("log") == (1, 3) and not disk.is_full

    run(act)


@pytest.mark.parametrize("way", ["handler", "task", "nursery"])
def test_a_disk_error_that_nobody_catches_ends_the_process_with_its_reason_not_the_run(way: str) -> None:
    """As a database that panics: the machine and everybody else go on."""
    import trio

    def boot(process: Process) -> None:
        async def write() -> None:
            await process.sleep(SECOND)
            process.disk.append("log", 1)

        async def write_in_a_nursery() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write)

        if way == "handler":
            process.call_later(SECOND, process.disk.append, "log", 1)
        else:
            process.spawn(write if way == "task" else write_in_a_nursery)

    def act(world: World, process: Process) -> None:
        process.disk.fill()
        world.advance(2 * SECOND)
        panics = [one.event for one in world.journal.entries if isinstance(one.event, ProcessPanicked)]

        assert process.state is ProcessState.STOPPED
        assert len(panics) == 1 and "no space left" in panics[0].why and panics[0].life == 1

    run(act, boot)


def test_a_process_that_panics_while_it_starts_is_restarted_by_its_supervisor() -> None:
    def boot(process: Process) -> None:
        process.disk.append("log", process.life)

    def act(world: World, process: Process) -> None:
        process.crash(unsynced=Unsynced.KEPT)
        process.restart_after_ns = SECOND
        full = process.disk.fill()
        process.start()
        world.advance(SECOND // 2)
        full.heal()
        world.advance(SECOND)

        assert process.is_running and process.disk.read("log") == (1, 3)

    run(act, boot)


def test_a_rotten_record_reads_back_as_such_and_only_it() -> None:
    def act(world: World, process: Process) -> None:
        disk = process.disk
        for number in range(3):
            disk.append("log", number)
        disk.sync(lambda: None)
        world.advance(SECOND)
        rot = disk.rot("log", -2)
        process.crash()
        process.start()
        first, rotten, last = disk.read("log")

        assert (first, last) == (0, 2) and isinstance(rotten, Rotten) and rotten.was == 1
        assert [one.event for one in world.journal.entries if isinstance(one.event, BitRotted)] == [
            BitRotted(file="log", place=1)
        ]
        rot.heal()
        assert disk.read("log") == (0, 1, 2)

    run(act)


def test_what_was_written_over_a_rotten_record_is_not_repaired_away() -> None:
    def act(world: World, process: Process) -> None:
        disk = process.disk
        disk.append("log", "old")
        disk.sync(lambda: None)
        world.advance(SECOND)
        rot = disk.rot("log", 0)
        disk.replace("log", "new")
        rot.heal()
        assert disk.read("log") == ("new",)
        process.crash()
        assert disk.read("log") == ("old",)

    run(act)


@pytest.mark.parametrize("first", [0, 1])
def test_a_record_that_rots_twice_is_good_again_when_both_have_healed(first: int) -> None:
    def act(world: World, process: Process) -> None:
        disk = process.disk
        disk.append("log", "good")
        disk.sync(lambda: None)
        world.advance(SECOND)
        rots = [disk.rot("log", 0), disk.rot("log", 0)]
        rots[first].heal()
        rots[1 - first].heal()
        assert disk.read("log") == ("good",)

    run(act)


def test_whoever_asked_hears_of_each_file_that_is_replaced_before_it_is_safe() -> None:
    def act(world: World, process: Process) -> None:
        disk, heard = process.disk, list[tuple[object, ...]]()
        watching = disk.when_replaced(lambda: heard.append(disk.read("db")))
        disk.append("db", 1)
        disk.replace("db", 2)
        process.crash()
        watching.heal()
        disk.replace("db", 3)
        assert heard == [(2,)] and disk.read("db") == (3,)

    run(act)


def test_only_what_is_stored_can_rot() -> None:
    def act(world: World, process: Process) -> None:
        process.disk.append("log", 0)
        with pytest.raises(UsageError, match="0 stored records in 'log'; there is none at -1"):
            process.disk.rot("log", -1)

    run(act)


@pytest.mark.parametrize(("is_healed", "kept"), [(False, (1,)), (True, (1, 2, 3))])
def test_a_lying_disk_loses_what_it_said_was_synced_unless_it_became_honest_in_time(
    is_healed: bool, kept: tuple[int, ...]
) -> None:
    def act(world: World, process: Process) -> None:
        synced_after(world, process)
        lie = process.disk.lie()
        process.disk.append("log", 2)
        done: list[int] = []
        process.disk.sync(lambda: done.append(world.now))
        world.advance(SECOND)
        assert done and process.disk.read("log") == (1, 2)
        if is_healed:
            lie.heal()
            process.disk.append("log", 3)
            process.disk.sync(lambda: None)
            world.advance(SECOND)
        process.crash()

        assert process.disk.read("log") == kept

    run(act)
