"""What a leader knows of one follower, and how fast it may send to it.

A follower is *probed* (one append at a time, until its log is known to match), then *replicated* to
(optimistically, with a bound on what is in flight). Etcd-io/raft tracker/progress.go and
tracker/inflights.go. The leader's core owns one of these for each voter, itself included.

Not modelled: StateSnapshot, learners, the bound on bytes in flight.
"""

from __future__ import annotations

import enum
from collections import deque

from attrs import define, field

from chaoskube.models.raft.messages import Message


class ProgressState(enum.Enum):
    """How a follower is being sent to."""

    PROBE = "StateProbe"
    REPLICATE = "StateReplicate"


@define(kw_only=True)
class Progress:
    """One follower as its leader sees it; changes as answers come in."""

    match: int = 0
    next: int = 1
    inflight_max: int = 256
    state: ProgressState = ProgressState.PROBE
    sent_commit: int = 0
    is_recently_active: bool = False
    is_learner: bool = False
    is_paused: bool = False
    """MsgAppFlowPaused: nothing more is sent until the follower answers an append or a heartbeat."""
    inflight: deque[int] = field(factory=deque)
    heartbeat: Message | None = None
    """The last heartbeat sent: the next is the same object as long as it says the same."""

    def become_probe(self) -> None:
        """Go back to one append at a time, from what is known to match."""
        self._reset(ProgressState.PROBE)
        self.sent_commit = min(self.sent_commit, self.next - 1)

    def become_replicate(self) -> None:
        """The logs are known to match: send on without waiting."""
        self._reset(ProgressState.REPLICATE)

    def _reset(self, state: ProgressState) -> None:
        self.state = state
        self.is_paused = False
        self.inflight.clear()
        self.next = self.match + 1

    def maybe_update(self, index: int) -> bool:
        """The follower holds everything up to `index`; False when that is no news."""
        if index <= self.match:
            return False
        self.match = index
        self.next = max(self.next, index + 1)
        self.is_paused = False
        return True

    def maybe_decrease_to(self, rejected: int, match_hint: int) -> bool:
        """An append at `rejected` was refused; False when that answer is out of date."""
        if self.state is ProgressState.REPLICATE:
            if rejected <= self.match:
                return False
            self.next = self.match + 1
        else:
            if self.next - 1 != rejected:
                return False
            self.next = max(min(rejected, match_hint + 1), self.match + 1)
            self.is_paused = False
        self.sent_commit = min(self.sent_commit, self.next - 1)
        return True

    def sent_entries(self, count: int) -> None:
        """Account for an append with `count` entries that has just left."""
        if self.state is ProgressState.REPLICATE:
            if count:
                self.next += count
                self.inflight.append(self.next - 1)
            self.is_paused = self.is_full
        elif count:
            self.is_paused = True

    @property
    def is_full(self) -> bool:
        """As many appends are in flight as may be."""
        return len(self.inflight) >= self.inflight_max

    def free_up_to(self, index: int) -> None:
        """Appends up to `index` are answered: they are no longer in flight."""
        inflight = self.inflight
        while inflight and inflight[0] <= index:
            inflight.popleft()

    def can_bump_commit(self, commit: int) -> bool:
        """Would an append tell the follower of a commit that it could use and hasn't heard of?"""
        return commit > self.sent_commit and self.sent_commit < self.next - 1
