"""What a network, disks, clocks and operators may do to the members of a bag, in any order."""

from __future__ import annotations

import random

from chaoskube.models.raft.messages import (
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
)
from tests.models.raft.bag import Bag

PROGRESS = (*("deliver",) * 16, *("sync",) * 8, *("write",) * 2, *("tick",) * 3, "propose", "propose")
NETWORK_AND_DISK = ("lose", "lose", "double", "crash", "read", "cut", "silence")
STORAGE_THREADS = ("apply", "apply", "apply", "hear", "hear", "hear", "hear", "hear")
OPERATORS = ("snapshot", "report", "transfer", "forget", "unreachable")
MEMBERSHIP = ("change", "change", "leave")


def misbehave(bag: Bag, luck: random.Random, steps: int, *, more: tuple[str, ...] = ()) -> None:
    """Do `steps` things; `more` names kinds of trouble beyond network and disks.

    Each run leaves out about half of the kinds: some states are reached only in peace from the others.
    """
    troubles = tuple(kind for kind in NETWORK_AND_DISK + more if luck.random() < 0.6)
    actions = PROGRESS + troubles + (STORAGE_THREADS * 2 if bag.is_async else ())
    cut: set[tuple[int, int]] = set()
    for step in range(steps):
        bag.flight = [one for one in bag.flight if (one.from_, one.to) not in cut]
        action = luck.choice(actions)
        member = luck.choice(bag.voters)
        if action == "cut":
            links = [(one, other) for one in bag.voters for other in bag.voters if luck.random() < 0.25]
            cut = set(links if luck.random() < 0.4 else ())
        elif action in ("deliver", "lose", "double"):
            _carry(bag, luck, action)
        elif action in OPERATORS:
            _operate(bag, luck, action, member)
        elif action in MEMBERSHIP:
            bag.members[member].propose_conf_change(a_change(bag, luck) if action == "change" else None)
        else:
            _live(bag, luck, action, member, step)
        del bag.flight[:-40]


def _carry(bag: Bag, luck: random.Random, action: str) -> None:
    if bag.flight:
        place = luck.randrange(min(len(bag.flight), luck.choice((1, 4, 40))))
        if action == "lose":
            bag.flight.pop(place)
        else:
            bag.deliver(place, keep=action == "double")


def _live(bag: Bag, luck: random.Random, action: str, member: int, step: int) -> None:
    raft = bag.members[member]
    if action == "tick":
        for _ in range(luck.choice((1, 1, 2, 5))):
            raft.tick()
    elif action == "silence":
        for _ in range(20):
            raft.tick()
    elif action == "propose":
        raft.propose(f"value-{step}")
    elif action == "read":
        raft.read_index(step)
    elif action == "crash":
        bag.crash(member)
    elif action == "apply":
        bag.apply(member)
    elif action == "hear":
        bag.hear(member)
    else:
        bag.carry_out(member)
        if action == "sync":
            bag.sync(member)


def _operate(bag: Bag, luck: random.Random, action: str, member: int) -> None:
    raft, other = bag.members[member], luck.choice(bag.voters)
    if action == "snapshot":
        bag.snapshot(member, keep=luck.choice((0, 1, 3)))
    elif action == "report":
        raft.report_snapshot(other, ok=luck.random() < 0.5)
    elif action == "transfer":
        raft.transfer_leader(other)
    elif action == "forget":
        raft.forget_leader()
    else:
        raft.report_unreachable(other)


def a_change(bag: Bag, luck: random.Random) -> ConfChange | ConfChangeV2:
    """Some change of members; whether it may be made is the leader's to say."""
    kinds = (
        ConfChangeType.ADD_NODE,
        ConfChangeType.ADD_NODE,
        ConfChangeType.REMOVE_NODE,
        ConfChangeType.ADD_LEARNER_NODE,
    )
    if luck.random() < 0.5:
        # Never the last founder: who removes all voters breaks the rules of changes, not of Raft.
        kind, member = luck.choice(kinds), luck.choice(bag.voters[1:])
        return ConfChange(type=kind, node_id=member)
    changes = tuple(
        ConfChangeSingle(type=luck.choice(kinds), node_id=member)
        for member in bag.voters[1:]
        if luck.random() < 0.5
    ) or (ConfChangeSingle(type=ConfChangeType.ADD_NODE, node_id=1),)
    transition = ConfChangeTransition.AUTO if len(changes) > 1 else luck.choice([*ConfChangeTransition])
    if len(changes) > 1:
        transition = luck.choice([*ConfChangeTransition])
    return ConfChangeV2(transition=transition, changes=changes)
