"""How soon planted bugs are found: `python benchmarks/planted_bugs.py [--seeds 5] [--seconds 120] [SLUG ...]`.

For each bug: hunts with fresh seeds in the ordinary built-in scenario and its whole menu. Prints how many found
the invariant that must catch it; runs and seconds until found, and actions before and after minimising (medians).
Then the two that must find nothing: the same hunt without the bug, and with it but without the faults it needs.
Exits with 1 when a hunt found what it shouldn't, or not what it should.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from statistics import median

from attrs import frozen

from chaoskube.bug import Bug, bugs
from chaoskube.discovery import bug_named, load, scenario_named
from chaoskube.hunt import Limits, Quarry, Tally, fresh_seed, hunt, result_of, without
from chaoskube.minimise import minimise
from chaoskube.scenario import Scenario


@frozen(kw_only=True)
class Found:
    """A hunt that found its bug."""

    runs: int
    seconds: float
    before: int
    after: int


@frozen(kw_only=True)
class Order:
    """How long and how often to hunt."""

    seeds: tuple[int, ...]
    seconds: float
    quiet_seconds: float
    minimise_seconds: float
    workers: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a block of lines for each bug."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bugs", nargs="*", metavar="SLUG", help="these bugs only")
    parser.add_argument("--seeds", type=int, default=5, help="hunts for each bug (5)")
    parser.add_argument("--first-seed", type=int, help="the first seed, the others follow (fresh)")
    parser.add_argument("--seconds", type=float, default=120.0, help="the longest that a hunt may take (120)")
    parser.add_argument("--quiet-seconds", type=float, default=60.0, help="hunts that must find nothing (60)")
    parser.add_argument("--minimise-seconds", type=float, default=60.0, help="for each find (60)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes to hunt with")
    given = parser.parse_args(arguments)
    load()
    first = given.first_seed if given.first_seed is not None else fresh_seed()
    order = Order(
        seeds=tuple(range(first, first + given.seeds)),
        seconds=given.seconds,
        quiet_seconds=given.quiet_seconds,
        minimise_seconds=given.minimise_seconds,
        workers=given.workers,
    )
    print(f"seeds {first} to {first + given.seeds - 1}, {order.workers} workers", flush=True)
    hunted = [bug_named(slug) for slug in given.bugs] or list(bugs)
    went_well = [measure(bug, order) for bug in hunted]
    return 0 if all(went_well) else 1


def measure(bug: Bug, order: Order) -> bool:
    """Hunt one bug; True when everything went as it should."""
    scenario = scenario_named(bug.scenario)
    print(f"{bug.slug} ({bug.scenario})", flush=True)
    found = [one for seed in order.seeds if (one := search(bug, scenario, seed, order)) is not None]
    print(
        f"  found {len(found)} of {len(order.seeds)} within {order.seconds:g} s{medians(found)}", flush=True
    )
    on_menu = {cls.verb for cls in scenario.menu}
    harmless = without(scenario, [verb for verb in bug.needs if verb in on_menu])
    seed = order.seeds[0]
    quiet = [
        is_quiet("without the bug", Quarry(scenario=scenario, seed=seed), order),
        is_quiet(f"without {', '.join(bug.needs)}", Quarry(scenario=harmless, bug=bug, seed=seed), order),
    ]
    return len(found) == len(order.seeds) and all(quiet)


def search(bug: Bug, scenario: Scenario, seed: int, order: Order) -> Found | None:
    """One hunt, and its find made short; None, with a line about it, when the bug wasn't found."""
    quarry = Quarry(scenario=scenario, bug=bug, seed=seed)
    tally = hunt(quarry, Limits(wall_seconds=order.seconds, workers=order.workers))
    report = tally.found.get(bug.invariant)
    if report is None:
        print(f"  seed {seed}: {others(tally)} in {counted(tally)}", flush=True)
        return None
    small = minimise(result_of(quarry, report), budget_seconds=order.minimise_seconds)
    return Found(
        runs=tally.runs, seconds=tally.wall_seconds, before=small.before, after=len(small.plan.steps)
    )


def is_quiet(words: str, quarry: Quarry, order: Order) -> bool:
    """A hunt that must find nothing."""
    tally = hunt(quarry, Limits(wall_seconds=order.quiet_seconds, workers=order.workers))
    print(f"  {words}: {others(tally)} in {counted(tally)}", flush=True)
    return not tally.found


def others(tally: Tally) -> str:
    """What was found, with the number of the seed that shows it."""
    return ", ".join(f"{name} (run seed {one.seed})" for name, one in tally.found.items()) or "nothing"


def counted(tally: Tally) -> str:
    """How much was hunted."""
    return f"{tally.runs} runs, {tally.wall_seconds:.0f} s"


def medians(found: Sequence[Found]) -> str:
    """The figures of several hunts."""
    if not found:
        return ""
    return (
        f"; {median(one.runs for one in found):g} runs, {median(one.seconds for one in found):.1f} s; "
        f"{median(one.before for one in found):g} actions, {median(one.after for one in found):g} minimised"
        f" (medians)"
    )


if __name__ == "__main__":
    sys.exit(main())
