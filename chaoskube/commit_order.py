"""Linearizability where the commit order is known: one sweep, never "unknown".

Inside a simulation (and in etcd's answers, by their revision) it is known in which order writes took effect. Then
nothing has to be searched. Replay the log; each answered operation has a position in it; what is left to check is that

- a write stands in the log, at its position, and no other does (`lost-write`, `shared-position`),
- each answer is what the model answers there (`wrong-answer`),
- an operation that was over before another began does not stand behind it (`real-time-order`).

These four hold exactly if the log, with each read put behind the write it saw, is a linearization. Invariants feed a
`CommitOrder` as a run goes on; `check_commit_order` takes a whole history.

Not modelled: partitions with clocks of their own; positions count the entries of one log.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from attrs import frozen

from chaoskube.history import Operation
from chaoskube.sequential import Model
from chaoskube.sim import UsageError

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")
Input_co = TypeVar("Input_co", covariant=True)
Output_co = TypeVar("Output_co", covariant=True)


@frozen(kw_only=True)
class Placed(Generic[Input_co, Output_co]):
    """An operation and its place in the log, counted from 1.

    A write IS the entry at `position`; anything else (a read, a failed comparison) saw the first `position` entries.
    `position=None`: nobody knows (no answer came, and the log does not say whose entry is whose); such an operation
    promises nothing.
    """

    operation: Operation[Input_co, Output_co]
    position: int | None
    is_write: bool


@frozen(kw_only=True)
class OrderViolation(Generic[Input_co, Output_co]):
    """An operation that has no place where its position puts it, and the rule it breaks."""

    rule: str
    placed: Placed[Input_co, Output_co]
    message: str


class CommitOrder(Generic[State, Input, Output]):
    """The log so far and who has read how much of it."""

    def __init__(self, model: Model[State, Input, Output]) -> None:
        self._model = model
        self._inputs: list[Input] = []
        self._histories: dict[Hashable, _Versions[State]] = {}
        self._taken: dict[int, Placed[Input, Output]] = {}
        self._returned: list[int] = []
        self._reached: list[int] = []

    @property
    def position(self) -> int:
        """How many entries are committed."""
        return len(self._inputs)

    def commit(self, input: Input) -> int:
        """The next entry of the log took effect; its position."""
        self._inputs.append(input)
        versions = self._versions(input)
        _, state = self._model.step(versions.states[-1], input, None)
        versions.positions.append(len(self._inputs))
        versions.states.append(state)
        return len(self._inputs)

    def judge(self, placed: Placed[Input, Output]) -> OrderViolation[Input, Output] | None:
        """The first rule that an operation breaks. Answered ones come in the order of their answers."""
        if placed.position is None:
            return None
        broken = self._write_rule(placed) if placed.is_write else None
        broken = (
            broken or self._answer_rule(placed, placed.position) or self._time_rule(placed, placed.position)
        )
        self._note(placed.operation.returned, placed.position)
        if broken is None:
            return None
        rule, message = broken
        return OrderViolation(rule=rule, placed=placed, message=f"{self._name(placed)}: {message}")

    def _write_rule(self, placed: Placed[Input, Output]) -> tuple[str, str] | None:
        """A write is the entry at its position, and the only one."""
        position, input = placed.position, placed.operation.input
        if position is None or not 1 <= position <= len(self._inputs):
            return "lost-write", f"the log has {len(self._inputs)} entries and none at {position}"
        if self._inputs[position - 1] != input:
            found = self._model.describe(self._inputs[position - 1], None)
            return "lost-write", f"the log has {found} at {position}"
        other = self._taken.setdefault(position, placed)
        if other is not placed:
            return "shared-position", f"{self._name(other)} has the same position"
        return None

    def _answer_rule(self, placed: Placed[Input, Output], position: int) -> tuple[str, str] | None:
        """The model answers the same at this position."""
        if not 0 <= position <= len(self._inputs):
            return "wrong-answer", f"it saw {position} entries of a log of {len(self._inputs)}"
        operation = placed.operation
        versions = self._versions(operation.input)
        state = versions.states[bisect_left(versions.positions, position + (not placed.is_write)) - 1]
        is_legal, _ = self._model.step(state, operation.input, operation.output)
        return None if is_legal else ("wrong-answer", f"the state there was {state!r}")

    def _time_rule(self, placed: Placed[Input, Output], position: int) -> tuple[str, str] | None:
        """Whatever was over before the call is in the past of the operation."""
        before = bisect_left(self._returned, placed.operation.call)
        reached = self._reached[before - 1] if before else 0
        if reached + placed.is_write <= position:
            return None
        return (
            "real-time-order",
            f"it was called at {placed.operation.call}, when position {reached} had been answered already",
        )

    def _note(self, returned: int | None, position: int) -> None:
        if returned is None:
            return
        if self._returned and returned < self._returned[-1]:
            raise UsageError(
                f"returned={returned} comes after {self._returned[-1]}; judge operations in the order of their answers"
            )
        self._returned.append(returned)
        self._reached.append(max(position, self._reached[-1] if self._reached else 0))

    def _versions(self, input: Input) -> _Versions[State]:
        key = self._model.partition(input)
        versions = self._histories.get(key)
        if versions is None:
            versions = self._histories[key] = _Versions(self._model.initial())
        return versions

    def _name(self, placed: Placed[Input, Output]) -> str:
        operation = placed.operation
        words = self._model.describe(operation.input, operation.output)
        return f"client {operation.client}, {words} at position {placed.position}"


class _Versions(Generic[State]):
    """The states of one partition, and the position from which each holds."""

    __slots__ = ("positions", "states")

    def __init__(self, initial: State) -> None:
        self.positions = [0]
        self.states = [initial]


def check_commit_order(
    model: Model[State, Input, Output], log: Iterable[Input], placed: Iterable[Placed[Input, Output]]
) -> tuple[OrderViolation[Input, Output], ...]:
    """Every operation that the committed log contradicts; none means that the history is linearizable."""
    order = CommitOrder(model)
    for input in log:
        order.commit(input)
    known = [one for one in placed if one.position is not None]
    answered = sorted((one for one in known if one.operation.is_answered), key=_returned)
    open_ended = [one for one in known if not one.operation.is_answered]
    judged = (order.judge(one) for one in [*answered, *open_ended])
    return tuple(violation for violation in judged if violation is not None)


def _returned(placed: Placed[Input, Output]) -> int:
    returned = placed.operation.returned
    assert returned is not None
    return returned
