"""Linearizability by trying every order: too slow for anything but the smallest histories, and too simple to be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import TypeVar

from chaoskube.history import Operation
from chaoskube.sequential import Model

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")


def is_linearizable(
    model: Model[State, Input, Output], operations: Sequence[Operation[Input, Output]]
) -> bool:
    """Some of the unanswered took effect, in some order with all the answered."""
    answered = [one for one in operations if one.is_answered]
    unanswered = [one for one in operations if not one.is_answered]
    return any(
        is_linearization(model, order)
        for count in range(len(unanswered) + 1)
        for chosen in combinations(unanswered, count)
        for order in permutations([*answered, *chosen])
    )


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
