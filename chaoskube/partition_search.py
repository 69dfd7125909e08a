"""The search for a linearization of one partition of a history, in steps that can be counted.

Depth-first, after Wing and Gong, with Lowe's cache of the configurations already met, on small integers. Answered
operations are numbered in the order of their answers. A configuration says what has been linearized so far:

    low      every answered operation before this one is linearized, this one is not
    window   bit i: operation low + i is linearized as well
    used     bit i: the i-th unanswered operation is
    state    the number of the model's state after them

Next may come whatever was called before operation `low` was answered. The search ends when all ANSWERED operations are
linearized. What makes it short, each sound for every model:

- A state is kept once and known by its number; what an operation does to a state is computed once.
- A read (what changes NO state) that is legal now is taken at once, and nothing else is tried: whatever could come
  first, could come after it. Not so for what merely leaves THIS state as it is: an unanswered compare-and-set that
  would do nothing now may be needed later.
- An unanswered operation that would leave the state as it is, is not taken now.
- If the model tells that its states only grow (`Growing`), a configuration is left as soon as the answer of a read that
  is under way, or of the next one after those, is out of reach: not right now, and nothing is left that was called
  before that answer and leads back to it.
- Of unanswered operations with the same input, the one called first is taken first.
- A configuration is skipped where one was met that had used fewer of the unanswered (a subset), the rest being equal:
  what it has left can do all that this one can.

`linearizability.py` runs one search a partition, in turns. Bounds are counted, never timed, so that a verdict is the
same on every machine.

Not modelled: searching breadth-first by events, which takes far longer on histories of the field.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from chaoskube.history import Operation
from chaoskube.sequential import Growing, Model

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")

Path = tuple["Path", int] | None
"""The operations linearized so far, last one first."""
Configuration = tuple[int, int, int, int, Path]
"""low, window, used, state and how it was reached."""

_ILLEGAL = -1
_OUT_OF_REACH = -2
"""Illegal now, and until something leads back (`Growing`)."""


class PartitionSearch(Generic[State, Input, Output]):
    """Looks for an order of one partition's operations that its model agrees to."""

    def __init__(
        self, model: Model[State, Input, Output], operations: Sequence[Operation[Input, Output]]
    ) -> None:
        self.steps = 0
        self.entries = 0
        self._effects = _Effects(model)
        self._take_in(operations)
        self._met: dict[tuple[int, int, int], list[int]] = {}
        self._stack: list[Configuration] = [(0, 0, 0, 0, None)]
        self._found: Path = None
        self.is_linearizable: bool | None = None if self._end else True

    def advance(self, steps: int) -> bool | None:
        """Search for about so many more steps: True and False are final, None means not yet."""
        until = self.steps + steps
        while self.is_linearizable is None and self.steps < until:
            if self._stack:
                self._expand(self._stack.pop())
            else:
                self.is_linearizable = False
        return self.is_linearizable

    def order(self) -> tuple[Operation[Input, Output], ...]:
        """The linearization that was found; unanswered operations that are not in it never took effect."""
        found, path = [], self._found
        while path is not None:
            path, number = path
            found.append(self._operations[number])
        return tuple(reversed(found))

    def _take_in(self, operations: Sequence[Operation[Input, Output]]) -> None:
        """Number the operations, and note for each `low` what was called before its answer."""
        answered = sorted((one for one in operations if one.returned is not None), key=_returned)
        lost = [one for one in operations if one.returned is None]
        classes = {one: number for number, one in enumerate(dict.fromkeys(one.input for one in lost))}
        lost.sort(key=lambda one: (classes[one.input], one.call))
        self._operations = [*answered, *lost]
        self._end = len(answered)
        self._kinds = [self._effects.number(one.input, one.output) for one in self._operations]
        self._is_read = [self._effects.is_read[number] for number in self._kinds]
        reads = [place for place in range(self._end) if self._is_read[place]]
        self._later = _later(answered, reads)
        self._asked_from = {place: low for low, place in reversed(list(enumerate(self._later)))}
        self._returns = [_returned(one) for one in answered]
        self._ways_back_of: dict[int, tuple[int, int]] = {}
        self._concurrent = _concurrent(answered)
        self._lost = _lost_before(answered, lost)

    def _expand(self, configuration: Configuration) -> None:
        """Put what can come next on the stack: answered operations on top, those due first uppermost."""
        low, window, used, state, path = configuration
        kinds, is_read, effects = self._kinds, self._is_read, self._effects
        table = effects.tables[state]
        rest = self._concurrent[low] & ~window
        if self._is_next_out_of_reach(low, window, used, state):
            return
        answered: list[tuple[int, int, int]] = []
        while rest:
            bit = rest & -rest
            rest ^= bit
            number = low + bit.bit_length() - 1
            kind = kinds[number]
            self.steps += 1
            after = table.get(kind)
            if after is None:
                after = effects.compute(state, kind)
            if after < 0:
                if after == _OUT_OF_REACH and not self._has_way_back(number, low, window, used):
                    return
                continue
            if is_read[number]:
                self._visit(low, window | bit, used, state, (path, number))
                return
            answered.append((bit, number, after))
        for bit, number, after in self._lost_next(low, used, state):
            self._visit(low, window, used | bit, after, (path, number))
        for bit, number, after in reversed(answered):
            self._visit(low, window | bit, used, after, (path, number))

    def _lost_next(self, low: int, used: int, state: int) -> Iterator[tuple[int, int, int]]:
        """Unanswered operations that may take effect now and change something; the first called of each kind."""
        previous = None
        for bit, number in self._lost[low]:
            kind = self._kinds[number]
            if used & bit or kind == previous:
                continue
            previous = kind
            self.steps += 1
            after = self._effects.after(state, kind)
            if after >= 0 and after != state:
                yield bit, number, after

    def _is_next_out_of_reach(self, low: int, window: int, used: int, state: int) -> bool:
        """Whether the next read after those under way can't be answered any more."""
        later = self._later[low]
        if later is None or self._effects.after(state, self._kinds[later]) != _OUT_OF_REACH:
            return False
        return not self._has_way_back(later, low, window, used)

    def _has_way_back(self, number: int, low: int, window: int, used: int) -> bool:
        """Whether something is left that could come before an answer and bring it back into reach."""
        answered, lost = self._ways_back(number)
        return bool((answered >> low) & ~window or lost & ~used)

    def _ways_back(self, number: int) -> tuple[int, int]:
        """What may come before an answer while it is waited for, and leads back to it: answered ones, unanswered ones."""
        found = self._ways_back_of.get(number)
        if found is None:
            operation = self._operations[number]
            first = self._asked_from.get(number, bisect_left(self._returns, operation.call))
            places = [*range(first, number), *_places(self._concurrent[number], number)]
            answered = sum(1 << place for place in places if self._leads_back(place, operation))
            lost = sum(bit for bit, place in self._lost[number] if self._leads_back(place, operation))
            found = self._ways_back_of[number] = answered, lost
        return found

    def _leads_back(self, place: int, operation: Operation[Input, Output]) -> bool:
        return self._effects.is_way_back(self._operations[place].input, operation)

    def _visit(self, low: int, window: int, used: int, state: int, path: Path) -> None:
        """Put a configuration on the stack, unless one that can do as much was there."""
        if window & 1:
            done = (window ^ (window + 1)).bit_length() - 1
            low += done
            window >>= done
            if low == self._end:
                self.is_linearizable, self._found = True, path
                return
        key = (low, window, state)
        met = self._met.get(key)
        if met is None:
            self._met[key] = [used]
        else:
            for other in met:
                if not other & ~used:
                    return
            met.append(used)
        self.entries += 1
        self._stack.append((low, window, used, state, path))


class _Effects(Generic[State, Input, Output]):
    """What each kind of operation does to each state, computed when it is first asked for."""

    def __init__(self, model: Model[State, Input, Output]) -> None:
        self._model = model
        self._growing = model if isinstance(model, Growing) else None
        self._numbers: dict[tuple[Input, Output | None], int] = {}
        self._kinds: list[tuple[Input, Output | None]] = []
        self.is_read: list[bool] = []
        initial = model.initial()
        self._states: list[State] = [initial]
        self._state_numbers: dict[Hashable, int] = {initial: 0}
        self.tables: list[dict[int, int]] = [{}]

    def number(self, input: Input, output: Output | None) -> int:
        """The number of a kind of operation: the same question with the same answer."""
        kind = (input, output)
        number = self._numbers.get(kind)
        if number is None:
            number = self._numbers[kind] = len(self._kinds)
            self._kinds.append(kind)
            self.is_read.append(self._model.is_read(input, output))
        return number

    def is_way_back(self, input: Input, operation: Operation[Input, Output]) -> bool:
        """Whether `input` brings the answer of another operation back into reach, if the model tells."""
        if self._growing is None or operation.output is None:
            return True
        return self._growing.is_way_back(input, operation.input, operation.output)

    def after(self, state: int, kind: int) -> int:
        """The state after an operation, or that it is not legal."""
        after = self.tables[state].get(kind)
        return self.compute(state, kind) if after is None else after

    def compute(self, state: int, kind: int) -> int:
        """The same, for the first time."""
        input, output = self._kinds[kind]
        is_legal, next_state = self._model.step(self._states[state], input, output)
        if is_legal:
            after = self._number_of_state(next_state)
        elif self._growing is not None and output is not None:
            is_lost = self._growing.is_out_of_reach(self._states[state], input, output)
            after = _OUT_OF_REACH if is_lost else _ILLEGAL
        else:
            after = _ILLEGAL
        self.tables[state][kind] = after
        return after

    def _number_of_state(self, state: State) -> int:
        number = self._state_numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            self.tables.append({})
        return number


def _returned(operation: Operation[Input, Output]) -> int:
    assert operation.returned is not None
    return operation.returned


def _places(bits: int, first: int) -> Iterator[int]:
    """The numbers of the bits that are set, where bit 0 means `first`."""
    while bits:
        bit = bits & -bits
        bits ^= bit
        yield first + bit.bit_length() - 1


def _later(answered: Sequence[Operation[Input, Output]], reads: Sequence[int]) -> list[int | None]:
    """For each operation: which of the reads that were called after its answer was answered first."""
    by_call = sorted(reads, key=lambda place: answered[place].call)
    found: list[int | None] = []
    first = None
    for due in reversed(answered):
        while by_call and answered[by_call[-1]].call > _returned(due):
            place = by_call.pop()
            first = place if first is None else min(first, place)
        found.append(first)
    return found[::-1]


def _concurrent(answered: Sequence[Operation[Input, Output]]) -> list[int]:
    """For each operation: bit i is set if operation number + i was called before its answer."""
    calls = sorted((one.call, number) for number, one in enumerate(answered))
    masks, called, place = [], 0, 0
    for low, due in enumerate(answered):
        while place < len(calls) and calls[place][0] <= _returned(due):
            called |= 1 << calls[place][1]
            place += 1
        masks.append(called >> low)
    return masks


def _lost_before(
    answered: Sequence[Operation[Input, Output]], lost: Sequence[Operation[Input, Output]]
) -> list[tuple[tuple[int, int], ...]]:
    """For each answered operation: bit and number of the unanswered ones that were called before its answer."""
    calls = sorted((one.call, place) for place, one in enumerate(lost))
    known: tuple[tuple[int, int], ...] = ()
    found = []
    for due in answered:
        new: list[tuple[int, int]] = []
        while len(known) + len(new) < len(calls) and calls[len(known) + len(new)][0] <= _returned(due):
            place = calls[len(known) + len(new)][1]
            new.append((1 << place, len(answered) + place))
        known = tuple(sorted((*known, *new))) if new else known
        found.append(known)
    return found
