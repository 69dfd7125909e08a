"""Requests on their way into the log: who waits for which, what waits for a leader, what is too late.

A write may be asked of any member: it is proposed to the leader, and the member that was asked answers after it has
applied it itself (server/etcdserver/v3_server.go processInternalRaftRequestOnce). Without a leader proposals wait.
After 7 s (5 s + 2 election time-outs) whoever waits hears that it is unsure; in other words if there was no leader all the
time, because Raft then doesn't even take the proposal (etcd-io/raft node.go, propc).

Called by `replica.py`. Not modelled: the limit of proposals in flight (ErrTooManyRequests).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import field, frozen

from chaoskube.models.etcd.membership import MemberStarted
from chaoskube.models.etcd.messages import EtcdError, Request, Response
from chaoskube.models.raft.messages import ConfChange, Message
from chaoskube.sim import canonical, reached

SEEN_MAX: Final = 4096
"""Forwarded proposals remembered, so that a datagram that arrives twice is taken once, as over TCP."""

Answerer: TypeAlias = Callable[[Response | EtcdError], None]


@frozen
class Proposal:
    """The data of a log entry: a request, and the number under which its member waits for it."""

    id: int
    request: Request | MemberStarted
    is_own: bool = False
    """The member asks, not a client; only the journal cares."""
    _text: list[str] = field(factory=list, init=False, eq=False, repr=False)

    def digest_text(self) -> str:
        """Deterministic text, made once: the leader puts a forwarded proposal into an entry of its own."""
        if not self._text:
            self._text.append(f"#{self.id} {canonical(self.request)}")
        return self._text[0]

    def payload_size(self) -> int:
        """The bytes of the entry's data, or nearly: its text is made anyway."""
        return len(self.digest_text())


@frozen(kw_only=True)
class Writer:
    """Somebody waits for an entry to be applied."""

    since: int
    answer: Answerer


@frozen(kw_only=True)
class Late:
    """Somebody who waits no more; without a leader nothing was ever proposed."""

    writer: Writer
    had_a_leader: bool


class Proposals:
    """What one member has proposed in this life and who waits for it; numbers are `Proposal.id`."""

    def __init__(self, propose: Callable[[Proposal | ConfChange], bool]) -> None:
        self._propose = propose
        """Hands data to Raft; False when it was dropped."""
        self._waiting: dict[int, Writer] = {}
        self.unproposed: list[Proposal | ConfChange] = []
        """What waits for a leader."""
        self._seen: dict[int, None] = {}

    @property
    def is_idle(self) -> bool:
        """Nobody waits for anything."""
        return not self._waiting and not self.unproposed

    def wait(self, number: int, writer: Writer) -> None:
        """Remember who waits for the entry that will carry `number`."""
        self._waiting[number] = writer

    def is_awaited(self, number: int) -> bool:
        """Does somebody here wait for it?"""
        return number in self._waiting

    def take(self, number: int) -> Writer | None:
        """Whoever waits for `number`; it is about to be answered."""
        return self._waiting.pop(number, None)

    def propose(self, proposal: Proposal | ConfChange) -> bool:
        """Hand it to Raft; False when it has to wait for a leader."""
        if self._propose(proposal):
            return True
        reached("etcd: a write waited for a leader")
        self.unproposed.append(proposal)
        return False

    def propose_late(self) -> bool:
        """There is a leader again: propose what has waited; True if any was taken."""
        proposals, self.unproposed = self.unproposed, []
        taken = [self.propose(proposal) for proposal in proposals]
        return any(taken)

    def expire(self, before: int) -> list[Late]:
        """Whoever has waited since `before` or longer; they wait no more."""
        late: list[Late] = []
        held_up = {one.id for one in self.unproposed}
        for number, waiting in list(self._waiting.items()):
            if waiting.since > before:
                break
            del self._waiting[number]
            self.unproposed = [one for one in self.unproposed if one.id != number]
            late.append(Late(writer=waiting, had_a_leader=number not in held_up))
        return late

    def is_repeated(self, message: Message) -> bool:
        """Has this forwarded proposal come before?"""
        data = message.entries[0].data
        number = getattr(data, "id", 0)
        if number in self._seen:
            return True
        self._seen[number] = None
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return False
