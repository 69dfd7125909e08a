"""Reads that wait for a quorum to confirm that the leader still leads.

A leader notes its commit index with each read request. Its heartbeats carry how many requests it has taken in
this term; a follower's answer echoes the number, and so confirms every request up to it. What a quorum has
echoed may be answered. Etcd-io/raft read_only.go. Called by `reads`.
"""

from __future__ import annotations

from attrs import define, field, frozen

from chaoskube.models.raft.messages import Message
from chaoskube.models.raft.quorum import JointVoters


@frozen(kw_only=True)
class PendingRead:
    """A read request, and the index at which it may be answered once it is confirmed."""

    request: Message
    index: int


@define(kw_only=True)
class ReadOnly:
    """The read requests of one term that wait, oldest first, and how far each member has echoed."""

    unconfirmed: list[PendingRead] = field(factory=list)
    confirmed: int = 0
    acknowledged: dict[int, int] = field(factory=dict)

    def copy(self) -> ReadOnly:
        """The same, sharing nothing that changes."""
        return ReadOnly(
            unconfirmed=self.unconfirmed.copy(),
            confirmed=self.confirmed,
            acknowledged=self.acknowledged.copy(),
        )

    def add(self, index: int, request: Message) -> None:
        """Note a request with the commit index of now."""
        self.unconfirmed.append(PendingRead(request=request, index=index))

    def receive(self, member: int, position: int) -> None:
        """`member` has echoed the number of requests."""
        self.acknowledged[member] = max(self.acknowledged.get(member, 0), position)

    def advance(self, voters: JointVoters) -> list[PendingRead]:
        """The requests that a quorum has confirmed since the last look."""
        position = voters.committed_index(self.acknowledged)
        count = position - self.confirmed
        if count <= 0:
            return []
        due, self.unconfirmed = self.unconfirmed[:count], self.unconfirmed[count:]
        self.confirmed = position
        return due

    def heartbeat_context(self) -> int | None:
        """What heartbeats are to carry; None when no request waits."""
        return self.confirmed + len(self.unconfirmed) if self.unconfirmed else None
