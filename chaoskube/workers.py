"""Runs of a hunt in other processes: a trio pool of workers that speak JSON, one line a job.

A worker is `python -m chaoskube.workers`. Its first line says what is hunted (scenario by name, setup,
bug, menu), each further line the numbers of some runs; for each run it answers one line. A worker that
dies or hangs is killed and its runs are given to a new one, twice at most; then the hunt ends with the
name of the runs that did it.

A worker builds the scenario by its name, so a scenario that exists only in this process (invariants from
a test's own function) is hunted in this process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from queue import Empty, SimpleQueue
from subprocess import PIPE
from threading import Thread

import attrs
import trio

from chaoskube.action import actions
from chaoskube.discovery import bug_named, scenario_named
from chaoskube.hunt import Doubt, Quarry, Report, run_one
from chaoskube.rules import load_rule
from chaoskube.scenario import Failure
from chaoskube.sim import ChaoskubeError, UsageError
from chaoskube.trace import plain, rules_of_their_own

RUNS_A_JOB = 4
JOB_SECONDS_MAX = 300.0
TRIES_MAX = 3
LINE_BYTES_MAX = 16_000_000


def run_in_workers(quarry: Quarry, numbers: Iterator[int], workers: int) -> Iterator[Report]:
    """Reports of the runs as they come. Closing the iterator ends the workers."""
    pool = _Pool(quarry, numbers, workers)
    thread = Thread(target=pool.run, name="chaoskube-pool", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = pool.answers.get(timeout=0.5)
            except Empty:
                if thread.is_alive():
                    continue
                return
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        pool.stop()
        thread.join()


class _Pool:
    """The trio side: one task a worker, in a thread of its own."""

    def __init__(self, quarry: Quarry, numbers: Iterator[int], workers: int) -> None:
        self.answers: SimpleQueue[Report | BaseException | None] = SimpleQueue()
        self._head = json.dumps(_quarry_tree(quarry)).encode() + b"\n"
        self._numbers = numbers
        self._workers = workers
        self._is_stopping = False
        self._stop: Callable[[], None] | None = None

    def run(self) -> None:
        """The thread's body: everything that goes wrong goes through `answers`."""
        try:
            trio.run(self._main)
        except BaseException as problem:  # noqa: BLE001  # it is raised again where the answers are read
            self.answers.put(_first_of(problem))
        self.answers.put(None)

    def stop(self) -> None:
        """End all workers; safe to call from the other thread, at any time."""
        self._is_stopping = True
        if self._stop is not None:
            self._stop()

    async def _main(self) -> None:
        token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:

            def stop() -> None:
                try:
                    token.run_sync_soon(nursery.cancel_scope.cancel)
                except trio.RunFinishedError:
                    pass

            self._stop = stop
            for _ in range(self._workers):
                nursery.start_soon(self._worker)

    async def _worker(self) -> None:
        job = self._next_job()
        tries = 0
        while job and not self._is_stopping:
            tries += 1
            process = await trio.lowlevel.open_process(
                [sys.executable, "-m", "chaoskube.workers"], stdin=PIPE, stdout=PIPE
            )
            try:
                assert process.stdin is not None
                await process.stdin.send_all(self._head)
                while job:
                    job = await self._do(process, job)
                    if not job:
                        job, tries = self._next_job(), 1
            except (
                trio.BrokenResourceError,
                trio.ClosedResourceError,
                trio.TooSlowError,
                EOFError,
            ) as problem:
                if tries >= TRIES_MAX:
                    raise Doubt(
                        f"a worker ended {tries} times in runs {job}: {problem or 'it died'}"
                    ) from problem
            finally:
                process.kill()
                with trio.CancelScope(shield=True):
                    await process.wait()

    def _next_job(self) -> list[int]:
        return list(islice(self._numbers, RUNS_A_JOB))

    async def _do(self, process: trio.Process, job: list[int]) -> list[int]:
        """Have the runs done; answers what is left of the job (nothing, unless the worker ended)."""
        assert process.stdin is not None and process.stdout is not None
        await process.stdin.send_all(json.dumps(job).encode() + b"\n")
        with trio.fail_after(JOB_SECONDS_MAX):
            lines = _Lines(process.stdout)
            for _ in job:
                self.answers.put(_report_of(json.loads(await lines.next())))
        return []


class _Lines:
    """Whole lines out of a stream of bytes."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._rest = b""

    async def next(self) -> bytes:
        """The next line; EOFError when the stream ends."""
        while b"\n" not in self._rest:
            part = await self._stream.receive_some()
            if not part:
                raise EOFError
            self._rest += part
            if len(self._rest) > LINE_BYTES_MAX:
                raise Doubt(f"a worker's answer is longer than {LINE_BYTES_MAX} bytes")
        line, _, self._rest = self._rest.partition(b"\n")
        return line


def main() -> None:
    """A worker: what is hunted, then numbers of runs, until the input ends."""
    quarry: Quarry | None = None
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if isinstance(message, dict):
                quarry = _quarry_of(message)
                continue
            assert quarry is not None
            answers = (_report_tree(run_one(quarry, number)) for number in message)
            for answer in answers:
                print(json.dumps(answer), flush=True)
        except UsageError as problem:
            print(json.dumps({"usage": str(problem)}), flush=True)
        except ChaoskubeError as problem:
            print(json.dumps({"doubt": str(problem)}), flush=True)


def _quarry_tree(quarry: Quarry) -> dict[str, object]:
    scenario = quarry.scenario
    return {
        "scenario": scenario.name,
        "setup": plain(scenario.setup),
        "menu": [cls.verb for cls in scenario.menu],
        "rules": list(rules_of_their_own(scenario)),
        "bug": quarry.bug.slug if quarry.bug is not None else None,
        "seed": quarry.seed,
    }


def _quarry_of(tree: dict[str, object]) -> Quarry:
    base = scenario_named(str(tree["scenario"]))
    rules, menu, setup = tree["rules"], tree["menu"], tree["setup"]
    assert isinstance(rules, list) and isinstance(menu, list) and isinstance(setup, dict)
    scenario = attrs.evolve(
        base,
        setup=setup,
        menu=tuple(actions.get(verb) for verb in menu),
        invariants=(*base.invariants, *map(load_rule, rules)),
    )
    bug = bug_named(str(tree["bug"])) if tree["bug"] is not None else None
    seed = tree["seed"]
    assert isinstance(seed, int)
    return Quarry(scenario=scenario, bug=bug, seed=seed)


def _report_tree(report: Report) -> dict[str, object]:
    return attrs.asdict(report)


def _report_of(tree: dict[str, object]) -> Report:
    if "usage" in tree:
        raise UsageError(str(tree["usage"]))
    if "number" not in tree:
        raise Doubt(str(tree["doubt"]))
    failure = tree["failure"]
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in tree.items()}
    fields["failure"] = Failure(**failure) if isinstance(failure, dict) else None
    return Report(**fields)  # type: ignore[arg-type]  # what _report_tree wrote


def _first_of(problem: BaseException) -> BaseException:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem


if __name__ == "__main__":
    main()
