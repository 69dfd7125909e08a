"""Actions as Hypothesis strategies, simplest first: the same declarations that the hunt draws from.

Names are those that exist when the workload is up; an action aimed at something that is gone by then is
left out of the run. Called by `machine.py` alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaoskube.action import FAULT, Action, arguments_of
from chaoskube.aim import NTH_DRAWN, Aim, Mark
from chaoskube.arguments import CannotApply, Names
from chaoskube.sim import MILLISECOND

GAP_UNIT_NS = 100 * MILLISECOND


def argument_strategies(cls: type[Action], names: Names) -> dict[str, SearchStrategy[object]] | None:
    """A strategy for each argument of an action; None when something it needs does not exist here."""
    try:
        return {name: argument.strategy(names) for name, argument in arguments_of(cls).items()}
    except CannotApply:
        return None


def gaps(longest_ns: int) -> SearchStrategy[int]:
    """Time between two actions: none, a little, or up to `longest_ns`."""
    short = st.integers(0, 20)
    long = st.integers(0, max(20, longest_ns // GAP_UNIT_NS))
    return (short | long).map(lambda units: units * GAP_UNIT_NS)


def aims(cls: type[Action], marks: Sequence[Mark]) -> SearchStrategy[Aim | None]:
    """No aim first; for a fault then the first moments of what can be aimed at."""
    known = [mark for mark in marks if not cls.aimed or mark.moment == cls.aimed]
    sides = [(side, mark) for mark in known for side in mark.definition.sides]
    if cls.kind != FAULT or not sides:
        return st.none()
    nth = st.integers(1, max(NTH_DRAWN))
    return st.none() | st.builds(
        lambda place, number: Aim(side=place[0], nth=number, mark=place[1]), st.sampled_from(sides), nth
    )
