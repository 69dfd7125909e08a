"""Each planted bug is shown by its committed, minimised trace, by the invariant that must catch it.

Quick: no hunting here. That hunts find each bug, and nothing without it or the faults it needs, is measured by
`python benchmarks/planted_bugs.py`. Traces are made by `python -m tests.quality.make_traces SLUG`.
"""

from __future__ import annotations

import attrs
import pytest

from chaoskube.discovery import scenario_of_bug
from chaoskube.replay import DIFFERENTLY, REPRODUCED, replay
from chaoskube.run import play
from chaoskube.trace import read_trace
from tests.quality.mutant import BUG_TRACES, Mutant, planted_bugs, shipped

PLANTED = planted_bugs()
each_bug = pytest.mark.parametrize("planted", PLANTED, ids=[one.bug.slug for one in PLANTED])


@each_bug
def test_its_trace_reproduces_with_the_bug(planted: Mutant) -> None:
    """A trace that names a bug plants it by itself, as for anybody who replays it."""
    trace = read_trace(planted.trace)

    replayed = replay(trace)

    assert trace.bug == planted.bug.slug
    assert replayed.verdict in (REPRODUCED, DIFFERENTLY), replayed.sentence
    assert replayed.result.failure is not None
    assert replayed.result.failure.name in planted.bug.invariants


@each_bug
def test_its_trace_is_clean_without_the_bug(planted: Mutant) -> None:
    """The same actions at the same times, and the same luck."""
    result = play(attrs.evolve(read_trace(planted.trace).plan(), bug=None))

    assert result.skipped == ()
    assert result.failure is None


@each_bug
def test_its_trace_needs_what_it_says_and_no_more_than_the_menu(planted: Mutant) -> None:
    """The trace has a fault that the bug says it needs, and only actions that the built-in scenario has."""
    verbs = {step.action.verb for step in read_trace(planted.trace).steps}
    scenario = scenario_of_bug(planted.bug)

    assert not planted.bug.needs or verbs.intersection(planted.bug.needs)
    assert verbs <= {cls.verb for cls in scenario.menu}
    assert set(planted.bug.invariants) <= {one.name for one in scenario.invariants} & set(shipped())


def test_every_planted_bug_has_a_trace() -> None:
    """And no trace is left of a bug that is gone."""
    assert set(BUG_TRACES.iterdir()) == {one.trace for one in PLANTED}
