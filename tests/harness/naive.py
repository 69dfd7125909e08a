"""Linearizability by trying every order: too slow for anything but small histories, and too simple to be wrong."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache
from typing import TypeVar

from chaoskube.history import Operation
from chaoskube.sequential import Model

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")


def is_linearizable(
    model: Model[State, Input, Output], operations: Sequence[Operation[Input, Output]]
) -> bool:
    """Whether all the answered have an order, with some of the unanswered among them."""
    answered = frozenset(place for place, one in enumerate(operations) if one.is_answered)

    @cache
    def can_end(done: frozenset[int], states: frozenset[tuple[Hashable, State]]) -> bool:
        if answered <= done:
            return True
        left = answered - done
        due = min(operations[place].returned or 0 for place in left)
        for place, one in enumerate(operations):
            if place not in done and one.call <= due:
                key = model.partition(one.input)
                before = dict(states).get(key, model.initial())
                is_legal, after = model.step(before, one.input, one.output)
                if is_legal and can_end(done | {place}, frozenset({**dict(states), key: after}.items())):
                    return True
        return False

    return can_end(frozenset(), frozenset())


def is_linearization(model: Model[State, Input, Output], order: Sequence[Operation[Input, Output]]) -> bool:
    """Real time and the model (one state for each partition) agree to an order."""
    states: dict[object, State] = {}
    for place, one in enumerate(order):
        if any(later.returned is not None and later.returned < one.call for later in order[place + 1 :]):
            return False
        key = model.partition(one.input)
        is_legal, states[key] = model.step(states.get(key, model.initial()), one.input, one.output)
        if not is_legal:
            return False
    return True
