"""Reads that wait for a quorum to confirm that the leader still leads.

A leader notes its commit index with each read request, and answers once a quorum has echoed the
request's context in heartbeat responses. Etcd-io/raft read_only.go (ReadOnlySafe). Called by the core.

Not modelled: ReadOnlyLeaseBased.
"""

from __future__ import annotations

from attrs import define, field, frozen

from chaoskube.models.raft.messages import Message


@define(kw_only=True)
class _Pending:
    request: Message
    index: int
    acknowledged: dict[int, bool] = field(factory=dict)


@frozen(kw_only=True)
class ConfirmedRead:
    """A read request that may be answered at `index`."""

    request: Message
    index: int


@define
class ReadOnly:
    """Read requests waiting for their quorum, oldest first."""

    _pending: dict[object, _Pending] = field(factory=dict)

    def add(self, index: int, request: Message, leader: int) -> None:
        """Note a request with the commit index of now; a context already known is left alone."""
        if request.context not in self._pending:
            pending = _Pending(request=request, index=index)
            pending.acknowledged[leader] = True
            self._pending[request.context] = pending

    def receive(self, follower: int, context: object) -> dict[int, bool]:
        """`follower` echoed `context`; all who have done so."""
        pending = self._pending.get(context)
        if pending is None:
            return {}
        pending.acknowledged[follower] = True
        return pending.acknowledged

    def advance(self, context: object) -> list[ConfirmedRead]:
        """The request of `context` is confirmed, and with it every older one."""
        confirmed: list[ConfirmedRead] = []
        if context not in self._pending:
            return confirmed
        for key in list(self._pending):
            pending = self._pending.pop(key)
            confirmed.append(ConfirmedRead(request=pending.request, index=pending.index))
            if key == context:
                break
        return confirmed

    def last_context(self) -> object:
        """The context of the newest request, for periodic heartbeats to carry; None when none waits."""
        return next(reversed(self._pending)) if self._pending else None
