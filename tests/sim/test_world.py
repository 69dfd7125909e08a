"""A world is deterministic, and every way it can go wrong is an outcome with a reason."""

from __future__ import annotations

import time

import pytest
import trio

from chaoskube.sim import (
    SECOND,
    Blocked,
    ComponentError,
    Livelock,
    Process,
    Reply,
    Stuck,
    TimedOut,
    UsageError,
    World,
    pump,
)


def test_time_passes_only_when_told() -> None:
    fired: list[int] = []
    with World() as world:
        world.call_later(2 * SECOND, lambda: fired.append(world.now))
        world.advance(SECOND)
        assert fired == []
        world.advance(SECOND)
        assert (fired, world.now) == ([2 * SECOND], 2 * SECOND)


def test_equal_times_go_by_order_of_scheduling() -> None:
    order: list[int] = []
    with World() as world:
        for number in range(20):
            world.call_later(SECOND, order.append, number)
        world.advance(SECOND)
    assert order == list(range(20))


def test_a_cancelled_timer_does_not_fire() -> None:
    with World() as world:
        timer = world.call_later(SECOND, pytest.fail)
        timer.cancel()
        world.advance(2 * SECOND)
        assert not timer.active


def test_tasks_sleep_on_virtual_time_and_trios_own_sleep_works_too() -> None:
    seen: list[tuple[str, int]] = []

    def boot(process: Process) -> None:
        async def ours() -> None:
            await process.sleep(3 * SECOND)
            seen.append(("ours", process.now))

        async def trios() -> None:
            await trio.sleep(1.5)
            seen.append(("trio", process.now))
            with trio.move_on_after(2):
                await trio.sleep_forever()
            seen.append(("deadline", process.now))

        process.spawn(ours)
        process.spawn(trios)
        process.call_later(100 * SECOND, lambda: None)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        world.advance(10 * SECOND)
    assert seen == [("trio", 1_500_000_000), ("ours", 3 * SECOND), ("deadline", 3_500_000_000)]


def test_a_reply_bridges_a_handler_and_a_task_and_times_out() -> None:
    seen: list[object] = []

    def boot(process: Process) -> None:
        async def main() -> None:
            reply: Reply[str] = process.reply()
            process.call_later(SECOND, reply.set, "hello")
            seen.append(await reply.wait(5 * SECOND))
            try:
                await process.reply().wait(5 * SECOND)
            except TimedOut as late:
                seen.append((process.now, str(late)))

        process.spawn(main)
        process.call_later(100 * SECOND, lambda: None)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        world.advance(20 * SECOND)
    assert seen == ["hello", (6 * SECOND, "no answer within 5 s")]


def test_an_exception_in_a_handler_names_the_component() -> None:
    def boot(process: Process) -> None:
        process.call_later(SECOND, lambda: int("x"))

    with World() as world:
        world.process("etcd-0", host="h", boot=boot).start()
        with pytest.raises(ComponentError, match="etcd-0 raised ValueError"):
            world.advance(2 * SECOND)


def test_an_exception_in_a_task_names_the_component() -> None:
    def boot(process: Process) -> None:
        async def main() -> None:
            await process.sleep(SECOND)
            raise ValueError("no")

        process.spawn(main)

    with World() as world:
        world.process("kubelet", host="h", boot=boot).start()
        with pytest.raises(ComponentError, match="kubelet raised ValueError: no"):
            world.advance(2 * SECOND)
        with pytest.raises(ComponentError):
            world.advance(SECOND)


def test_a_livelock_of_callbacks_is_an_outcome() -> None:
    with World() as world:

        def again() -> None:
            world.call_later(0, again)

        world.call_later(0, again)
        with pytest.raises(Livelock, match="time stands still; the last is .*again"):
            world.advance(SECOND)


def test_a_livelock_of_tasks_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "TURNS_AT_ONE_INSTANT_MAX", 2_000)

    def boot(process: Process) -> None:
        async def spin() -> None:
            while True:
                await trio.lowlevel.checkpoint()

        process.spawn(spin)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        with pytest.raises(Livelock, match="waking each other"):
            world.advance(SECOND)


def test_a_world_in_which_nothing_can_run_is_an_outcome() -> None:
    def boot(process: Process) -> None:
        process.spawn(trio.sleep_forever)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        with pytest.raises(Stuck, match="nothing can ever run again after 1 s.* p waits for ever"):
            world.advance(SECOND)


def test_code_that_holds_the_interpreter_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "WALL_SECONDS_MAX", 0.1)

    def boot(process: Process) -> None:
        process.call_later(SECOND, time.sleep, 30)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        began = time.monotonic()
        with pytest.raises((Blocked, ComponentError), match="held the interpreter"):
            world.advance(2 * SECOND)
        assert time.monotonic() - began < 10


def test_one_world_is_alive_per_thread_and_closing_frees_it() -> None:
    world = World()
    with pytest.raises(UsageError, match="close it before"):
        World()
    world.close()
    world.close()
    World().close()


def test_closing_ends_tasks_and_leaves_trio_as_it_was() -> None:
    ended: list[str] = []

    def boot(process: Process) -> None:
        async def main() -> None:
            try:
                await process.sleep(100 * SECOND)
            finally:
                ended.append("unwound")

        process.spawn(main)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        world.advance(SECOND)
    assert ended == ["unwound"]
    assert trio.run(trio.sleep, 0) is None


def test_stop_ends_the_run_at_this_instant() -> None:
    with World() as world:
        world.call_later(SECOND, world.stop, "enough")
        world.call_later(2 * SECOND, pytest.fail)
        world.advance(10 * SECOND)
        world.advance(10 * SECOND)
        assert (world.stopped, world.now) == ("enough", SECOND)


def test_code_that_is_not_given_the_processor_is_not_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with too much to do lets time pass: what neither computes nor waits is only late."""
    monkeypatch.setattr(pump, "WALL_SECONDS_MAX", 0.05)
    monkeypatch.setattr(pump, "_used", lambda: (0.0, 0))

    def compute() -> None:
        began = time.monotonic()
        while time.monotonic() - began < 0.3:
            pass

    def boot(process: Process) -> None:
        process.call_later(SECOND, compute)
        process.call_later(3 * SECOND, compute)

    with World() as world:
        world.process("p", host="h", boot=boot).start()
        world.advance(2 * SECOND)
        assert world.now == 2 * SECOND
