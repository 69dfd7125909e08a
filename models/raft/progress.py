"""What a leader knows of one follower, and how fast it may send to it.

A follower is *probed* (one append at a time, until its log is known to match), then *replicated* to
(optimistically, with bounds on what is in flight), or waits for a *snapshot* (nothing is sent meanwhile).
Etcd-io/raft tracker/progress.go and tracker/inflights.go. A member has one of these for everybody in its
configuration, itself included; only a leader's mean anything.
"""

from __future__ import annotations

import enum
from collections import deque

from attrs import define, field

from chaoskube.models.raft.messages import Message
from chaoskube.sim import ModelBug


class ProgressState(enum.Enum):
    """How a follower is being sent to."""

    PROBE = "StateProbe"
    REPLICATE = "StateReplicate"
    SNAPSHOT = "StateSnapshot"


@define(kw_only=True)
class Progress:
    """One follower as its leader sees it; changes as answers come in."""

    match: int = 0
    next: int = 1
    inflight_max: int = 256
    inflight_bytes_max: int = 0
    """No bound when 0."""
    state: ProgressState = ProgressState.PROBE
    pending_snapshot: int = 0
    """The index of the snapshot that the follower is being sent."""
    sent_commit: int = 0
    is_recently_active: bool = False
    is_paused: bool = False
    """MsgAppFlowPaused: nothing more is sent until the follower answers an append or a heartbeat."""
    is_learner: bool = False
    inflight: deque[tuple[int, int]] = field(factory=deque)
    """The last index of each append in flight, and the bytes of its payloads."""
    inflight_bytes: int = 0
    heartbeat: Message | None = field(default=None, eq=False)
    """The last heartbeat sent: the next is the same object as long as it says the same."""

    def copy(self) -> Progress:
        """The same, sharing nothing that changes."""
        twin = Progress(
            match=self.match,
            next=self.next,
            inflight_max=self.inflight_max,
            inflight_bytes_max=self.inflight_bytes_max,
            state=self.state,
            pending_snapshot=self.pending_snapshot,
            sent_commit=self.sent_commit,
            is_recently_active=self.is_recently_active,
            is_paused=self.is_paused,
            is_learner=self.is_learner,
            inflight=self.inflight.copy(),
            inflight_bytes=self.inflight_bytes,
        )
        twin.heartbeat = self.heartbeat
        return twin

    def become_probe(self) -> None:
        """Go back to one append at a time, from what is known to match or the snapshot that was sent."""
        pending = self.pending_snapshot if self.state is ProgressState.SNAPSHOT else 0
        self._reset(ProgressState.PROBE)
        self.next = max(self.match, pending) + 1
        self.sent_commit = min(self.sent_commit, self.next - 1)

    def become_replicate(self) -> None:
        """The logs are known to match: send on without waiting."""
        self._reset(ProgressState.REPLICATE)
        self.next = self.match + 1

    def become_snapshot(self, index: int) -> None:
        """A snapshot up to `index` is on its way: send nothing until it has arrived or failed."""
        self._reset(ProgressState.SNAPSHOT)
        self.pending_snapshot = index
        self.next = index + 1
        self.sent_commit = index

    def _reset(self, state: ProgressState) -> None:
        self.state = state
        self.is_paused = False
        self.pending_snapshot = 0
        self.inflight.clear()
        self.inflight_bytes = 0

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

    def sent_entries(self, count: int, size: int = 0) -> None:
        """Account for an append with `count` entries of `size` bytes that has just left."""
        if self.state is ProgressState.REPLICATE:
            if count:
                self.next += count
                self.inflight.append((self.next - 1, size))
                self.inflight_bytes += size
            self.is_paused = self.is_full
        elif self.state is ProgressState.SNAPSHOT:
            raise ModelBug("an append was sent to a follower that waits for a snapshot")
        elif count:
            self.is_paused = True

    @property
    def is_waiting(self) -> bool:
        """Nothing may be sent to it now (etcd-io/raft IsPaused)."""
        return self.is_paused or self.state is ProgressState.SNAPSHOT

    @property
    def is_full(self) -> bool:
        """As much is in flight as may be; the append that reaches the bound in bytes is still let out."""
        if len(self.inflight) >= self.inflight_max:
            return True
        return 0 < self.inflight_bytes_max <= self.inflight_bytes

    def free_up_to(self, index: int) -> None:
        """Appends up to `index` are answered: they are no longer in flight."""
        inflight = self.inflight
        while inflight and inflight[0][0] <= index:
            self.inflight_bytes -= inflight.popleft()[1]

    def can_bump_commit(self, commit: int) -> bool:
        """Would an append tell the follower of a commit that it could use and hasn't heard of?"""
        return commit > self.sent_commit and self.sent_commit < self.next - 1

    def __str__(self) -> str:
        """As etcd prints it: `StateReplicate match=3 next=5 inflight=1`."""
        text = f"{self.state.value} match={self.match} next={self.next}"
        if self.is_learner:
            text += " learner"
        if self.is_waiting:
            text += " paused"
        if self.pending_snapshot:
            text += f" pendingSnap={self.pending_snapshot}"
        if not self.is_recently_active:
            text += " inactive"
        if self.inflight:
            text += f" inflight={len(self.inflight)}{'[full]' if self.is_full else ''}"
        return text
