"""What a member does with what a leader sends: entries, heartbeats, snapshots.

Etcd-io/raft raft.go `handleAppendEntries`, `handleHeartbeat`, `handleSnapshot`, `restore`. Called for followers, and for
candidates that have just stepped down because there is a leader.
"""

from __future__ import annotations

from chaoskube.models.raft import membership
from chaoskube.models.raft.messages import Message, MessageType, Snapshot
from chaoskube.models.raft.ready import Role
from chaoskube.models.raft.state import RaftState
from chaoskube.sim import ModelBug, reached


def handle_append(raft: RaftState, message: Message) -> None:
    """Take the leader's entries if our log fits, else say where it may."""
    log, leader = raft.log, message.from_
    if message.index < log.committed:
        _acknowledge(raft, leader, log.committed)
        return
    last = log.maybe_append(message.index, message.log_term, message.entries)
    if last is not None:
        log.commit_to(min(message.commit, last))
        _acknowledge(raft, leader, last)
        return
    reached("raft: an append was refused")
    hint = min(message.index, log.last_index)
    hint, hint_term = log.find_conflict_by_term(hint, message.log_term)
    raft.hold_back(
        Message(
            type=MessageType.MSG_APP_RESP,
            to=leader,
            from_=raft.id,
            term=raft.term,
            log_term=hint_term,
            index=message.index,
            reject=True,
            reject_hint=hint,
        )
    )


def _acknowledge(raft: RaftState, leader: int, index: int) -> None:
    raft.hold_back(
        Message(type=MessageType.MSG_APP_RESP, to=leader, from_=raft.id, term=raft.term, index=index)
    )


def handle_heartbeat(raft: RaftState, message: Message) -> None:
    """Learn how much is committed, and echo the reads that wait."""
    raft.log.commit_to(message.commit)
    answer = raft.heartbeat_answer
    if (
        answer is None
        or answer.to != message.from_
        or answer.term != raft.term
        or answer.context != message.context
    ):
        # Sent again as the same object while it says the same: heartbeats are most of all messages.
        answer = raft.heartbeat_answer = Message(
            type=MessageType.MSG_HEARTBEAT_RESP,
            to=message.from_,
            from_=raft.id,
            term=raft.term,
            context=message.context,
        )
    raft.messages.append(answer)


def handle_snapshot(raft: RaftState, message: Message) -> None:
    """Begin anew from the leader's snapshot, unless we need it not; either way say how far we are."""
    snapshot = message.snapshot if message.snapshot is not None else Snapshot()
    is_restored = restore(raft, snapshot)
    _acknowledge(raft, message.from_, raft.log.last_index if is_restored else raft.log.committed)


def restore(raft: RaftState, snapshot: Snapshot) -> bool:
    """Replace log and configuration by those of `snapshot`; False when that is not needed or not allowed."""
    metadata, log = snapshot.metadata, raft.log
    conf_state = metadata.conf_state
    if metadata.index <= log.committed:
        return False
    if raft.role is not Role.FOLLOWER:
        raise ModelBug(f"member {raft.id} was given a snapshot as {raft.role.value}")
    if raft.id not in (*conf_state.voters, *conf_state.learners, *conf_state.voters_outgoing):
        return False
    if log.matches(metadata.index, metadata.term):
        reached("raft: a snapshot only moved the commit index")
        log.commit_to(metadata.index)
        return False
    reached("raft: a follower began anew from a snapshot")
    log.restore(snapshot)
    membership.restore_configuration(raft, conf_state)
    return True
