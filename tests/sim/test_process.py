"""Processes crash, pause, resume and restart as honest ones do."""

from __future__ import annotations

import attrs
import pytest

from chaoskube.sim import SECOND, Disk, Entry, Process, ProcessState, Torn, Unsynced, World


def test_a_crash_loses_memory_and_timers_and_keeps_the_disk() -> None:
    lives: list[tuple[int, tuple[object, ...]]] = []

    def boot(process: Process) -> None:
        lives.append((process.life, process.disk.read("log")))
        process.disk.append("log", process.life)
        process.disk.sync(lambda: None)
        process.call_later(5 * SECOND, lives.append, (0, ()))

    with World() as world:
        process = world.process("p", host="h", boot=boot)
        process.start()
        world.advance(SECOND)
        process.crash()
        assert process.state is ProcessState.CRASHED
        world.call_later(20 * SECOND, lambda: None)
        world.advance(10 * SECOND)
        process.start()
        world.advance(SECOND)
    assert lives == [(1, ()), (2, (1,))]


def test_a_paused_process_does_everything_late_and_in_order() -> None:
    seen: list[tuple[str, int]] = []

    def boot(process: Process) -> None:
        async def main() -> None:
            await process.sleep(2 * SECOND)
            seen.append(("task", process.now))

        process.spawn(main)
        process.call_later(3 * SECOND, lambda: seen.append(("timer", process.now)))

    with World() as world:
        process = world.process("p", host="h", boot=boot)
        process.start()
        world.call_later(100 * SECOND, lambda: None)
        world.advance(SECOND)
        process.pause()
        world.advance(9 * SECOND)
        assert seen == []
        process.resume()
        world.advance(SECOND)
    assert seen == [("task", 10 * SECOND), ("timer", 10 * SECOND)]


def test_a_timer_that_came_due_in_a_pause_can_still_be_cancelled() -> None:
    fired: list[str] = []
    with World() as world:
        process = world.process("p", host="h", boot=lambda _: None)
        process.start()
        process.call_later(2 * SECOND, lambda: late.cancel())
        late = process.call_later(3 * SECOND, fired.append, "late")
        world.call_later(100 * SECOND, lambda: None)
        process.pause()
        world.advance(5 * SECOND)
        assert late.active
        process.resume()
        world.advance(SECOND)
    assert fired == []


def test_power_loss_ends_all_processes_and_memory_and_power_brings_them_back() -> None:
    with World() as world:
        process = world.process("p", host="h", boot=lambda _: None)
        process.start()
        host = world.host("h")
        host.memory["rules"] = "x"
        world.network.assign_ip("10.0.0.9", "h")
        host.crash()
        assert (world.network.host_of_ip("10.0.0.9"), world.network.host_of_ip(host.ip)) == (None, "h")
        assert (process.state, host.memory, host.is_up) == (ProcessState.CRASHED, {}, False)
        process.start()
        assert not process.is_alive
        host.start()
        assert process.is_running


def test_a_process_that_exits_is_restarted_by_its_supervisor() -> None:
    with World() as world:
        process = world.process("p", host="h", boot=lambda p: p.call_later(60 * SECOND, p.exit))
        process.restart_after_ns = 10 * SECOND
        process.start()
        world.advance(61 * SECOND)
        assert not process.is_alive
        world.advance(10 * SECOND)
        assert process.is_running and process.life == 2


def _disk_after(unsynced: Unsynced, seed: int = 0) -> tuple[object, ...]:
    def boot(process: Process) -> None:
        if process.life > 1:
            return
        disk: Disk = process.disk

        def more() -> None:
            disk.append("wal", "c")
            disk.append("wal", "d")

        disk.append("wal", "a")
        disk.append("wal", "b")
        disk.sync(more)

    with World(seed=seed) as world:
        process = world.process("p", host="h", boot=boot)
        process.start()
        world.call_later(SECOND, lambda: None)
        world.advance(SECOND // 2)
        assert process.disk.read("wal") == ("a", "b", "c", "d")
        process.crash(unsynced=unsynced)
        return process.disk.read("wal")


def test_a_process_that_is_asked_to_end_does_as_it_sees_fit() -> None:
    """At once where nobody listens; who is paused hears of it when it goes on; who has ended hears nothing."""
    heard: list[int] = []

    def deaf(process: Process) -> None:
        """Listens to nothing."""

    def careful(process: Process) -> None:
        def hear() -> None:
            heard.append(process.now)
            process.call_later(1 * SECOND, process.exit)

        process.on_sigterm = hear

    with World(seed=1) as world:
        world.add_host("h")
        first, second = (
            world.process(name, host="h", boot=boot) for name, boot in (("a", deaf), ("b", careful))
        )
        first.start()
        second.start()
        second.pause()
        first.terminate()
        second.terminate()
        assert (first.is_alive, second.is_alive, heard) == (False, True, [])
        world.call_later(2 * SECOND, second.resume)
        world.call_later(9 * SECOND, lambda: None)
        world.advance(5 * SECOND)
        second.terminate()

    assert heard == [2 * SECOND] and not second.is_alive


def test_a_crash_loses_what_was_not_synced() -> None:
    assert _disk_after(Unsynced.LOST) == ("a", "b")


def test_a_crash_may_keep_what_was_not_synced() -> None:
    assert _disk_after(Unsynced.KEPT) == ("a", "b", "c", "d")


def test_a_crash_may_tear_what_was_not_synced() -> None:
    results = {_disk_after(Unsynced.TORN, seed) for seed in range(20)}
    assert results == {("a", "b", Torn()), ("a", "b", "c", Torn())}


def test_a_sync_covers_what_was_written_before_it_and_no_more() -> None:
    def boot(process: Process) -> None:
        if process.life == 1:
            process.disk.replace("vote", 1)
            process.disk.sync(lambda: None)
            process.disk.replace("vote", 2)

    with World() as world:
        process = world.process("p", host="h", boot=boot)
        process.start()
        world.call_later(SECOND, lambda: None)
        world.advance(SECOND // 2)
        process.crash()
        assert process.disk.read("vote") == (1,)


@attrs.frozen
class _Decided:
    """A process writes this, and somebody kills it for it."""

    what: str


def _killed_while_it_writes(kill: str) -> list[str]:
    """What a handler and a task of a process get done that is killed (by a crash or a power cut) at its journal entry."""
    done: list[str] = []

    def boot(process: Process) -> None:
        def handler() -> None:
            done.append("handler begins")
            process.record(_Decided("handler"))
            done.append("handler goes on")

        async def task() -> None:
            await process.sleep(2 * SECOND)
            done.append("task begins")
            process.record(_Decided("task"))
            done.append("task goes on")

        process.call_later(SECOND if process.life == 1 else 60 * SECOND, handler)
        process.spawn(task)

    with World() as world:
        process = world.process("p", host="h", boot=boot)

        def on_decided(_entry: Entry) -> None:
            if kill == "crash":
                process.crash()
                world.call_later(SECOND, process.start)
            else:
                process.machine.crash()
                world.call_later(SECOND, process.machine.start)

        world.journal.subscribe(_Decided, on_decided)
        process.start()
        world.advance(10 * SECOND)
    return done


@pytest.mark.parametrize("kill", ["crash", "power cut"])
def test_what_is_killed_while_it_writes_to_the_journal_does_nothing_more(kill: str) -> None:
    """A crash can fall between any two steps of a component's code, and the world goes on."""
    done = _killed_while_it_writes(kill)

    assert done[:2] == ["handler begins", "task begins"]
    assert not [one for one in done if one.endswith("goes on")]


def test_who_is_paused_in_the_middle_of_its_code_sends_when_it_thaws() -> None:
    """Datagrams as well as what goes over connections (`test_network.py`)."""
    heard: list[int] = []

    def boot_receiver(process: Process) -> None:
        process.on_datagram = lambda _sender, _message: heard.append(process.world.now // SECOND)

    def boot_sender(process: Process) -> None:
        def handler() -> None:
            process.pause()
            process.send("receiver", "late")

        process.call_later(SECOND, handler)

    with World() as world:
        world.process("receiver", host="b", boot=boot_receiver).start()
        sender = world.process("sender", host="a", boot=boot_sender)
        sender.start()
        world.call_later(5 * SECOND, sender.resume)
        world.call_later(60 * SECOND, lambda: None)
        world.advance(10 * SECOND)
    assert heard == [5]
