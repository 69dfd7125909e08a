"""Why: proven by counterfactual, never canned.

The minimised trace is replayed with one thing changed: one remedy of the scenario applied to the setup
(a field added to a document), or one action left out. A remedy is named as the cause only if the
violation goes with it, here and with the world's luck drawn anew; one remedy alone first, then two
together, then three. When none makes it go, that is what is said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import combinations

import attrs
from attrs import frozen

from chaoskube.run import Plan, Result, play
from chaoskube.scenario import Failure, Remedy, Setup
from chaoskube.sim import UsageError

BUDGET_SECONDS = 30.0
TOGETHER_MAX = 3
NAMED_MAX = 3


@frozen(kw_only=True)
class Why:
    """What was proven about a failure."""

    remedies: tuple[tuple[str, ...], ...]
    """Changes that make it go, each a set of remedies that only work together."""
    needed: bool
    """Leaving out any one action makes it go."""
    tried: int
    is_complete: bool
    """Everything there was to try was tried."""


def why(result: Result, *, budget_seconds: float = BUDGET_SECONDS) -> Why:
    """Try what could make the violation of this run go."""
    assert result.failure is not None, "only a failed run has a why"
    search = _Search(result.plan, result.failure, time.monotonic() + budget_seconds)
    try:
        needed = all(
            search.is_gone(_without_step(result.plan, index), or_never_aimed_at=True)
            for index in range(len(result.plan.steps))
        )
        remedies = _remedies_that_help(search)
        is_complete = True
    except TimeoutError:
        needed, remedies, is_complete = search.needed_so_far, tuple(search.helped), False
    return Why(remedies=remedies, needed=needed, tried=search.tried, is_complete=is_complete)


class _Search:
    def __init__(self, plan: Plan, failure: Failure, deadline: float) -> None:
        self.plan = plan
        self.failure = failure
        self.tried = 0
        self.helped: list[tuple[str, ...]] = []
        self.needed_so_far = False
        self._deadline = deadline

    def is_gone(self, plan: Plan, *, or_never_aimed_at: bool = False) -> bool:
        """A run of this plan breaks nothing at all, and everything in it is done.

        What led to the moment that an action is aimed at may be what is left out: then that isn't done either.
        """
        if time.monotonic() > self._deadline:
            raise TimeoutError
        self.tried += 1
        try:
            found = play(plan)
        except UsageError:
            return False
        undone = [one for one in found.skipped if one.step.aim is None or not or_never_aimed_at]
        return found.failure is None and not undone

    def remedies(self, setup: Setup) -> tuple[Remedy, ...]:
        return tuple(self.plan.scenario.remedies(setup, self.failure))

    def helps(self, setup: Setup) -> bool:
        """The violation goes with this setup, and not by luck of one seed."""
        changed = attrs.evolve(self.plan, scenario=attrs.evolve(self.plan.scenario, setup=setup))
        seeds = (self.plan.seed, self.plan.seed + 1)
        return all(self.is_gone(attrs.evolve(changed, seed=seed)) for seed in seeds)


def _remedies_that_help(search: _Search) -> tuple[tuple[str, ...], ...]:
    for size in range(1, TOGETHER_MAX + 1):
        for texts, setup in _together(search, size):
            if search.helps(setup):
                search.helped.append(texts)
                if len(search.helped) == NAMED_MAX:
                    break
        if search.helped:
            break
    return tuple(search.helped)


def _together(search: _Search, size: int) -> Iterator[tuple[tuple[str, ...], Setup]]:
    """The setup with each set of this many remedies applied, one after the other."""
    known = [remedy.text for remedy in search.remedies(search.plan.setup)]
    for texts in combinations(known, size):
        setup: Setup | None = search.plan.setup
        for text in texts:
            if setup is not None:
                setup = next((one.setup for one in search.remedies(setup) if one.text == text), None)
        if setup is not None:
            yield texts, setup


def _without_step(plan: Plan, index: int) -> Plan:
    return attrs.evolve(plan, steps=plan.steps[:index] + plan.steps[index + 1 :])
