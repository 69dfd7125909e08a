"""What a leader does about followers that are behind, silent, unreachable, or to lead in its place."""

from __future__ import annotations

import pytest

from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.progress import ProgressState
from chaoskube.models.raft.ready import Role
from tests.models.raft.bag import Bag, elected


def leaders(bag: Bag) -> list[int]:
    return [member for member, raft in bag.members.items() if raft.role is Role.LEADER]


def test_a_transfer_waits_until_the_other_has_everything() -> None:
    """Else it could not win (Raft thesis, 3.10)."""
    bag = elected()
    leader = bag.members[1]
    leader.propose("x")
    leader.transfer_leader(2)
    assert MessageType.MSG_TIMEOUT_NOW not in {one.type for one in leader.messages}
    assert not leader.propose("y")

    bag.settle()

    assert leaders(bag) == [2]
    assert "x" in bag.applied[2]


def test_a_transfer_that_comes_to_nothing_is_given_up_after_an_election_timeout() -> None:
    """Proposals are refused meanwhile, but not for ever (tickHeartbeat)."""
    leader = elected().members[1]
    leader.transfer_leader(2)
    assert not leader.propose("x")

    for _ in range(10):
        leader.tick()

    assert (leader.lead_transferee, leader.role) == (0, Role.LEADER)
    assert leader.propose("x")


def test_a_second_transfer_replaces_the_first_and_one_to_itself_ends_it() -> None:
    leader = elected().members[1]
    leader.transfer_leader(2)
    leader.transfer_leader(3)
    assert leader.lead_transferee == 3

    leader.transfer_leader(1)

    assert leader.lead_transferee == 0


def test_a_check_of_the_quorum_asks_only_who_spoke_since_the_last() -> None:
    bag = elected()
    leader = bag.members[1]
    for _ in range(10):
        leader.tick()
    assert leader.role is Role.LEADER
    leader.step(Message(type=MessageType.MSG_HEARTBEAT_RESP, to=1, from_=2, term=1))
    for _ in range(10):
        leader.tick()
    assert leader.role is Role.LEADER

    for _ in range(10):
        leader.tick()

    assert (leader.role, leader.term) == (Role.FOLLOWER, 1)


def test_an_unreachable_follower_is_probed() -> None:
    """An append that was lost leaves a hole (stepLeader, MsgUnreachable)."""
    leader = elected().members[1]
    leader.propose("x")
    progress = leader.tracker.progress[2]
    assert (progress.state, progress.next) == (ProgressState.REPLICATE, 3)

    leader.report_unreachable(2)

    assert (progress.state, progress.next) == (ProgressState.PROBE, 2)


@pytest.mark.parametrize(("ok", "following"), [(True, 8), (False, 2)])
def test_after_a_snapshot_a_follower_is_probed_once_it_speaks(ok: bool, following: int) -> None:
    """From behind the snapshot if it arrived, else from what is known (stepLeader, MsgSnapStatus)."""
    leader = elected().members[1]
    progress = leader.tracker.progress[2]
    progress.become_snapshot(7)

    leader.report_snapshot(2, ok=ok)

    assert (progress.state, progress.next, progress.is_paused) == (ProgressState.PROBE, following, True)
    leader.report_snapshot(2, ok=ok)
    assert progress.next == following


def test_a_follower_may_catch_up_by_another_snapshot_than_the_one_it_was_sent() -> None:
    """What counts is that its log and ours meet (stepLeader, MsgAppResp)."""
    bag = elected()
    leader = bag.members[1]
    for number in range(4):
        leader.propose(number)
    bag.settle()
    bag.snapshot(1)
    progress = leader.tracker.progress[3]
    progress.match = 2
    progress.become_snapshot(9)

    leader.step(Message(type=MessageType.MSG_APP_RESP, to=1, from_=3, term=1, index=5))

    assert (progress.state, progress.match, progress.next) == (ProgressState.REPLICATE, 5, 6)


def test_messages_of_members_that_are_gone_change_nothing() -> None:
    leader = elected().members[1]
    before = leader.key()
    leader.report_unreachable(9)
    leader.transfer_leader(9)
    leader.report_snapshot(9, ok=True)

    assert leader.key() == before
