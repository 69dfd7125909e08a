"""What a leader does with what it hears: proposals, answers of followers, reports about them, requests to give way.

Etcd-io/raft raft.go `stepLeader`, `tickHeartbeat`.
"""

from __future__ import annotations

from chaoskube.models.raft import membership, reads, replication, roles
from chaoskube.models.raft.messages import NONE, Message, MessageType
from chaoskube.models.raft.progress import Progress, ProgressState
from chaoskube.models.raft.ready import Role
from chaoskube.models.raft.state import RaftState
from chaoskube.sim import reached


def tick_leader(raft: RaftState) -> None:
    """A tick has passed for a leader: heartbeats, and once an election time-out a look at the quorum."""
    raft.heartbeat_elapsed += 1
    raft.election_elapsed += 1
    if raft.election_elapsed >= raft.config.election_tick:
        raft.election_elapsed = 0
        if raft.config.check_quorum:
            check_quorum(raft)
        # Who was to lead in our place hasn't managed to within an election time-out.
        raft.lead_transferee = NONE
    if raft.role is Role.LEADER and raft.heartbeat_elapsed >= raft.config.heartbeat_tick:
        raft.heartbeat_elapsed = 0
        replication.broadcast_heartbeat(raft)


def check_quorum(raft: RaftState) -> None:
    """Step down when no quorum was heard for an election timeout (MsgCheckQuorum)."""
    if not raft.tracker.quorum_active():
        reached("raft: a leader without a quorum stepped down")
        roles.become_follower(raft, raft.term, NONE)
    for member, progress in raft.tracker.progress.items():
        if member != raft.id:
            progress.is_recently_active = False


def step_leader(raft: RaftState, message: Message) -> bool:
    """Take a message of our own term. False when a proposal was dropped."""
    kind = message.type
    progress = raft.tracker.progress.get(message.from_)
    if kind is MessageType.MSG_HEARTBEAT_RESP and progress is not None:
        handle_heartbeat_answer(raft, message, progress)
    elif kind is MessageType.MSG_APP_RESP and progress is not None:
        handle_append_answer(raft, message, progress)
    elif kind is MessageType.MSG_PROP:
        return propose(raft, message)
    elif kind is MessageType.MSG_READ_INDEX:
        reads.handle_read_index(raft, message)
    elif progress is not None:
        _step_seldom(raft, message, progress)
    return True


def _step_seldom(raft: RaftState, message: Message, progress: Progress) -> None:
    kind = message.type
    if kind is MessageType.MSG_SNAP_STATUS:
        _handle_snapshot_status(message, progress)
    elif kind is MessageType.MSG_UNREACHABLE:
        if progress.state is ProgressState.REPLICATE:
            # An append that was lost leaves a hole: find out where.
            progress.become_probe()
    elif kind is MessageType.MSG_TRANSFER_LEADER:
        _handle_transfer(raft, message.from_, progress)


def propose(raft: RaftState, message: Message) -> bool:
    """Append what is proposed and send it to everybody; False when it is dropped."""
    if raft.id not in raft.tracker.progress or raft.lead_transferee != NONE:
        return raft.drop("raft proposal dropped")
    if not replication.append_entries(raft, membership.screen(raft, message.entries)):
        return raft.drop("raft proposal dropped")
    replication.broadcast_append(raft)
    return True


def handle_heartbeat_answer(raft: RaftState, message: Message, progress: Progress) -> None:
    """A follower is there: it may be sent to again, and has confirmed the reads that it echoes."""
    progress.is_recently_active = True
    progress.is_paused = False
    if progress.match < raft.log.last_index or progress.state is ProgressState.PROBE:
        replication.send_append(raft, message.from_)
    if message.context is not None:
        reads.handle_echo(raft, message)


def handle_append_answer(raft: RaftState, message: Message, progress: Progress) -> None:
    """A follower (or our own disk) has taken entries, or refused them."""
    peer = message.from_
    progress.is_recently_active = True
    if message.reject:
        step_back(raft, peer, progress, message)
        return
    is_back = progress.match == message.index and progress.state is ProgressState.PROBE
    if not progress.maybe_update(message.index) and not is_back:
        return
    _advance_state(raft, progress, message.index)
    if replication.maybe_commit(raft):
        reads.release_early_reads(raft)
        replication.broadcast_append(raft)
    elif peer != raft.id and progress.can_bump_commit(raft.log.committed):
        replication.send_append(raft, peer)
    if peer != raft.id:
        while replication.send_append(raft, peer, is_empty_worth_it=False):
            pass
        if peer == raft.lead_transferee and progress.match == raft.log.last_index:
            replication.send_timeout_now(raft, peer)


def _advance_state(raft: RaftState, progress: Progress, index: int) -> None:
    if progress.state is ProgressState.PROBE:
        progress.become_replicate()
    elif progress.state is ProgressState.REPLICATE:
        progress.free_up_to(index)
    elif progress.match + 1 >= raft.log.first_index:
        # It has caught up with our log, whichever snapshot it got that from.
        progress.become_probe()
        progress.become_replicate()


def step_back(raft: RaftState, peer: int, progress: Progress, message: Message) -> None:
    """`peer` refused an append: try further back, skipping terms that can't match."""
    probe = message.reject_hint
    if message.log_term > 0:
        probe, _ = raft.log.find_conflict_by_term(message.reject_hint, message.log_term)
    if progress.maybe_decrease_to(message.index, probe):
        if progress.state is ProgressState.REPLICATE:
            progress.become_probe()
        replication.send_append(raft, peer)


def _handle_snapshot_status(message: Message, progress: Progress) -> None:
    """The snapshot that a follower was sent has arrived, or has not; wait for its answer before the next append."""
    if progress.state is not ProgressState.SNAPSHOT:
        return
    if message.reject:
        progress.pending_snapshot = 0
    progress.become_probe()
    progress.is_paused = True


def _handle_transfer(raft: RaftState, to: int, progress: Progress) -> None:
    """Somebody wants `to` to lead: bring its log up to date, then let it campaign at once."""
    if progress.is_learner or to == raft.lead_transferee:
        return
    raft.lead_transferee = NONE
    if to == raft.id:
        return
    reached("raft: a leader began to give way")
    raft.election_elapsed = 0
    raft.lead_transferee = to
    if progress.match == raft.log.last_index:
        replication.send_timeout_now(raft, to)
    else:
        replication.send_append(raft, to)
