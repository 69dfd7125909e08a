"""What the commands do: hunt, minimise, prove why, save, tell; with progress while it lasts.

Called by `cli.py`; the pytest plugin uses `find` and `minimised_story` of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs
from attrs import frozen

from chaoskube.action import actions
from chaoskube.bug import bugs
from chaoskube.discovery import bug_named, built_in, load, scenario_for, scenario_of_bug
from chaoskube.exploration import explorations
from chaoskube.hunt import (
    Doubt,
    Limits,
    Quarry,
    Tally,
    fresh_seed,
    hunt,
    never_reached,
    repeated_differently,
    result_of,
    without,
)
from chaoskube.invariant import Invariant
from chaoskube.minimise import BUDGET_SECONDS, Minimised, minimise
from chaoskube.replay import CANNOT, DIFFERENTLY, NO_LONGER, REPRODUCED, replay
from chaoskube.report.text import draw, story
from chaoskube.rules import load_rules
from chaoskube.run import Plan, Result, play
from chaoskube.scenario import Scenario
from chaoskube.sim import UsageError
from chaoskube.trace import SUFFIX, check_target, read_trace, trace_of, write_trace
from chaoskube.why import why

PROGRESS_SECONDS = 0.5
PROGRESS_SECONDS_PLAIN = 10.0


@frozen(kw_only=True)
class Order:
    """What a hunt is asked to do."""

    what: tuple[str, ...] = ()
    for_seconds: float | None = None
    examples: int | None = None
    seed: int | None = None
    bug: str | None = None
    without: tuple[str, ...] = ()
    invariants: tuple[str, ...] = ()
    workers: int = 1
    at_first: bool = True
    out: Path = Path("chaos-traces")
    quiet: bool = False


@frozen(kw_only=True)
class Find:
    """A violation, minimised, proven and saved."""

    minimised: Minimised
    path: Path
    lines: tuple[str, ...]


def hunt_and_tell(order: Order) -> bool:
    """Hunt as ordered and print what was found. Answers whether anything was."""
    bug = bug_named(order.bug) if order.bug else None
    scenarios = ordered_scenarios(order)
    check_target(order.out)
    seed = order.seed if order.seed is not None else fresh_seed()
    say = _teller(order.quiet)
    say(f"hunting {', '.join(one.name for one in scenarios)} with --seed {seed}")
    has_found = False
    for index, scenario in enumerate(scenarios):
        for note in scenario.notes(scenario.setup):
            say(f"{scenario.name}: {note}")
        if bug is not None and scenario.name != bug.scenario:
            say(f"{scenario.name}: {bug.slug} shows in {bug.scenario}; here it may change nothing")
        share = order.for_seconds / len(scenarios) if order.for_seconds is not None else None
        quarry = Quarry(scenario=scenario, bug=bug, seed=seed)
        limits = Limits(
            wall_seconds=share,
            runs=order.examples,
            at_first=order.at_first,
            workers=_workers(order, scenario),
        )
        tally = Tally()
        try:
            hunt(quarry, limits, _progress(scenario.name, order.quiet), tally)
        except KeyboardInterrupt:
            _clear_progress(order.quiet)
            _tell_what_there_is(scenario, tally, say)
            raise
        _clear_progress(order.quiet)
        say(_summary(scenario, tally))
        for report in sorted(tally.found.values(), key=lambda one: one.number):
            found = catch(result_of(quarry, report), order.out, on_progress=_minimising(order.quiet))
            has_found = True
            draw([""] * (not order.quiet) + list(found.lines[:1] if order.quiet else found.lines))
        if has_found and order.at_first and index + 1 < len(scenarios):
            say(f"not hunted after this: {', '.join(one.name for one in scenarios[index + 1 :])}")
            break
    if not has_found:
        draw(["nothing found"])
    return has_found


def _tell_what_there_is(scenario: Scenario, tally: Tally, say: Callable[[str], None]) -> None:
    """A hunt that is stopped by hand says what it has seen so far."""
    say(_summary(scenario, tally) if tally.runs else f"{scenario.name}: no run had ended yet")
    for report in tally.found.values():
        if report.failure is not None:
            draw(
                [
                    f"run {report.number} broke {report.failure.name}: {report.failure.message} (no trace saved yet)"
                ]
            )
    if not tally.found:
        say("nothing found so far")


def _named_failure(result: Result) -> str:
    assert result.failure is not None
    return f"VIOLATED {result.failure.name}: {result.failure.message}"


def ordered_scenarios(order: Order) -> list[Scenario]:
    """The scenarios that an order means, with its menu and invariants."""
    bug = bug_named(order.bug) if order.bug else None
    if bug is not None and order.what in ((), (bug.scenario,)):
        found = [scenario_of_bug(bug)]
    elif order.what:
        found = [scenario_for(order.what)]
    else:
        found = list(built_in())
    if not found:
        raise UsageError("no scenario is installed; name files or folders of manifests")
    rules = [rule for path in order.invariants for rule in load_rules(path)]
    if order.invariants and not rules:
        raise UsageError(f"there is no invariant in {', '.join(order.invariants)}")
    return [with_rules(without(one, order.without), rules) for one in found]


def with_rules(scenario: Scenario, rules: Iterable[Invariant]) -> Scenario:
    """The scenario with more invariants."""
    more = tuple(rules)
    for rule in more:
        if not isinstance(rule, Invariant):
            raise UsageError(
                f"{rule!r:.80} is no invariant; put @always(on=[...]) or @eventually(within=...) over it"
            )
    return attrs.evolve(scenario, invariants=(*scenario.invariants, *more))


def catch(
    result: Result,
    folder: Path,
    *,
    budget_seconds: float = BUDGET_SECONDS,
    on_progress: Callable[[Plan, int], None] | None = None,
) -> Find:
    """Save a failing run's trace, minimise it, save again, prove why, and tell. Doubt if it doesn't repeat."""
    assert result.failure is not None
    bug = f"-{result.plan.bug.slug}" if result.plan.bug is not None else ""
    path = folder / f"{result.plan.scenario.name}{bug}-{result.failure.name}{SUFFIX}"
    try:
        write_trace(trace_of(result), path)
    except UsageError:
        draw(["", _named_failure(result)])
        raise
    try:
        small = minimise(result, budget_seconds=budget_seconds, on_progress=on_progress)
    except KeyboardInterrupt:
        draw(["", f"{_named_failure(result)}; the trace as it was found, not minimised: {path}"])
        raise
    doubt = repeated_differently(small.result)
    if doubt is not None:
        raise Doubt(doubt)
    write_trace(trace_of(small.result), path)
    lines = story(small.result, why=why(small.result), path=path)
    return Find(minimised=small, path=path, lines=tuple(lines))


def replay_and_tell(path: Path, *, quiet: bool) -> int:
    """Replay a trace and print the verdict. Answers 0 (holds), 1 (violated) or 2 (cannot be applied)."""
    trace = read_trace(path)
    replayed = replay(trace, story=True)
    draw([f"{replayed.verdict}: {replayed.sentence}"])
    if replayed.verdict in (REPRODUCED, DIFFERENTLY) and not quiet:
        draw(["", *story(replayed.result, path=path)])
    if replayed.verdict == NO_LONGER and replayed.result.failure is not None:
        return 1
    return {REPRODUCED: 1, DIFFERENTLY: 1, NO_LONGER: 0, CANNOT: 2}[replayed.verdict]


def minimise_and_tell(path: Path, *, budget_seconds: float, out: Path | None, quiet: bool) -> None:
    """Make a trace shorter and save it beside the old one (or at `out`)."""
    trace = read_trace(path)
    target = out if out is not None else path.with_name(path.name.removesuffix(SUFFIX) + ".min" + SUFFIX)
    check_target(target.parent)
    plan = trace.plan()
    try:
        result = play(plan, story=True)
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from problem
    if result.failure is None:
        raise UsageError(f"{path}: no longer fails, so there is nothing to make shorter")
    small = minimise(result, budget_seconds=budget_seconds, on_progress=_minimising(quiet))
    _clear_progress(quiet)
    write_trace(trace_of(small.result), target)
    if quiet:
        draw([f"{target}: {_minimised_line(small)}"])
    else:
        draw([_minimised_line(small), "", *story(small.result, why=why(small.result), path=target)])


def listing(kind: str) -> list[str]:
    """What there is, by kind, one line each."""
    load()
    found = built_in()
    parts = {
        "scenarios": [(one.name, one.doc) for one in found],
        "actions": [(cls.verb, f"({cls.kind}) {cls.__doc__ or ''}") for cls in actions],
        "invariants": sorted(
            {(rule.name, f"({rule.kind}) {rule.rule}") for one in found for rule in one.invariants}
        ),
        "explorations": [(one.name, one.doc) for one in (make() for make in explorations)],
        "bugs": [(one.slug, one.doc) for one in bugs],
    }
    lines: list[str] = []
    for name, things in parts.items():
        if kind not in ("all", name):
            continue
        width = max((len(thing) for thing, _ in things), default=0)
        lines.append(f"{name}:" if things else f"{name}: none")
        lines += [
            f"  {thing:<{width}}  {' '.join(doc.split(chr(10) * 2)[0].split())}" for thing, doc in things
        ]
    return lines


def _minimised_line(small: Minimised) -> str:
    now = len(small.plan.steps)
    how = "no action can be left out" if small.is_minimal else "time was up; it may get shorter still"
    return f"from {_count(small.before, 'action')} to {now} in {_count(small.runs, 'run')}, {small.wall_seconds:.1f} s; {how}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _summary(scenario: Scenario, tally: Tally) -> str:
    lived = tally.lived_ns / 1e9
    missed = never_reached(scenario, tally)
    reach = f"; never reached: {', '.join(missed)}" if missed else ""
    count = len(tally.marks)
    marks = f"; {count} rare branch{'es' * (count > 1)} taken" if count else ""
    return (
        f"{scenario.name}: {_count(tally.runs, 'run')}, {_count(tally.actions, 'action')}, {lived:.0f} virtual seconds in "
        f"{tally.wall_seconds:.1f} s ({tally.speed:.0f} times real time){marks}{reach}"
    )


def _workers(order: Order, scenario: Scenario) -> int:
    return min(order.workers, order.examples) if order.examples is not None else order.workers


def _teller(quiet: bool) -> Callable[[str], None]:
    return (lambda _text: None) if quiet else (lambda text: print(text, flush=True))


def _progress(name: str, quiet: bool) -> Callable[[Tally], None] | None:
    if quiet:
        return None
    every = PROGRESS_SECONDS if sys.stderr.isatty() else PROGRESS_SECONDS_PLAIN
    last = [time.monotonic()]

    def show(tally: Tally) -> None:
        if time.monotonic() - last[0] >= every:
            last[0] = time.monotonic()
            reached = f", reached {', '.join(sorted(tally.reached))}" if tally.reached else ""
            _progress_line(
                f"{name}: {_count(tally.runs, 'run')}, {tally.lived_ns / 1e9:.0f} virtual seconds, "
                f"{tally.speed:.0f} times real time{reached}"
            )

    return show


def _minimising(quiet: bool) -> Callable[[Plan, int], None] | None:
    if quiet or not sys.stderr.isatty():
        return None
    return lambda plan, runs: _progress_line(f"minimising: {len(plan.steps)} actions left after {runs} runs")


def _progress_line(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text[:100]}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def _clear_progress(quiet: bool) -> None:
    if not quiet and sys.stderr.isatty():
        print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
