"""Quorum arithmetic, pure: what a quorum has acknowledged, and how an election stands.

The functions are about one group of voters, where a majority decides. `JointVoters` is what a member decides
by: one group, or two while a change of members is under way, and then both must agree. An empty group agrees
with everything, so that one half of a pair may be absent.

Etcd-io/raft quorum/majority.go and quorum/joint.go. Called by `tracker` and the core with small tuples.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

EVERYTHING: Final = 2**64 - 1
"""What an empty group has acknowledged: any index (the largest number of etcd's index type)."""


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
    if not acknowledged:
        return EVERYTHING
    ordered = sorted(acknowledged, reverse=True)
    return ordered[quorum_size(len(ordered)) - 1]


def vote_result(voters: Sequence[int], votes: Mapping[int, bool]) -> VoteResult:
    """Won, lost or still open among one group, given who has said yes or no."""
    if not voters:
        return VoteResult.WON
    granted = sum(1 for voter in voters if votes.get(voter) is True)
    missing = sum(1 for voter in voters if voter not in votes)
    needed = quorum_size(len(voters))
    if granted >= needed:
        return VoteResult.WON
    if granted + missing >= needed:
        return VoteResult.PENDING
    return VoteResult.LOST


@frozen(kw_only=True)
class JointVoters:
    """The voters of now (`incoming`) and, during a change of members, those of before (`outgoing`).

    Both are sorted and without repetition; `outgoing` is empty outside a change.
    """

    incoming: tuple[int, ...] = ()
    outgoing: tuple[int, ...] = ()

    def __contains__(self, member: int) -> bool:
        """Does `member` vote in either half?"""
        return member in self.incoming or member in self.outgoing

    @property
    def is_joint(self) -> bool:
        """Must two groups agree?"""
        return bool(self.outgoing)

    @property
    def ids(self) -> tuple[int, ...]:
        """Everybody who votes in either half, in order."""
        if not self.outgoing:
            return self.incoming
        return tuple(sorted({*self.incoming, *self.outgoing}))

    def committed_index(self, acknowledged: Mapping[int, int]) -> int:
        """The highest index acknowledged by a majority of each half; who isn't in the mapping has none."""
        first = committed_index([acknowledged.get(voter, 0) for voter in self.incoming])
        if not self.outgoing:
            return first
        return min(first, committed_index([acknowledged.get(voter, 0) for voter in self.outgoing]))

    def vote_result(self, votes: Mapping[int, bool]) -> VoteResult:
        """Won when both halves have won, lost as soon as one has lost."""
        first = vote_result(self.incoming, votes)
        if not self.outgoing:
            return first
        second = vote_result(self.outgoing, votes)
        if VoteResult.LOST in (first, second):
            return VoteResult.LOST
        return VoteResult.WON if first is second is VoteResult.WON else VoteResult.PENDING

    def __str__(self) -> str:
        """As etcd prints it: `(1 2 3)&&(1 2)`."""
        return (
            f"{ids_text(self.incoming)}&&{ids_text(self.outgoing)}"
            if self.outgoing
            else ids_text(self.incoming)
        )


def ids_text(ids: Sequence[int]) -> str:
    """Members as etcd prints a group of them: `(1 2 3)`, in hexadecimal."""
    return f"({' '.join(f'{one:x}' for one in ids)})"
