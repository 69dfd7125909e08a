"""One Raft member as a pure state machine: messages and ticks in, `Ready` out.

The algorithm, its names and its choices are etcd's (etcd-io/raft raft.go, rawnode.go). Nothing here waits,
sends, stores, or draws luck: the randomised election time-outs are a function of `Config.seed` and of how
many there were before.

The caller does, in a loop (the etcd member is the only one besides tests and the exhaustive search):

    raft.step(message) / raft.tick() / raft.propose(data) / raft.read_index(context) / ...
    while raft.has_ready():
        ready = raft.ready()      # 1. write hard_state, entries and snapshot; sync when must_sync
                                  # 2. then send messages (a leader may send `messages` before the sync)
                                  # 3. then apply snapshot and committed_entries, answer read_states;
                                  #    for a change of members call `apply_conf_change`
        raft.advance(ready)       # 4. the core hears that it is done, votes for and acknowledges itself

`Ready.messages` promise nothing about our disk. `Ready.messages_after_append` do (votes and acknowledgements),
and must never leave before the sync: that is what makes a crash harmless. With `async_storage_writes` there is
no `advance`; MsgStorageAppend and MsgStorageApply among the messages say what to do and what to answer then.

The whole log stays in memory, in `log` (etcd's unstable log and its in-memory storage in one); the caller says
when a snapshot exists (`create_snapshot`) and what may be dropped (`compact`).

What the rules are is in the files of this folder; `state` lists them. Not modelled: log lines, tracing, ticks of a
quiesced group (TickQuiesced).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from chaoskube.models.raft import election, following, leading, membership, roles, storage
from chaoskube.models.raft.key import copy_into, key_of
from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    NONE,
    ConfChange,
    ConfChangeType,
    ConfChangeV2,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Snapshot,
)
from chaoskube.models.raft.ready import Config, Ready, Role, Status
from chaoskube.models.raft.state import RaftState
from chaoskube.sim import ModelBug

_LOCAL = frozenset(
    {
        MessageType.MSG_HUP,
        MessageType.MSG_BEAT,
        MessageType.MSG_UNREACHABLE,
        MessageType.MSG_SNAP_STATUS,
        MessageType.MSG_CHECK_QUORUM,
        MessageType.MSG_STORAGE_APPEND,
        MessageType.MSG_STORAGE_APPEND_RESP,
        MessageType.MSG_STORAGE_APPLY,
        MessageType.MSG_STORAGE_APPLY_RESP,
    }
)
_FOR_ANY_ROLE = frozenset(
    {
        MessageType.MSG_VOTE,
        MessageType.MSG_PRE_VOTE,
        MessageType.MSG_STORAGE_APPEND_RESP,
        MessageType.MSG_STORAGE_APPLY_RESP,
    }
)
_RESPONSES = frozenset(
    {
        MessageType.MSG_APP_RESP,
        MessageType.MSG_VOTE_RESP,
        MessageType.MSG_HEARTBEAT_RESP,
        MessageType.MSG_READ_INDEX_RESP,
        MessageType.MSG_PRE_VOTE_RESP,
    }
)


class Raft(RaftState):
    """One member. Attributes are for reading; change happens through the methods alone."""

    def __init__(
        self,
        config: Config,
        *,
        hard_state: HardState | None = None,
        snapshot: Snapshot | None = None,
        entries: Sequence[Entry] = (),
        applied: int = 0,
    ) -> None:
        super().__init__(config)
        conf_state = ConfState(voters=tuple(sorted(config.voters)), learners=tuple(sorted(config.learners)))
        log = self.log
        if snapshot is not None:
            conf_state = snapshot.metadata.conf_state
            log.snapshot = snapshot
            log.offset, log.offset_term = snapshot.metadata.index, snapshot.metadata.term
        log.entries = list(entries)
        if entries and entries[0].index != log.first_index:
            raise ModelBug(
                f"the log of member {self.id} begins at {entries[0].index}, not at {log.first_index}"
            )
        log.stable = log.in_progress = log.last_index
        log.committed = log.applying = log.applied = log.offset
        membership.restore_configuration(self, conf_state)
        self._load(hard_state if hard_state is not None else HardState(), applied)

    def _load(self, on_disk: HardState, applied: int) -> None:
        log = self.log
        if on_disk != HardState():
            if not log.committed <= on_disk.commit <= log.last_index:
                raise ModelBug(
                    f"member {self.id} has commit {on_disk.commit} on disk, and entries from {log.first_index} to"
                    f" {log.last_index}: was the log lost?"
                )
            log.committed = on_disk.commit
            self.term, self.vote = on_disk.term, on_disk.vote
        log.applied_to(max(applied, log.applied), 0)
        roles.become_follower(self, self.term, NONE)
        self.saved = HardState(term=self.term, vote=self.vote, commit=log.committed)

    @classmethod
    def bootstrap(cls, config: Config, peers: Mapping[int, object]) -> Raft:
        """A member of a cluster that is new: each peer's joining is an entry of term 1, committed beforehand.

        `peers` gives each member's id the context of its entry. Everybody begins with the same
        entries, in order (etcd-io/raft bootstrap.go).
        """
        raft = cls(config)
        roles.become_follower(raft, 1, NONE)
        changes = [
            ConfChange(type=ConfChangeType.ADD_NODE, node_id=peer, context=context)
            for peer, context in peers.items()
        ]
        raft.log.append(
            [
                Entry(term=1, index=place, type=EntryType.ENTRY_CONF_CHANGE, data=change)
                for place, change in enumerate(changes, start=1)
            ]
        )
        raft.log.committed = len(changes)
        for change in changes:
            raft.apply_conf_change(change)
        raft.saved = HardState()
        return raft

    # -- what goes in

    def tick(self) -> None:
        """A tick of the clock has passed (etcd: 100 ms)."""
        if self.role is Role.LEADER:
            leading.tick_leader(self)
            return
        self.election_elapsed += 1
        if self.election_elapsed >= self.randomized_election_timeout and election.is_promotable(self):
            self.election_elapsed = 0
            self.campaign()

    def step(self, message: Message) -> bool:
        """Take one message from another member or from our storage. False when it was dropped: see `dropped`."""
        kind = message.type
        if kind in _RESPONSES:
            if message.from_ not in self.tracker.progress:
                return self.drop("raft: cannot step as peer not found")
        elif kind in _LOCAL and message.from_ != LOCAL_APPEND_THREAD and message.from_ != LOCAL_APPLY_THREAD:
            return self.drop("raft: cannot step raft local message")
        return self._step(message)

    def _step(self, message: Message) -> bool:
        kind = message.type
        if message.term > self.term:
            if not election.meet_higher_term(self, message):
                return True
        elif 0 < message.term < self.term:
            if kind is MessageType.MSG_STORAGE_APPEND_RESP:
                storage.handle_append_done(self, message)
            else:
                election.answer_lower_term(self, message)
            return True
        if kind in _FOR_ANY_ROLE:
            self._step_any_role(message)
            return True
        if self.role is Role.FOLLOWER:
            return following.step_follower(self, message)
        if self.role is Role.LEADER:
            return leading.step_leader(self, message)
        return election.step_candidate(self, message)

    def _step_any_role(self, message: Message) -> None:
        kind = message.type
        if kind is MessageType.MSG_STORAGE_APPEND_RESP:
            storage.handle_append_done(self, message)
        elif kind is MessageType.MSG_STORAGE_APPLY_RESP:
            storage.apply_done(self, message.entries)
        else:
            election.answer_vote(self, message)

    def campaign(self) -> None:
        """Start an election, if that is allowed (MsgHup)."""
        election.hup(self, election.first_campaign(self))

    def propose(self, data: object) -> bool:
        """Ask for `data` to be committed. False when it was dropped."""
        entry = Entry(term=0, index=0, data=data)
        return self._step(Message(type=MessageType.MSG_PROP, from_=self.id, entries=(entry,)))

    def propose_conf_change(self, change: ConfChange | ConfChangeV2 | None) -> bool:
        """Ask for a change of members, None to leave a joint configuration. False when it was dropped.

        A leader replaces a change that may not be made now by an empty entry, and nobody is told.
        """
        return self._step(
            Message(type=MessageType.MSG_PROP, from_=self.id, entries=(membership.entry_of(change),))
        )

    def apply_conf_change(self, change: ConfChange | ConfChangeV2 | None) -> ConfState:
        """The entry with `change` is being applied. To refuse it, apply an empty `ConfChange` of member 0 instead."""
        return membership.apply_conf_change(self, ConfChangeV2() if change is None else change.as_v2())

    def read_index(self, context: object) -> bool:
        """Ask for an index that is safe to read at. False when dropped; an answer may never come."""
        return self._step(Message(type=MessageType.MSG_READ_INDEX, from_=NONE, context=context))

    def transfer_leader(self, to: int) -> None:
        """Ask the leader to give way to `to`."""
        self._step(Message(type=MessageType.MSG_TRANSFER_LEADER, from_=to))

    def forget_leader(self) -> None:
        """Stop believing in a leader, and be ready to vote, without a new term."""
        self._step(Message(type=MessageType.MSG_FORGET_LEADER))

    def report_unreachable(self, member: int) -> None:
        """The last message to `member` did not get through."""
        self._step(Message(type=MessageType.MSG_UNREACHABLE, from_=member))

    def report_snapshot(self, member: int, *, ok: bool) -> None:
        """The snapshot for `member` has got through, or has not."""
        self._step(Message(type=MessageType.MSG_SNAP_STATUS, from_=member, reject=not ok))

    def create_snapshot(self, index: int, conf_state: ConfState, data: object) -> Snapshot | None:
        """Say that a snapshot up to `index` exists; None when there is a newer one already."""
        return self.log.create_snapshot(index, conf_state, data)

    def compact(self, index: int) -> bool:
        """Drop entries up to and with `index` from memory; False when they are gone already."""
        return self.log.compact(index)

    # -- what comes out

    def has_ready(self) -> bool:
        """Is there anything to carry out now?"""
        return not self.is_out and (bool(self.messages) or storage.has_more_than_messages(self))

    def only_messages(self) -> list[Message]:
        """What to send when that is all there is to do (mostly heartbeats); [] when there may be more.

        The short way of `ready` and `advance`; nothing here depends on the disk.
        """
        if not self.messages or self.is_out or storage.has_more_than_messages(self):
            return []
        messages, self.messages = self.messages, []
        return messages

    def ready(self) -> Ready:
        """Everything to carry out; the next one comes after `advance` (at once with asynchronous writes)."""
        self.is_out = not self.config.async_storage_writes
        return storage.make_ready(self)

    def advance(self, ready: Ready) -> None:
        """`ready` has been carried out: what it holds is on disk, its committed entries applied."""
        if self.config.async_storage_writes:
            raise ModelBug("advance must not be called with asynchronous storage writes")
        self.is_out = False
        written, self.written = self.written, None
        for message in ready.messages_after_append:
            if message.to == self.id:
                self._step(message)
        if written is not None:
            storage.write_done(self, written)
        if ready.committed_entries:
            storage.apply_done(self, ready.committed_entries)

    def status(self) -> Status:
        """What this member says of itself."""
        return Status(
            id=self.id,
            term=self.term,
            vote=self.vote,
            commit=self.log.committed,
            lead=self.lead,
            role=self.role,
            applied=self.log.applied,
            lead_transferee=self.lead_transferee,
            config=self.tracker.config,
        )

    # -- for an exhaustive search

    def copy(self) -> Raft:
        """Another member in the same state, sharing nothing that changes."""
        twin = Raft.__new__(Raft)
        copy_into(self, twin)
        return twin

    def key(self, rename: Mapping[int, int] | None = None, *, is_clock_seen: bool = True) -> Hashable:
        """All that can matter to this member's future, as one value: equal keys behave equally.

        `rename` gives members other ids, for a search that takes states for the same when only names
        differ. Without `is_clock_seen` the time-outs are left out, for one that never ticks.
        """
        return key_of(self, rename, is_clock_seen=is_clock_seen)
