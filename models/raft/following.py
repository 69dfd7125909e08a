"""What a follower does with what it hears: the leader's messages, and requests that are the leader's to answer.

Etcd-io/raft raft.go `stepFollower`.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.raft import election, receiving
from chaoskube.models.raft.messages import NONE, Message, MessageType, ReadState
from chaoskube.models.raft.ready import ReadOnlyOption
from chaoskube.models.raft.state import RaftState


def step_follower(raft: RaftState, message: Message) -> bool:
    """Take a message of our own term. False when a proposal or a read was dropped."""
    kind = message.type
    if kind is MessageType.MSG_HEARTBEAT:
        _hear_leader(raft, message.from_)
        receiving.handle_heartbeat(raft, message)
    elif kind is MessageType.MSG_APP:
        _hear_leader(raft, message.from_)
        receiving.handle_append(raft, message)
    elif kind is MessageType.MSG_SNAP:
        _hear_leader(raft, message.from_)
        receiving.handle_snapshot(raft, message)
    elif kind is MessageType.MSG_PROP:
        return _forward_proposal(raft, message)
    elif kind is MessageType.MSG_READ_INDEX:
        if raft.lead == NONE:
            return raft.drop(f"no leader at term {raft.term}; dropping index reading msg")
        # Forwarded without a term, as etcd does: it counts as local to the leader.
        raft.send(evolve(message, to=raft.lead, from_=message.from_ or raft.id))
    elif kind is MessageType.MSG_READ_INDEX_RESP:
        raft.read_states.append(ReadState(index=message.index, context=message.context))
    elif kind is MessageType.MSG_TIMEOUT_NOW:
        # Never by pre-vote: we know that we aren't back from a partition.
        election.hup(raft, election.Campaign.TRANSFER)
    elif kind is MessageType.MSG_TRANSFER_LEADER and raft.lead != NONE:
        raft.send(evolve(message, to=raft.lead, from_=message.from_ or raft.id, term=raft.term))
    elif kind is MessageType.MSG_FORGET_LEADER:
        _forget_leader(raft)
    return True


def _hear_leader(raft: RaftState, lead: int) -> None:
    """The leader of our term has spoken."""
    raft.election_elapsed = 0
    raft.lead = lead


def _forward_proposal(raft: RaftState, message: Message) -> bool:
    if raft.lead == NONE or raft.config.disable_proposal_forwarding:
        return raft.drop("raft proposal dropped")
    raft.send(evolve(message, to=raft.lead, from_=message.from_ or raft.id))
    return True


def _forget_leader(raft: RaftState) -> None:
    """Be ready to vote for another at once; not with lease-based reads, which rely on our patience."""
    if raft.config.read_only_option is not ReadOnlyOption.LEASE_BASED:
        raft.lead = NONE
