"""Priority and fairness: seats for requests that are handled, queues for those that wait. Pure.

All seats of a server are shared out among priority levels. A request takes a seat of its level at once while one is free
and nobody waits; else it is queued: its flow (who, or which namespace) is dealt a hand of queues, and takes the shortest.
Free seats go to the queues in turn, so that a flow which sends a lot cannot starve the others. A full queue refuses.
Idle, a request costs one look-up and a counter.
Sources: staging/src/k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset/queueset.go,
pkg/util/shufflesharding/dealer.go, pkg/util/flowcontrol/apf_controller.go.

Not modelled: borrowing of seats between levels, virtual time (queues are served in turn), lists that take several
seats, seats that a write keeps while watchers are told.
"""

from __future__ import annotations

import hashlib
from collections import deque

from chaoskube.models.apiserver.authentication import Identity
from chaoskube.models.apiserver.fairness_table import (
    BY_NAMESPACE,
    EXEMPT,
    LEVELS,
    LevelShape,
    Schema,
)


class Ticket:
    """A request that waits for a seat; the shell puts in how it is woken."""

    __slots__ = ("queue", "wake")

    def __init__(self, queue: int) -> None:
        self.queue = queue
        self.wake: object = None


class Level:
    """One priority level of one server."""

    def __init__(self, shape: LevelShape, seats: int) -> None:
        self.name = shape.name
        self.is_exempt = shape.name == EXEMPT
        self.seats = seats
        self.executing = 0
        self.waiting = 0
        self._shape = shape
        self._queues: dict[int, deque[Ticket]] = {}
        self._last_served = -1

    def take(self) -> bool:
        """Take a seat, if one is free and nobody waits for it."""
        if self.is_exempt:
            return True
        if self.executing >= self.seats or self.waiting:
            return False
        self.executing += 1
        return True

    def enqueue(self, flow: str) -> Ticket | None:
        """A place in the shortest queue of the flow's hand; None when that is full, or the level has none."""
        shape = self._shape
        if not shape.queues:
            return None
        hand = deal(flow, shape.queues, shape.hand)
        chosen = min(hand, key=lambda number: len(self._queues.get(number, ())))
        queue = self._queues.setdefault(chosen, deque())
        if len(queue) >= shape.queue_length:
            return None
        ticket = Ticket(chosen)
        queue.append(ticket)
        self.waiting += 1
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Who waited too long gives its place up."""
        self._queues[ticket.queue].remove(ticket)
        self._left(ticket.queue)

    def release(self) -> Ticket | None:
        """A request is done; the seat goes to who is next, if anybody waits."""
        if self.is_exempt:
            return None
        self.executing -= 1
        if not self.waiting:
            return None
        number = self._next_queue()
        ticket = self._queues[number].popleft()
        self._left(number)
        self._last_served = number
        self.executing += 1
        return ticket

    def _next_queue(self) -> int:
        """The queue after the one that was served last, round the circle."""
        numbers = sorted(self._queues)
        return next((number for number in numbers if number > self._last_served), numbers[0])

    def _left(self, number: int) -> None:
        self.waiting -= 1
        if not self._queues[number]:
            del self._queues[number]


def deal(flow: str, queues: int, hand: int) -> tuple[int, ...]:
    """The queues that a flow may use: always the same, and seldom the same as another's."""
    value = int.from_bytes(hashlib.sha256(flow.encode()).digest()[:8], "little")
    dealt: list[int] = []
    for place in range(hand):
        value, card = divmod(value, queues - place)
        for earlier in sorted(dealt):
            if card >= earlier:
                card += 1
        dealt.append(card)
    return tuple(dealt)


class Fairness:
    """The levels of one server."""

    def __init__(self, seats: int) -> None:
        shares = sum(shape.shares for shape in LEVELS)
        self.levels = {shape.name: Level(shape, -(-seats * shape.shares // shares)) for shape in LEVELS}


def flow_of(schema: Schema, who: Identity, namespace: str) -> str:
    """What makes two requests of a schema the same flow."""
    return f"{schema.name}/{namespace if schema.distinguisher == BY_NAMESPACE else who.name}"
