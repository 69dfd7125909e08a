"""Make the traces of mutants and planted bugs anew: `python -m tests.quality.make_traces [NAME ...]`.

A name is an invariant's, for its mutant, or a planted bug's. For each: take the trace that is there, or, where that
no longer shows it, hunt with the mutant in until its invariant breaks first, in a run that is clean without the
mutant; minimise; write the trace. Read the diff. A trace that no hunt finds can be begun by hand: a file with
scenario and actions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import attrs

from chaoskube.discovery import scenario_of_bug
from chaoskube.generate import generate, run_seed
from chaoskube.minimise import minimise
from chaoskube.run import Result, play
from chaoskube.trace import read_trace, trace_of, write_trace
from tests.quality.mutant import Mutant, all_mutants, planted_bugs


def caught(mutant: Mutant, seed: int, runs: int) -> Iterator[Result]:
    """Runs in which the mutant's invariant breaks first, the committed one before all others."""
    scenario = scenario_of_bug(mutant.bug)
    if mutant.trace.exists():
        found = play(attrs.evolve(read_trace(mutant.trace).plan(), bug=mutant.bug))
        if is_caught(mutant, found, "the trace that is there"):
            yield found
    for number in range(runs):
        found = generate(scenario, run_seed(seed, number), bug=mutant.bug)
        if is_caught(mutant, found, f"run {number}"):
            yield found


def is_caught(mutant: Mutant, result: Result, words: str) -> bool:
    """This run's failure is the mutant's invariant; says so."""
    if result.failure is not None:
        print(f"  {words}: {result.failure.name}", flush=True)
    return result.failure is not None and result.failure.name in mutant.bug.invariants


def make(mutant: Mutant, *, seed: int, runs: int, budget: float) -> bool:
    """Write the trace of one mutant; False when no run shows it."""
    for result in caught(mutant, seed, runs):
        small = minimise(result, budget_seconds=budget)
        without = play(attrs.evolve(small.plan, bug=None))
        if without.failure is not None:
            print(f"  fails without the mutant too: {without.failure.name}: {without.failure.message}")
            if not mutant.later:
                continue
        trace = attrs.evolve(trace_of(small.result), digest=None, versions={})
        write_trace(trace if mutant.is_installed else attrs.evolve(trace, bug=None), mutant.trace)
        print(f"  {small.before} actions became {len(small.plan.steps)}; minimal: {small.is_minimal}")
        return True
    return False


def main() -> None:
    """Make those named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--budget", type=float, default=120.0)
    given = parser.parse_args()
    for mutant in (*all_mutants(), *planted_bugs()):
        name = mutant.bug.slug if mutant.is_installed else mutant.invariant
        if given.names and name not in given.names:
            continue
        print(f"{name}:", flush=True)
        began = time.monotonic()
        is_made = make(mutant, seed=given.seed, runs=given.runs, budget=given.budget)
        print(f"  {'written' if is_made else 'NOT FOUND'} after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
