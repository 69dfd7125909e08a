"""What changes, and what must not, when a member becomes something else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaoskube.bug import patched
from chaoskube.models.raft import roles
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.ready import Config, Role
from chaoskube.models.raft.roles import election_timeout
from chaoskube.models.raft.state import RaftState
from tests.models.raft.bag import elected


@given(st.integers(0, 2**64 - 1), st.integers(2, 50))
def test_time_outs_are_a_function_of_seed_and_count_and_spread_over_their_range(seed: int, tick: int) -> None:
    """From one election time-out up to two, without two (etcd-io/raft resetRandomizedElectionTimeout)."""
    drawn = [election_timeout(seed, count, tick) for count in range(200)]

    assert drawn == [election_timeout(seed, count, tick) for count in range(200)]
    assert all(tick <= one < 2 * tick for one in drawn)
    assert len(set(drawn)) > tick // 2


def test_two_members_of_one_seed_draw_alike_and_of_two_seeds_do_not() -> None:
    def timeouts(seed: int) -> list[int]:
        raft = Raft(Config(id=1, voters=(1, 2, 3), seed=seed, pre_vote=False))
        drawn = []
        for _ in range(20):
            raft.campaign()
            drawn.append(raft.randomized_election_timeout)
        return drawn

    assert timeouts(1) == timeouts(1) != timeouts(2)


def a_voter_meets_two_candidates() -> bool:
    """Its vote is 2's; then it hears 2 lead, and 3 asks in the same term. Did it vote twice?"""
    raft = Raft(Config(id=1, voters=(1, 2, 3), check_quorum=False))
    raft.step(Message(type=MessageType.MSG_VOTE, to=1, from_=2, term=1))
    raft.step(Message(type=MessageType.MSG_HEARTBEAT, to=1, from_=2, term=1))
    roles.become_follower(raft, raft.term, 0)
    raft.step(Message(type=MessageType.MSG_VOTE, to=1, from_=3, term=1))
    return not raft.messages_after_append[-1].reject


def test_stepping_down_in_the_same_term_keeps_the_vote_or_there_are_two_leaders() -> None:
    """The planted bug raft-vote-forgotten-on-stepdown is one patch of `become_follower`."""
    become_follower = roles.become_follower

    def forget(raft: RaftState, term: int, lead: int) -> None:
        become_follower(raft, term, lead)
        raft.vote = 0

    assert not a_voter_meets_two_candidates()
    with patched(roles, "become_follower", forget):
        assert a_voter_meets_two_candidates()


def test_a_new_leader_knows_nothing_of_the_others_but_assumes_the_best() -> None:
    """Next is its own end; match is nothing but its own (etcd-io/raft reset)."""
    bag = elected()
    bag.members[1].propose("x")
    bag.settle()
    bag.members[2].transfer_leader(2)
    bag.carry_out(2)
    bag.sync(2)
    bag.settle()
    raft = bag.members[2]
    assert raft.role is Role.LEADER

    roles.reset(raft, raft.term)

    assert {member: (one.match, one.next) for member, one in raft.tracker.progress.items()} == {
        1: (0, 4),
        2: (3, 4),
        3: (0, 4),
    }
