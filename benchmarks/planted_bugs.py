"""How soon planted bugs are found: `python benchmarks/planted_bugs.py [--seeds 10] [--seconds 60] [SLUG ...]`.

For each bug: hunts with fresh seeds in the ordinary scenario and its whole menu, until an invariant that catches the
bug breaks. Then the two that must find nothing: the same hunt without the bug, and with it but without the faults
that it needs. The table at the end has the median and the worst of the seeds that found it. Seconds are those that this one process
had the processor, so that whatever else the machine does changes no figure; only minimising, which stands in none, ends by the clock.
Exits with 1 when a hunt found what it shouldn't, or not what it should.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import median
from time import process_time

from attrs import frozen

from chaoskube.bug import Bug, bugs
from chaoskube.discovery import bug_named, is_explored, load, scenario_of_bug
from chaoskube.hunt import Doubt, Quarry, Tally, fresh_seed, result_of, run_one, without
from chaoskube.minimise import minimise
from chaoskube.scenario import Scenario

HEAD = f"{'bug':<44}{'found':>6}  {'runs':>11}  {'seconds':>13}  {'actions':>8}  {'minimised':>9}  quiet"


@frozen(kw_only=True)
class Hunt:
    """A hunt in this process, until something broke or its time was up."""

    tally: Tally
    seconds: float

    def __str__(self) -> str:
        """What was found, with the number of the seed that shows it, and in how much."""
        found = ", ".join(f"{name} (run seed {one.seed})" for name, one in self.tally.found.items())
        return f"{found or 'nothing'} in {self.tally.runs} runs, {self.seconds:.1f} s"


@frozen(kw_only=True)
class Found:
    """A hunt that found its bug."""

    runs: int
    seconds: float
    before: int
    after: int


@frozen(kw_only=True)
class Row:
    """What became of one bug."""

    bug: Bug
    tried: int
    found: tuple[Found, ...]
    is_quiet: bool

    @property
    def went_well(self) -> bool:
        """Found by every seed, and nothing was found where nothing is."""
        return len(self.found) == self.tried and self.is_quiet

    def __str__(self) -> str:
        figures = "-"
        if self.found:
            runs, seconds = [one.runs for one in self.found], [one.seconds for one in self.found]
            figures = (
                f"{median(runs):>5g} /{max(runs):>4}  {median(seconds):>6.1f} /{max(seconds):>5.0f}"
                f"  {median([one.before for one in self.found]):>8g}"
                f"  {median([one.after for one in self.found]):>9g}"
            )
        found = f"{len(self.found)}/{self.tried}"
        return f"{self.bug.slug:<44}{found:>6}  {figures}  {'yes' if self.is_quiet else 'NO'}"


@frozen(kw_only=True)
class Order:
    """How long and how often to hunt."""

    seeds: tuple[int, ...]
    seconds: float
    quiet_seconds: float
    minimise_seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a few lines for each bug, and a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bugs", nargs="*", metavar="SLUG", help="these bugs only")
    parser.add_argument("--seeds", type=int, default=10, help="hunts for each bug (10)")
    parser.add_argument("--first-seed", type=int, help="the first seed, the others follow (fresh)")
    parser.add_argument("--seconds", type=float, default=60.0, help="the longest that a hunt may take (60)")
    parser.add_argument("--quiet-seconds", type=float, default=20.0, help="hunts that must find nothing (20)")
    parser.add_argument("--minimise-seconds", type=float, default=10.0, help="for each find (10)")
    given = parser.parse_args(arguments)
    load()
    first = given.first_seed if given.first_seed is not None else fresh_seed()
    order = Order(
        seeds=tuple(range(first, first + given.seeds)),
        seconds=given.seconds,
        quiet_seconds=given.quiet_seconds,
        minimise_seconds=given.minimise_seconds,
    )
    print(f"seeds {first} to {first + given.seeds - 1}", flush=True)
    wanted = [bug_named(slug) for slug in given.bugs] or [one for one in bugs if not is_explored(one)]
    rows = [measure(bug, order) for bug in wanted]
    print(f"\n{HEAD}\n{'':<50}  {'mid / worst':>11}  {'mid / worst':>13}  {'mid':>8}  {'mid':>9}")
    for row in rows:
        print(row)
    return 0 if all(row.went_well for row in rows) else 1


def measure(bug: Bug, order: Order) -> Row:
    """Hunt one bug."""
    scenario = scenario_of_bug(bug)
    print(f"{bug.slug} ({bug.scenario})", flush=True)
    found = [one for seed in order.seeds if (one := search(bug, scenario, seed, order)) is not None]
    on_menu = {cls.verb for cls in scenario.menu}
    harmless = without(scenario, [verb for verb in bug.needs if verb in on_menu])
    seed = order.seeds[0]
    quiet = [is_quiet("without the bug", Quarry(scenario=scenario, seed=seed), order)]
    if bug.needs:
        words = f"without {', '.join(bug.needs)}"
        quiet.append(is_quiet(words, Quarry(scenario=harmless, bug=bug, seed=seed), order))
    return Row(bug=bug, tried=len(order.seeds), found=tuple(found), is_quiet=all(quiet))


def search(bug: Bug, scenario: Scenario, seed: int, order: Order) -> Found | None:
    """One hunt, and its find made short; None, with a line about it, when the bug wasn't found."""
    quarry = Quarry(scenario=scenario, bug=bug, seed=seed)
    hunted = hunt(quarry, order.seconds)
    found = hunted.tally.found
    caught = [found[name] for name in bug.invariants if name in found]
    if not caught:
        print(f"  seed {seed}: {hunted}", flush=True)
        return None
    small = minimise(result_of(quarry, caught[0]), budget_seconds=order.minimise_seconds)
    print(f"  seed {seed}: {hunted}; {len(small.plan.steps)} actions", flush=True)
    return Found(
        runs=hunted.tally.runs, seconds=hunted.seconds, before=small.before, after=len(small.plan.steps)
    )


def is_quiet(words: str, quarry: Quarry, order: Order) -> bool:
    """A hunt that must find nothing."""
    hunted = hunt(quarry, order.quiet_seconds)
    print(f"  {words}: {hunted}", flush=True)
    return not hunted.tally.found


def hunt(quarry: Quarry, seconds: float) -> Hunt:
    """Run after run in this process, as a hunt does, until one fails or so much of the processor's time is used."""
    tally, began = Tally(), process_time()
    while not tally.found and process_time() - began < seconds:
        report = run_one(quarry, tally.runs)
        if report.doubt is not None:
            raise Doubt(report.doubt)
        tally.add(report)
    return Hunt(tally=tally, seconds=process_time() - began)


if __name__ == "__main__":
    sys.exit(main())
