"""Elections: when a member asks for votes, who gives one, and what a message of another term means.

Etcd-io/raft raft.go `hup`, `campaign`, the first half of `Step`, `stepCandidate`. With pre-vote a member first asks who
would vote for it, and changes nothing by asking; with check-quorum a member that hears a leader ignores
candidates, so that one who comes back can't depose a leader that works.
"""

from __future__ import annotations

import enum

from chaoskube.models.raft import membership, receiving, replication, roles
from chaoskube.models.raft.messages import NONE, Message, MessageType
from chaoskube.models.raft.quorum import VoteResult
from chaoskube.models.raft.ready import Role
from chaoskube.models.raft.state import RaftState
from chaoskube.sim import reached


class Campaign(enum.Enum):
    """Why votes are asked for."""

    PRE_ELECTION = "CampaignPreElection"
    ELECTION = "CampaignElection"
    TRANSFER = "CampaignTransfer"


def first_campaign(raft: RaftState) -> Campaign:
    """What an election begins with: with the question who would vote for us, if pre-vote is on."""
    return Campaign.PRE_ELECTION if raft.config.pre_vote else Campaign.ELECTION


def is_promotable(raft: RaftState) -> bool:
    """May this member lead? Voters may, unless a snapshot has yet to reach their disk."""
    progress = raft.tracker.progress.get(raft.id)
    return progress is not None and not progress.is_learner and raft.log.pending_snapshot is None


def hup(raft: RaftState, kind: Campaign) -> None:
    """Campaign, if we may and don't lead already."""
    if raft.role is Role.LEADER or not is_promotable(raft) or membership.has_unapplied_change(raft):
        return
    campaign(raft, kind)


def campaign(raft: RaftState, kind: Campaign) -> None:
    """Ask every voter for its vote; our own comes once our disk has the term."""
    if kind is Campaign.PRE_ELECTION:
        roles.become_pre_candidate(raft)
        request, answer, term = MessageType.MSG_PRE_VOTE, MessageType.MSG_PRE_VOTE_RESP, raft.term + 1
    else:
        roles.become_candidate(raft)
        request, answer, term = MessageType.MSG_VOTE, MessageType.MSG_VOTE_RESP, raft.term
    for voter in raft.tracker.voter_nodes:
        if voter == raft.id:
            raft.hold_back(Message(type=answer, to=voter, from_=raft.id, term=term))
            continue
        raft.send(
            Message(
                type=request,
                to=voter,
                from_=raft.id,
                term=term,
                log_term=raft.log.last_term,
                index=raft.log.last_index,
                context=kind.value if kind is Campaign.TRANSFER else None,
            )
        )


def meet_higher_term(raft: RaftState, message: Message) -> bool:
    """A message from a later term: join it, unless it only asks. False: ignore the message."""
    kind = message.type
    is_request = kind is MessageType.MSG_VOTE or kind is MessageType.MSG_PRE_VOTE
    if is_request and message.context != Campaign.TRANSFER.value and is_in_lease(raft):
        return False
    if kind is MessageType.MSG_PRE_VOTE:
        return True
    if kind is MessageType.MSG_PRE_VOTE_RESP and not message.reject:
        return True
    is_from_leader = kind in (MessageType.MSG_APP, MessageType.MSG_HEARTBEAT, MessageType.MSG_SNAP)
    roles.become_follower(raft, message.term, message.from_ if is_from_leader else NONE)
    return True


def is_in_lease(raft: RaftState) -> bool:
    """A leader was heard within the shortest election timeout: nobody needs another."""
    return (
        raft.config.check_quorum and raft.lead != NONE and raft.election_elapsed < raft.config.election_tick
    )


def answer_lower_term(raft: RaftState, message: Message) -> None:
    """A message from an earlier term: its sender may have to learn ours, or it would never stop."""
    kind = message.type
    if kind is MessageType.MSG_APP or kind is MessageType.MSG_HEARTBEAT:
        if raft.config.check_quorum or raft.config.pre_vote:
            # The old leader learns our term from this and steps down.
            raft.hold_back(
                Message(type=MessageType.MSG_APP_RESP, to=message.from_, from_=raft.id, term=raft.term)
            )
    elif kind is MessageType.MSG_PRE_VOTE:
        raft.hold_back(
            Message(
                type=MessageType.MSG_PRE_VOTE_RESP,
                to=message.from_,
                from_=raft.id,
                term=raft.term,
                reject=True,
            )
        )


def answer_vote(raft: RaftState, message: Message) -> None:
    """Somebody asks for our vote, or whether it would get it."""
    is_real = message.type is MessageType.MSG_VOTE
    answer = MessageType.MSG_VOTE_RESP if is_real else MessageType.MSG_PRE_VOTE_RESP
    if can_vote(raft, message) and raft.log.is_up_to_date(message.index, message.log_term):
        raft.hold_back(Message(type=answer, to=message.from_, from_=raft.id, term=message.term))
        if is_real:
            raft.election_elapsed = 0
            raft.vote = message.from_
    else:
        raft.hold_back(Message(type=answer, to=message.from_, from_=raft.id, term=raft.term, reject=True))


def can_vote(raft: RaftState, message: Message) -> bool:
    """One vote a term: repeated, or not given yet and no leader known; pre-votes cost nothing.

    Learners vote too: they may not know yet that they are voters by now.
    """
    return (
        raft.vote == message.from_
        or (raft.vote == NONE and raft.lead == NONE)
        or (message.type is MessageType.MSG_PRE_VOTE and message.term > raft.term)
    )


def step_candidate(raft: RaftState, message: Message) -> bool:
    """Take a message of our own term while we ask for votes. False when a proposal or a read was dropped."""
    kind = message.type
    is_pre = raft.role is Role.PRE_CANDIDATE
    if kind is (MessageType.MSG_PRE_VOTE_RESP if is_pre else MessageType.MSG_VOTE_RESP):
        _count_vote(raft, message)
    elif kind is MessageType.MSG_APP:
        roles.become_follower(raft, message.term, message.from_)
        receiving.handle_append(raft, message)
    elif kind is MessageType.MSG_HEARTBEAT:
        roles.become_follower(raft, message.term, message.from_)
        receiving.handle_heartbeat(raft, message)
    elif kind is MessageType.MSG_SNAP:
        roles.become_follower(raft, message.term, message.from_)
        receiving.handle_snapshot(raft, message)
    elif kind is MessageType.MSG_PROP:
        return raft.drop("raft proposal dropped")
    elif kind is MessageType.MSG_READ_INDEX:
        return raft.drop(f"no leader at term {raft.term}; dropping index reading msg")
    return True


def _count_vote(raft: RaftState, message: Message) -> None:
    tracker = raft.tracker
    tracker.record_vote(message.from_, granted=not message.reject)
    result = tracker.tally_votes()
    if result is VoteResult.LOST:
        reached("raft: an election was lost")
        roles.become_follower(raft, raft.term, NONE)
    elif result is VoteResult.WON and raft.role is Role.PRE_CANDIDATE:
        campaign(raft, Campaign.ELECTION)
    elif result is VoteResult.WON:
        roles.become_leader(raft)
        replication.broadcast_append(raft)
