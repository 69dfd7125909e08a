"""Becoming: follower, pre-candidate, candidate, leader. Etcd-io/raft raft.go `become*` and `reset`."""

from __future__ import annotations

from typing import Final

from chaoskube.models.raft import replication
from chaoskube.models.raft.messages import NONE, Entry
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.read_only import ReadOnly
from chaoskube.models.raft.ready import Role
from chaoskube.models.raft.state import RaftState

_WORD: Final = 2**64 - 1


def become_follower(raft: RaftState, term: int, lead: int) -> None:
    """Follow `lead` (or nobody yet) in `term`."""
    reset(raft, term)
    raft.lead = lead
    raft.role = Role.FOLLOWER


def become_pre_candidate(raft: RaftState) -> None:
    """Ask who would vote for us; neither term nor vote change."""
    raft.tracker.reset_votes()
    raft.lead = NONE
    raft.role = Role.PRE_CANDIDATE


def become_candidate(raft: RaftState) -> None:
    """Ask for votes in the next term, with our own to begin with."""
    reset(raft, raft.term + 1)
    raft.vote = raft.id
    raft.role = Role.CANDIDATE


def become_leader(raft: RaftState) -> None:
    """Lead: an empty entry of our own term makes it possible to commit what earlier terms left."""
    reset(raft, raft.term)
    raft.lead = raft.id
    raft.role = Role.LEADER
    ours = raft.tracker.progress[raft.id]
    ours.become_replicate()
    ours.is_recently_active = True
    # Any entry that we hold may be a change of members: take no other before all of them are applied.
    raft.pending_conf_index = raft.log.last_index
    replication.append_entries(raft, (Entry(term=0, index=0),))


def reset(raft: RaftState, term: int) -> None:
    """Begin anew as somebody in `term`. A vote given in this same term stays given."""
    if term != raft.term:
        raft.term = term
        raft.vote = NONE
    raft.lead = NONE
    raft.election_elapsed = 0
    raft.heartbeat_elapsed = 0
    raft.timeouts_drawn += 1
    raft.randomized_election_timeout = election_timeout(
        raft.config.seed, raft.timeouts_drawn, raft.config.election_tick
    )
    raft.lead_transferee = NONE
    raft.tracker.reset_votes()
    _reset_progress(raft)
    raft.pending_conf_index = 0
    raft.uncommitted_size = 0
    raft.read_only = ReadOnly()
    raft.early_reads = []


def _reset_progress(raft: RaftState) -> None:
    last, tracker = raft.log.last_index, raft.tracker
    for member, progress in tracker.progress.items():
        tracker.progress[member] = Progress(
            match=last if member == raft.id else 0,
            next=last + 1,
            inflight_max=tracker.max_inflight,
            inflight_bytes_max=tracker.max_inflight_bytes,
            is_learner=progress.is_learner,
        )


def election_timeout(seed: int, count: int, election_tick: int) -> int:
    """The `count`-th randomised time-out, from one to two of `election_tick` (splitmix64's mixing)."""
    mixed = (seed + count * 0x9E3779B97F4A7C15) & _WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _WORD
    return election_tick + (mixed ^ mixed >> 31) % election_tick
