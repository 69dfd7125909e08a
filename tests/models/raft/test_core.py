"""The Raft core against the paper's safety properties, and against etcd's own choices in small scenes."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import Entry, HardState, Message, MessageType
from chaoskube.models.raft.ready import Config, Role
from tests.models.raft.bag import Bag, elected
from tests.models.raft.trouble import MEMBERSHIP, OPERATORS, misbehave


@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from((1, 2, 3, 5)),
    pre_vote=st.booleans(),
    check_quorum=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_safety_holds_under_loss_doubling_reordering_and_crashes(
    seed: int, size: int, pre_vote: bool, check_quorum: bool
) -> None:
    """Election safety, log matching, leader completeness, state machine safety (Raft paper, figure 3)."""
    luck = random.Random(seed)
    bag = Bag(size, luck, pre_vote=pre_vote, check_quorum=check_quorum)

    misbehave(bag, luck, 1200)

    bag.check()
    bag.check_logs()


@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from((1, 3)),
    newcomers=st.sampled_from((0, 2)),
    is_async=st.booleans(),
    pre_vote=st.booleans(),
    check_quorum=st.booleans(),
    size_max=st.sampled_from((0, 20, 2**20)),
    inflight=st.sampled_from((1, 3, 512)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_safety_holds_with_snapshots_changes_of_members_transfers_and_asynchronous_storage(
    seed: int,
    size: int,
    newcomers: int,
    is_async: bool,
    pre_vote: bool,
    check_quorum: bool,
    size_max: int,
    inflight: int,
) -> None:
    """The same four claims with everything that etcd-io/raft can do, and with its limits tight and loose."""
    luck = random.Random(seed)
    bag = Bag(
        size,
        luck,
        newcomers=newcomers,
        async_storage_writes=is_async,
        pre_vote=pre_vote,
        check_quorum=check_quorum,
        max_size_per_msg=size_max,
        max_committed_size_per_ready=max(size_max, 1),
        max_inflight_msgs=inflight,
        max_uncommitted_entries_size=200,
    )

    misbehave(bag, luck, 1000, more=OPERATORS + (MEMBERSHIP if newcomers else ()))

    bag.check()
    bag.check_logs()


@given(seed=st.integers(0, 2**32), size=st.sampled_from((1, 3, 5)), is_async=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_cluster_recovers_and_agrees_once_trouble_ends(seed: int, size: int, is_async: bool) -> None:
    """Liveness: with the network and disks well again, a leader comes and a proposal commits everywhere."""
    luck = random.Random(seed)
    bag = Bag(size, luck, async_storage_writes=is_async)
    misbehave(bag, luck, 400, more=OPERATORS)

    for _ in range(200):
        bag.settle()
        bag.report_lost_snapshots()
        bag.tick_all()
        leaders = [raft for raft in bag.members.values() if raft.role is Role.LEADER]
        if leaders and max(leaders, key=lambda raft: raft.term).propose("the end"):
            break
    for _ in range(40):
        bag.tick_all()
        bag.report_lost_snapshots()
    bag.settle()

    assert len({tuple(map(str, data)) for data in bag.applied.values()}) == 1
    assert "the end" in bag.applied[1]
    bag.check_logs()


def test_a_new_leader_commits_an_empty_entry_of_its_term() -> None:
    """Etcd-io/raft becomeLeader: without it nothing of earlier terms could be committed."""
    bag = elected()

    assert [raft.log.committed for raft in bag.members.values()] == [1, 1, 1]
    assert bag.members[2].log.entries[0].data is None


def test_a_proposal_at_a_follower_reaches_every_log() -> None:
    """Followers forward MsgProp to the leader (etcd-io/raft stepFollower)."""
    bag = elected()

    assert bag.members[3].propose("x")
    bag.settle()

    assert all(bag.applied[member] == [None, "x"] for member in bag.voters)


def test_a_proposal_without_a_leader_is_dropped() -> None:
    """ErrProposalDropped: the caller must hear of it rather than wait."""
    assert not Bag(3, random.Random(0)).members[2].propose("x")


def test_answers_wait_for_the_disk() -> None:
    """A vote or an acknowledgement that leaves before the sync is worth nothing after a crash."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)))
    raft.step(Message(type=MessageType.MSG_VOTE, to=1, from_=2, term=1))

    ready = raft.ready()

    assert ready.must_sync
    assert ready.hard_state == HardState(term=1, vote=2, commit=0)
    assert ready.messages == ()
    assert [message.type for message in ready.messages_after_append] == [MessageType.MSG_VOTE_RESP]


def test_a_restarted_member_keeps_its_vote() -> None:
    """Two votes in one term could make two leaders (Raft paper, 5.2)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)), hard_state=HardState(term=4, vote=2))

    raft.step(Message(type=MessageType.MSG_VOTE, to=1, from_=3, term=4, index=9, log_term=3))

    assert raft.ready().messages_after_append[0].reject


def test_stepping_down_in_the_same_term_keeps_the_vote() -> None:
    """Etcd-io/raft reset: only a new term clears the vote."""
    raft = Raft(Config(id=1, voters=(1, 2, 3), pre_vote=False))
    raft.campaign()
    assert raft.role is Role.CANDIDATE

    raft.step(Message(type=MessageType.MSG_HEARTBEAT, to=1, from_=2, term=1))

    assert (raft.role, raft.term, raft.vote) == (Role.FOLLOWER, 1, 1)


def test_entries_of_an_older_term_are_not_committed_by_counting() -> None:
    """Raft paper, figure 8: a majority that holds them may still lose them to a newer leader."""
    log = [Entry(term=1, index=1, data="old")]
    raft = Raft(
        Config(id=1, voters=(1, 2, 3), pre_vote=False),
        hard_state=HardState(term=2),
        entries=log,
    )
    raft.campaign()
    raft.advance(raft.ready())
    raft.step(Message(type=MessageType.MSG_VOTE_RESP, to=1, from_=2, term=3))
    assert raft.role is Role.LEADER

    raft.step(Message(type=MessageType.MSG_APP_RESP, to=1, from_=2, term=3, index=1))
    assert raft.log.committed == 0
    raft.advance(raft.ready())
    raft.step(Message(type=MessageType.MSG_APP_RESP, to=1, from_=2, term=3, index=2))

    assert raft.log.committed == 2


def test_a_leader_without_a_quorum_steps_down() -> None:
    """CheckQuorum: otherwise a cut-off leader goes on believing (etcd-io/raft tickHeartbeat)."""
    bag = elected()

    for _ in range(25):
        bag.members[1].tick()

    assert bag.members[1].role is Role.FOLLOWER


def test_a_cut_off_member_does_not_raise_its_term() -> None:
    """PreVote: its return must not depose a leader that works (Raft thesis, 9.6)."""
    bag = elected()
    before = bag.members[3].term
    for _ in range(100):
        bag.members[3].tick()
        bag.carry_out(3)
        bag.sync(3)
    bag.flight.clear()

    assert (bag.members[3].role, bag.members[3].term) == (Role.PRE_CANDIDATE, before)


def test_a_follower_with_a_diverged_log_is_led_back() -> None:
    """Conflict hints skip whole terms; the leader's log wins (etcd-io/raft handleAppendEntries)."""
    bag = elected()
    bag.disks[3].entries = [Entry(term=1, index=1)] + [
        Entry(term=0, index=i, data=f"junk{i}") for i in range(2, 9)
    ]
    bag.disks[3].hard_state = HardState(term=1, vote=1, commit=1)
    for number in range(5):
        bag.members[1].propose(number)
    bag.settle()
    bag.crash(3)
    bag.flight.clear()
    for _ in range(3):
        bag.members[1].tick()
        bag.settle()

    assert bag.members[3].log.entries == bag.members[1].log.entries


@pytest.mark.parametrize("reader", [1, 2])
def test_a_read_index_covers_what_was_committed_before(reader: int) -> None:
    """A linearizable read waits for a quorum to confirm the leader (etcd-io/raft ReadOnlySafe)."""
    bag = elected()
    bag.members[1].propose("x")
    bag.settle()

    assert bag.members[reader].read_index("ctx")
    bag.settle()

    assert set(bag.reads[reader]) == {("ctx", 2)}


def test_a_leader_that_has_committed_nothing_in_its_term_answers_no_read() -> None:
    """Its commit index may be behind one that was answered already (Raft thesis, 6.4)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3), pre_vote=False))
    raft.campaign()
    raft.advance(raft.ready())
    raft.step(Message(type=MessageType.MSG_VOTE_RESP, to=1, from_=2, term=1))
    raft.advance(raft.ready())

    raft.read_index("early")
    raft.step(Message(type=MessageType.MSG_HEARTBEAT_RESP, to=1, from_=2, term=1, context=1))
    assert not raft.ready().read_states

    raft.advance(raft.ready())
    raft.step(Message(type=MessageType.MSG_APP_RESP, to=1, from_=2, term=1, index=1))
    raft.step(Message(type=MessageType.MSG_HEARTBEAT_RESP, to=1, from_=2, term=1, context=1))
    assert [(state.context, state.index) for state in raft.ready().read_states] == [("early", 1)]
