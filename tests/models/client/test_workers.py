"""Workers on a queue: at most five, none while there is nothing to do, failures put off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chaoskube.models.client.workers import Retry, Workers
from chaoskube.sim import MILLISECOND, SECOND, Process, World, seconds


def run(
    reconcile: Callable[[Process, str], Awaitable[None]], then: Callable[[Workers], None], **more: int
) -> None:
    """Let workers on `reconcile` live for ten seconds of a world."""

    def boot(process: Process) -> None:
        async def work(key: str) -> None:
            await reconcile(process, key)

        workers = Workers(process, work, retries_max=more.get("retries_max"))
        then(workers)
        workers.start()

    with World(seed=1) as world:
        world.add_host("h")
        world.call_later(
            seconds(11), lambda: None
        )  # a world in which nothing can happen any more is an error
        world.process("p", host="h", boot=boot).start()
        world.advance(seconds(10))


def test_five_keys_are_worked_on_at_once_and_no_key_twice() -> None:
    """Seven keys of one second each: five, then two."""
    began: list[tuple[str, int]] = []

    async def reconcile(process: Process, key: str) -> None:
        began.append((key, process.now))
        await process.sleep(SECOND)

    def then(workers: Workers) -> None:
        for number in range(7):
            workers.add(str(number))

    run(reconcile, then)

    assert [when for _, when in began] == [MILLISECOND] * 5 + [SECOND + 2 * MILLISECOND] * 2
    assert sorted(key for key, _ in began) == [str(number) for number in range(7)]


def test_a_failure_comes_again_after_5_10_20_ms_and_is_dropped_in_the_end() -> None:
    """With retries_max 3 it runs four times."""
    began: list[int] = []

    async def reconcile(process: Process, key: str) -> None:
        began.append(process.now // MILLISECOND)
        raise Retry(key)

    run(reconcile, lambda workers: workers.add("a"), retries_max=3)

    assert began == [1, 7, 18, 39]


def test_a_key_put_off_twice_runs_once_at_the_earlier_time() -> None:
    """AddAfter."""
    began: list[int] = []

    async def reconcile(process: Process, key: str) -> None:
        began.append(process.now // MILLISECOND)

    def then(workers: Workers) -> None:
        workers.add_after("a", 3 * SECOND)
        workers.add_after("a", 2 * SECOND)
        workers.add_after("a", 4 * SECOND)

    run(reconcile, then)

    assert began == [2001]


def test_workers_that_are_stopped_give_up_what_they_do_and_take_nothing_more() -> None:
    """As when the context of a controller's manager is cancelled."""
    told: list[str] = []
    stopped: list[Workers] = []

    async def reconcile(process: Process, key: str) -> None:
        told.append(f"begins {key}")
        if key == "a":
            process.call_later(SECOND, stopped[0].stop)
            process.call_later(2 * SECOND, stopped[0].add, "c")
            await process.sleep(3 * SECOND)
            told.append("ends")

    def then(workers: Workers) -> None:
        stopped.append(workers)
        workers.add("a")
        workers.add_after("b", 2 * SECOND)

    run(reconcile, then)

    assert told == ["begins a"]
