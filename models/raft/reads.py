"""Linearizable reads without a log entry: at which index they may be answered, and when.

A leader answers with the commit index that it had when it was asked, once it knows that it still led then: a
quorum echoes a heartbeat that was sent after the question, or (lease-based) its clock says so. A follower
passes the question on and gets the index back. Etcd-io/raft raft.go `sendMsgReadIndexResponse` and
`responseToReadIndexReq`; Raft thesis, 6.4.

Where there is one voter, etcd-io/raft's leader asks nobody and waits for nothing (`IsSingleton`), although it may be new
and not know of the last commit of a leader that was removed, or be the removed one, which no longer votes. Here a leader
answers alone only when it is the one who votes, and has committed an entry of its own term.
"""

from __future__ import annotations

from chaoskube.models.raft.messages import NONE, Message, MessageType, ReadState
from chaoskube.models.raft.ready import ReadOnlyOption
from chaoskube.models.raft.replication import broadcast_heartbeat
from chaoskube.models.raft.state import RaftState
from chaoskube.sim import reached


def handle_read_index(raft: RaftState, message: Message) -> None:
    """A leader is asked at which index a read of now may be answered."""
    if has_committed_in_term(raft):
        _confirm(raft, message)
    else:
        reached("raft: a read waited for the leader's first commit")
        raft.early_reads.append(message)


def has_committed_in_term(raft: RaftState) -> bool:
    """Does our commit index cover all that earlier leaders answered with? Not before an entry of ours is in it."""
    return raft.log.matches(raft.log.committed, raft.term)


def release_early_reads(raft: RaftState) -> None:
    """The commit index has moved: what waited for the first commit of the term may go on."""
    if raft.early_reads and has_committed_in_term(raft):
        early, raft.early_reads = raft.early_reads, []
        for message in early:
            _confirm(raft, message)


def _confirm(raft: RaftState, message: Message) -> None:
    if raft.tracker.is_only_voter(raft.id) or raft.config.read_only_option is ReadOnlyOption.LEASE_BASED:
        _answer(raft, message, raft.log.committed)
        return
    read_only = raft.read_only
    read_only.add(raft.log.committed, message)
    read_only.receive(raft.id, read_only.confirmed + len(read_only.unconfirmed))
    broadcast_heartbeat(raft)


def handle_echo(raft: RaftState, message: Message) -> None:
    """A heartbeat's answer echoes how many reads had been asked when the heartbeat left."""
    position = message.context
    if raft.config.read_only_option is not ReadOnlyOption.SAFE or not isinstance(position, int):
        return
    raft.read_only.receive(message.from_, position)
    for read in raft.read_only.advance(raft.tracker.config.voters):
        _answer(raft, read.request, read.index)


def _answer(raft: RaftState, request: Message, index: int) -> None:
    if request.from_ == NONE or request.from_ == raft.id:
        raft.read_states.append(ReadState(index=index, context=request.context))
        return
    raft.send(
        Message(
            type=MessageType.MSG_READ_INDEX_RESP,
            to=request.from_,
            from_=raft.id,
            term=raft.term,
            index=index,
            context=request.context,
        )
    )
