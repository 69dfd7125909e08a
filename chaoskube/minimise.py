"""Making a failing plan smaller: small passes (`passes.py`) and one door.

Every candidate goes through `consider`: adopted only if it is new and a run of it breaks the same
invariant. Passes propose nothing but simpler plans, each in its own measure (fewer, earlier, shorter,
smaller), and none undoes another's work. They run round until none of them can move any more: then each single action is
needed (1-minimal), and so is each step that a pass knows. It can be stopped at any time; `best` is
always a plan that was seen to fail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from attrs import frozen

from chaoskube.passes import PASSES, Pass
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenario import VIOLATED, Failure
from chaoskube.sim import UsageError
from chaoskube.trace import plain

BUDGET_SECONDS = 60.0
RUNS_MAX = 5_000


@frozen(kw_only=True)
class Minimised:
    """The smallest plan found, the run that shows it, and how far the search came."""

    result: Result
    runs: int
    wall_seconds: float
    is_minimal: bool
    before: int

    @property
    def plan(self) -> Plan:
        """The smallest plan."""
        return self.result.plan


class OutOfBudget(Exception):
    """Time or runs are used up; what was found so far counts."""


class Minimiser:
    """The door: holds the best plan, the failure to keep, and what was tried."""

    def __init__(
        self,
        result: Result,
        *,
        budget_seconds: float = BUDGET_SECONDS,
        on_progress: Callable[[Plan, int], None] | None = None,
    ) -> None:
        if result.failure is None:
            raise UsageError("there is nothing to minimise: the run does not fail")
        self.failure: Failure = result.failure
        self.best: Plan = result.plan
        self.runs = 0
        self._found = result
        self._before = len(result.plan.steps)
        self._tried: set[str] = {_key(result.plan)}
        self._started = time.monotonic()
        self._budget = budget_seconds
        self._on_progress = on_progress
        self._names: tuple[str, dict[str, tuple[str, ...]]] = ("", {})

    def minimise(self) -> Minimised:
        """Run the passes round until none can move, or the budget is used up."""
        is_minimal = True
        try:
            while sum(self._run_pass(one) for one in PASSES):
                pass
        except OutOfBudget:
            is_minimal = False
        return Minimised(
            result=self._settled_result(),
            runs=self.runs,
            wall_seconds=time.monotonic() - self._started,
            is_minimal=is_minimal,
            before=self._before,
        )

    def consider(self, candidate: Plan) -> bool:
        """Adopt `candidate` if it is new and breaks the same invariant."""
        key = _key(candidate)
        if key in self._tried:
            return False
        self._tried.add(key)
        if self.runs >= RUNS_MAX or time.monotonic() - self._started > self._budget:
            raise OutOfBudget
        self.runs += 1
        found = self._play(candidate)
        if found is None:
            return False
        self._adopt(found)
        return True

    def names(self, kind: str) -> tuple[str, ...]:
        """What a kind of target may name once the best plan's workload is up."""
        key = json.dumps(plain(self.best.setup))
        if self._names[0] != key:
            self._names = (key, {})
        known = self._names[1]
        if kind not in known:
            with Session(self.best.scenario, seed=self.best.seed, bug=self.best.bug) as session:
                session.warm_up()
                known[kind] = session.targets(kind)
        return known[kind]

    def _adopt(self, found: Result) -> None:
        self._found, self.best = found, found.plan
        self._tried.add(_key(found.plan))
        if self._on_progress is not None:
            self._on_progress(self.best, self.runs)

    def _run_pass(self, one: Pass) -> bool:
        """Run one pass again and again as long as it moves."""
        has_moved = False
        while any(self.consider(candidate) for candidate in one(self.best, self.names)):
            has_moved = True
        return has_moved

    def _play(self, candidate: Plan) -> Result | None:
        """The run of a candidate if it fails as wanted, else None."""
        try:
            found = play(candidate, settles=not self._breaks_in_story(candidate))
        except UsageError:
            return None
        same = found.failure is not None and found.failure.name == self.failure.name
        return found if same else None

    def _breaks_in_story(self, candidate: Plan) -> bool:
        """The failure came while the story ran: no candidate needs to be healed and settled to show it."""
        failure = self._found.failure
        return failure is not None and failure.kind == VIOLATED and failure.at < self.best.duration_ns

    def _settled_result(self) -> Result:
        """The best plan's run as anybody's replay will see it."""
        result = play(self.best, story=True)
        if result.failure is None or result.failure.name != self.failure.name:
            return self._found  # pragma: no cover - replay would say so; determinism is checked elsewhere
        return result


def minimise(
    result: Result,
    *,
    budget_seconds: float = BUDGET_SECONDS,
    on_progress: Callable[[Plan, int], None] | None = None,
) -> Minimised:
    """The smallest plan that breaks what `result` broke."""
    return Minimiser(result, budget_seconds=budget_seconds, on_progress=on_progress).minimise()


def _key(plan: Plan) -> str:
    """What tells two plans apart."""
    steps = [step.text() for step in plan.steps]
    return json.dumps([steps, plan.duration_ns, plan.seed, plain(plan.setup)])
