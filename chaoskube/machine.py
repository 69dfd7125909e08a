"""A scenario as a Hypothesis state machine: the gear for pytest. The only file that knows `stateful`.

    TestRollingUpdate = state_machine(rolling_update())

One coarse rule a verb: a gap of time, then the action, its arguments drawn by Hypothesis, simplest first; a fault may be
aimed at a moment from then on.
Rules are synchronous and drive the same `Session` as everything else. The machine records its own actions;
Hypothesis runs the smallest failing case last, so the last failing run of each invariant is the one that
goes on to `minimise.py`, is saved as a trace, and told as a story instead of Hypothesis's report.

Hypothesis tells failures apart by type: each invariant has its own Violation. Its database keeps examples by
a digest; ours is the scenario's own, so that two scenarios do not share theirs.
"""

from __future__ import annotations

import hashlib
import unittest
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, cast

from hypothesis import settings as Settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test, initialize, rule

from chaoskube import profiles
from chaoskube.action import Action
from chaoskube.aim import Aim, Mark, marks_seen
from chaoskube.arguments import CannotApply, Names
from chaoskube.bug import Bug
from chaoskube.hunting import catch
from chaoskube.invariant import Violation, violation_type
from chaoskube.run import Result, Session
from chaoskube.scenario import Scenario
from chaoskube.strategies import aims, argument_strategies, gaps

SEED_MAX = 999
SHORT_BUDGET_SECONDS = 30.0


class ScenarioTestCase(unittest.TestCase):
    """A test that hunts one scenario with Hypothesis. `settings`, `traces` may be set on a subclass."""

    machine: ClassVar[type[_Machine]]
    settings: ClassVar[Settings]
    traces: ClassVar[Path] = Path("chaos-traces")

    def runTest(self) -> None:
        """Run the machine; a violation comes out with its story as its text."""
        self.machine.found.clear()
        test = get_state_machine_test(self.machine, settings=self.settings)
        inner = test.hypothesis.inner_test  # type: ignore[attr-defined]  # Hypothesis's own handle
        inner._hypothesis_internal_add_digest = _digest(self.machine.scenario, self.machine.bug)
        try:
            test()
        except (Violation, BaseExceptionGroup) as problem:
            if not _is_all_ours(problem):
                raise
            told = self._stories()
        else:
            return
        raise told

    def _stories(self) -> Violation:
        finds = [
            catch(result, self.traces, budget_seconds=SHORT_BUDGET_SECONDS)
            for result in self.machine.found.values()
        ]
        text = "\n\n".join("\n".join(found.lines) for found in finds)
        told = violation_type(next(iter(self.machine.found)))(text)
        told.story = text
        return told


def state_machine(
    scenario: Scenario,
    *,
    bug: Bug | None = None,
    settings: Settings | None = None,
    traces: Path | None = None,
) -> type[ScenarioTestCase]:
    """A TestCase for this scenario, for pytest or unittest to collect."""
    profiles.register()
    chosen = settings if settings is not None else Settings.get_profile("chaos-quick")
    name = "".join(part.capitalize() for part in scenario.name.replace("_", "-").split("-"))
    machine = _machine_of(scenario, bug, name)
    body: dict[str, object] = {
        "machine": machine,
        "settings": Settings(chosen, stateful_step_count=max(2, scenario.actions_max)),
        "__doc__": scenario.doc,
    }
    if traces is not None:
        body["traces"] = traces
    return cast(type[ScenarioTestCase], type(f"Test{name}", (ScenarioTestCase,), body))


class _Machine(RuleBasedStateMachine):
    """One run driven by Hypothesis. Subclasses have a rule for each verb."""

    scenario: ClassVar[Scenario]
    bug: ClassVar[Bug | None]
    found: ClassVar[dict[str, Result]]

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None

    @initialize(seed=st.integers(0, SEED_MAX))
    def begin(self, seed: int) -> None:
        """Build the world and let the workload come up."""
        self.session = Session(self.scenario, seed=seed, bug=self.bug)
        self.session.warm_up()

    def act(self, gap: int, action: Action, aim: Aim | None) -> None:
        """Let time pass, then do an action, or arm it, if it makes sense then."""
        session = self.session
        assert session is not None, "begin() comes first"
        session.advance_to(min(session.now + gap, self.scenario.duration_ns))
        try:
            session.apply(action, aim)
        except CannotApply:
            return
        finally:
            self._raise_failure()

    def teardown(self) -> None:
        """Heal, settle, judge; the world is closed whatever happens."""
        session, self.session = self.session, None
        if session is not None:
            with session:
                if not session.is_over:
                    self._judge(session)

    def _raise_failure(self) -> None:
        session = self.session
        if session is not None and session.is_over:
            self._judge(session)

    def _judge(self, session: Session) -> None:
        result = session.finish(self.scenario.duration_ns)
        failure = result.failure
        if failure is not None:
            self.found[failure.name] = result
            raise violation_type(failure.name)(failure.message)


def _machine_of(scenario: Scenario, bug: Bug | None, name: str) -> type[_Machine]:
    with Session(scenario, bug=bug) as session:
        session.warm_up()
        kinds: dict[str, tuple[str, ...]] = {}

        def names(kind: str) -> tuple[str, ...]:
            return kinds.setdefault(kind, session.targets(kind))

        marks = tuple(marks_seen(session.world.journal.entries, session.world.network, names("process")))
        body: dict[str, object] = {"scenario": scenario, "bug": bug, "found": {}}
        for cls in scenario.menu:
            made = _rule_of(cls, names, marks, scenario.duration_ns)
            if made is not None:
                body[cls.verb.replace("-", "_")] = made
    return cast(type[_Machine], type(f"{name}Machine", (_Machine,), body))


def _rule_of(
    cls: type[Action], names: Names, marks: Sequence[Mark], duration_ns: int
) -> Callable[..., None] | None:
    strategies = argument_strategies(cls, names)
    if strategies is None:
        return None

    def act(self: _Machine, gap: int, action: Action, aim: Aim | None) -> None:
        self.act(gap, action, aim)

    act.__name__ = cls.verb.replace("-", "_")
    made: Callable[..., None] = rule(
        gap=gaps(duration_ns // 3), action=st.builds(cls, **strategies), aim=aims(cls, marks)
    )(act)
    return made


def _is_all_ours(problem: BaseException) -> bool:
    if isinstance(problem, BaseExceptionGroup):
        return all(_is_all_ours(one) for one in problem.exceptions)
    return isinstance(problem, Violation)


def _digest(scenario: Scenario, bug: Bug | None) -> bytes:
    menu = ",".join(cls.verb for cls in scenario.menu)
    return hashlib.sha256(f"{scenario.name}|{bug.slug if bug else ''}|{menu}".encode()).digest()
