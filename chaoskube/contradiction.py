"""The smallest part of a history that contradicts itself.

Operations can't simply be left out: without the write that it saw, every read would be a contradiction. What is left
out here is what was ANSWERED. An operation outside of the part is taken as if its answer had never come: from its call
on it may have taken effect at any time, or never. Whatever linearizes the whole history linearizes that too; so if
even that has no linearization, then the operations of the part, with their times and answers, contradict each other
whatever became of the others. Two more things may be left out for good:

- what was called after the part's last answer (it can't have mattered any more);
- reads (they change nothing, so without an answer they promise nothing).

The part is minimal: with any one of its operations taken as unanswered, too, there is a linearization, or none was
refuted within the steps allowed (`is_minimal` says which). Called by `linearizability.py`'s callers when a check fails.

Not modelled: the smallest of all parts; it is one of which nothing can be taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

from attrs import frozen

from chaoskube.history import Operation
from chaoskube.lanes import WIDTH, lanes
from chaoskube.partition_search import PartitionSearch
from chaoskube.sequential import Model
from chaoskube.sim import UsageError

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")
Input_co = TypeVar("Input_co", covariant=True)
Output_co = TypeVar("Output_co", covariant=True)

ATTEMPT_STEPS = 20_000


@frozen(kw_only=True)
class Contradiction(Generic[Input_co, Output_co]):
    """Operations whose times and answers can't all be right.

    `open_ended` are the others that were called before the last answer: they had no part in it even if each took
    effect at any time from its call on, or never.
    """

    operations: tuple[Operation[Input_co, Output_co], ...]
    open_ended: tuple[Operation[Input_co, Output_co], ...]
    is_minimal: bool


def smallest_contradiction(
    model: Model[State, Input, Output],
    operations: Sequence[Operation[Input, Output]],
    *,
    steps: int = ATTEMPT_STEPS,
) -> Contradiction[Input, Output]:
    """The part of a refuted history (of one partition) that is to blame; `steps` bounds each attempt to shrink it."""
    if not operations:
        raise UsageError(
            "there is no operation to blame; pass the operations that a check refuted (result.refuted)"
        )
    shrinking = _Shrinking(model, steps)
    early, kept = shrinking.earliest(operations)
    kept = min(
        (shrinking.smaller(early, kept, order) for order in (sorted(kept), sorted(kept)[::-1])), key=len
    )
    return Contradiction(
        operations=tuple(one for place, one in enumerate(early) if place in kept),
        open_ended=tuple(one.unanswered() for place, one in enumerate(early) if place not in kept),
        is_minimal=all(shrinking.verdict(early, kept - {place}) is True for place in sorted(kept)),
    )


def draw_contradiction(
    model: Model[State, Input, Output], contradiction: Contradiction[Input, Output], *, width: int = WIDTH
) -> str:
    """The contradiction as lanes, under a sentence that says what it claims."""
    count, others = len(contradiction.operations), len(contradiction.open_ended)
    what = (
        "This operation contradicts the model"
        if count == 1
        else f"These {count} operations contradict each other"
    )
    noun = "other" if others == 1 else "others"
    rest = f", whenever the {others} {noun} called by then took effect, if at all" if others else ""
    return f"{what}{rest}:\n\n{lanes(model, contradiction.operations, width=width)}"


class _Shrinking(Generic[State, Input, Output]):
    """Attempts to refute less. A part is a set of places in a list of operations: those whose answers count."""

    def __init__(self, model: Model[State, Input, Output], steps: int) -> None:
        self._model = model
        self._steps = steps

    def verdict(self, operations: Sequence[Operation[Input, Output]], kept: AbstractSet[int]) -> bool | None:
        """Whether the history is linearizable if only the answers of a part count; None: not within the steps."""
        weaker = []
        for place, operation in enumerate(operations):
            if place in kept:
                weaker.append(operation)
            elif not self._model.is_read(operation.input, None):
                weaker.append(operation.unanswered())
        return PartitionSearch(self._model, weaker).advance(self._steps)

    def earliest(
        self, operations: Sequence[Operation[Input, Output]]
    ) -> tuple[list[Operation[Input, Output]], frozenset[int]]:
        """The shortest beginning of the history that is refuted, and which of its operations were answered in it."""
        ends = sorted(one.returned for one in operations if one.returned is not None)
        low, high = 0, len(ends) - 1
        while low < high:
            middle = (low + high) // 2
            early, kept = _until(operations, ends[middle])
            low, high = (low, middle) if self.verdict(early, kept) is False else (middle + 1, high)
        early, kept = _until(operations, ends[low]) if ends else ([], frozenset())
        if self.verdict(early, kept) is not False:
            raise UsageError(
                f"nothing contradicts itself in these {len(operations)} operations, as far as {self._steps} steps can"
                " tell; pass what a check refuted (result.refuted), or more steps"
            )
        return early, kept

    def smaller(
        self, operations: Sequence[Operation[Input, Output]], kept: frozenset[int], order: Sequence[int]
    ) -> frozenset[int]:
        """A part of the part from which nothing can be taken away; in large pieces first, in the given order."""
        size = max(1, len(order) // 2)
        while True:
            before = kept
            for start in range(0, len(order), size):
                less = kept.difference(order[start : start + size])
                if less != kept and self.verdict(operations, less) is False:
                    kept = less
            order = [place for place in order if place in kept]
            if size == 1 and kept == before:
                return kept
            size = max(1, size // 2)


def _until(
    operations: Sequence[Operation[Input, Output]], end: int
) -> tuple[list[Operation[Input, Output]], frozenset[int]]:
    """What was called up to a time, and the places of what was answered by then."""
    early = sorted((one for one in operations if one.call <= end), key=_call)
    kept = (place for place, one in enumerate(early) if one.returned is not None and one.returned <= end)
    return early, frozenset(kept)


def _call(operation: Operation[Input, Output]) -> int:
    return operation.call
