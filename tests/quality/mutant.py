"""Mutants: one for each invariant, a deviation in one place that this invariant catches first.

    @mutant("one-leader-a-term", scenario="etcd-register")
    def refusals_count_as_votes() -> Iterator[None]:
        '''A candidate counts every answer as a vote for it.'''
        with patched(Raft, "_step_candidate", ...):
            yield

They stand in `mutants/`, in files named as those in `invariants/`. A mutant differs from a planted bug in that nobody
needs to have made the mistake, and that it isn't installed: its trace names no bug, so `chaoskube replay` of the
trace shows the run of the real code, and the mutant is entered by the test alone. Traces carry no digest: they
hold as long as the violation is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from chaoskube import invariants
from chaoskube.bug import Bug, bugs
from chaoskube.discovery import built_in, is_explored, load
from chaoskube.invariant import SOMETIMES
from chaoskube.scenario import UNSETTLED
from chaoskube.sim import Catalogue, load_all
from chaoskube.trace import SUFFIX

TRACES = Path(__file__).parent / "traces"
BUG_TRACES = Path(__file__).parent / "bugs"
BUGS = Path(__file__).parents[2] / "scenarios" / "bugs"


@frozen(kw_only=True)
class Mutant:
    """What must be caught, the scenario in which it was, and the patch, as a bug that is nowhere registered."""

    invariant: str
    bug: Bug
    trace: Path
    """Where its minimised trace is committed."""
    is_installed: bool = False
    """A planted bug: its trace names it."""
    later: str = ""
    """Why the trace's run fails in another way when the mutant is out; "" where it then fails in none."""


mutants: Catalogue[Mutant] = Catalogue("mutant")


def mutant(
    invariant: str, *, scenario: str, later: str = ""
) -> Callable[[Callable[[], Iterator[None]]], Mutant]:
    """Register a generator function that patches, yields, and takes the patch out again."""

    def register(patch: Callable[[], Iterator[None]]) -> Mutant:
        bug = Bug(
            slug=f"mutant-{invariant}",
            doc=patch.__doc__ or "",
            cites="made for this test",
            invariants=(invariant,),
            scenario=scenario,
            needs=(),
            patch=contextmanager(patch),
        )
        trace = TRACES / f"{invariant}{SUFFIX}"
        return mutants.register(invariant, Mutant(invariant=invariant, bug=bug, trace=trace, later=later))

    return register


def all_mutants() -> tuple[Mutant, ...]:
    """Every mutant of every file."""
    load_all("tests.quality.mutants")
    return tuple(mutants)


def planted_bugs() -> tuple[Mutant, ...]:
    """Every planted bug of ours that hunts meet (other tests install toys), with the trace that shows it.

    Those that an exhaustive search meets are tested in tests/scenarios/test_raft_members.py.
    """
    load()
    return tuple(
        Mutant(
            invariant=bug.invariants[0],
            bug=bug,
            trace=BUG_TRACES / f"{bug.slug}{SUFFIX}",
            is_installed=True,
        )
        for bug in bugs
        if (BUGS / f"{bug.slug.replace('-', '_')}.py").exists() and not is_explored(bug)
    )


def shipped() -> tuple[str, ...]:
    """What can be violated: the invariants of clusters and of built-in scenarios, and that things settle.

    `sometimes` claims are left out: no single run violates one.
    """
    brought = [one for scenario in built_in() for one in scenario.invariants]
    ours = [one for one in brought if one.function.__module__.startswith("chaoskube.")]
    violable = [one for one in (*invariants.all_of_a_cluster(), *ours) if one.kind != SOMETIMES]
    return tuple(dict.fromkeys([*(one.name for one in violable), UNSETTLED]))
