"""Quorum arithmetic against the definition of a quorum, written out."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.raft.quorum import (
    EVERYTHING,
    JointVoters,
    VoteResult,
    committed_index,
    quorum_size,
    vote_result,
)

MEMBERS = range(1, 8)
GROUPS = st.lists(st.sampled_from(MEMBERS), unique=True).map(lambda ids: tuple(sorted(ids)))
VOTERS = st.builds(JointVoters, incoming=GROUPS.filter(bool), outgoing=GROUPS)
ACKNOWLEDGED = st.dictionaries(st.sampled_from(MEMBERS), st.integers(min_value=1, max_value=20))
VOTES = st.dictionaries(st.sampled_from(MEMBERS), st.booleans())


def majorities(group: tuple[int, ...]) -> list[set[int]]:
    """Every set of members with more than half of the group in it; nobody is enough for an empty group."""
    if not group:
        return [set()]
    return [
        set(some) for size in range(len(group) // 2 + 1, len(group) + 1) for some in combinations(group, size)
    ]


@given(voters=VOTERS, acknowledged=ACKNOWLEDGED)
def test_an_index_is_committed_when_a_majority_of_each_half_has_it(
    voters: JointVoters, acknowledged: dict[int, int]
) -> None:
    """The largest index that every member of some majority of each half has reached (quorum/joint.go)."""

    def naive(group: tuple[int, ...]) -> int:
        return max(
            min((acknowledged.get(member, 0) for member in majority), default=EVERYTHING)
            for majority in majorities(group)
        )

    assert voters.committed_index(acknowledged) == min(naive(voters.incoming), naive(voters.outgoing))


@given(voters=VOTERS, votes=VOTES)
def test_an_election_is_won_or_lost_as_soon_as_the_missing_votes_cannot_change_it(
    voters: JointVoters, votes: dict[int, bool]
) -> None:
    """Won when both halves have their majority; lost when one can't get it any more (quorum/joint.go)."""

    def naive(group: tuple[int, ...]) -> VoteResult:
        if any(all(votes.get(member, False) for member in one) for one in majorities(group)):
            return VoteResult.WON
        if any(all(votes.get(member, True) for member in one) for one in majorities(group)):
            return VoteResult.PENDING
        return VoteResult.LOST

    halves = {naive(voters.incoming), naive(voters.outgoing)}
    worst = next(one for one in (VoteResult.LOST, VoteResult.PENDING, VoteResult.WON) if one in halves)
    assert voters.vote_result(votes) is worst


@given(voters=VOTERS, acknowledged=ACKNOWLEDGED, votes=VOTES)
def test_the_halves_are_equals(
    voters: JointVoters, acknowledged: dict[int, int], votes: dict[int, bool]
) -> None:
    """Entering and leaving a joint configuration would otherwise mean different things."""
    mirrored = JointVoters(incoming=voters.outgoing, outgoing=voters.incoming)

    assert mirrored.committed_index(acknowledged) == voters.committed_index(acknowledged)
    assert mirrored.vote_result(votes) is voters.vote_result(votes)
    assert mirrored.ids == voters.ids == tuple(one for one in MEMBERS if one in voters)


@given(size=st.integers(min_value=1, max_value=9))
def test_two_quorums_of_one_group_overlap(size: int) -> None:
    """And one member fewer would not do."""
    assert 2 * quorum_size(size) > size
    assert 2 * (quorum_size(size) - 1) <= size


def test_an_empty_group_agrees_with_everything() -> None:
    """An absent half must not hold the other one up."""
    assert committed_index([]) == EVERYTHING
    assert vote_result((), {}) is VoteResult.WON


def test_voters_print_as_etcd_prints_them() -> None:
    """Reports and scripts show configurations in these words."""
    assert str(JointVoters(incoming=(1, 2, 10))) == "(1 2 a)"
    assert str(JointVoters(incoming=(1, 2), outgoing=(1,))) == "(1 2)&&(1)"
