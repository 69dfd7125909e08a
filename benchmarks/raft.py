"""How fast the Raft core alone is: `python benchmarks/raft.py`.

Three members and a list of messages, no world, no disk. Prints steps a second (messages and ticks taken) when idle,
proposals committed and applied everywhere a second one at a time and in batches, the same with asynchronous
storage writes, and copies and keys a second. Best of three. Asserts nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.ready import Config

MEMBERS = (1, 2, 3)
IDLE_TICKS = 20_000
PROPOSALS = 5_000
BATCH = 50
COPIES = 5_000


class Cluster:
    """Three members whose disks are instant and whose network loses nothing."""

    def __init__(self, *, is_async: bool = False) -> None:
        self.members = {
            member: Raft(Config(id=member, voters=MEMBERS, seed=member, async_storage_writes=is_async))
            for member in MEMBERS
        }
        self.is_async = is_async
        self.steps = 0
        self.members[1].campaign()
        self.settle()

    def settle(self) -> None:
        """Carry everything out until nothing moves."""
        flight: list[Message] = []
        while True:
            for raft in self.members.values():
                flight.extend(self._carry_out(raft))
            if not flight:
                return
            for message in flight:
                self.members[message.to].step(message)
            self.steps += len(flight)
            flight = []

    def _carry_out(self, raft: Raft) -> list[Message]:
        messages = raft.only_messages()
        if messages or not raft.has_ready():
            return messages
        ready = raft.ready()
        if not self.is_async:
            raft.advance(ready)
            return [one for one in (*ready.messages, *ready.messages_after_append) if one.to != raft.id]
        for message in ready.messages:
            if message.type in (MessageType.MSG_STORAGE_APPEND, MessageType.MSG_STORAGE_APPLY):
                messages.extend(message.responses)
            else:
                messages.append(message)
        return messages


def idle() -> int:
    """Heartbeats and nothing else."""
    cluster = Cluster()
    for _ in range(IDLE_TICKS):
        for raft in cluster.members.values():
            raft.tick()
        cluster.settle()
    return cluster.steps + IDLE_TICKS * len(MEMBERS)


def one_at_a_time(*, is_async: bool = False) -> int:
    """Each proposal is applied everywhere before the next."""
    cluster = Cluster(is_async=is_async)
    for number in range(PROPOSALS):
        cluster.members[1].propose(number)
        cluster.settle()
    return PROPOSALS


def in_batches() -> int:
    """Many proposals at once."""
    cluster = Cluster()
    for _ in range(PROPOSALS // BATCH):
        for number in range(BATCH):
            cluster.members[1].propose(number)
        cluster.settle()
    return PROPOSALS


def copies_and_keys() -> int:
    """What an exhaustive search does with each state."""
    cluster = Cluster()
    for number in range(5):
        cluster.members[1].propose(number)
    seen = {cluster.members[1].copy().key() for _ in range(COPIES)}
    return COPIES * len(seen)


def measure(name: str, unit: str, work: Callable[[], int]) -> None:
    """Print the best of three."""
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        done = work()
        best = max(best, done / (time.process_time() - began))
    print(f"{name:45} {best:10,.0f} {unit} a second")


def main() -> None:
    """Print the table."""
    measure("idle, heartbeats only", "steps", idle)
    measure("proposals one at a time", "proposals", one_at_a_time)
    measure("proposals in batches", "proposals", in_batches)
    measure("one at a time, asynchronous storage", "proposals", lambda: one_at_a_time(is_async=True))
    measure("copy and key of a leader", "states", copies_and_keys)


if __name__ == "__main__":
    main()
