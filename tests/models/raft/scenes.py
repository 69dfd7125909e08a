"""Steps of a scene that is written down move by move: who stores, who hears whom, who is elected by whom."""

from __future__ import annotations

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import MessageType
from chaoskube.models.raft.ready import Role
from tests.models.raft.bag import Bag


def store(bag: Bag, *members: int) -> None:
    """Carry out everything that these members owe; nothing is delivered."""
    for _ in range(6):
        for member in members:
            bag.carry_out(member)
            bag.sync(member)


def lead(bag: Bag, member: int, *voters: int) -> Raft:
    """Let `member` win an election with these votes and nobody else hearing of it."""
    raft = bag.members[member]
    bag.flight.clear()
    while raft.term <= max(bag.members[voter].term for voter in voters):
        raft.campaign()
    store(bag, member)
    pass_on(bag, member, *voters)
    store(bag, member)
    assert raft.role is Role.LEADER
    bag.flight = [one for one in bag.flight if one.type is MessageType.MSG_APP]
    return raft


def pass_on(bag: Bag, member: int, *others: int) -> None:
    """Deliver what `member` has sent to `others`, and their answers; nothing else."""
    for other in others:
        for message in [one for one in bag.flight if (one.from_, one.to) == (member, other)]:
            bag.flight.remove(message)
            bag.members[other].step(message)
        store(bag, other)
        for message in [one for one in bag.flight if (one.from_, one.to) == (other, member)]:
            bag.flight.remove(message)
            bag.members[member].step(message)
    bag.check()
