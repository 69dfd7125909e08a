"""Playing a trace again, and what came of it.

- reproduced: the same violation, the same digest, to the last byte;
- reproduced differently: the same violation, another digest (the code or a version changed);
- no longer fails: the violation does not happen (another one may, and is then named);
- cannot be applied: an action makes no sense in this world; the line and the reason.
"""

from __future__ import annotations

import attrs
from attrs import frozen

from chaoskube.run import Result, play
from chaoskube.scenario import VIOLATED, Failure, Scenario
from chaoskube.sim import UsageError
from chaoskube.trace import Trace, versions

REPRODUCED = "reproduced"
DIFFERENTLY = "reproduced differently"
NO_LONGER = "no longer fails"
CANNOT = "cannot be applied"


@frozen(kw_only=True)
class Replayed:
    """One of the four verdicts, a sentence about it, and the run."""

    verdict: str
    sentence: str
    result: Result


def replay(trace: Trace, *, scenario: Scenario | None = None, story: bool = False) -> Replayed:
    """Play the trace and compare. UsageError when it cannot even be built."""
    plan = trace.plan(scenario)
    try:
        result = play(plan, story=story)
    except UsageError as problem:
        raise UsageError(f"{trace.source}: {problem}") from problem
    verdict, sentence = _judge(trace, result)
    return Replayed(verdict=verdict, sentence=sentence, result=result)


def without_record(trace: Trace) -> Trace:
    """The trace with what it recorded forgotten, as after an edit by hand."""
    return attrs.evolve(trace, failure=None, digest=None)


def _judge(trace: Trace, result: Result) -> tuple[str, str]:
    if result.skipped:
        first = result.skipped[0]
        line = trace.lines[result.attempted.index(first.step)] if trace.lines else None
        place = f"{trace.source}:{line}" if line is not None else trace.source
        return CANNOT, f"{place}: {first.step.text()}: {first.reason}"
    wanted, got = trace.failure, result.failure
    if wanted is None:
        return _judge_unrecorded(got)
    if got is None and wanted.kind == VIOLATED and not _is_checked(wanted.name, result):
        why = f"nothing here checks {wanted.name}; a rule of a file stands under invariants:, like rules.py:my_rule"
        return CANNOT, f"{trace.source}: {why}"
    if got is None:
        return NO_LONGER, f"{wanted.name} holds in this run{_changed(trace)}"
    if got.name != wanted.name:
        return NO_LONGER, f"{wanted.name} holds up to {_named(got)}{_changed(trace)}"
    if trace.digest is None or result.digest == trace.digest:
        return REPRODUCED, f"{_named(got)}; digest {result.digest}"
    return DIFFERENTLY, f"{_named(got)}; digest {result.digest} instead of {trace.digest}{_changed(trace)}"


def _is_checked(name: str, result: Result) -> bool:
    return name in [one.name for one in result.plan.scenario.invariants]


def _judge_unrecorded(got: Failure | None) -> tuple[str, str]:
    if got is None:
        return NO_LONGER, "nothing breaks, and the trace records no violation"
    return REPRODUCED, f"{_named(got)}; the trace recorded no violation to compare with"


def _named(failure: Failure) -> str:
    return f"{failure.name}: {failure.message}"


def _changed(trace: Trace) -> str:
    now = versions()
    other = [
        f"{name} {was} is {now[name]} now"
        for name, was in trace.versions.items()
        if now.get(name, was) != was
    ]
    return f" ({', '.join(other)})" if other else ""
