"""How fast the kernel is, as ratios within one run: `python benchmarks/kernel.py`.

Prints wake-ups a second of a plain `trio.sleep` loop under a jumping clock, of `Process.sleep`, and of
callback deliveries, and the ratios to the first. Asserts nothing. Wall-clock seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import trio
import trio.testing

from chaoskube.sim import MILLISECOND, Process, World

TASKS = 50
SLEEPS = 1_000
CALLBACKS = 500_000


def plain_trio() -> int:
    """`trio.sleep` under trio's own jumping clock."""

    async def sleeper() -> None:
        for _ in range(SLEEPS):
            await trio.sleep(0.001)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(TASKS):
                nursery.start_soon(sleeper)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return TASKS * SLEEPS


def plain_trio_spread() -> int:
    """The same with each task on a phase of its own, so that wake-ups don't share a batch."""

    async def sleeper(phase: float) -> None:
        await trio.sleep(phase)
        for _ in range(SLEEPS):
            await trio.sleep(0.001)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(TASKS):
                nursery.start_soon(sleeper, number * 0.00001)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return TASKS * SLEEPS


def our_sleep() -> int:
    """`Process.sleep`, each task on a phase of its own."""

    async def sleeper(process: Process, phase: int) -> None:
        await process.sleep(phase)
        for _ in range(SLEEPS):
            await process.sleep(MILLISECOND)

    def boot(process: Process) -> None:
        for number in range(TASKS):
            process.spawn(sleeper, process, number * MILLISECOND // 100)
        process.call_later(10 * SLEEPS * MILLISECOND, lambda: None)

    with World() as world:
        world.process("sleepers", host="machine", boot=boot).start()
        world.advance(2 * SLEEPS * MILLISECOND)
    return TASKS * SLEEPS


def our_sleep_in_step() -> int:
    """`Process.sleep`, all tasks due at the same instants."""

    async def sleeper(process: Process) -> None:
        for _ in range(SLEEPS):
            await process.sleep(MILLISECOND)

    def boot(process: Process) -> None:
        for _ in range(TASKS):
            process.spawn(sleeper, process)
        process.call_later(10 * SLEEPS * MILLISECOND, lambda: None)

    with World() as world:
        world.process("sleepers", host="machine", boot=boot).start()
        world.advance(2 * SLEEPS * MILLISECOND)
    return TASKS * SLEEPS


def our_callbacks() -> int:
    """Deliveries on the clock's heap: 50 chains of callbacks, each scheduling its next."""
    with World() as world:
        clock = world.clock
        left = CALLBACKS

        def deliver(gap: int) -> None:
            nonlocal left
            left -= 1
            if left > 0:
                clock.at(clock.now + gap, deliver, gap)

        for number in range(TASKS):
            clock.at(number, deliver, MILLISECOND)
        world.advance(CALLBACKS * MILLISECOND)
    return CALLBACKS


def rate(work: Callable[[], int]) -> float:
    """Events a wall-clock second: the best of three."""
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        count = work()
        best = max(best, count / (time.perf_counter() - start))
    return best


def main() -> None:
    """Print the table."""
    base = rate(plain_trio_spread)
    rows = [
        ("trio.sleep under a jumping clock", base),
        ("Process.sleep", rate(our_sleep)),
        ("callback deliveries", rate(our_callbacks)),
        ("(all due at one instant) trio.sleep", rate(plain_trio)),
        ("(all due at one instant) Process.sleep", rate(our_sleep_in_step)),
    ]
    for name, figure in rows:
        print(f"{name:42} {figure:12,.0f} a second   x{figure / base:.1f}")


if __name__ == "__main__":
    main()
