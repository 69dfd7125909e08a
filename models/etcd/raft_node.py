"""The Raft core of a member between its disk and its peers: what the core owes is carried out here, in order.

The order is etcd's (server/etcdserver/raft.go start). A received snapshot is noted in the log; what a Ready wants
saved is written and synced; then its messages leave; then its snapshot is installed and its committed entries are
applied. A leader alone sends its appends while its own disk still writes. One Ready is carried out at a time; what is
stepped in the meantime goes into the next. Whatever must be durable is waited for, so a crash may fall between any two.

Made by `replica.py`. Not modelled: a leader's heartbeats that are late because its disk is slow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from attrs import frozen

from chaoskube.models.etcd import wal
from chaoskube.models.etcd.proposals import Proposal
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.events import (
    Appended,
    BecameLeader,
    Committed,
    ReadConfirmed,
    SteppedDown,
    TermChanged,
    Voted,
)
from chaoskube.models.raft.messages import NONE, ConfChange, Entry, EntryType, HardState, Message, MessageType
from chaoskube.models.raft.ready import Ready, Role
from chaoskube.sim import DiskError

if TYPE_CHECKING:
    from chaoskube.models.etcd.replica import Replica

_NORMAL: Final = EntryType.ENTRY_NORMAL
_MSG_PROP: Final = MessageType.MSG_PROP
_MSG_SNAP: Final = MessageType.MSG_SNAP


@frozen
class _Foreign:
    """A message of a cluster that was restored: only its own members take it."""

    cluster: int
    message: Message


@frozen
class Gone:
    """To a member that was removed and doesn't know (api/rafthttp/http.go answers 410)."""

    member: int
    """Another may run under its name by now."""


class RaftNode:
    """The core of one life of a member, and what is under way."""

    def __init__(self, member: Replica, raft: Raft, log: wal.WriteAheadLog, *, cluster: int | None) -> None:
        self._member = member
        self._process = member.process
        self._reads, self._proposals, self._peers = member.reads, member.proposals, member.peers
        self._membership = member.membership
        self._addresses = member.process.world.processes
        self.raft = raft
        self._log = log
        self._cluster = cluster
        """Said with each message of a restored cluster; None for any other."""
        self._role = raft.role
        self._lead = raft.lead
        self._led_term = 0
        self.led_since = 0
        """When this member last began to lead."""
        self._unsaved: HardState | None = None
        self._saved = HardState(term=raft.term, vote=raft.vote)

    # -- in

    def on_datagram(self, sender: str, message: object) -> None:
        """Take what another member sent."""
        if type(message) is Message:
            if self._cluster is None:
                self._on_message(sender, message)
        elif isinstance(message, _Foreign):
            if message.cluster == self._cluster:
                self._on_message(sender, message.message)
        elif isinstance(message, Gone):
            if message.member == self._member.id:
                self._member.end_removed()
        else:
            handler = self._member.on_peer.get(type(message))
            if handler is not None:
                handler(sender, message)

    def _on_message(self, sender: str, message: Message) -> None:
        kind = message.type
        if message.from_ in self._membership.removed:
            self._process.send(sender, Gone(message.from_))
            return
        if message.to != self.raft.id:
            # To the member that ran here before (server.go Process: mismatched member ID).
            return
        # A member that is behind doesn't know who has joined since; whoever speaks says where (rafthttp AddRemote).
        names = self._membership.names
        if message.from_ not in names:
            names[message.from_] = sender
        self._peers.heard(sender)
        if kind is _MSG_PROP and self._proposals.is_repeated(message):
            return
        if kind is _MSG_SNAP:
            self._member.snapshots.receive(sender, message)
            return
        self.raft.step(message)
        self.after_step()

    def after_step(self) -> None:
        """The core was given something: do what it owes."""
        raft = self.raft
        if raft.role is not self._role:
            self._role_changed()
        if raft.lead != self._lead:
            self._lead_changed()
        messages = raft.messages and raft.only_messages()
        if messages:
            self._send(messages)
        elif raft.has_ready():
            self.carry_out()
        if self._reads.waiting_to_apply:
            self._reads.applied(self._member.readable_index)
        if self._proposals.unproposed and raft.lead != NONE and self._proposals.propose_late():
            self.carry_out()

    def _lead_changed(self) -> None:
        self._lead = self.raft.lead
        if self._lead != NONE:
            self._reads.leader_changed()

    # -- out

    def carry_out(self) -> None:
        """Carry out what the core owes, in the order that makes a crash harmless."""
        raft = self.raft
        while raft.has_ready():
            ready = raft.ready()
            if ready.snapshot is not None:
                self._member.snapshots.save_received(ready.snapshot, partial(self._save, ready))
                return
            if self._save(ready):
                return

    def _save(self, ready: Ready) -> bool:
        """Write what is to be saved, and go on when it is; True when that takes a while."""
        if ready.hard_state is not None:
            self._unsaved = ready.hard_state
        # A commit index alone isn't worth a write: it goes with the next record.
        is_saved = ready.must_sync or ready.snapshot is not None
        if is_saved:
            try:
                wal.save(self._log, self._unsaved, ready.entries)
            except DiskError as error:
                raise DiskError(f"failed to save Raft hard state and entries: {error}") from error
            self._unsaved = None
        is_sent = self.raft.role is Role.LEADER
        if is_sent:
            self._send(ready.messages)
        if is_saved:
            self.when_durable(partial(self._synced, ready, is_sent))
            return True
        self._finish(ready, is_sent)
        return False

    def when_durable(self, then: Callable[[], object]) -> None:
        """Go on when all that was written is on the disk, however many members there are (issue 14370)."""
        self._process.disk.sync(then)

    def _synced(self, ready: Ready, is_sent: bool) -> None:
        self._tell_saved(ready)
        self._finish(ready, is_sent)
        self.after_step()

    def _finish(self, ready: Ready, is_sent: bool) -> None:
        """What `ready` wanted on disk is there: speak, then apply."""
        if not is_sent:
            self._send(ready.messages)
        if ready.messages_after_append:
            self._send(ready.messages_after_append)
        applier = self._member.applier
        if ready.snapshot is not None or applier.must_wait(ready.committed_entries):
            applier.run(partial(self._conclude, ready))
        else:
            self._conclude(ready)

    def _conclude(self, ready: Ready) -> None:
        member, raft = self._member, self.raft
        if ready.snapshot is not None:
            member.snapshots.install(ready.snapshot)
        if ready.committed_entries:
            self._tell_committed(ready.committed_entries)
            member.applier.apply(ready.committed_entries)
        raft.advance(ready)
        if raft.role is not self._role:
            self._role_changed()
        for state in ready.read_states:
            if self._reads.is_under_way(state.context):
                self._process.record(ReadConfirmed(index=state.index, asked_at=member.read_asked_at))
                self._reads.confirmed(state.index, member.readable_index)
        if self._reads.waiting_to_apply:
            self._reads.applied(member.readable_index)
        if ready.committed_entries:
            member.snapshots.save_if_due()

    def _send(self, messages: Sequence[Message]) -> None:
        names, own, is_plain = self._membership.names, self._member.id, self._cluster is None
        for message in messages:
            to = message.to
            if message.type is _MSG_SNAP:
                self._member.snapshots.send(message)
            elif to != own and to in names:
                name = names[to]
                if is_plain and name in self._addresses:  # as `send_to`, without a call more
                    self._process.send(name, message)
                else:
                    self.send_to(name, message)

    def send_to(self, name: str, message: Message) -> None:
        """Send one message to a member, if anything runs under its name yet."""
        if name in self._addresses:
            self._process.send(name, message if self._cluster is None else _Foreign(self._cluster, message))

    # -- the journal

    def _tell_saved(self, ready: Ready) -> None:
        record = self._process.record
        state, saved = ready.hard_state, self._saved
        if state is not None and (state.term != saved.term or state.vote != saved.vote):
            self._saved = state
            if state.term != saved.term:
                record(TermChanged(term=state.term))
            if state.vote != NONE:
                names = self._member.membership.names
                record(Voted(term=state.term, candidate=names.get(state.vote, f"member {state.vote}")))
        if ready.entries:
            record(
                Appended(
                    first=ready.entries[0].index,
                    terms=tuple([entry.term for entry in ready.entries]),
                    contents=tuple([_content(entry) for entry in ready.entries]),
                    changes=tuple([one.index for one in ready.entries if one.type is not _NORMAL]),
                )
            )

    def _tell_committed(self, entries: tuple[Entry, ...]) -> None:
        self._process.record(
            Committed(
                first=entries[0].index,
                terms=tuple([entry.term for entry in entries]),
                contents=tuple([_content(entry) for entry in entries]),
            )
        )

    def _role_changed(self) -> None:
        raft = self.raft
        was, self._role = self._role, raft.role
        if raft.role is Role.LEADER:
            self._led_term = raft.term
            self.led_since = self._process.now
            self._process.record(BecameLeader(term=raft.term, first_index=raft.log.last_index))
        elif was is Role.LEADER:
            self._process.record(SteppedDown(led_term=self._led_term, term=raft.term))
            self._member.lead_ended()


def _content(entry: Entry) -> int:
    data = entry.data
    return data.id if isinstance(data, Proposal | ConfChange) else 0
