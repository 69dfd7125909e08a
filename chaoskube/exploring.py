"""What `chaoskube explore` does: chooses the bounds, searches, and says what came of it.

A violation is a shortest trace, in numbered steps; without one the last lines say how far the search has looked, which
bound ended it, and so what it has not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import attrs

from chaoskube.bug import Bug, bugs
from chaoskube.discovery import bug_named, exploration_named
from chaoskube.exploration import Bounds, Exploration
from chaoskube.explore import Explored, Violation, explore
from chaoskube.sim import UsageError

_BUDGETS = ("time_outs", "requests", "reads", "crashes", "slow_writes", "duplicates", "drops")
_WORDS = {"time_outs": "time-out", "crashes": "crash", "slow_writes": "slow write"}


def explore_and_tell(
    name: str, given: Mapping[str, int], *, bug: str | None, seconds: float, quiet: bool
) -> bool:
    """Search and print; True when a check does not hold."""
    what = exploration_named(name)
    planted = reachable(bug_named(bug), what) if bug is not None else None
    bounds = bounds_of(what, planted, given, seconds)
    if not quiet:
        print(
            f"exploring {what.name}: {_bounds_text(bounds)}{f'; planted: {bug}' if bug else ''}", flush=True
        )
    patch: AbstractContextManager[None] = planted.patch() if planted is not None else nullcontext()
    with patch:
        result = explore(what, bounds)
    for line in lines(what, result, quiet=quiet):
        print(line)
    return result.violation is not None


def reachable(bug: Bug, what: Exploration) -> Bug:
    """The bug, or UsageError where a search would say "nothing found" because it never comes by the place."""
    if bug.bounds is None and bug.scenario != what.name:
        others = ", ".join(one.slug for one in bugs if one.bounds is not None)
        raise UsageError(
            f"no search of {what.name} comes by {bug.slug}: `chaoskube hunt --bug {bug.slug}` does; searches find {others}"
        )
    return bug


def bounds_of(what: Exploration, bug: Bug | None, given: Mapping[str, int], seconds: float | None) -> Bounds:
    """The exploration's own bounds, then those that a bug needs, then what was asked for."""
    bounds = attrs.evolve(what.bounds, seconds=seconds)
    if bug is not None and bug.bounds is not None:
        bounds = _with(bounds, bug.bounds, f"{bug.slug} asks for")
    return _with(bounds, given, "there is no bound called")


def _with(bounds: Bounds, changes: Mapping[str, object], complaint: str) -> Bounds:
    known = {field.name for field in attrs.fields(Bounds)} - {"seconds"}
    numbers: dict[str, int] = {}
    for name, value in changes.items():
        if name not in known or not isinstance(value, int):
            raise UsageError(
                f"{complaint} {name}={value!r}; bounds are {', '.join(sorted(known))}, whole numbers"
            )
        numbers[name] = value
    return bounds.but(**numbers)


def lines(what: Exploration, result: Explored, *, quiet: bool = False) -> list[str]:
    """What came of a search, for people."""
    covered = (
        f"{_number(result.states, 'state')}, {_number(result.transitions, 'transition')}, "
        f"{_depth_text(result)}, "
        f"{result.seconds:.1f} s ({result.states_a_second:.0f} states a second)"
    )
    if result.violation is not None:
        told = _violation_lines(result.violation)
        return told[:1] if quiet else [*told, covered]
    count = len(what.checks)
    verdict = (
        f"nothing found: {_number(count, 'check')} {'holds' if count == 1 else 'hold'} in every state seen"
    )
    if quiet:
        return [verdict]
    return [verdict, covered, _end_text(result)]


def _depth_text(result: Explored) -> str:
    if result.ended_by == "everything":
        return f"every path (the longest has {_number(result.depth - 1, 'step')})"
    return f"every path of up to {_number(result.depth, 'step')}"


def _violation_lines(found: Violation) -> list[str]:
    told = [f"VIOLATED {found.check}: {found.message}", f"  the rule: {found.rule}"]
    told.append(f"a shortest way there, {_number(len(found.steps), 'step')}:")
    width = len(str(len(found.steps)))
    for number, step in enumerate(found.steps, start=1):
        told.append(f"  {number:>{width}}. {step.text}")
        told += [f"  {'':>{width}}    {line}" for line in step.outcome]
    return told


def _end_text(result: Explored) -> str:
    bounds = result.bounds
    ends = {
        "everything": "nothing is left to look at within the budgets",
        "depth": f"ended by --depth {bounds.depth}: longer paths were not looked at",
        "states": f"ended by --states {bounds.states}: paths of {_number(result.depth + 1, 'step')} in part, longer ones not at all",
        "time": f"ended by --for {bounds.seconds or 0:g}s: paths of {_number(result.depth + 1, 'step')} in part, longer ones not at all",
    }
    spent = (
        f"; used up on some path: {', '.join(f'--{name}' for name in result.used_up)}"
        if result.used_up
        else ""
    )
    return ends[result.ended_by] + spent


def _bounds_text(bounds: Bounds) -> str:
    budgets = [
        _number(getattr(bounds, name), _WORDS.get(name, name.removesuffix("s")))
        for name in _BUDGETS
        if getattr(bounds, name)
    ]
    return (
        f"{_number(bounds.members, 'member')}, paths of up to {_number(bounds.depth, 'step')}, each with at most "
        + (", ".join(budgets) or "messages alone")
    )


def _number(count: int, thing: str) -> str:
    plural = f"{thing}es" if thing.endswith("sh") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"
