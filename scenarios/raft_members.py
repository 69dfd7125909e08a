"""The exploration "raft": a few members of our Raft core, searched exhaustively.

Each member is `models/raft` with a disk that is a value. Its shell does what etcd's does, and lets it lose power
in between: what a Ready holds is written; a leader's messages leave and committed entries are applied and answered
while the write is still under way (etcd server/etcdserver/raft.go hands them over before it saves); after the sync
votes and acknowledgements leave. A commit index alone is not worth a write, it is saved with the next record.

Time-outs are elections: nobody ticks. One entry a message and one a page, so that a log can be half replicated and
half applied. Clients ask leaders only.

Not modelled: pre-vote, check-quorum, snapshots, changes of members, leadership transfer, forwarding of proposals and
reads, heartbeats that carry no read.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from chaoskube.exploration import Bounds, Exploration, Names, Output, Packet, exploration
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.key import message_key
from chaoskube.models.raft.messages import NONE, Entry, HardState, Message, MessageType
from chaoskube.models.raft.ready import Config, Ready, Role
from chaoskube.scenarios.raft_history import (
    Acknowledged,
    Applied,
    Led,
    RaftHistory,
    ReadAnswered,
    ReadAsked,
    Voted,
    entry_text,
    place_text,
)

_ANSWERS_TO_LEADER = (MessageType.MSG_APP_RESP, MessageType.MSG_HEARTBEAT_RESP)


class RaftMember:
    """A core, its disk, and what it is doing right now."""

    def __init__(self, member: int, count: int) -> None:
        self.config = Config(
            id=member,
            voters=tuple(range(1, count + 1)),
            pre_vote=False,
            check_quorum=False,
            disable_proposal_forwarding=True,
            max_size_per_msg=0,
            max_committed_size_per_ready=1,
        )
        self.hard_state = HardState()
        self.entries: tuple[Entry, ...] = ()
        self.raft = Raft(self.config)
        self._unsaved: HardState | None = None
        self._ready: Ready | None = None
        """Being carried out: its write is under way."""
        self._is_sent = False
        """Its messages have left already."""
        self._waiting: tuple[int, ...] = ()
        self._packets: list[Packet] = []
        self._events: list[Hashable] = []
        self._led_term = 0

    def copy(self) -> RaftMember:
        """A member in the same state."""
        twin = RaftMember.__new__(RaftMember)
        vars(twin).update(vars(self))
        twin.raft = self.raft.copy()
        twin._packets, twin._events = list(self._packets), list(self._events)
        return twin

    def key(self, names: Names) -> Hashable:
        """The core, the disk, and the clients that wait."""
        disk = self.hard_state
        return (
            self.raft.key(names, is_clock_seen=False),
            (disk.term, _named(disk.vote, names), disk.commit),
            tuple((entry.term, entry.data) for entry in self.entries),
            None if self._unsaved is None else (self._unsaved.term, _named(self._unsaved.vote, names)),
            None if self._unsaved is None else self._unsaved.commit,
            self._waiting,
            None if self._ready is None else (self._is_sent, _ready_key(self._ready, names)),
        )

    # -- inputs

    def receive(self, sender: int, message: Hashable) -> bool:
        """A message arrives."""
        assert isinstance(message, Message), f"a message of Raft, not {message!r}"
        self.raft.step(message)
        self._carry_out()
        return True

    def time_out(self) -> bool:
        """It has heard from no leader for too long."""
        if self.raft.role is Role.LEADER:
            return False
        self.raft.campaign()
        self._carry_out()
        return True

    def request(self, number: int) -> bool:
        """A client's request, at a leader."""
        if self.raft.role is not Role.LEADER or not self.raft.propose(number):
            return False
        self._waiting = (*self._waiting, number)
        self._carry_out()
        return True

    def read(self, number: int) -> bool:
        """A client's linearizable read, at a leader."""
        if self.raft.role is not Role.LEADER:
            return False
        self._events.append(ReadAsked(number=number))
        self.raft.read_index(number)
        self._carry_out()
        return True

    # -- the shell

    def _carry_out(self) -> None:
        """Begin what the core wants done, up to the first write."""
        raft = self.raft
        while raft.has_ready():
            self._note_leading()
            ready = raft.ready()
            self._ready = ready
            if ready.hard_state is not None:
                self._unsaved = ready.hard_state
            self._is_sent = raft.role is Role.LEADER
            if self._is_sent:
                self._send(ready.messages)
            self._apply(ready.committed_entries)
            self._answer_reads(ready)
            if ready.must_sync:
                return
            self._finish()
        self._note_leading()

    def is_synced(self) -> bool:
        """Is no write under way?"""
        return self._ready is None

    def sync(self) -> None:
        """The write is done; go on up to the next."""
        self._finish()
        self._carry_out()

    def _finish(self) -> None:
        """What the Ready holds is on disk (if it had to be): speak, and tell the core."""
        ready, self._ready = self._ready, None
        assert ready is not None, "only called with one under way"
        if ready.must_sync:
            save(self, self._unsaved, ready.entries)
            self._unsaved = None
        if not self._is_sent:
            self._send(ready.messages)
        self._send(ready.messages_after_append)
        self.raft.advance(ready)
        for progress in self.raft.tracker.progress.values():
            progress.is_recently_active = True  # of use to check-quorum and snapshots only

    def restart(self) -> None:
        """Power is lost, and comes back: only the disk remains."""
        self._ready, self._unsaved, self._waiting, self._led_term = None, None, (), 0
        self.raft = Raft(self.config, hard_state=self.hard_state, entries=self.entries)
        self._carry_out()

    def take(self) -> Output:
        """Messages and events since the last time."""
        output = Output(packets=tuple(self._packets), events=tuple(self._events))
        self._packets, self._events = [], []
        return output

    def ignores(self, sender: int, message: Hashable) -> bool:
        """Messages of a term that is over for good, and answers to who is no candidate or leader any more."""
        assert isinstance(message, Message), f"a message of Raft, not {message!r}"
        raft, durable_term = self.raft, self.hard_state.term
        if message.term < durable_term:
            return True
        if message.term != raft.term or raft.term != durable_term:
            return False
        if message.type is MessageType.MSG_VOTE_RESP:
            return raft.role is not Role.CANDIDATE
        return message.type in _ANSWERS_TO_LEADER and raft.role is not Role.LEADER

    def _send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.type is MessageType.MSG_VOTE_RESP and not message.reject:
                self._events.append(Voted(term=message.term, candidate=message.to))
            if message.to != self.config.id:
                self._packets.append(Packet(to=message.to, sender=self.config.id, message=message))

    def _apply(self, entries: Sequence[Entry]) -> None:
        applied = self.raft.log.applied
        for entry in entries:
            data = entry.data
            assert data is None or isinstance(data, int), f"a request's number, not {data!r}"
            self._events.append(
                Applied(
                    index=entry.index,
                    term=entry.term,
                    data=data,
                    in_term=self.raft.term,
                    follows=entry.index == applied + 1,
                )
            )
            applied = entry.index
            if data in self._waiting:
                self._waiting = tuple(one for one in self._waiting if one != data)
                self._events.append(Acknowledged(number=data, index=entry.index))

    def _answer_reads(self, ready: Ready) -> None:
        for state in ready.read_states:
            assert isinstance(state.context, int), f"a read's number, not {state.context!r}"
            self._events.append(ReadAnswered(number=state.context, index=state.index))

    def _note_leading(self) -> None:
        raft = self.raft
        if raft.role is Role.LEADER and raft.term != self._led_term:
            self._led_term = raft.term
            self._events.append(Led(term=raft.term))

    # -- for checks

    def holds(self, index: int, term: int) -> bool:
        """Is this entry safe on its disk?"""
        return index <= len(self.entries) and self.entries[index - 1].term == term

    @property
    def last(self) -> tuple[int, int]:
        """Term and index of the newest entry that is safe on its disk."""
        return (self.entries[-1].term, len(self.entries)) if self.entries else (0, 0)


def save(member: RaftMember, hard_state: HardState | None, entries: Sequence[Entry]) -> None:
    """A write and its sync have come to their end."""
    if entries:
        member.entries = (*member.entries[: entries[0].index - 1], *entries)
    if hard_state is not None:
        member.hard_state = hard_state


class RaftModel:
    """A cluster of such members."""

    def begin(self, count: int) -> tuple[Sequence[RaftMember], RaftHistory]:
        """Nobody has ever led."""
        return [RaftMember(member, count) for member in range(1, count + 1)], RaftHistory()

    def message_key(self, message: Hashable, names: Names) -> Hashable:
        """A message with members renamed."""
        assert isinstance(message, Message), f"a message of Raft, not {message!r}"
        return message_key(message, lambda member: _named(member, names))

    def message_text(self, message: Hashable) -> str:
        """`MsgApp of term 1: entry 1 of term 1 (empty) after the beginning, commit 0`."""
        assert isinstance(message, Message), f"a message of Raft, not {message!r}"
        kind = message.type.label
        said = _TEXTS.get(message.type)
        return f"{kind} of term {message.term}" + ("" if said is None else f": {said(message)}")

    def event_text(self, event: Hashable) -> str | None:
        """The decisive ones."""
        match event:
            case Led(term=term):
                return f"becomes the leader of term {term}"
            case Voted(term=term, candidate=candidate):
                return f"votes for member {candidate} in term {term}"
            case Applied(index=index, term=term, data=data):
                return f"applies {entry_text(index, term, data)}"
            case Acknowledged(number=number, index=index):
                return f"acknowledges request {number} (index {index})"
            case ReadAnswered(number=number, index=index):
                return f"lets read {number} be answered at index {index}"
        return None


def _ready_key(ready: Ready, names: Names) -> Hashable:
    """What is left to do of a Ready whose write is under way."""
    return (
        ready.must_sync,
        tuple((entry.index, entry.term, entry.data) for entry in ready.entries),
        tuple(message_key(one, lambda member: _named(member, names)) for one in ready.messages),
        tuple(message_key(one, lambda member: _named(member, names)) for one in ready.messages_after_append),
        tuple(entry.index for entry in ready.committed_entries),
    )


def _append_text(message: Message) -> str:
    entries = ", ".join(entry_text(one.index, one.term, one.data) for one in message.entries)
    what = entries or "nothing"
    return f"{what} after {place_text(message.index, message.log_term)}, commit {message.commit}"


def _append_answer_text(message: Message) -> str:
    if message.reject:
        hint = place_text(message.reject_hint, message.log_term)
        return f"refuses what follows entry {message.index}; mine may match up to {hint}"
    return f"has all up to {message.index}"


_TEXTS: dict[MessageType, Callable[[Message], str]] = {
    MessageType.MSG_VOTE: lambda message: f"my log ends at {place_text(message.index, message.log_term)}",
    MessageType.MSG_VOTE_RESP: lambda message: "no" if message.reject else "yes",
    MessageType.MSG_APP: _append_text,
    MessageType.MSG_APP_RESP: _append_answer_text,
    MessageType.MSG_HEARTBEAT: lambda message: f"commit {message.commit}",
}


def _named(member: int, names: Mapping[int, int]) -> int:
    return names[member] if member != NONE else NONE


@exploration("raft")
def raft_members() -> Exploration:
    """Members of the Raft core: elections, replication, reads, losses of power."""
    from chaoskube.scenarios.raft_checks import CHECKS  # they look at RaftMember

    return Exploration(
        name="raft",
        doc="Members of the Raft core: elections, replication, reads, losses of power.",
        model=RaftModel(),
        checks=tuple(CHECKS),
        bounds=Bounds(members=3, depth=12, time_outs=2, crashes=1, requests=1, reads=1),
    )
