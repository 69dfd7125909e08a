"""Linearizable reads: at which index, and not before the leader knows that it leads."""

from __future__ import annotations

import random

from chaoskube.bug import patched
from chaoskube.models.raft import leading, reads
from chaoskube.models.raft.messages import ConfChange, ConfChangeType, Message, MessageType
from chaoskube.models.raft.ready import ReadOnlyOption, Role
from tests.models.raft.bag import Bag, elected

LEASE = {"read_only_option": ReadOnlyOption.LEASE_BASED}


def a_new_leader_is_asked_early() -> list[tuple[object, int]]:
    """Entry 2 is committed and answered; then 2 leads, hasn't committed anything itself, and is asked."""
    bag = elected(3, pre_vote=False, check_quorum=False)
    bag.members[1].propose("x")
    for member in (1, 2, 3):
        bag.carry_out(member)
        bag.sync(member)
    for message in [one for one in bag.flight if one.type is MessageType.MSG_APP]:
        bag.members[message.to].step(message)
    for member in (2, 3):
        bag.carry_out(member)
        bag.sync(member)
    for message in [one for one in bag.flight if one.type is MessageType.MSG_APP_RESP]:
        bag.members[1].step(message)
    bag.check()
    assert (bag.members[1].log.committed, bag.members[2].log.committed) == (2, 1)
    bag.flight.clear()
    bag.members[2].campaign()
    bag.settle_votes(2, 3)
    assert bag.members[2].role is Role.LEADER
    bag.members[2].read_index("early")
    for _ in range(2):
        bag.carry_out(2)
        bag.sync(2)
    for message in [one for one in bag.flight if one.type is MessageType.MSG_HEARTBEAT]:
        bag.members[message.to].step(message)
    bag.carry_out(3)
    bag.sync(3)
    for message in [one for one in bag.flight if one.type is MessageType.MSG_HEARTBEAT_RESP]:
        bag.members[2].step(message)
    bag.carry_out(2)
    bag.sync(2)
    early = bag.reads[2][:]
    bag.settle()
    assert set(bag.reads[2]) >= {("early", 3)} or early
    return early


def test_a_new_leader_answers_no_read_before_it_has_committed_in_its_term() -> None:
    """The planted bug raft-readindex-before-own-term-commit is one patch of `has_committed_in_term`."""
    assert a_new_leader_is_asked_early() == []
    with patched(reads, "has_committed_in_term", lambda raft: True):
        assert ("early", 1) in a_new_leader_is_asked_early()


def test_a_read_is_not_answered_by_echoes_of_heartbeats_that_left_before_it() -> None:
    """Another may lead since then (Raft thesis, 6.4)."""
    bag = elected()
    leader = bag.members[1]
    leader.read_index("first")
    leader.read_index("second")
    for context, due in ((None, []), (1, ["first"]), (1, ["first"]), (2, ["first", "second"])):
        leader.step(Message(type=MessageType.MSG_HEARTBEAT_RESP, to=1, from_=2, term=1, context=context))
        assert [state.context for state in leader.read_states] == due


def a_deposed_leader_is_read() -> tuple[bool, set[int]]:
    """1 leads with lease reads and is cut off; 2 takes over and commits. Is 1 read, and at what?"""
    bag = elected(3, pre_vote=False, **LEASE)
    for _ in range(25):
        for member in bag.voters:
            bag.members[member].tick()
        for _ in range(6):
            for member in bag.voters:
                bag.carry_out(member)
                bag.sync(member)
            bag.flight = [one for one in bag.flight if 1 not in (one.from_, one.to)]
            while bag.flight:
                bag.deliver(0)
        for raft in (bag.members[2], bag.members[3]):
            if raft.role is Role.LEADER and raft.log.last_term == raft.term:
                raft.propose("newer")
    newest = max(bag.members[2].log.committed, bag.members[3].log.committed)
    assert newest > bag.members[1].log.committed
    answered = bag.members[1].read_index("stale") and bag.members[1].role is Role.LEADER
    return answered, {state.index for state in bag.members[1].read_states}


def test_lease_reads_are_safe_because_a_leader_without_a_quorum_steps_down() -> None:
    """The planted bug raft-lease-read-without-checkquorum is one patch of `leading.check_quorum`."""
    assert a_deposed_leader_is_read() == (False, set())
    with patched(leading, "check_quorum", lambda raft: None):
        answered, indexes = a_deposed_leader_is_read()
    assert answered and indexes == {1}


def test_a_lease_read_asks_nobody() -> None:
    bag = elected(3, **LEASE)

    assert bag.members[1].read_index("now")

    assert [(state.context, state.index) for state in bag.members[1].read_states] == [("now", 1)]
    assert bag.members[1].messages == []


def test_a_single_voter_answers_at_once() -> None:
    """It is its own quorum, whatever its learners say (etcd-io/raft stepLeader)."""
    bag = Bag(1, random.Random(1))
    bag.members[1].campaign()
    bag.settle()

    bag.members[1].read_index("now")

    assert [state.index for state in bag.members[1].read_states] == [1]


def removed(bag: Bag, leader: int, member: int) -> None:
    """The leader takes a member out; everybody who hears of it knows."""
    bag.members[leader].propose_conf_change(ConfChange(type=ConfChangeType.REMOVE_NODE, node_id=member))
    bag.settle()


def test_the_one_voter_left_waits_for_its_first_commit() -> None:
    """What the removed leader committed last, it may not have heard of (etcd-io/raft answers at once)."""
    bag = elected(2, pre_vote=False, check_quorum=False)
    removed(bag, leader=1, member=1)
    last = bag.members[2].log
    bag.members[2].campaign()
    bag.carry_out(2)
    while bag.members[2].role is not Role.LEADER:
        bag.sync(2)

    bag.members[2].read_index("early")
    assert bag.members[2].read_states == []

    bag.settle()
    assert set(bag.reads[2]) == {("early", last.last_index)}


def test_a_leader_that_no_longer_votes_asks_who_does() -> None:
    """The one voter may have a leader of its own by now (etcd-io/raft's removed leader answers for it)."""
    bag = elected(2, pre_vote=False, check_quorum=False)
    removed(bag, leader=1, member=1)
    assert bag.members[1].role is Role.LEADER

    bag.members[1].read_index("asked")
    assert bag.members[1].read_states == []

    bag.settle()
    assert [context for context, _ in bag.reads[1]] == ["asked"]


def test_a_follower_passes_a_read_on_and_gets_the_index_back() -> None:
    bag = elected()
    bag.members[3].read_index("far")
    bag.settle()

    assert set(bag.reads[3]) == {("far", 1)}


def test_a_read_without_a_leader_is_dropped_with_a_reason() -> None:
    follower = Bag(3, random.Random(0)).members[2]

    assert not follower.read_index("x")
    assert follower.dropped == "no leader at term 0; dropping index reading msg"
