"""The minimising passes. Each looks at the best plan and proposes simpler ones, boldest first.

A pass is a generator of candidates; it knows nothing of what fails. When a candidate is adopted the pass
is asked again about the new best plan (`minimise.py`). None proposes anything that another would undo:
actions only get fewer, times only earlier, spans only shorter, names only simpler, the setup only smaller; an aim goes, or
comes nearer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from chaoskube.action import Step, arguments_of
from chaoskube.aim import PROCESS
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
    named: dict[tuple[Target, str], list[tuple[int, str | None]]] = {}
    for index, step in enumerate(plan.steps):
        for name, argument in arguments_of(type(step.action)).items():
            if isinstance(argument, Target):
                named.setdefault((argument, getattr(step.action, name)), []).append((index, name))
        if step.aim is not None:
            named.setdefault((Target(PROCESS), step.aim.mark.process), []).append((index, None))
    for (kind, value), places in named.items():
        is_elsewhere = len(places) > 1 or places[0][1] is None  # else `simplify_arguments` does it
        for simpler in kind.simpler(value, names) if is_elsewhere else ():
            renamed = plan
            for index, place in places:
                renamed = _with_step(renamed, index, _renamed(renamed.steps[index], place, simpler))
            yield renamed


def drop_aims(plan: Plan, names: Names) -> Iterator[Plan]:
    """Nothing is aimed at a moment that does as well at its time."""
    for index, step in enumerate(plan.steps):
        if step.aim is not None:
            yield _with_step(plan, index, attrs.evolve(step, aim=None))


def lower_aims(plan: Plan, names: Names) -> Iterator[Plan]:
    """Each aim is at the first moment of its kind that still fails."""
    for index, step in enumerate(plan.steps):
        for aim in step.aim.simpler() if step.aim is not None else ():
            yield _with_step(plan, index, attrs.evolve(step, aim=aim))


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
    drop_aims,
    pull_together,
    lower_aims,
    simplify_arguments,
    rename_throughout,
    round_times,
)


def _with_step(plan: Plan, index: int, step: Step) -> Plan:
    return attrs.evolve(plan, steps=(*plan.steps[:index], step, *plan.steps[index + 1 :]))


def _renamed(step: Step, name: str | None, value: str) -> Step:
    """The step with another name in this argument, or (None) in its aim."""
    if name is not None:
        return attrs.evolve(step, action=attrs.evolve(step.action, **{name: value}))
    assert step.aim is not None, "only an aim has a name that no argument has"
    return attrs.evolve(step, aim=step.aim.at_process(value))


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
