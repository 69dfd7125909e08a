"""The minimising passes. Each looks at the best plan and proposes simpler ones, boldest first.

A pass is a generator of candidates; it knows nothing of what fails. When a candidate is adopted the pass
is asked again about the new best plan (`minimise.py`). None proposes anything that another would undo:
actions only get fewer, times only earlier, spans only shorter, names only simpler, the setup only smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from chaoskube.action import Step, arguments_of
from chaoskube.arguments import Names, Target
from chaoskube.run import Plan
from chaoskube.sim import MILLISECOND, SECOND

Pass = Callable[[Plan, Names], Iterator[Plan]]

_ROUND = (60 * SECOND, 10 * SECOND, 5 * SECOND, SECOND, 500 * MILLISECOND, 100 * MILLISECOND, MILLISECOND)


def drop_actions(plan: Plan, names: Names) -> Iterator[Plan]:
    """No action is left that the failure does without: halves first, then smaller runs, then each one."""
    size = len(plan.steps)
    while size:
        for start in range(len(plan.steps) - size, -1, -1):
            yield attrs.evolve(plan, steps=plan.steps[:start] + plan.steps[start + size :])
        size //= 2


def drop_pairs(plan: Plan, names: Names) -> Iterator[Plan]:
    """No two actions are left that the failure does without together (a pause and its end, say)."""
    count = len(plan.steps)
    for one in range(count):
        for other in range(one + 2, count):
            yield attrs.evolve(
                plan, steps=tuple(step for index, step in enumerate(plan.steps) if index not in (one, other))
            )


def shrink_setup(plan: Plan, names: Names) -> Iterator[Plan]:
    """The setup is as small as the scenario knows to make it."""
    for setup in plan.scenario.simpler(plan.setup):
        yield attrs.evolve(plan, scenario=attrs.evolve(plan.scenario, setup=setup))


def simplify_arguments(plan: Plan, names: Names) -> Iterator[Plan]:
    """Each argument is the simplest that still fails: first names, default words, shortest spans."""
    for index, step in enumerate(plan.steps):
        for name, argument in arguments_of(type(step.action)).items():
            for value in argument.simpler(getattr(step.action, name), names):
                action = attrs.evolve(step.action, **{name: value})
                yield _with_step(plan, index, attrs.evolve(step, action=action))


def rename_throughout(plan: Plan, names: Names) -> Iterator[Plan]:
    """A thing that several actions name is the simplest of its kind, in all of them at once."""
    named: dict[tuple[Target, str], list[tuple[int, str]]] = {}
    for index, step in enumerate(plan.steps):
        for name, argument in arguments_of(type(step.action)).items():
            if isinstance(argument, Target):
                named.setdefault((argument, getattr(step.action, name)), []).append((index, name))
    for (kind, value), places in named.items():
        for simpler in kind.simpler(value, names) if len(places) > 1 else ():
            renamed = plan
            for index, name in places:
                step = renamed.steps[index]
                action = attrs.evolve(step.action, **{name: simpler})
                renamed = _with_step(renamed, index, attrs.evolve(step, action=action))
            yield renamed


def pull_together(plan: Plan, names: Names) -> Iterator[Plan]:
    """Gaps between actions are as small as they can be; what follows a gap moves along with it."""
    for index, step in enumerate(plan.steps):
        before = plan.steps[index - 1].at if index else 0
        gap = step.at - before
        for smaller in _smaller_gaps(gap):
            moved = (attrs.evolve(later, at=later.at - gap + smaller) for later in plan.steps[index:])
            yield attrs.evolve(plan, steps=(*plan.steps[:index], *moved))


def round_times(plan: Plan, names: Names) -> Iterator[Plan]:
    """Times are round numbers, rounded down."""
    for unit in _ROUND:
        rounded = tuple(attrs.evolve(step, at=step.at // unit * unit) for step in plan.steps)
        if rounded != plan.steps:
            yield attrs.evolve(plan, steps=rounded)
    for index, step in enumerate(plan.steps):
        floor = plan.steps[index - 1].at if index else 0
        for unit in _ROUND:
            at = step.at // unit * unit
            if floor <= at < step.at:
                yield _with_step(plan, index, attrs.evolve(step, at=at))


def shorten_run(plan: Plan, names: Names) -> Iterator[Plan]:
    """The story is not longer than it must be."""
    last = plan.steps[-1].at if plan.steps else 0
    for duration_ns in (last, *(last + _up(plan.duration_ns - last, part) for part in (8, 4, 2))):
        if duration_ns < plan.duration_ns:
            yield attrs.evolve(plan, duration_ns=duration_ns)


def first_seed(plan: Plan, names: Names) -> Iterator[Plan]:
    """The world's own luck is the plainest that still fails."""
    for seed in range(min(3, plan.seed)):
        yield attrs.evolve(plan, seed=seed)


PASSES: tuple[Pass, ...] = (
    drop_actions,
    first_seed,
    shorten_run,
    shrink_setup,
    drop_pairs,
    pull_together,
    simplify_arguments,
    rename_throughout,
    round_times,
)


def _with_step(plan: Plan, index: int, step: Step) -> Plan:
    return attrs.evolve(plan, steps=(*plan.steps[:index], step, *plan.steps[index + 1 :]))


def _smaller_gaps(gap: int) -> Iterator[int]:
    seen = set()
    for wanted in (0, SECOND // 10, SECOND, gap // 4, gap // 2, gap * 3 // 4):
        unit = next((unit for unit in _ROUND if unit <= wanted), 1)
        rounded = wanted // unit * unit
        if rounded < gap and rounded not in seen:
            seen.add(rounded)
            yield rounded


def _up(span: int, part: int) -> int:
    """A part of a span, rounded up to whole seconds."""
    return -(-span // part // SECOND) * SECOND
