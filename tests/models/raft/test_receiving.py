"""What a member does with a leader's entries and snapshots."""

from __future__ import annotations

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import (
    ConfState,
    Entry,
    HardState,
    Message,
    MessageType,
    Snapshot,
    SnapshotMetadata,
)
from chaoskube.models.raft.ready import Config, Role

THREE = ConfState(voters=(1, 2, 3))


def a_follower(*terms: int, commit: int = 0) -> Raft:
    entries = [Entry(term=term, index=place, data=place) for place, term in enumerate(terms, start=1)]
    state = HardState(term=max(terms, default=0), commit=commit)
    return Raft(Config(id=1, voters=(1, 2, 3)), hard_state=state, entries=entries)


def a_snapshot(index: int, term: int, conf_state: ConfState = THREE) -> Snapshot:
    return Snapshot(metadata=SnapshotMetadata(conf_state=conf_state, index=index, term=term), data="all")


def give(raft: Raft, snapshot: Snapshot) -> Message:
    """Its answer to a snapshot from 2, the leader of term 5."""
    raft.step(Message(type=MessageType.MSG_SNAP, to=1, from_=2, term=5, snapshot=snapshot))
    answer = raft.messages_after_append[-1]
    assert answer.type is MessageType.MSG_APP_RESP and not answer.reject
    return answer


def test_a_snapshot_replaces_log_and_configuration_and_is_acknowledged_by_an_append_response() -> None:
    raft = a_follower(1, 1)
    joint = ConfState(voters=(1, 4), voters_outgoing=(1, 2, 3), learners=(5,), auto_leave=True)

    assert give(raft, a_snapshot(9, 4, joint)).index == 9

    assert (raft.log.committed, raft.log.last_index, raft.log.last_term) == (9, 9, 4)
    assert raft.tracker.conf_state() == joint
    ready = raft.ready()
    assert (ready.snapshot, ready.entries, ready.committed_entries) == (a_snapshot(9, 4, joint), (), ())
    assert ready.hard_state == HardState(term=5, commit=9)
    raft.advance(ready)
    assert (raft.log.applied, raft.log.snapshot) == (9, a_snapshot(9, 4, joint))


def test_a_snapshot_of_what_we_hold_only_moves_the_commit_index() -> None:
    """The rest of our log is good (etcd-io/raft restore, fast-forward)."""
    raft = a_follower(1, 1, 1)

    assert give(raft, a_snapshot(2, 1)).index == 2

    assert (raft.log.committed, raft.log.last_index, raft.log.pending_snapshot) == (2, 3, None)


def test_an_old_snapshot_is_ignored() -> None:
    raft = a_follower(1, 1, 1, commit=3)

    assert give(raft, a_snapshot(2, 1)).index == 3
    assert raft.log.last_index == 3


def test_a_snapshot_without_us_is_ignored() -> None:
    """We would not know what we are (etcd-io/raft restore)."""
    raft = a_follower(1)

    assert give(raft, a_snapshot(9, 4, ConfState(voters=(2, 3)))).index == 0
    assert raft.log.last_index == 1


def test_a_candidate_that_gets_a_snapshot_follows_first() -> None:
    raft = Raft(Config(id=1, voters=(1, 2, 3), pre_vote=False), hard_state=HardState(term=4))
    raft.campaign()
    assert raft.role is Role.CANDIDATE

    assert give(raft, a_snapshot(9, 4)).index == 9
    assert (raft.role, raft.lead, raft.vote) == (Role.FOLLOWER, 2, 1)


def test_an_append_before_our_commit_index_is_answered_with_it() -> None:
    """It is an old one, or the leader does not know how far we are (handleAppendEntries)."""
    raft = a_follower(1, 1, commit=2)
    raft.step(Message(type=MessageType.MSG_APP, to=1, from_=2, term=1, index=1, log_term=1))

    assert raft.messages_after_append[0].index == 2


def test_a_refused_append_carries_a_hint_that_skips_whole_terms() -> None:
    """Only places with a term up to the leader's can match (handleAppendEntries)."""
    raft = a_follower(1, 2, 3, 3, 3)
    raft.step(Message(type=MessageType.MSG_APP, to=1, from_=2, term=4, index=5, log_term=2))

    refused = raft.messages_after_append[0]
    assert (refused.reject, refused.index, refused.reject_hint, refused.log_term) == (True, 5, 2, 2)


def test_a_commit_index_beyond_what_surely_matches_waits() -> None:
    """What follows may be of another leader (Raft paper, figure 2, AppendEntries 5)."""
    raft = a_follower(1, 1, 1)
    raft.step(Message(type=MessageType.MSG_APP, to=1, from_=2, term=2, index=1, log_term=1, commit=3))

    assert raft.log.committed == 1
