"""Copies and keys, which an exhaustive search stands on: a wrong one makes it skip states, or walk through impossible ones."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.key import message_key
from chaoskube.models.raft.messages import Message
from tests.models.raft.bag import Bag, elected
from tests.models.raft.trouble import MEMBERSHIP, OPERATORS, misbehave


def a_bag(seed: int, *, steps: int) -> Bag:
    """A bag in the middle of something."""
    luck = random.Random(seed)
    bag = Bag(3, luck, newcomers=luck.choice((0, 1)), async_storage_writes=luck.random() < 0.5)
    misbehave(bag, luck, steps, more=OPERATORS + MEMBERSHIP)
    return bag


def live(raft: Raft, inputs: list[Message], luck: random.Random) -> list[object]:
    """Do the same things to any member; everything that it answers."""
    seen: list[object] = []
    for message in inputs:
        if luck.random() < 0.7:
            seen.append(raft.step(message))
        else:
            raft.tick()
        if luck.random() < 0.3:
            seen.append(raft.propose("x"))
        if luck.random() < 0.2:
            seen.append(raft.only_messages())
        if raft.has_ready():
            ready = raft.ready()
            seen.append(ready)
            if not raft.config.async_storage_writes and all(
                entry.type.value == 0 for entry in ready.committed_entries
            ):
                raft.advance(ready)
        seen.append(raft.key())
    return seen


def mutable_parts(value: object, seen: dict[int, object]) -> dict[int, object]:
    """Every list, dict, deque and unfrozen object that can be reached from `value`."""
    frozen_kinds = (int, str, bool, type(None), tuple)
    if isinstance(value, frozen_kinds) and not isinstance(value, tuple):
        return seen
    if isinstance(value, tuple):
        for one in value:
            mutable_parts(one, seen)
        return seen
    kind = type(value)
    if kind.__setattr__ is not object.__setattr__ and kind.__module__.startswith("chaoskube"):
        return seen  # a frozen value
    if kind.__module__ == "enum" or hasattr(kind, "__members__") or id(value) in seen:
        return seen
    seen[id(value)] = value
    if isinstance(value, dict):
        parts = [*value.values()]
    elif isinstance(value, list) or kind.__name__ == "deque":
        parts = [*value]  # type: ignore[misc]  # a deque is iterable
    elif hasattr(value, "__dict__"):
        parts = [*vars(value).values()]
    else:
        parts = [getattr(value, name) for name in getattr(kind, "__slots__", ()) if name != "__weakref__"]
    for part in parts:
        mutable_parts(part, seen)
    return seen


@given(seed=st.integers(0, 2**32), steps=st.sampled_from((0, 40, 150, 400)))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_copy_behaves_as_the_original_and_neither_disturbs_the_other(seed: int, steps: int) -> None:
    """The search goes on from a copy along each branch."""
    bag = a_bag(seed, steps=steps)
    for raft in bag.members.values():
        inputs = [one for one in bag.flight if one.to == raft.id] * 2
        before, twin = raft.key(), raft.copy()
        assert twin.key() == before
        assert not mutable_parts(raft, {}).keys() & mutable_parts(twin, {}).keys()

        lived = live(twin, inputs, random.Random(seed))

        assert raft.key() == before
        assert live(raft, inputs, random.Random(seed)) == lived
        assert raft.key() == twin.key()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_members_with_equal_keys_behave_equally(seed: int) -> None:
    """Two ways to the same key: states along one run that are equal stay equal under the same inputs."""
    luck = random.Random(seed)
    bag = Bag(3, luck, pre_vote=False)
    by_key: dict[object, Raft] = {}
    twins: list[tuple[Raft, Raft, list[Message]]] = []
    for _ in range(12):
        misbehave(bag, luck, 10)
        for raft in bag.members.values():
            known = by_key.setdefault(raft.key(), raft.copy())
            inputs = [message for message in bag.flight if message.to == raft.id]
            twins.append((known.copy(), raft.copy(), inputs))

    for one, other, inputs in twins:
        assert live(one, inputs, random.Random(seed)) == live(other, inputs, random.Random(seed))


def test_names_can_be_exchanged() -> None:
    """Two clusters that differ in who is who have the same keys once renamed."""
    first = elected(3)
    second = Bag(3, random.Random(1))
    second.members[2].campaign()
    second.settle()
    swap = {1: 2, 2: 1}

    for member, raft in first.members.items():
        other = second.members[swap.get(member, member)]
        assert raft.key(is_clock_seen=False) == other.key(swap, is_clock_seen=False)
        assert raft.key() != other.key()


def test_messages_of_renamed_members_are_equal() -> None:
    """The bag of messages is part of a state, too."""
    bag = elected(3)
    bag.members[1].propose("x")
    bag.carry_out(1)
    to_two, to_three = (one for one in bag.flight if one.from_ == 1)
    swap = {2: 3, 3: 2}

    assert message_key(to_two, lambda member: swap.get(member, member)) == message_key(
        to_three, lambda one: one
    )
