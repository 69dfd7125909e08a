"""Raft: the properties of the dissertation's figure 3.2 and of etcd's specification, told from the journal.

Each invariant only looks at what `RaftView` has found; what that is, and how it is found, stands there.
"""

from __future__ import annotations

from typing import Protocol

from chaoskube.invariant import always
from chaoskube.models.etcd.view import (
    Appended,
    BecameLeader,
    Committed,
    ConfigApplied,
    EtcdView,
    MemberListChanged,
    ReadConfirmed,
    Recovered,
    TermChanged,
    Voted,
)
from chaoskube.sim import Entry


class SeesEtcd(Protocol):
    """An observer that follows an etcd cluster."""

    @property
    def etcd(self) -> EtcdView:
        """What happened in it."""


@always(on=[BecameLeader])
def one_leader_a_term(seen: SeesEtcd, event: Entry) -> None:
    """A Raft term has at most one leader.

    Two could commit different entries at one index. (Raft paper, figure 3: election safety.)
    """
    leading = event.event
    assert isinstance(leading, BecameLeader), "woken by its own event only"
    leaders = seen.etcd.raft.leaders_by_term[leading.term]
    assert len(leaders) == 1, f"term {leading.term} is led by {' and by '.join(leaders)}"


@always(on=[ReadConfirmed])
def a_read_index_covers_what_was_acknowledged(seen: SeesEtcd) -> None:
    """Whoever asks how far a linearizable read must be is told no less than what any client knew to be written.

    A leader that was just elected may not know it until an entry of its own is committed. (Raft dissertation, 6.4.)
    """
    low = seen.etcd.calls.low_read_index
    assert not low, low


@always(on=[Voted])
def one_vote_a_term(seen: SeesEtcd) -> None:
    """A member gives one vote a term, also across restarts.

    A second one can make a second leader. (Raft paper, 5.2.)
    """
    conflict = seen.etcd.raft.vote_conflict
    assert not conflict, conflict


@always(on=[Appended])
def leader_append_only(seen: SeesEtcd) -> None:
    """A leader never replaces or removes an entry of its own log.

    Others count on what it sent them; what it takes back may be committed already. (Raft paper, figure 3.)
    """
    conflict = seen.etcd.raft.logs.append_conflict
    assert not conflict, conflict


@always(on=[Appended])
def log_matching(seen: SeesEtcd) -> None:
    """Two logs that hold an entry of the same index and term are the same up to there.

    Commitment of one entry stands for all before it, so a difference there is a difference in what is committed.
    (Raft paper, figure 3.)
    """
    conflict = seen.etcd.raft.logs.match_conflict
    assert not conflict, conflict


@always(on=[BecameLeader])
def leader_completeness(seen: SeesEtcd) -> None:
    """What was committed in an earlier term is in the log of every later leader.

    A leader without it makes everybody forget it. (Raft paper, figure 3 and 5.4.)
    """
    conflict = seen.etcd.raft.completeness_conflict
    assert not conflict, conflict


@always(on=[Committed])
def who_can_win_has_what_is_committed(seen: SeesEtcd) -> None:
    """Whoever a majority would vote for, by what is on its disks, has every committed entry.

    Otherwise it depends on luck whether the next leader makes everybody forget it. (Raft paper, 5.4.2 and figure 8.)
    """
    conflict = seen.etcd.raft.winner_conflict
    assert not conflict, conflict


@always(on=[Committed])
def committed_entries_never_change(seen: SeesEtcd) -> None:
    """What is committed at an index is the same for every member, for ever.

    Otherwise two members disagree about what was written. (Raft paper, figure 3: state machine safety.)
    """
    conflict = seen.etcd.raft.committed_conflict
    assert not conflict, conflict


@always(on=[TermChanged, Recovered, Committed])
def terms_and_commits_only_grow(seen: SeesEtcd) -> None:
    """A member's term and its log's synced end never fall, also across restarts; it takes up committed entries one by one.

    A term that falls can be voted in twice; an index that is left out is never applied. (Raft paper, figure 2: persistent
    state; etcd-io/raft pull request 10063 of etcd.)
    """
    raft = seen.etcd.raft
    conflict = raft.logs.growth_conflict or raft.gap_conflict
    assert not conflict, conflict


@always(on=[ConfigApplied, MemberListChanged, Appended])
def configurations_overlap(seen: SeesEtcd) -> None:
    """Every quorum of a configuration shares a member with every quorum of the next; a change waits for the one before.

    Two quorums that share nobody can each elect a leader, and commit; two changes that are committed at once skip the
    configuration between. (Raft dissertation, 4.1 and 4.3; Ongaro, raft-dev, "bug in single-server membership changes".)
    """
    conflict = seen.etcd.raft.membership_conflict
    assert not conflict, conflict
