"""A bag of Raft members and messages without a world: what is delivered, lost, doubled or crashed is the caller's choice.

Honest about disks: what a `Ready` wants stored is written at once and synced only by `sync`; a crash keeps
what was synced. Messages that depend on the disk stay inside until then.
"""

from __future__ import annotations

import random

from attrs import define, field

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import Entry, HardState, Message
from chaoskube.models.raft.ready import Config, Ready, Role


@define
class Disk:
    """What survives a crash."""

    hard_state: HardState = field(factory=HardState)
    entries: list[Entry] = field(factory=list)

    def store(self, ready: Ready) -> None:
        if ready.hard_state is not None:
            self.hard_state = ready.hard_state
        if ready.entries:
            del self.entries[ready.entries[0].index - 1 :]
            self.entries.extend(ready.entries)


class Bag:
    """Members 1..n, their disks, and the messages in flight. Checks safety after every step."""

    def __init__(
        self, size: int, luck: random.Random, *, pre_vote: bool = True, check_quorum: bool = True
    ) -> None:
        self.luck = luck
        self.options = {"pre_vote": pre_vote, "check_quorum": check_quorum}
        self.voters = tuple(range(1, size + 1))
        self.disks = {member: Disk() for member in self.voters}
        self.members: dict[int, Raft] = {}
        self.saving: dict[int, Ready] = {}
        self.flight: list[Message] = []
        self.leaders: dict[int, int] = {}
        self.chosen: dict[int, tuple[int, object]] = {}
        self.applied: dict[int, list[object]] = {}
        self.reads: dict[int, list[tuple[object, int]]] = {member: [] for member in self.voters}
        self.dropped = 0
        for member in self.voters:
            self.start(member)

    def start(self, member: int) -> None:
        disk = self.disks[member]
        self.members[member] = Raft(
            Config(id=member, voters=self.voters, seed=self.luck.getrandbits(64), **self.options),
            hard_state=disk.hard_state,
            entries=disk.entries,
        )
        self.applied[member] = []

    def crash(self, member: int) -> None:
        """Power loss between a write and its sync, and back at once."""
        self.saving.pop(member, None)
        self.start(member)

    def carry_out(self, member: int) -> None:
        """Take the next Ready and write it down; its held-back messages wait for `sync`."""
        raft = self.members[member]
        if member in self.saving or not raft.has_ready():
            return
        ready = raft.ready()
        self.saving[member] = ready
        if raft.role is Role.LEADER:
            self.flight.extend(ready.messages)

    def sync(self, member: int) -> None:
        ready = self.saving.pop(member, None)
        if ready is None:
            return
        raft = self.members[member]
        self.disks[member].store(ready)
        if raft.role is not Role.LEADER:
            self.flight.extend(ready.messages)
        elif ready.messages and self.luck.random() < 0.5:
            # It became leader meanwhile (or was): sending twice is what a network may do anyway.
            self.flight.extend(ready.messages)
        self.flight.extend(one for one in ready.messages_after_append if one.to != member)
        self.applied[member].extend(entry.data for entry in ready.committed_entries)
        self.reads[member].extend((state.context, state.index) for state in ready.read_states)
        raft.advance(ready)
        self.check()

    def deliver(self, place: int, *, keep: bool = False) -> None:
        message = self.flight[place]
        if not keep:
            self.flight.pop(place)
        self.members[message.to].step(message)
        self.check()

    def settle(self, rounds: int = 2000) -> None:
        """Deliver everything in order, without any trouble, until nothing moves."""
        for _ in range(rounds):
            before = len(self.flight)
            for member in self.voters:
                self.carry_out(member)
                self.sync(member)
            if self.flight:
                self.deliver(0)
            elif before == 0 and not any(raft.has_ready() for raft in self.members.values()):
                return
        raise AssertionError("the members never fall silent")

    # -- the paper's figure 3

    def check(self) -> None:
        for member, raft in self.members.items():
            if raft.role is Role.LEADER:
                first = self.leaders.setdefault(raft.term, member)
                assert first == member, f"term {raft.term} is led by {first} and {member}"
            for index in range(1, raft.log.committed + 1):
                entry = raft.log.entries[index - 1]
                chosen = self.chosen.setdefault(index, (entry.term, entry.data))
                assert chosen == (entry.term, entry.data), f"{index} is {chosen} and {entry}"

    def check_logs(self) -> None:
        """Log matching, and leader completeness for whoever leads the newest term."""
        logs = [raft.log.entries for raft in self.members.values()]
        for one in logs:
            for other in logs:
                same = [
                    place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a.term == b.term
                ]
                for place in range(max(same, default=-1) + 1):
                    assert one[place].term == other[place].term
                    assert one[place].data == other[place].data
        newest = max(
            (raft for raft in self.members.values() if raft.role is Role.LEADER),
            key=lambda raft: raft.term,
            default=None,
        )
        if newest is not None and newest.term == max(raft.term for raft in self.members.values()):
            for index, (term, data) in self.chosen.items():
                if term < newest.term:
                    assert newest.log.term(index) == term
                    assert newest.log.entries[index - 1].data == data
