"""One run: build a world, let it come up, do the actions at their times, heal, settle, and judge.

    build -> warm-up (calm) -> the story (t=0) -> every fault healed -> settle -> verdict

`Session` is a run in progress, driven from outside one step at a time: the seeded generator, the
Hypothesis state machine and replay all drive the same one. `play` runs a whole plan.

An action with an aim is armed at its time and done at its moment, in the middle of whatever sets it off; when the moment
doesn't come before the story ends, it is left out, and the result says so.

Invariants wake on their own events only. One that breaks stops the world at that instant; nothing that
would come later is part of the run. Times in results are virtual ns since the story began.
"""

from __future__ import annotations

import hashlib
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import attrs
from attrs import frozen

from chaoskube.action import FAULT, Action, Stage, Step
from chaoskube.aim import Aim
from chaoskube.arguments import CannotApply
from chaoskube.bug import Bug
from chaoskube.collector import seldom
from chaoskube.invariant import ALWAYS, EVENTUALLY, SOMETIMES, Invariant
from chaoskube.scenario import DIED, UNSETTLED, VIOLATED, Failure, Scenario, Setup
from chaoskube.sight import Sight
from chaoskube.sim import (
    SECOND,
    ChaoskubeError,
    ComponentError,
    Entry,
    FaultEnded,
    FaultStarted,
    Line,
    ModelBug,
    OperationEnded,
    OperationStarted,
    UsageError,
    World,
    WorldEnded,
    show,
)

_NOT_THEIRS = tuple(
    str(folder)
    for folder in (Path(__file__).parent, Path(os.__file__).parent, Path(attrs.__file__).parents[1])
)
"""Folders of code that is not the user's: ours, Python's, and what is installed beside us."""
POLL_NS = SECOND
"""How often settling and the `eventually` invariants are looked at once faults have stopped."""
STAY_NS = 10 * SECOND
"""How long a settled world is watched for staying so."""
STEPS_MAX = 10_000


@frozen(kw_only=True)
class Plan:
    """Everything that decides a run: the same plan gives the same run, to the last byte."""

    scenario: Scenario
    steps: tuple[Step, ...] = ()
    duration_ns: int
    seed: int = 0
    bug: Bug | None = None

    @property
    def setup(self) -> Setup:
        """What the scenario is built from."""
        return self.scenario.setup


@frozen(kw_only=True)
class Skipped:
    """A step that could not be done, and why."""

    step: Step
    reason: str


@frozen
class Told:
    """A line of the story with its time."""

    at: int
    line: Line


@frozen(kw_only=True)
class Result:
    """What became of a run. `plan.steps` are the steps that were really done."""

    plan: Plan
    failure: Failure | None
    digest: str
    attempted: tuple[Step, ...]
    skipped: tuple[Skipped, ...]
    lived_ns: int
    marks: dict[str, int]
    reached: tuple[str, ...]
    told: tuple[Told, ...] = ()
    assumptions: tuple[str, ...] = ()


@attrs.define(eq=False)
class _Running:
    """An action that was begun and is not over."""

    action: Action
    text: str
    stage: Stage | None = None
    is_over: bool = False


class Session:
    """A run in progress. Use it as a context manager; `warm_up` first, `finish` last."""

    def __init__(
        self, scenario: Scenario, *, seed: int = 0, bug: Bug | None = None, keep_lines: bool = False
    ) -> None:
        self.scenario = scenario
        self.failure: Failure | None = None
        self.attempted: list[Step] = []
        self._done: set[int] = set()
        self._armed: dict[int, Sight] = {}
        self.skipped: list[Skipped] = []
        self.began = 0
        self._seed = seed
        self._bug = bug
        self._doubt: ChaoskubeError | None = None
        self._running: list[_Running] = []
        self._reached: dict[str, None] = {}
        self._memory: dict[str, dict[str, object]] = {}
        self._scope = ExitStack()
        self._is_built = False
        try:
            self._scope.enter_context(seldom())
            if bug is not None:
                self._scope.enter_context(bug.patch())
            self.world = self._scope.enter_context(World(seed=seed, keep_lines=keep_lines))
            with self._guard():
                self.subject = scenario.build(self.world, scenario.setup)
                self._subscribe()
                self._is_built = True
        except BaseException:
            self.close()
            raise

    # -- what a driver does

    @property
    def now(self) -> int:
        """Virtual ns since the story began."""
        return self.world.now - self.began

    @property
    def is_over(self) -> bool:
        """The run has failed; nothing more will happen."""
        return self.failure is not None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was really done, in the order in which it was asked for."""
        return tuple(step for number, step in enumerate(self.attempted) if number in self._done)

    def targets(self, kind: str) -> tuple[str, ...]:
        """What an argument of this kind may name now, simplest first."""
        return tuple(self.subject.targets(kind))

    def warm_up(self) -> None:
        """Let the workload come up, in calm. UsageError when it never does."""
        if self.is_over:
            return
        reason: list[str | None] = [None]

        def is_warm() -> bool:
            reason[0] = self.subject.warm()
            return reason[0] is None

        is_up = False
        with self._guard():
            is_up = self.world.run_until(is_warm, self.scenario.warm_ns)
        self._raise_doubt()
        if not is_up and not self.is_over:
            raise UsageError(
                f"{self.scenario.name}: the workload is not up after {show(self.scenario.warm_ns)} of calm: {reason[0]}"
            )
        self.began = self.world.now

    def advance_to(self, at: int) -> None:
        """Let time pass up to this time of the story (less when the run fails before)."""
        self._advance(at - self.now)

    def apply(self, action: Action, aim: Aim | None = None) -> None:
        """Do an action now, or arm it. CannotApply, with nothing touched, when that makes no sense."""
        if self.is_over:
            return
        if len(self.attempted) >= STEPS_MAX:
            raise UsageError(f"a run has at most {STEPS_MAX} actions")
        number = len(self.attempted)
        self.attempted.append(Step(at=self.now, action=action, aim=aim))
        if aim is None:
            self._try(number)
            return
        try:
            aim.check(self.targets)
        except CannotApply as problem:
            self._skip(number, problem)
            raise
        self._armed[number] = Sight(self.world, aim, lambda: self._fire(number))

    def is_possible(self, action: Action) -> bool:
        """Would it make sense here and now?"""
        try:
            action.check(self.targets)
            action.ready(Stage(self.world, self.subject, lambda: None, self._heal_all))
        except CannotApply:
            return False
        return True

    def _try(self, number: int) -> None:
        try:
            self._begin(self.attempted[number].action)
        except CannotApply as problem:
            self._skip(number, problem)
            raise
        self._done.add(number)

    def _skip(self, number: int, reason: object) -> None:
        self.skipped.append(Skipped(step=self.attempted[number], reason=str(reason)))

    def _fire(self, number: int) -> None:
        """The moment has come. Components are on the stack: nothing of the harness may be raised through them."""
        del self._armed[number]
        if self.is_over:
            return
        try:
            self._try(number)
        except CannotApply:
            return
        except ChaoskubeError as problem:
            self._doubt = self._doubt or problem
            self.world.stop(problem)

    def _disarm(self) -> None:
        """The story is over: what has not come will not be waited for."""
        for number, sight in self._armed.items():
            sight.close()
            if not self.is_over:
                self._skip(number, sight.told())
        self._armed.clear()

    def finish(self, duration_ns: int, *, story: bool = False, settles: bool = True) -> Result:
        """Live to the end of the story, heal, settle, judge; without `settles` stop where the story ends."""
        self.advance_to(duration_ns)
        self._disarm()
        if settles and not self.is_over:
            self._heal_all()
            self._settle()
        self._raise_doubt()
        return self._result(duration_ns, story)

    def close(self) -> None:
        """Give the thread back; safe to call twice."""
        self._scope.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- actions

    def _begin(self, action: Action) -> None:
        action.check(self.targets)
        running = _Running(action, action.text())
        running.stage = stage = Stage(self.world, self.subject, lambda: self._ended(running), self._heal_all)
        action.ready(stage)
        started = FaultStarted if action.kind == FAULT else OperationStarted
        self._record(started(verb=action.verb, text=running.text))
        self._running.append(running)
        with self._guard(f"action {running.text!r}"):
            action.do(stage)
            lasts = action.lasts()
            if lasts is not None:
                self.world.call_later(lasts, self._undo, running)
            elif action.kind != FAULT and not stage.is_open:
                self._ended(running)

    def _undo(self, running: _Running) -> None:
        if not running.is_over:
            assert running.stage is not None
            running.action.undo(running.stage)
            self._ended(running)

    def _ended(self, running: _Running) -> None:
        if running.is_over:
            return
        running.is_over = True
        self._running.remove(running)
        ended = FaultEnded if running.action.kind == FAULT else OperationEnded
        self._record(ended(verb=running.action.verb, text=running.text))

    def _heal_all(self) -> None:
        with self._guard("healing"):
            for running in reversed([one for one in self._running if one.action.kind == FAULT]):
                self._undo(running)

    def _record(self, event: object) -> None:
        with self.world.watched():
            self.world.journal.record(self.world.now, "", event)

    # -- settling

    def _settle(self) -> None:
        """Run until nothing changes and every `eventually` holds, and watch that it stays so."""
        healed = self.world.now
        claims = [one for one in self.scenario.invariants if one.kind == EVENTUALLY]
        limit = max([self.scenario.settle_ns, *(claim.within_ns for claim in claims)])
        quiet_since: int | None = None
        while not self.is_over:
            since = self.world.now - healed
            reason = self.subject.unsettled()
            with self.world.watched():
                broken = {
                    claim.name: told for claim in claims if (told := self._ask(claim, None)) is not None
                }
            late = next((one for one in claims if one.name in broken and since >= one.within_ns), None)
            if late is not None:
                self._fail(
                    VIOLATED,
                    late.name,
                    f"{broken[late.name]} ({show(since)} after the last fault was healed)",
                )
            elif reason is not None or broken:
                quiet_since = None
                if since >= limit:
                    self._fail(
                        UNSETTLED, "unsettled", f"not settled {show(since)} after the last fault: {reason}"
                    )
            elif quiet_since is None:
                quiet_since = self.world.now
            elif self.world.now - quiet_since >= STAY_NS:
                return
            self._advance(POLL_NS)

    # -- invariants

    def _subscribe(self) -> None:
        for invariant in self.scenario.invariants:
            wake = self._waker(invariant)
            for event_type in invariant.on:
                self.world.journal.subscribe(event_type, wake)

    def _waker(self, invariant: Invariant) -> Callable[[Entry], None]:
        ask, observer = invariant.ask, self.subject.observer
        memory = self._memory.setdefault(invariant.name, {})

        def always(entry: Entry) -> None:  # a hundred times a virtual second: `_ask`, without a call more
            if self.failure is None and self._doubt is None:
                try:
                    message = ask(observer, entry, memory)
                except UsageError as problem:
                    self._cannot_ask(problem)
                    return
                if message is not None:
                    self._fail(VIOLATED, invariant.name, message, entry.by)

        def sometimes(entry: Entry) -> None:
            if invariant.name not in self._reached and self._ask(invariant, entry) is None:
                self._reached[invariant.name] = None

        return {ALWAYS: always, SOMETIMES: sometimes}.get(invariant.kind, always)

    def _ask(self, invariant: Invariant, entry: Entry | None) -> str | None:
        memory = self._memory.setdefault(invariant.name, {})
        try:
            return invariant.ask(self.subject.observer, entry, memory)
        except UsageError as problem:
            self._cannot_ask(problem)
            return None

    def _cannot_ask(self, problem: UsageError) -> None:
        self._doubt = self._doubt or problem
        self.world.stop(problem)

    # -- endings

    def _fail(self, kind: str, name: str, message: str, by: str = "") -> None:
        if self.failure is None:
            self.failure = Failure(kind=kind, name=name, message=message, at=self.now, by=by)
            self.world.stop(self.failure)

    def _advance(self, duration_ns: int) -> None:
        if not self.is_over and duration_ns > 0:
            with self._guard():
                self.world.advance(duration_ns)
        self._raise_doubt()

    def _raise_doubt(self) -> None:
        if self._doubt is not None:
            raise self._doubt

    @contextmanager
    def _guard(self, doing: str = "the world") -> Iterator[None]:
        """Turn what ends a world into a failure with a reason; nothing unexpected passes as it is."""
        try:
            yield
        except WorldEnded as ended:
            cause = ended.__cause__ if isinstance(ended, ComponentError) else None
            name = "model-bug" if isinstance(cause, ModelBug) else _dashed(type(ended).__name__)
            by = ended.process if isinstance(ended, ComponentError) else ""
            self._fail(DIED, name, f"{ended}{_place(cause)}", by)
        except ChaoskubeError:
            raise
        except Exception as problem:
            raise ModelBug(
                f"{doing} raised {type(problem).__name__}: {problem}{_place(problem)}"
            ) from problem

    def _result(self, duration_ns: int, story: bool) -> Result:
        verdict = f"{self.failure.kind} {self.failure.name} {self.failure.at}" if self.failure else "passed"
        text = f"{self.world.journal.digest()} {verdict}"
        told = self._tell() if story and self._is_built else ()
        return Result(
            plan=Plan(
                scenario=self.scenario,
                steps=self.steps,
                duration_ns=duration_ns,
                seed=self._seed,
                bug=self._bug,
            ),
            failure=self.failure,
            digest=hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
            attempted=tuple(self.attempted),
            skipped=tuple(self.skipped),
            lived_ns=self.world.now,
            marks=dict(self.world.marks),
            reached=tuple(self._reached),
            told=told,
            assumptions=tuple(self.subject.assumptions()) if story and self._is_built else (),
        )

    def _tell(self) -> tuple[Told, ...]:
        lines = ((entry.at - self.began, self.subject.tell(entry)) for entry in self.world.journal.entries)
        return tuple(Told(at, line) for at, line in lines if line is not None)


def play(
    plan: Plan,
    *,
    attempted: tuple[Step, ...] | None = None,
    story: bool = False,
    settles: bool = True,
) -> Result:
    """Run a plan. A step that cannot be done is left out and listed in the result's `skipped`.

    `attempted` are steps to play instead, those that were skipped before included: a run that a
    generator drew is repeated exactly only with them.
    """
    with Session(plan.scenario, seed=plan.seed, bug=plan.bug) as session:
        session.warm_up()
        for step in plan.steps if attempted is None else attempted:
            session.advance_to(step.at)
            try:
                session.apply(step.action, step.aim)
            except CannotApply:
                continue
        return session.finish(plan.duration_ns, story=story, settles=settles)


def _dashed(name: str) -> str:
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).strip("-")


def _place(problem: BaseException | None) -> str:
    """Where it was raised: the last line of the user's own code, if any of it was involved."""
    frames = traceback.extract_tb(problem.__traceback__) if problem is not None else []
    theirs = [frame for frame in frames if not frame.filename.startswith(_NOT_THEIRS)]
    last = (theirs or frames)[-1:]
    return "".join(f" ({frame.filename}:{frame.lineno})" for frame in last)
