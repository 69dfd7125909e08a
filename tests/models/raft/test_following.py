"""What a follower passes on, drops and forgets."""

from __future__ import annotations

from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.ready import ReadOnlyOption, Role
from tests.models.raft.bag import elected


def test_a_proposal_is_passed_on_without_a_term_and_under_the_proposer_s_name() -> None:
    """It is nobody's vote of a term, and an answer could go to who asked (etcd-io/raft send)."""
    follower = elected().members[2]
    follower.propose("x")

    sent = follower.messages[0]
    assert (sent.type, sent.to, sent.from_, sent.term) == (MessageType.MSG_PROP, 1, 2, 0)


def test_forwarding_can_be_forbidden() -> None:
    follower = elected(disable_proposal_forwarding=True).members[2]

    assert not follower.propose("x")
    assert follower.dropped == "raft proposal dropped"


def test_a_follower_that_forgets_its_leader_votes_at_once_and_keeps_its_term() -> None:
    """Etcd-io/raft MsgForgetLeader: for who knows better than a time-out that the leader is gone."""
    bag = elected()
    bag.members[2].forget_leader()
    assert (bag.members[2].lead, bag.members[2].term) == (0, 1)

    bag.members[2].step(Message(type=MessageType.MSG_PRE_VOTE, to=2, from_=3, term=2, index=1, log_term=1))

    assert not bag.members[2].messages_after_append[0].reject
    bag.members[2].step(Message(type=MessageType.MSG_HEARTBEAT, to=2, from_=1, term=1))
    assert bag.members[2].lead == 1


def test_with_lease_reads_nobody_forgets_its_leader() -> None:
    """The lease relies on our patience."""
    follower = elected(read_only_option=ReadOnlyOption.LEASE_BASED).members[2]
    follower.forget_leader()

    assert follower.lead == 1


def test_a_leader_forgets_nothing() -> None:
    leader = elected().members[1]
    leader.forget_leader()

    assert (leader.lead, leader.role) == (1, Role.LEADER)


def test_a_wish_for_another_leader_is_passed_on() -> None:
    bag = elected()
    bag.members[3].transfer_leader(2)
    bag.settle()

    assert [member for member, raft in bag.members.items() if raft.role is Role.LEADER] == [2]


def test_a_member_told_to_campaign_asks_for_real_votes_at_once() -> None:
    """No pre-vote: it is not back from a partition (etcd-io/raft MsgTimeoutNow)."""
    follower = elected().members[2]
    follower.step(Message(type=MessageType.MSG_TIMEOUT_NOW, to=2, from_=1, term=1))

    assert (follower.role, follower.term) == (Role.CANDIDATE, 2)
    assert {one.context for one in follower.messages if one.type is MessageType.MSG_VOTE} == {
        "CampaignTransfer"
    }
