"""Copies and keys of a member, for a search that goes through many states.

A key is a tuple of everything that can matter to the member's future, with ids of members renamed on the way, so that
states that differ in names alone can be made equal. Called by `core.Raft.copy` and `core.Raft.key`.

Payloads and contexts are the caller's: they must be hashable, and are not renamed. Of the configuration only the seed is
in a key: one search has one way of configuring its members.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

from chaoskube.models.raft.log import RaftLog
from chaoskube.models.raft.messages import (
    ConfChange,
    ConfChangeV2,
    ConfState,
    Entry,
    EntryType,
    Message,
    Snapshot,
)
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.state import RaftState
from chaoskube.models.raft.tracker import ProgressTracker

Rename = Callable[[int], int]


def copy_into(raft: RaftState, twin: RaftState) -> None:
    """Give `twin` the state of `raft`; what is frozen is shared, the rest copied."""
    vars(twin).update(vars(raft))
    tracker = raft.tracker
    twin.log = raft.log.copy()
    twin.tracker = ProgressTracker(
        config=tracker.config,
        progress={member: one.copy() for member, one in tracker.progress.items()},
        votes=tracker.votes.copy(),
        max_inflight=tracker.max_inflight,
        max_inflight_bytes=tracker.max_inflight_bytes,
    )
    twin.read_only = raft.read_only.copy()
    twin.early_reads = raft.early_reads.copy()
    twin.read_states = raft.read_states.copy()
    twin.messages = raft.messages.copy()
    twin.messages_after_append = raft.messages_after_append.copy()


def key_of(raft: RaftState, rename: Mapping[int, int] | None, *, is_clock_seen: bool) -> Hashable:
    """The whole state as one value."""
    name = _renamer(rename)
    clock = (raft.config.seed, raft.timeouts_drawn, raft.randomized_election_timeout) if is_clock_seen else ()
    return (
        (name(raft.id), raft.term, name(raft.vote), name(raft.lead), raft.role.value),
        (name(raft.lead_transferee), raft.pending_conf_index, raft.uncommitted_size),
        (raft.election_elapsed, raft.heartbeat_elapsed, *clock),
        _log_key(raft.log, name),
        _tracker_key(raft.tracker, name),
        (
            raft.read_only.confirmed,
            tuple((read.index, message_key(read.request, name)) for read in raft.read_only.unconfirmed),
            tuple(sorted((name(member), place) for member, place in raft.read_only.acknowledged.items())),
        ),
        tuple((state.index, state.context) for state in raft.read_states),
        tuple(message_key(one, name) for one in raft.early_reads),
        tuple(message_key(one, name) for one in raft.messages),
        tuple(message_key(one, name) for one in raft.messages_after_append),
        (raft.saved.term, name(raft.saved.vote), raft.saved.commit),
        (name(raft.told_lead), raft.told_role.value, raft.is_out),
        None
        if raft.written is None
        else (
            raft.written.term,
            raft.written.index,
            raft.written.log_term,
            _snapshot_key(raft.written.snapshot, name),
        ),
    )


def _renamer(rename: Mapping[int, int] | None) -> Rename:
    if rename is None:
        return lambda member: member
    names = dict(rename)
    return lambda member: names.get(member, member)


def _log_key(log: RaftLog, name: Rename) -> Hashable:
    return (
        log.offset,
        log.offset_term,
        tuple(entry_key(entry, name) for entry in log.entries),
        (log.stable, log.in_progress, log.committed, log.applying, log.applied),
        _snapshot_key(log.snapshot, name),
        _snapshot_key(log.pending_snapshot, name),
        (log.is_snapshot_in_progress, log.applying_size, log.is_applying_paused),
    )


def _tracker_key(tracker: ProgressTracker, name: Rename) -> Hashable:
    config = tracker.config
    return (
        _members(config.voters.incoming, name),
        _members(config.voters.outgoing, name),
        _members(config.learners, name),
        _members(config.learners_next, name),
        config.auto_leave,
        tuple(sorted((name(member), granted) for member, granted in tracker.votes.items())),
        tuple(sorted((name(member), _progress_key(one)) for member, one in tracker.progress.items())),
    )


def _members(members: Iterable[int], name: Rename) -> tuple[int, ...]:
    return tuple(sorted(name(member) for member in members))


def _progress_key(one: Progress) -> tuple[object, ...]:
    return (
        one.match,
        one.next,
        one.state.value,
        one.pending_snapshot,
        one.sent_commit,
        one.is_recently_active,
        one.is_paused,
        one.is_learner,
        tuple(one.inflight),
    )


def entry_key(entry: Entry, name: Rename) -> Hashable:
    """An entry as a value; members in a change of members are renamed."""
    data: object = entry.data
    if entry.type is not EntryType.ENTRY_NORMAL and data is not None:
        assert isinstance(data, ConfChange | ConfChangeV2)
        change = data.as_v2()
        data = (
            change.transition.value,
            tuple((one.type.value, name(one.node_id)) for one in change.changes),
            change.context,
        )
    return (entry.term, entry.index, entry.type.value, data)


def message_key(message: Message, name: Rename) -> Hashable:
    """A message as a value; its members are renamed."""
    return (
        message.type.value,
        name(message.to),
        name(message.from_),
        message.term,
        message.log_term,
        message.index,
        tuple(entry_key(entry, name) for entry in message.entries),
        message.commit,
        message.reject,
        message.reject_hint,
        message.context,
        name(message.vote),
        _snapshot_key(message.snapshot, name),
        tuple(message_key(one, name) for one in message.responses),
    )


def _snapshot_key(snapshot: Snapshot | None, name: Rename) -> Hashable:
    if snapshot is None:
        return None
    metadata = snapshot.metadata
    return (metadata.index, metadata.term, _conf_state_key(metadata.conf_state, name), snapshot.data)


def _conf_state_key(conf_state: ConfState, name: Rename) -> Hashable:
    return (
        _members(conf_state.voters, name),
        _members(conf_state.learners, name),
        _members(conf_state.voters_outgoing, name),
        _members(conf_state.learners_next, name),
        conf_state.auto_leave,
    )
