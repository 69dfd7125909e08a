"""The canary for trio's private switches: when one of these fails, `chaoskube/sim/pump.py` must change."""

from __future__ import annotations

import random
from collections import deque

import trio
from trio._core import _run as trio_run

from chaoskube.sim import SECOND, Process, World


def test_trio_still_has_the_switches_we_turn() -> None:
    assert isinstance(trio_run._ALLOW_DETERMINISTIC_SCHEDULING, bool)
    assert isinstance(trio_run._r, random.Random)

    async def runq() -> object:
        return trio_run.GLOBAL_RUN_CONTEXT.runner.runq

    assert isinstance(trio.run(runq), deque)


def _order(seed: int) -> list[int]:
    order: list[int] = []

    def boot(process: Process) -> None:
        async def task(number: int) -> None:
            for _ in range(3):
                await process.sleep(SECOND)
                order.append(number)

        for number in range(20):
            process.spawn(task, number)
        process.call_later(100 * SECOND, lambda: None)

    with World(seed=seed) as world:
        world.process("p", host="h", boot=boot).start()
        world.advance(10 * SECOND)
    return order


def test_the_order_of_tasks_depends_on_the_seed_alone() -> None:
    assert _order(0) == _order(0)
    assert _order(0) != _order(1)


def test_the_switches_are_put_back() -> None:
    before = (trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r.getstate())
    _order(3)
    assert (trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r.getstate()) == before
