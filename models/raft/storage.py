"""What a member owes its disk and its state machine, and what it hears back.

`make_ready` collects what is owed and notes that it was handed out; later the core hears that it is done: through
`advance`, or, with asynchronous storage writes, by the responses that travelled with the storage messages.
Etcd-io/raft rawnode.go `readyWithoutAccept`, `acceptReady`, `newStorageAppendMsg`; raft.go `appliedTo`, `appliedSnap`.
"""

from __future__ import annotations

from chaoskube.models.raft import leading, membership
from chaoskube.models.raft.log import NO_LIMIT, entries_size, payloads_size
from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    Entry,
    HardState,
    Message,
    MessageType,
    Snapshot,
)
from chaoskube.models.raft.ready import Ready, Role, SoftState
from chaoskube.models.raft.state import RaftState, Written
from chaoskube.sim import reached

# -- what is owed


def has_more_than_messages(raft: RaftState) -> bool:
    """Is anything owed besides messages that may go at once? Asked after every step: mostly it is no."""
    log, saved = raft.log, raft.saved
    if raft.messages_after_append or raft.read_states:
        return True
    if raft.term != saved.term or log.committed != saved.commit or raft.vote != saved.vote:
        return True
    if log.in_progress < log.offset + len(log.entries) or raft.lead != raft.told_lead:
        return True
    if raft.role is not raft.told_role:
        return True
    if log.applying < log.committed and log.has_next_committed(
        allow_unstable=not raft.config.async_storage_writes
    ):
        return True
    return log.pending_snapshot is not None and not log.is_snapshot_in_progress


def make_ready(raft: RaftState) -> Ready:
    """Everything that is owed; it counts as handed out from now on."""
    log, saved, is_async = raft.log, raft.saved, raft.config.async_storage_writes
    hard_state, soft_state = None, None
    entries = log.unstable_entries()
    must_sync = raft.term != saved.term or raft.vote != saved.vote
    if must_sync or log.committed != saved.commit:
        hard_state = HardState(term=raft.term, vote=raft.vote, commit=log.committed)
    if raft.lead != raft.told_lead or raft.role is not raft.told_role:
        soft_state = SoftState(lead=raft.lead, role=raft.role)
    ready = Ready(
        soft_state=soft_state,
        hard_state=hard_state,
        entries=entries,
        snapshot=log.unstable_snapshot() if log.pending_snapshot is not None else None,
        must_sync=must_sync or bool(entries),
        messages=tuple(raft.messages),
        messages_after_append=() if is_async else tuple(raft.messages_after_append),
        committed_entries=(
            log.next_committed(allow_unstable=not is_async) if log.applying < log.committed else ()
        ),
        read_states=tuple(raft.read_states),
    )
    if is_async:
        ready = _with_storage_messages(raft, ready)
    else:
        raft.written = _written(raft, ready.snapshot)
    _accept(raft, ready)
    return ready


def _accept(raft: RaftState, ready: Ready) -> None:
    log, page = raft.log, ready.committed_entries
    raft.told_lead, raft.told_role = raft.lead, raft.role
    if ready.hard_state is not None:
        raft.saved = ready.hard_state
    raft.messages = []
    raft.messages_after_append = []
    raft.read_states = []
    if ready.entries or ready.snapshot is not None:
        log.accept_unstable()
    if page:
        size = entries_size(page) if log.applying_size_max < NO_LIMIT else 0
        log.accept_applying(page[-1].index, size, allow_unstable=not raft.config.async_storage_writes)


def _written(raft: RaftState, snapshot: Snapshot | None) -> Written | None:
    """What the disk will have once it is done with this Ready; None when it hears no news of the log.

    That is said as long as any entry isn't known to be stable, not only for new ones: the answer to an earlier
    write is void when the term has changed meanwhile.
    """
    log = raft.log
    last = log.last_index
    if log.stable < last:
        return Written(term=raft.term, index=last, log_term=log.last_term, snapshot=snapshot)
    return None if snapshot is None else Written(term=raft.term, snapshot=snapshot)


def _with_storage_messages(raft: RaftState, ready: Ready) -> Ready:
    messages = list(ready.messages)
    if (
        ready.entries
        or ready.hard_state is not None
        or ready.snapshot is not None
        or raft.messages_after_append
    ):
        messages.append(_append_message(raft, ready))
    if ready.committed_entries:
        messages.append(_apply_message(raft, ready.committed_entries))
    return Ready(
        soft_state=ready.soft_state,
        hard_state=ready.hard_state,
        entries=ready.entries,
        snapshot=ready.snapshot,
        must_sync=ready.must_sync,
        messages=tuple(messages),
        committed_entries=ready.committed_entries,
        read_states=ready.read_states,
    )


def _append_message(raft: RaftState, ready: Ready) -> Message:
    """Everything for the disk, with what may be said once it is there: to others, to us, to our log."""
    hard_state = ready.hard_state if ready.hard_state is not None else HardState()
    responses = list(raft.messages_after_append)
    written = _written(raft, ready.snapshot)
    if written is not None:
        responses.append(
            Message(
                type=MessageType.MSG_STORAGE_APPEND_RESP,
                to=raft.id,
                from_=LOCAL_APPEND_THREAD,
                term=written.term,
                log_term=written.log_term,
                index=written.index,
                snapshot=written.snapshot,
            )
        )
    return Message(
        type=MessageType.MSG_STORAGE_APPEND,
        to=LOCAL_APPEND_THREAD,
        from_=raft.id,
        term=hard_state.term,
        vote=hard_state.vote,
        commit=hard_state.commit,
        entries=ready.entries,
        snapshot=ready.snapshot,
        responses=tuple(responses),
    )


def _apply_message(raft: RaftState, entries: tuple[Entry, ...]) -> Message:
    answer = Message(
        type=MessageType.MSG_STORAGE_APPLY_RESP, to=raft.id, from_=LOCAL_APPLY_THREAD, entries=entries
    )
    return Message(
        type=MessageType.MSG_STORAGE_APPLY,
        to=LOCAL_APPLY_THREAD,
        from_=raft.id,
        entries=entries,
        responses=(answer,),
    )


# -- what is heard back


def handle_append_done(raft: RaftState, message: Message) -> None:
    """MsgStorageAppendResp: the disk has what a MsgStorageAppend held."""
    write_done(
        raft,
        Written(term=message.term, index=message.index, log_term=message.log_term, snapshot=message.snapshot),
    )


def write_done(raft: RaftState, written: Written) -> None:
    """The disk has it. In a later term no word on entries counts: others may stand at their indexes on disk.

    An entry may be replaced, and replaced by the first again, each under its own term of a leader; the disk
    would answer for the first write when the second is what it holds (etcd-io/raft rawnode.go
    newStorageAppendRespMsg, the ABA problem). A snapshot is good in any term.
    """
    if written.index:
        if written.term and written.term < raft.term:
            reached("raft: the disk's answer came in a later term")
        else:
            raft.log.stable_to(written.index, written.log_term)
    if written.snapshot is not None:
        raft.log.stable_snapshot_to(written.snapshot.metadata.index)
        applied_to(raft, written.snapshot.metadata.index, 0)


def apply_done(raft: RaftState, entries: tuple[Entry, ...]) -> None:
    """The state machine has applied `entries`."""
    if not entries:
        return
    applied_to(raft, entries[-1].index, entries_size(entries) if raft.log.applying_size_max < NO_LIMIT else 0)
    if raft.uncommitted_size:
        raft.uncommitted_size = max(0, raft.uncommitted_size - payloads_size(entries))


def applied_to(raft: RaftState, index: int, size: int) -> None:
    """Everything up to `index` is applied. A leader whose joint configuration holds by now proposes to leave it."""
    index = max(index, raft.log.applied)
    raft.log.applied_to(index, size)
    if raft.tracker.config.auto_leave and index >= raft.pending_conf_index and raft.role is Role.LEADER:
        leave = Message(type=MessageType.MSG_PROP, from_=raft.id, entries=(membership.entry_of(None),))
        leading.propose(raft, leave)
