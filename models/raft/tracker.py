"""Who is a member and what is known of each: the configuration in force, and the progress of everybody in it.

`TrackerConfig` is the value that a change of members makes anew (`confchange`); `ProgressTracker` holds it
with one `Progress` a member and the votes of the election under way, and answers the questions that need
both. Etcd-io/raft tracker/tracker.go. Owned by the core, one to a member.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen

from chaoskube.models.raft.messages import ConfState
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.quorum import JointVoters, VoteResult, committed_index, ids_text


@frozen(kw_only=True)
class TrackerConfig:
    """A configuration: who votes, who only learns. All groups are sorted, without repetition.

    `learners_next` are voters of the outgoing half that will be learners once it is left: nobody is a voter
    and a learner at once.
    """

    voters: JointVoters = field(factory=JointVoters)
    learners: tuple[int, ...] = ()
    learners_next: tuple[int, ...] = ()
    auto_leave: bool = False
    """A joint configuration is left by the leader itself, as soon as it may be."""

    def __str__(self) -> str:
        """As etcd prints it: `voters=(1 2)&&(1) learners=(4) autoleave`."""
        text = f"voters={self.voters}"
        if self.learners:
            text += f" learners={ids_text(self.learners)}"
        if self.learners_next:
            text += f" learners_next={ids_text(self.learners_next)}"
        return f"{text} autoleave" if self.auto_leave else text


@define(kw_only=True)
class ProgressTracker:
    """The configuration in force, everybody's progress (by member, in no order), the votes of this election."""

    config: TrackerConfig = field(factory=TrackerConfig)
    progress: dict[int, Progress] = field(factory=dict)
    votes: dict[int, bool] = field(factory=dict)
    max_inflight: int = 256
    max_inflight_bytes: int = 0
    """No bound when 0."""

    def is_only_voter(self, member: int) -> bool:
        """Does this member decide alone?"""
        voters = self.config.voters
        return voters.incoming == (member,) and not voters.outgoing

    @property
    def voter_nodes(self) -> tuple[int, ...]:
        """Everybody who votes, in order."""
        return self.config.voters.ids

    @property
    def learner_nodes(self) -> tuple[int, ...]:
        """Everybody who learns and doesn't vote, in order."""
        return self.config.learners

    @property
    def ids(self) -> tuple[int, ...]:
        """Everybody whose progress is tracked, in order."""
        return tuple(sorted(self.progress))

    def new_progress(self, *, next_index: int, is_learner: bool) -> Progress:
        """Progress of a member that has just been added; it is taken to be there until it fails to answer."""
        return Progress(
            next=next_index,
            inflight_max=self.max_inflight,
            inflight_bytes_max=self.max_inflight_bytes,
            is_recently_active=True,
            is_learner=is_learner,
        )

    def copy(self) -> ProgressTracker:
        """The same, sharing nothing that changes."""
        return ProgressTracker(
            config=self.config,
            progress={member: progress.copy() for member, progress in self.progress.items()},
            votes=dict(self.votes),
            max_inflight=self.max_inflight,
            max_inflight_bytes=self.max_inflight_bytes,
        )

    def conf_state(self) -> ConfState:
        """The configuration as snapshots carry it."""
        config = self.config
        return ConfState(
            voters=config.voters.incoming,
            voters_outgoing=config.voters.outgoing,
            learners=config.learners,
            learners_next=config.learners_next,
            auto_leave=config.auto_leave,
        )

    def committed(self) -> int:
        """The highest index that the voters have acknowledged so that it is committed."""
        progress = self.progress
        voters = self.config.voters
        first = committed_index([progress[voter].match for voter in voters.incoming])
        if not voters.outgoing:
            return first
        return min(first, committed_index([progress[voter].match for voter in voters.outgoing]))

    def quorum_active(self) -> bool:
        """Has a quorum been heard of since the last look?"""
        heard = {
            member: progress.is_recently_active
            for member, progress in self.progress.items()
            if not progress.is_learner
        }
        return self.config.voters.vote_result(heard) is VoteResult.WON

    def has_quorum(self, acknowledged: Mapping[int, bool]) -> bool:
        """Do those who said yes make a quorum?"""
        return self.config.voters.vote_result(acknowledged) is VoteResult.WON

    def reset_votes(self) -> None:
        """A new election: nobody has voted."""
        self.votes = {}

    def record_vote(self, member: int, *, granted: bool) -> None:
        """`member` has answered; only its first answer counts."""
        self.votes.setdefault(member, granted)

    def tally_votes(self) -> VoteResult:
        """How the election stands."""
        return self.config.voters.vote_result(self.votes)
