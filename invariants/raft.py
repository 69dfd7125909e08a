"""Raft: one leader a term, one vote a term, one content for each committed entry."""

from __future__ import annotations

from typing import Protocol

from chaoskube.invariant import always
from chaoskube.models.etcd.view import BecameLeader, Committed, EtcdView, Voted
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


@always(on=[Voted])
def one_vote_a_term(seen: SeesEtcd) -> None:
    """A member gives one vote a term, also across restarts.

    A second one can make a second leader. (Raft paper, 5.2.)
    """
    conflict = seen.etcd.raft.vote_conflict
    assert not conflict, conflict


@always(on=[Committed])
def committed_entries_never_change(seen: SeesEtcd) -> None:
    """What is committed at an index is the same for every member, for ever.

    Otherwise two members disagree about what was written. (Raft paper, figure 3: state machine safety.)
    """
    conflict = seen.etcd.raft.committed_conflict
    assert not conflict, conflict
