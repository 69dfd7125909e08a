"""What a leader sends: entries, snapshots, heartbeats; and what it may take for committed.

Etcd-io/raft raft.go `appendEntry`, `maybeSendAppend`, `maybeSendSnapshot`, `sendHeartbeat`, `maybeCommit`. Called by
the functions of the other files, never from outside.
"""

from __future__ import annotations

from chaoskube.models.raft.log import limit_size, payloads_size
from chaoskube.models.raft.messages import Entry, Message, MessageType
from chaoskube.models.raft.progress import Progress, ProgressState
from chaoskube.models.raft.state import RaftState
from chaoskube.sim import reached


def append_entries(raft: RaftState, entries: tuple[Entry, ...]) -> bool:
    """Put `entries` at the end of our log, in our term. False when too much is uncommitted already."""
    if not _count_as_uncommitted(raft, entries):
        return False
    log, term = raft.log, raft.term
    first = log.last_index + 1
    log.append(
        [
            Entry(term=term, index=first + place, type=entry.type, data=entry.data)
            for place, entry in enumerate(entries)
        ]
    )
    # The leader's own acknowledgement counts once its disk has the entries.
    raft.hold_back(
        Message(
            type=MessageType.MSG_APP_RESP, to=raft.id, from_=raft.id, term=raft.term, index=log.last_index
        )
    )
    return True


def _count_as_uncommitted(raft: RaftState, entries: tuple[Entry, ...]) -> bool:
    """May entries of this size wait to be committed? Empty ones always may, and anything if nothing waits."""
    size_max = raft.config.max_uncommitted_entries_size
    if not size_max:
        return True
    size = payloads_size(entries)
    if raft.uncommitted_size and size and raft.uncommitted_size + size > size_max:
        reached("raft: a proposal was refused because too much was uncommitted")
        return False
    raft.uncommitted_size += size
    return True


def broadcast_append(raft: RaftState) -> None:
    """Send everybody what they lack, or an empty append with the commit index."""
    for peer in raft.peers:
        send_append(raft, peer)


def send_append(raft: RaftState, peer: int, *, is_empty_worth_it: bool = True) -> bool:
    """Send what `peer` lacks, if it may be sent to now. False when nothing was sent."""
    progress = raft.tracker.progress[peer]
    if progress.is_paused or progress.state is ProgressState.SNAPSHOT:
        return False
    log = raft.log
    previous = progress.next - 1
    previous_term = log.term(previous)
    if previous_term is None:
        return send_snapshot(raft, peer, progress)
    entries: tuple[Entry, ...] = ()
    if progress.state is not ProgressState.REPLICATE or not progress.is_full:
        entries = limit_size(log.slice(progress.next, log.last_index + 1), raft.config.max_size_per_msg)
    if not entries and not is_empty_worth_it:
        return False
    raft.messages.append(
        Message(
            type=MessageType.MSG_APP,
            to=peer,
            from_=raft.id,
            term=raft.term,
            log_term=previous_term,
            index=previous,
            entries=entries,
            commit=log.committed,
        )
    )
    progress.sent_entries(len(entries), payloads_size(entries) if progress.inflight_bytes_max else 0)
    progress.sent_commit = log.committed
    return True


def send_snapshot(raft: RaftState, peer: int, progress: Progress) -> bool:
    """The entries that `peer` lacks are compacted: send all that they led to, if it is there to receive it."""
    snapshot = raft.log.latest_snapshot()
    if not progress.is_recently_active or snapshot is None:
        return False
    reached("raft: a leader sent a snapshot")
    progress.become_snapshot(snapshot.metadata.index)
    raft.send(Message(type=MessageType.MSG_SNAP, to=peer, from_=raft.id, term=raft.term, snapshot=snapshot))
    return True


def broadcast_heartbeat(raft: RaftState) -> None:
    """Tell everybody that we lead, how much is committed of what they hold, and how many reads wait."""
    term, committed, context = raft.term, raft.log.committed, raft.read_only.heartbeat_context()
    progresses = raft.tracker.progress
    for peer in raft.peers:
        progress = progresses[peer]
        commit = min(progress.match, committed)
        message = progress.heartbeat
        if message is None or message.commit != commit or message.term != term or message.context != context:
            # Sent again as the same object while it says the same: heartbeats are most of all messages.
            message = progress.heartbeat = Message(
                type=MessageType.MSG_HEARTBEAT,
                to=peer,
                from_=raft.id,
                term=term,
                commit=commit,
                context=context,
            )
        raft.messages.append(message)
        progress.sent_commit = commit


def send_timeout_now(raft: RaftState, to: int) -> None:
    """Tell `to` to campaign at once: it is to lead in our place."""
    raft.send(Message(type=MessageType.MSG_TIMEOUT_NOW, to=to, from_=raft.id, term=raft.term))


def may_commit(raft: RaftState, index: int) -> bool:
    """May what a quorum holds up to `index` be taken for committed?

    Only if the entry there is of our own term: one of an older term may still be replaced by a newer leader
    although a majority holds it (Raft paper, 5.4.2 and figure 8).
    """
    return index > raft.log.committed and raft.log.matches(index, raft.term)


def maybe_commit(raft: RaftState) -> bool:
    """Take for committed what a quorum holds; False when that is no news."""
    index = raft.tracker.committed()
    if not may_commit(raft, index):
        return False
    raft.log.commit_to(index)
    return True
