"""A hunt: many runs over seeds, in this process or in workers, until something breaks or the time is up.

Run number i of a hunt has a seed of its own, from the hunt's seed and i alone, so the same hunt finds the
same things with any number of workers: the first violation is the one with the lowest number, and
runs before it are waited for. Every failure, and one run in twenty, is repeated, and the digests
compared: a difference is `Doubt`, and ends the hunt, because then nothing it shows can be trusted.

The engine behind is `map`-like: `workers.py` runs jobs in other processes, `run_one` runs one here.
Violations are told apart by the name of what broke. Called by `cli.py` and the pytest plugin.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import SystemRandom

import attrs
from attrs import field, frozen

from chaoskube.action import parse_step
from chaoskube.bug import Bug
from chaoskube.generate import generate, run_seed
from chaoskube.invariant import SOMETIMES
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenario import Failure, Scenario
from chaoskube.sim import ChaoskubeError, UsageError

REPEAT_EVERY = 20
DIFFERENCE_CONTEXT = 2


class Doubt(ChaoskubeError):
    """The same actions gave two digests: the harness itself is in doubt."""


@frozen(kw_only=True)
class Report:
    """One run of a hunt, small enough to send between processes."""

    number: int
    seed: int
    failure: Failure | None
    steps: tuple[str, ...]
    duration_ns: int
    digest: str
    lived_ns: int
    actions: int
    reached: tuple[str, ...]
    marks: Mapping[str, int]
    doubt: str | None = None


@frozen(kw_only=True)
class Quarry:
    """What is hunted: a scenario, a planted bug if any, and the hunt's seed."""

    scenario: Scenario
    bug: Bug | None = None
    seed: int = 0


@attrs.define
class Tally:
    """What a hunt has seen so far."""

    runs: int = 0
    lived_ns: int = 0
    actions: int = 0
    wall_seconds: float = 0.0
    reached: dict[str, int] = field(factory=dict)
    marks: dict[str, int] = field(factory=dict)
    found: dict[str, Report] = field(factory=dict)

    def add(self, report: Report) -> None:
        """Count one run."""
        self.runs += 1
        self.lived_ns += report.lived_ns
        self.actions += report.actions
        for name in report.reached:
            self.reached[name] = self.reached.get(name, 0) + 1
        for mark, count in report.marks.items():
            self.marks[mark] = self.marks.get(mark, 0) + count
        if report.failure is not None:
            known = self.found.get(report.failure.name)
            if known is None or report.number < known.number:
                self.found[report.failure.name] = report

    @property
    def speed(self) -> float:
        """Virtual seconds lived per second of real time."""
        return self.lived_ns / 1e9 / self.wall_seconds if self.wall_seconds else 0.0


@frozen(kw_only=True)
class Limits:
    """When a hunt ends: by time, by number of runs, at the first violation."""

    wall_seconds: float | None = None
    runs: int | None = None
    at_first: bool = True
    workers: int = 1

    def __attrs_post_init__(self) -> None:
        runs, seconds = self.runs, self.wall_seconds
        if runs is not None and (not isinstance(runs, int) or runs < 1):
            raise UsageError(f"runs={runs!r} must be a whole number, 1 or more: no run checks nothing")
        if seconds is not None and (not isinstance(seconds, int | float) or not seconds > 0):
            raise UsageError(f"seconds={seconds!r} must be a number above 0: no run checks nothing")


Progress = Callable[[Tally], None]


def fresh_seed() -> int:
    """A seed that nobody chose; small enough to be typed again."""
    return SystemRandom().randrange(1_000_000)


def without(scenario: Scenario, verbs: Iterable[str]) -> Scenario:
    """The scenario with these verbs taken off its menu. UsageError for a verb that isn't on it."""
    on_menu = {cls.verb: cls for cls in scenario.menu}
    for verb in verbs:
        if verb not in on_menu:
            raise UsageError(
                f"{verb!r} is not on the menu of {scenario.name}; there are {', '.join(on_menu)}"
            )
        del on_menu[verb]
    return attrs.evolve(scenario, menu=tuple(on_menu.values()))


def hunt(
    quarry: Quarry, limits: Limits, on_progress: Progress | None = None, tally: Tally | None = None
) -> Tally:
    """Run until the limits are reached. Doubt when a run does not repeat, UsageError for what a user can mend.

    `tally` is where to count; who keeps it still knows what was seen when the hunt is stopped by hand.
    """
    from chaoskube.workers import run_in_workers

    started = time.monotonic()
    tally = tally if tally is not None else Tally()
    seen: set[int] = set()
    numbers = _numbers(limits, started)
    reports = (
        run_in_workers(quarry, numbers, limits.workers)
        if limits.workers > 1
        else (run_one(quarry, number) for number in numbers)
    )
    for report in reports:
        tally.add(report)
        tally.wall_seconds = time.monotonic() - started
        if report.doubt is not None:
            raise Doubt(report.doubt)
        if on_progress is not None:
            on_progress(tally)
        seen.add(report.number)
        if limits.at_first and any(seen.issuperset(range(one.number)) for one in tally.found.values()):
            break
    return tally


def run_one(quarry: Quarry, number: int) -> Report:
    """Run number `number` of a hunt, repeated if it failed or if its turn has come."""
    seed = run_seed(quarry.seed, number)
    result = generate(quarry.scenario, seed, bug=quarry.bug)
    doubt = None
    if result.failure is not None or number % REPEAT_EVERY == 0:
        doubt = repeated_differently(result)
    return Report(
        number=number,
        seed=seed,
        failure=result.failure,
        steps=tuple(step.text() for step in result.plan.steps),
        duration_ns=result.plan.duration_ns,
        digest=result.digest,
        lived_ns=result.lived_ns,
        actions=len(result.plan.steps),
        reached=result.reached,
        marks=result.marks,
        doubt=doubt,
    )


def result_of(quarry: Quarry, report: Report) -> Result:
    """The run of a report again, in this process, from its recorded actions."""
    plan = Plan(
        scenario=quarry.scenario,
        steps=tuple(parse_step(text) for text in report.steps),
        duration_ns=report.duration_ns,
        seed=report.seed,
        bug=quarry.bug,
    )
    result = play(plan, story=True)
    wanted = report.failure.name if report.failure else None
    got = result.failure.name if result.failure else None
    if wanted != got:
        raise Doubt(
            f"run {report.number} (seed {report.seed}) broke {wanted}, and {got or 'nothing'} when repeated"
        )
    return result


def repeated_differently(result: Result) -> str | None:
    """None when the same actions give the same digest again, else where the runs part."""
    again = play(result.plan, attempted=result.attempted)
    if again.digest == result.digest:
        return None
    one, other = _lines(result), _lines(result)
    return (
        f"seed {result.plan.seed} of {result.plan.scenario.name} gave two digests, {result.digest} and "
        f"{again.digest}: {first_difference(one, other)}"
    )


def first_difference(one: list[str], other: list[str]) -> str:
    """The first place where two runs' lines differ, in words."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return f"they part at line {index + 1}: {left[:200]!r} against {right[:200]!r}"
    if len(one) != len(other):
        return f"one has {len(one)} lines and the other {len(other)}"
    return "two more repeats agreed with each other, so what differs depends on what ran before"


def never_reached(scenario: Scenario, tally: Tally) -> tuple[str, ...]:
    """The `sometimes` claims that no run of the hunt got to."""
    return tuple(
        one.name for one in scenario.invariants if one.kind == SOMETIMES and one.name not in tally.reached
    )


def _numbers(limits: Limits, started: float) -> Iterator[int]:
    number = 0
    while limits.runs is None or number < limits.runs:
        if limits.wall_seconds is not None and number and time.monotonic() - started >= limits.wall_seconds:
            return
        yield number
        number += 1


def _lines(result: Result) -> list[str]:
    from chaoskube.arguments import CannotApply

    plan = result.plan
    with Session(plan.scenario, seed=plan.seed, bug=plan.bug, keep_lines=True) as session:
        session.warm_up()
        for step in result.attempted:
            session.advance_to(step.at)
            try:
                session.apply(step.action, step.aim)
            except CannotApply:
                continue
        session.finish(plan.duration_ns)
        return list(session.world.journal.lines or ())
