"""The story for a terminal: what was done, what happened, why, and what to do next. One screen.

`story` makes plain lines; `draw` prints them, with colour only where somebody looks at a terminal (rich is
imported only then). Decisive events are those that speak of what broke or of what was done; the rest is
counted, not shown.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TextIO

from attrs import frozen

from chaoskube.action import FAULT, Step, targets_of
from chaoskube.run import Result, Told
from chaoskube.scenario import DIED, UNSETTLED, VIOLATED, Failure, Scenario
from chaoskube.sim import MILLISECOND, SECOND
from chaoskube.why import Why

LINES_MAX = 35
EVENTS_MAX = 12
ACTIONS_MAX = 10
ASSUMPTIONS_MAX = 4
WIDTH = 110
INSTANT_NS = 20 * MILLISECOND
"""What several nodes do within so long of each other is told as one event."""
_COMMON = frozenset(
    {
        "the",
        "and",
        "was",
        "were",
        "with",
        "for",
        "has",
        "have",
        "not",
        "that",
        "than",
        "from",
        "are",
        "both",
        "after",
    }
)


def story(result: Result, *, why: Why | None = None, path: Path | None = None) -> list[str]:
    """The story of a failed run, at most LINES_MAX lines; only what happened is cut where it is too wide to read."""
    failure = result.failure
    assert failure is not None, "only a failed run has a story"
    tail = [*_why_lines(why, result), *_assumption_lines(result), *_command_lines(path)]
    head = [*_head_lines(failure, result.plan.scenario), *_action_lines(result)]
    room = max(4, min(EVENTS_MAX, LINES_MAX - len(head) - len(tail) - 2))
    return [*head, *map(_cut, _event_lines(result, failure, room)), *tail]


def draw(lines: Sequence[str], out: TextIO | None = None) -> None:
    """Print lines, with colour on a terminal."""
    stream = out if out is not None else sys.stdout
    if not stream.isatty() or "NO_COLOR" in os.environ:
        print("\n".join(lines), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(line, style=_style(line)))


def _head_lines(failure: Failure, scenario: Scenario) -> list[str]:
    rule = next((one.rule for one in scenario.invariants if one.name == failure.name), None)
    title = {
        VIOLATED: f"VIOLATED {failure.name}: {failure.message}",
        DIED: f"DIED ({failure.name}): {failure.message}",
        UNSETTLED: f"NEVER SETTLED: {failure.message}",
    }[failure.kind]
    return [title, f"  the rule: {rule}"] if rule else [title]


def _action_lines(result: Result) -> list[str]:
    steps = result.plan.steps
    if not steps:
        return [f"what was done (scenario {result.plan.scenario.name}): nothing, it just came up"]
    shown = [f"  {_when(step)}  {step.action.text()}" for step in steps[:ACTIONS_MAX]]
    more = [f"  and {len(steps) - ACTIONS_MAX} more"] if len(steps) > ACTIONS_MAX else []
    return [f"what was done (scenario {result.plan.scenario.name})", *shown, *more]


def _when(step: Step) -> str:
    """The time, or what is waited for."""
    if step.aim is None:
        return _clock(step.at)
    return f"{_clock(step.at)} on, {step.aim.text()}:" if step.at else f"{step.aim.text()}:"


def _event_lines(result: Result, failure: Failure, room: int) -> list[str]:
    first = min((step.at for step in result.plan.steps), default=0)
    told = _collapse([one for one in result.told if first <= one.at <= failure.at])
    last = [one.words for one in told if one.at == failure.at and one.component == failure.by]
    chosen, left_out = _decisive(told, _names_in(result, failure, room), room, last=_words(" ".join(last)))
    width = max((len(one.component) for one in chosen), default=0)
    lines = [f"  {_clock(one.at)}  {one.component:<{width}}  {one.words}" for one in chosen]
    lines.append(f"  {_clock(failure.at)}  => {failure.name} does not hold")
    count = f" ({left_out} other event{'s' if left_out > 1 else ''} left out)" if left_out else ""
    return [f"what happened{count}", *lines]


@frozen(kw_only=True)
class _Event:
    at: int
    component: str
    words: str


def _collapse(told: Sequence[Told]) -> list[_Event]:
    """The same words of one component in a row become one line with a count."""
    found: list[tuple[_Event, int]] = []
    for event in _together(
        [_Event(at=one.at, component=one.line.component, words=one.line.words) for one in told]
    ):
        if found and (found[-1][0].component, found[-1][0].words) == (event.component, event.words):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((event, 1))
    return [
        event
        if count == 1
        else _Event(at=event.at, component=event.component, words=f"{event.words} ({count} times)")
        for event, count in found
    ]


def _together(events: Sequence[_Event]) -> list[_Event]:
    """The same words of `proxy@node-1`, `proxy@node-2`... within an instant become one line of `proxy@node-1..2`."""
    groups: list[list[_Event]] = []
    latest: dict[tuple[str, str], list[_Event]] = {}
    for event in events:
        kind, at, _ = event.component.partition("@")
        key = (kind + at, event.words)
        group = latest.get(key)
        is_new = group is None or event.at - group[0].at > INSTANT_NS
        if not at or is_new or any(one.component == event.component for one in group or ()):
            latest[key] = group = []
            groups.append(group)
        assert group is not None
        group.append(event)
    return [
        _Event(at=group[0].at, component=_range([one.component for one in group]), words=group[0].words)
        for group in groups
    ]


def _range(names: Sequence[str]) -> str:
    """Names that differ in their last number only, as one: node-1..3, or node-1,3."""
    if len(names) == 1:
        return names[0]
    stems = {re.sub(r"\d+$", "", name) for name in names}
    numbers = sorted(int(match[0]) for name in names if (match := re.search(r"\d+$", name)))
    if len(stems) > 1 or len(numbers) < len(names):
        return ", ".join(names)
    is_run = numbers == list(range(numbers[0], numbers[-1] + 1))
    shown = f"{numbers[0]}..{numbers[-1]}" if is_run else ",".join(map(str, numbers))
    return f"{stems.pop()}{shown}"


def _decisive(
    events: Sequence[_Event], names: frozenset[str], room: int, *, last: frozenset[str] = frozenset()
) -> tuple[list[_Event], int]:
    """Those that share most names with the failure and the actions, rare names first; among equals the latest.

    What broke it, `last`, may name one that no message does: what that one did or suffered comes before all else.
    """
    shared = [names & _words(f"{one.component} {one.words}") for one in events]
    counts = Counter(name for found in shared for name in found)
    weights = [sum(Fraction(1, counts[name]) for name in found) for found in shared]
    unnamed = last - names
    ranked = sorted(
        range(len(events)),
        key=lambda index: (events[index].component not in unnamed, -weights[index], -index),
    )
    kept = sorted(ranked[:room])
    return [events[index] for index in kept], len(events) - len(kept)


def _names_in(result: Result, failure: Failure, room: int) -> frozenset[str]:
    """Of what broke and of what was done. Much that was done would leave no room for what happened: its targets then."""
    steps = result.plan.steps
    is_much = len(steps) > room // 4
    hit = [name for step in steps for _, names in targets_of(step.action) for name in names]
    done = hit if is_much else [step.action.text() for step in steps]
    return _words(" ".join([failure.message, failure.by, *done])) - _COMMON


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.split(r"[^A-Za-z0-9.-]+", text) if len(word) > 2)


def _why_lines(why: Why | None, result: Result) -> list[str]:
    if why is None:
        return []
    count = "one replay" if why.tried == 1 else f"{why.tried} replays"
    lines = [f"why (each proven by a replay; {count})"]
    for texts in why.remedies:
        lines.append(f"  it does not happen with {' and '.join(texts)}")
    if not why.remedies:
        more = "" if why.is_complete else " within the time allowed"
        lines.append(f"  no change of the setup that is known here makes it go{more}")
    if why.needed:
        lines.append(f"  {_needed(result)}")
    return lines


def _needed(result: Result) -> str:
    steps = result.plan.steps
    faults = [step for step in steps if step.action.kind == FAULT]
    if not steps:
        return "it needs no action: the workload alone comes to it"
    if len(steps) == 1:
        return f"{steps[0].action.verb} alone is enough" + ("" if faults else ": no fault is needed")
    return f"each of the {len(steps)} actions is needed: without any one of them nothing breaks"


def _assumption_lines(result: Result) -> list[str]:
    if not result.assumptions:
        return []
    return ["assumed", *(f"  {line}" for line in result.assumptions[:ASSUMPTIONS_MAX])]


def _command_lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    return [f"again:   chaoskube replay {path}", f"shorter: chaoskube minimise {path}"]


def _clock(at: int) -> str:
    return f"{at / SECOND:9.3f}s"


def _cut(line: str) -> str:
    return line if len(line) <= 2 * WIDTH else line[: 2 * WIDTH - 1] + "…"


def _style(line: str) -> str:
    if line.startswith(("VIOLATED", "DIED", "NEVER")) or "=> " in line:
        return "bold red"
    return "" if line.startswith("  ") else "bold"
