"""etcd: one state for all members, no acknowledged write lost, answers that fit the history, leases that end in time.

What its watches promise is in `etcd_watch.py`. Each invariant only looks at what the view has found.
"""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.invariants.raft import SeesEtcd
from chaoskube.models.etcd.view import (
    Acknowledged,
    Applied,
    BecameLeader,
    CallAnswered,
    Committed,
    KeepAliveAnswered,
    LeaseEnded,
    Recovered,
    SnapshotInstalled,
    is_early,
    overdue,
)
from chaoskube.sim import SECOND, Entry, show

LEASE_SLACK_NS = 6 * SECOND
"""A lease that has run out is looked for every 0.5 s, tried again after 3 s, and takes a commit to end; a new leader adds an
election time-out."""


@always(on=[Applied])
def one_content_a_revision(seen: SeesEtcd) -> None:
    """A revision has the same changes on every member that makes it.

    Members that differ give different answers from then on, and nothing repairs it. (etcd issue 13766.)
    """
    conflict = seen.etcd.store.revision_conflict
    assert not conflict, conflict


@always(on=[Applied, Recovered, SnapshotInstalled])
def members_have_one_state(seen: SeesEtcd) -> None:
    """Two members that have applied the same entries are in the same state, also after restarts and snapshots.

    An entry that takes effect twice, not at all or differently on one member is there for good. (etcd issues 13766,
    14685, 18667; its robustness suite compares the members' hashes.)
    """
    conflict = seen.etcd.store.state_conflict
    assert not conflict, conflict


@always(on=[Acknowledged])
def no_split_brain_writes(seen: SeesEtcd, event: Entry) -> None:
    """Two members never acknowledge different writes as one, and a deposed leader acknowledges nothing new.

    A client that was told "written" would read something else, or nothing. (Raft paper, 5.4: a later leader
    that lacks an entry shows that it wasn't committed.)
    """
    told = event.event
    assert isinstance(told, Acknowledged), "woken by its own event only"
    assert not seen.etcd.store.acknowledged_conflict, seen.etcd.store.acknowledged_conflict
    chosen = seen.etcd.raft.chosen.get(told.index)
    assert chosen is not None and chosen.content == told.request_id, (
        f"{event.by} acknowledges request {told.request_id} as entry {told.index}, which is "
        f"{'not committed' if chosen is None else f'request {chosen.content} for {chosen.by}'}"
    )
    newer = seen.etcd.raft.newer_leader_without(told.index)
    assert not newer, f"{event.by} acknowledges entry {told.index} of term {told.term}, unknown to {newer}"


@always(on=[BecameLeader])
def no_acknowledged_write_is_lost(seen: SeesEtcd, event: Entry) -> None:
    """The leader of a later term has every write that a client was told of.

    Losing one breaks the only promise that everything above is built on. (Raft paper, 5.4: leader completeness.)
    """
    leading = event.event
    assert isinstance(leading, BecameLeader), "woken by its own event only"
    acknowledged = seen.etcd.raft.acknowledged_before(leading.term)
    assert leading.first_index > acknowledged, (
        f"{event.by} leads term {leading.term} with a log that ends at {leading.first_index - 1}; "
        f"entry {acknowledged} was acknowledged"
    )


@always(on=[CallAnswered])
def revisions_only_grow(seen: SeesEtcd) -> None:
    """No client is told a smaller revision than before, from whichever member; a restore without a bump aside.

    Everybody orders what they know by it. (etcd API guarantees: revisions; issues 14370 and 17780.)
    """
    fallen = seen.etcd.calls.fallen_revision
    assert not fallen, fallen


@always(on=[CallAnswered])
def reads_are_linearizable(seen: SeesEtcd) -> None:
    """A linearizable read answers with the store as of one revision, no older than anything that was known before it.

    It is what makes compare-and-swap, locks and leader election on etcd work. (etcd API guarantees: strict
    serializability.)
    """
    wrong = seen.etcd.calls.stale_read
    assert not wrong, wrong


@always(on=[CallAnswered])
def writes_are_linearizable(seen: SeesEtcd) -> None:
    """A write's answer names the revision that it made, after everything that was known before it.

    Whoever goes on from a wrong one swaps against, or watches from, somebody else's. (etcd API guarantees: strict
    serializability.)
    """
    wrong = seen.etcd.calls.wrong_write
    assert not wrong, wrong


@always(on=[CallAnswered])
def serializable_reads_come_from_the_past(seen: SeesEtcd) -> None:
    """A serializable read may be old, but it is what the store was at the revision that it names.

    A mixture of two revisions is a state that never was. (etcd's robustness suite, validate/operations.go.)
    """
    wrong = seen.etcd.calls.foreign_past
    assert not wrong, wrong


@always(on=[Committed])
def leases_end(seen: SeesEtcd) -> None:
    """A lease that nobody renews ends within its time to live and a slack, however often the leader changes.

    The keys of the dead, locks among them, would stay for ever. (etcd issue 9888, pull request 13508.)
    """
    late = overdue(seen.etcd.leases, LEASE_SLACK_NS)
    assert late is None, (
        f"lease {late.id:x} of {late.ttl} s, renewed last at {show(late.asked_at)}, is still there; leaders of "
        f"{seen.etcd.leases.terms - late.terms + 1} terms have led for {show(seen.etcd.leases.led_ns - late.led_ns)} since"
    )


@always(on=[LeaseEnded])
def leases_do_not_end_early(seen: SeesEtcd, event: Entry) -> None:
    """A lease lives for its time to live after its grant, and after each renewal that was answered, unless revoked.

    Its owner goes on for as long as it was promised. (etcd API: LeaseKeepAlive.)
    """
    ended = event.event
    assert isinstance(ended, LeaseEnded), "woken by its own event only"
    life = seen.etcd.leases.all.get(ended.id)
    if life is None or life.is_given_up or ended.reason != "expired" or life.ended_at != event.at:
        return
    lived = event.at - life.asked_at
    assert not is_early(seen.etcd.leases, life, lived), (
        f"{event.by} ends lease {life.id:x} of {life.ttl} s, {show(lived)} after "
        f"{'its grant' if life.asked_at == life.granted_at else 'a renewal'}"
    )


@always(on=[KeepAliveAnswered])
def keep_alives_are_true(seen: SeesEtcd, event: Entry) -> None:
    """A keep-alive that is answered with time left was asked while the lease existed.

    Its owner believes to hold what others have already. (etcd pull request 20615.)
    """
    told = event.event
    assert isinstance(told, KeepAliveAnswered), "woken by its own event only"
    life = seen.etcd.leases.all.get(told.id)
    if life is None or told.ttl <= 0 or life.ended_at is None:
        return
    assert life.ended_at >= told.asked_at, (
        f"{event.by} was told that lease {told.id:x} has {told.ttl} s more; it ended {show(life.ended_at)} into the run, "
        f"and was asked for at {show(told.asked_at)}"
    )


@eventually(within="60s")
def members_agree(seen: SeesEtcd, memory: dict[str, object]) -> None:
    """Once faults stop, everybody who is a member has made every revision.

    One that stays behind answers with the past for ever. A revision that was made since this was last asked is
    still on its way: a follower learns of a commit a message later than the leader. (Raft paper, 5.3.)
    """
    wanted = memory.get("revision", 0)
    assert isinstance(wanted, int), "a revision is a number"
    memory["revision"] = seen.etcd.revision
    members = seen.etcd.raft.current_members or seen.etcd.applied
    raft = seen.etcd.raft
    behind = [
        name
        for name, made in seen.etcd.applied.items()
        if name in members and made < wanted and not raft.is_stranded(name)
    ]
    assert not behind, (
        f"revision {wanted} is missing at {', '.join(f'{one} ({seen.etcd.applied[one]})' for one in behind)}"
    )
