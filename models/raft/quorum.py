"""Majority arithmetic, pure: what a quorum has acknowledged, and how an election stands.

Etcd-io/raft quorum/majority.go. Called by the core with small tuples and mappings.
Not modelled: joint configurations (quorum/joint.go).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence


class VoteResult(enum.Enum):
    """How an election stands, by the votes that have come in."""

    PENDING = "VotePending"
    LOST = "VoteLost"
    WON = "VoteWon"


def quorum_size(members: int) -> int:
    """The smallest number of members any two groups of which overlap."""
    return members // 2 + 1


def committed_index(acknowledged: Sequence[int]) -> int:
    """The highest index that a majority has acknowledged; one value for each voter, 0 for none."""
    ordered = sorted(acknowledged, reverse=True)
    return ordered[quorum_size(len(ordered)) - 1]


def vote_result(voters: Sequence[int], votes: Mapping[int, bool]) -> VoteResult:
    """Won, lost or still open, given who has said yes or no."""
    granted = sum(1 for voter in voters if votes.get(voter) is True)
    missing = sum(1 for voter in voters if voter not in votes)
    needed = quorum_size(len(voters))
    if granted >= needed:
        return VoteResult.WON
    if granted + missing >= needed:
        return VoteResult.PENDING
    return VoteResult.LOST
