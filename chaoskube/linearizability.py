"""Is a history linearizable? Could all that clients saw have come from one place that does one thing at a time?

    result = check_linearizability(Register(), operations)
    result.verdict                              # LINEARIZABLE, NOT_LINEARIZABLE or UNKNOWN
    contradiction = smallest_contradiction(Register(), result.refuted)
    print(draw_contradiction(Register(), contradiction))     # as lanes

`check_linearizability` splits the history by the model's partitions and searches each for an order that the model agrees to
(`partition_search.py`), all in turns: one key may be refuted in a moment while another would take forever. UNKNOWN
names the bound that was hit; bounds are counted in steps and cache entries, so the verdict is the same on every
machine. `Check` is the same to be carried on by hand.

Where the commit order is known, as inside a simulation, nothing is searched and nothing is unknown:
`check_commit_order` and `CommitOrder` (`commit_order.py`).

Not modelled: weaker promises (sequential consistency, stale reads within a bound).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from enum import Enum
from typing import Generic, TypeVar

from attrs import frozen

from chaoskube.commit_order import CommitOrder, OrderViolation, Placed, check_commit_order
from chaoskube.contradiction import Contradiction, draw_contradiction, smallest_contradiction
from chaoskube.history import Operation
from chaoskube.lanes import lanes
from chaoskube.partition_search import PartitionSearch
from chaoskube.sequential import Model
from chaoskube.sim import UsageError

__all__ = [
    "Check",
    "CommitOrder",
    "Contradiction",
    "OrderViolation",
    "Placed",
    "Result",
    "Verdict",
    "check_commit_order",
    "check_linearizability",
    "draw_contradiction",
    "lanes",
    "smallest_contradiction",
]

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")
Input_co = TypeVar("Input_co", covariant=True)
Output_co = TypeVar("Output_co", covariant=True)

STEPS_MAX = 10_000_000
ENTRIES_MAX = 2_000_000
TURN_STEPS = 2_000


class Verdict(Enum):
    """What is known of a history."""

    LINEARIZABLE = "linearizable"
    NOT_LINEARIZABLE = "not linearizable"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Result(Generic[Input_co, Output_co]):
    """A verdict with its evidence.

    `orders`: for a linearizable history, one linearization of each partition. `refuted`: the operations of the first
    partition that has none. `bound`: for an unknown one, the bound that was hit.
    """

    verdict: Verdict
    steps: int
    entries: int
    bound: str | None = None
    orders: tuple[tuple[Operation[Input_co, Output_co], ...], ...] = ()
    refuted: tuple[Operation[Input_co, Output_co], ...] = ()


class Check(Generic[State, Input, Output]):
    """A check that its caller carries on, a few steps at a time."""

    def __init__(
        self, model: Model[State, Input, Output], operations: Iterable[Operation[Input, Output]]
    ) -> None:
        self._partitions = _partitions(model, operations)
        self._searches = [PartitionSearch(model, part) for part in self._partitions]
        self._refuted: int | None = None

    @property
    def steps(self) -> int:
        """How many operations were tried so far."""
        return sum(search.steps for search in self._searches)

    @property
    def entries(self) -> int:
        """How many configurations are kept: the memory that the search takes."""
        return sum(search.entries for search in self._searches)

    def take_turns(self) -> Verdict:
        """Give each unfinished partition a turn; UNKNOWN while there is more to do."""
        for number, search in enumerate(self._searches):
            if search.advance(TURN_STEPS) is False:
                self._refuted = number
                return Verdict.NOT_LINEARIZABLE
        if all(search.is_linearizable for search in self._searches):
            return Verdict.LINEARIZABLE
        return Verdict.UNKNOWN

    def result(self, *, bound: str | None = None) -> Result[Input, Output]:
        """What is known by now."""
        if self._refuted is not None:
            verdict, refuted = Verdict.NOT_LINEARIZABLE, self._partitions[self._refuted]
            return Result(verdict=verdict, steps=self.steps, entries=self.entries, refuted=refuted)
        if all(search.is_linearizable for search in self._searches):
            orders = tuple(search.order() for search in self._searches)
            return Result(verdict=Verdict.LINEARIZABLE, steps=self.steps, entries=self.entries, orders=orders)
        return Result(verdict=Verdict.UNKNOWN, steps=self.steps, entries=self.entries, bound=bound)


def check_linearizability(
    model: Model[State, Input, Output],
    operations: Iterable[Operation[Input, Output]],
    *,
    steps_max: int = STEPS_MAX,
    entries_max: int = ENTRIES_MAX,
) -> Result[Input, Output]:
    """The verdict on a history. Bounds are looked at after each round of turns."""
    if steps_max < 1 or entries_max < 1:
        raise UsageError(f"steps_max={steps_max} and entries_max={entries_max} must both be at least 1")
    checking = Check(model, operations)
    while checking.take_turns() is Verdict.UNKNOWN:
        if checking.steps >= steps_max:
            return checking.result(bound=f"{steps_max} steps")
        if checking.entries >= entries_max:
            return checking.result(bound=f"{entries_max} cache entries")
    return checking.result()


def _partitions(
    model: Model[State, Input, Output], operations: Iterable[Operation[Input, Output]]
) -> list[tuple[Operation[Input, Output], ...]]:
    """The operations by partition, in the order in which the partitions first occur."""
    parts: dict[Hashable, list[Operation[Input, Output]]] = {}
    for operation in operations:
        parts.setdefault(model.partition(operation.input), []).append(operation)
    return [tuple(part) for part in parts.values()]
