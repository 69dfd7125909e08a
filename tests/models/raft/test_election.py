"""Who may campaign, who votes, and whom a leader's presence protects."""

from __future__ import annotations

import random

from chaoskube.bug import patched
from chaoskube.models.raft import election
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.election import Campaign
from chaoskube.models.raft.messages import (
    ConfChange,
    ConfChangeType,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Snapshot,
    SnapshotMetadata,
)
from chaoskube.models.raft.ready import Config, Role
from tests.models.raft.bag import Bag, elected

VOTE, PRE_VOTE = MessageType.MSG_VOTE, MessageType.MSG_PRE_VOTE


def test_a_learner_does_not_campaign_but_votes() -> None:
    """It may be a voter by now and not know it (etcd-io/raft Step, MsgVote)."""
    raft = Raft(Config(id=3, voters=(1, 2), learners=(3,)))
    raft.campaign()
    for _ in range(50):
        raft.tick()
    assert (raft.role, raft.has_ready()) == (Role.FOLLOWER, False)

    raft.step(Message(type=VOTE, to=3, from_=1, term=1))

    assert not raft.messages_after_append[0].reject


def test_nobody_campaigns_before_it_has_applied_committed_changes_of_members() -> None:
    """It might count a quorum of members that are none any more (etcd-io/raft hup)."""
    change = ConfChange(type=ConfChangeType.REMOVE_NODE, node_id=3)
    entry = Entry(term=1, index=1, type=EntryType.ENTRY_CONF_CHANGE, data=change)
    raft = Raft(Config(id=1, voters=(1, 2, 3)), hard_state=HardState(term=1, commit=1), entries=[entry])
    raft.campaign()
    assert raft.lead == raft.vote == 0 and not raft.messages

    ready = raft.ready()
    raft.apply_conf_change(change)
    raft.advance(ready)
    raft.campaign()

    assert raft.role is Role.PRE_CANDIDATE


def test_nobody_campaigns_before_its_snapshot_is_on_disk() -> None:
    """It would claim a log that a crash takes away (etcd-io/raft promotable)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)))
    snapshot = Snapshot(metadata=SnapshotMetadata(conf_state=ConfState(voters=(1, 2, 3)), index=5, term=1))
    raft.step(Message(type=MessageType.MSG_SNAP, to=1, from_=2, term=1, snapshot=snapshot))
    raft.campaign()
    assert raft.lead == 2

    raft.advance(raft.ready())
    raft.campaign()

    assert raft.role is Role.PRE_CANDIDATE


def test_who_hears_a_leader_ignores_candidates_unless_the_leader_sent_them() -> None:
    """Check-quorum's lease; a transfer overrides it (etcd-io/raft Step)."""
    follower = elected().members[2]
    request = Message(type=VOTE, to=2, from_=3, term=9, index=9, log_term=9)

    follower.step(request)
    assert (follower.term, follower.messages_after_append) == (1, [])
    follower.step(
        Message(type=VOTE, to=2, from_=3, term=9, index=9, log_term=9, context=Campaign.TRANSFER.value)
    )

    assert (follower.term, follower.vote) == (9, 3)


def test_after_an_election_timeout_without_a_leader_candidates_are_heard_again() -> None:
    follower = elected().members[2]
    for _ in range(10):
        follower.tick()

    follower.step(Message(type=VOTE, to=2, from_=3, term=9, index=9, log_term=9))

    assert follower.vote == 3


def test_a_pre_vote_changes_nothing_and_is_answered_with_the_term_that_was_asked_for() -> None:
    """Else the asker could not tell a yes from an old answer (etcd-io/raft Step)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)), hard_state=HardState(term=4, vote=3))

    raft.step(Message(type=PRE_VOTE, to=1, from_=2, term=7))

    answer = raft.messages_after_append[0]
    assert (answer.type, answer.term, answer.reject) == (MessageType.MSG_PRE_VOTE_RESP, 7, False)
    assert (raft.term, raft.vote) == (4, 3)


def test_a_pre_vote_of_an_earlier_term_is_refused_with_ours() -> None:
    """The asker would wait for ever otherwise, and never learn the term (etcd-io/raft issue 8501)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)), hard_state=HardState(term=4))

    raft.step(Message(type=PRE_VOTE, to=1, from_=2, term=3))

    answer = raft.messages_after_append[0]
    assert (answer.term, answer.reject) == (4, True)


def test_refusals_by_a_quorum_end_an_election() -> None:
    raft = Raft(Config(id=1, voters=(1, 2, 3), pre_vote=False))
    raft.campaign()
    for peer in (2, 3):
        raft.step(Message(type=MessageType.MSG_VOTE_RESP, to=1, from_=peer, term=1, reject=True))

    assert (raft.role, raft.term, raft.vote) == (Role.FOLLOWER, 1, 1)


def test_a_member_that_only_sends_deposes_no_leader_unless_pre_vote_is_left_out() -> None:
    """The planted bug raft-rejoin-disrupts-leader is one patch of `first_campaign` (Raft thesis, 9.6)."""
    assert a_deaf_member_comes_and_goes() == (1, Role.LEADER)
    with patched(election, "first_campaign", lambda raft: Campaign.ELECTION):
        term, role = a_deaf_member_comes_and_goes()
    assert term > 1 and role is Role.FOLLOWER


def a_deaf_member_comes_and_goes() -> tuple[int, Role]:
    """Member 3 hears nobody for long; what it then sends arrives. The old leader's term and role."""
    bag: Bag = elected()
    for _ in range(60):
        for member in (1, 2):
            bag.members[member].tick()
        bag.members[3].tick()
        for member in bag.voters:
            bag.carry_out(member)
            bag.sync(member)
        bag.flight = [one for one in bag.flight if 3 not in (one.from_, one.to)]
        while bag.flight:
            bag.deliver(0)
            for member in (1, 2):
                bag.carry_out(member)
                bag.sync(member)
            bag.flight = [one for one in bag.flight if 3 not in (one.from_, one.to)]
    bag.members[1].step(Message(type=MessageType.MSG_APP_RESP, to=1, from_=3, term=bag.members[3].term))
    return bag.members[1].term, bag.members[1].role


def test_a_single_voter_leads_once_its_disk_has_its_vote() -> None:
    """Its own vote waits for the sync like anybody's."""
    bag = Bag(1, random.Random(1))
    raft = bag.members[1]
    raft.campaign()
    assert raft.role is Role.PRE_CANDIDATE

    bag.settle()

    assert (raft.role, raft.log.committed) == (Role.LEADER, 1)
