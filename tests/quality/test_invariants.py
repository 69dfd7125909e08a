"""Each invariant has power: on its mutant's trace it fires, and without the mutant nothing does.

An invariant that nothing can break is a comment. What is not shown here: that an invariant catches every mistake
of its kind. Traces are made by `python -m tests.quality.make_traces`.
"""

from __future__ import annotations

import attrs
import pytest

from chaoskube.replay import NO_LONGER, replay
from chaoskube.run import Result, play
from chaoskube.trace import Trace, read_trace
from tests.quality.mutant import TRACES, Mutant, all_mutants, shipped

MUTANTS = all_mutants()
each_mutant = pytest.mark.parametrize("mutant", MUTANTS, ids=[one.invariant for one in MUTANTS])


def play_with(mutant: Mutant, trace: Trace) -> Result:
    return play(attrs.evolve(trace.plan(), bug=mutant.bug))


@each_mutant
def test_the_invariant_is_the_first_to_catch_its_mutant(mutant: Mutant) -> None:
    """Its name is the run's failure; when and in what words may change with the models."""
    trace = read_trace(mutant.trace)

    result = play_with(mutant, trace)

    assert result.skipped == ()
    assert result.failure is not None and trace.failure is not None
    assert result.failure.name == trace.failure.name == mutant.invariant, result.failure.message


@each_mutant
def test_without_the_mutant_its_trace_is_clean(mutant: Mutant) -> None:
    """What fires is the mutant, not the faults; the trace names no bug, so its replay is the real code's run."""
    trace = read_trace(mutant.trace)

    replayed = replay(trace)

    assert trace.bug is None
    assert replayed.verdict == NO_LONGER
    assert replayed.result.skipped == ()
    if not mutant.later:
        assert replayed.result.failure is None


def test_every_invariant_that_ships_has_a_mutant_and_a_trace() -> None:
    """New invariant: a file or function in `mutants/`, then `make_traces` with its name."""
    committed = {path for path in TRACES.iterdir()}

    assert sorted(shipped()) == sorted(one.invariant for one in MUTANTS)
    assert committed == {one.trace for one in MUTANTS}
