"""What a tracker answers about a configuration and everybody's progress in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.raft.messages import ConfState
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.quorum import JointVoters, VoteResult
from chaoskube.models.raft.tracker import ProgressTracker, TrackerConfig

JOINT = TrackerConfig(
    voters=JointVoters(incoming=(1, 2, 3), outgoing=(1, 2, 4)),
    learners=(5,),
    learners_next=(4,),
    auto_leave=True,
)


def tracker_of(config: TrackerConfig, match: dict[int, int] | None = None) -> ProgressTracker:
    """A tracker in which everybody has some match index."""
    match = match or {}
    ids = (*config.voters.ids, *config.learners)
    progress = {
        member: Progress(
            match=match.get(member, 0), next=match.get(member, 0) + 1, is_learner=member in config.learners
        )
        for member in ids
    }
    return ProgressTracker(config=config, progress=progress)


@given(match=st.fixed_dictionaries({member: st.integers(0, 20) for member in range(1, 6)}))
def test_the_quick_way_to_the_committed_index_agrees_with_the_definition(match: dict[int, int]) -> None:
    """`committed` reads progress directly because it is asked at each acknowledgement."""
    for config in (JOINT, TrackerConfig(voters=JointVoters(incoming=(1, 2, 3)))):
        assert tracker_of(config, match).committed() == config.voters.committed_index(match)


def test_learners_do_not_count_for_an_active_quorum() -> None:
    """A leader that hears its learners alone must step down (tracker.go QuorumActive)."""
    tracker = tracker_of(TrackerConfig(voters=JointVoters(incoming=(1, 2, 3)), learners=(4, 5)))
    for member in (1, 4, 5):
        tracker.progress[member].is_recently_active = True

    assert not tracker.quorum_active()
    tracker.progress[2].is_recently_active = True
    assert tracker.quorum_active()


def test_only_the_first_vote_of_a_member_counts() -> None:
    """A repeated or changed answer must not move an election (tracker.go RecordVote)."""
    tracker = tracker_of(TrackerConfig(voters=JointVoters(incoming=(1, 2, 3))))
    tracker.record_vote(1, granted=True)
    tracker.record_vote(2, granted=False)
    tracker.record_vote(2, granted=True)

    assert tracker.tally_votes() is VoteResult.PENDING
    tracker.record_vote(3, granted=True)
    assert tracker.tally_votes() is VoteResult.WON
    tracker.reset_votes()
    assert tracker.tally_votes() is VoteResult.PENDING


def test_a_configuration_prints_and_is_saved_whole() -> None:
    """A snapshot must bring back the joint configuration in which it was taken."""
    tracker = tracker_of(JOINT)

    assert str(JOINT) == "voters=(1 2 3)&&(1 2 4) learners=(5) learners_next=(4) autoleave"
    assert tracker.conf_state() == ConfState(
        voters=(1, 2, 3), voters_outgoing=(1, 2, 4), learners=(5,), learners_next=(4,), auto_leave=True
    )
    assert (tracker.ids, tracker.voter_nodes, tracker.learner_nodes) == ((1, 2, 3, 4, 5), (1, 2, 3, 4), (5,))


def test_one_voter_decides_alone_only_outside_a_change() -> None:
    """During a change the other half must agree (tracker.go IsSingleton)."""
    alone = JointVoters(incoming=(1,))

    assert tracker_of(TrackerConfig(voters=alone, learners=(2,))).is_only_voter(1)
    assert not tracker_of(TrackerConfig(voters=alone, learners=(2,))).is_only_voter(2)
    assert not tracker_of(TrackerConfig(voters=JointVoters(incoming=(1,), outgoing=(1,)))).is_only_voter(1)


def test_a_copy_goes_its_own_way() -> None:
    """The exhaustive search goes on from the same state twice."""
    tracker = tracker_of(JOINT)
    copy = tracker.copy()
    assert copy == tracker

    copy.progress[1].maybe_update(7)
    copy.record_vote(1, granted=True)
    assert (tracker.progress[1].match, tracker.votes) == (0, {})
