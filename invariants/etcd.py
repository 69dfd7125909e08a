"""etcd: one content for each revision, no acknowledged write lost, watches that tell everything once."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.invariants.raft import SeesEtcd
from chaoskube.models.etcd.view import Acknowledged, Applied, BecameLeader, WatchDelivered, WatchProgressed
from chaoskube.sim import Entry


@always(on=[Applied])
def one_content_a_revision(seen: SeesEtcd) -> None:
    """A revision has the same changes on every member that makes it.

    Members that differ give different answers from then on, and nothing repairs it. (etcd issue 13766.)
    """
    conflict = seen.etcd.revision_conflict
    assert not conflict, conflict


@always(on=[Acknowledged])
def no_split_brain_writes(seen: SeesEtcd, event: Entry) -> None:
    """Two members never acknowledge different writes as one, and a deposed leader acknowledges nothing new.

    A client that was told "written" would read something else, or nothing. (Raft paper, 5.4: a later leader
    that lacks an entry shows that it wasn't committed.)
    """
    told = event.event
    assert isinstance(told, Acknowledged), "woken by its own event only"
    assert not seen.etcd.acknowledged_conflict, seen.etcd.acknowledged_conflict
    chosen = seen.etcd.raft.chosen.get(told.index)
    assert chosen is not None and chosen.content == told.request_id, (
        f"{event.by} acknowledges request {told.request_id} as entry {told.index}, which is "
        f"{'not committed' if chosen is None else f'request {chosen.content} for {chosen.by}'}"
    )
    newer = seen.etcd.raft.newer_leader_without(told.index, told.term)
    assert not newer, f"{event.by} acknowledges entry {told.index} of term {told.term}, unknown to {newer}"


@always(on=[BecameLeader])
def no_acknowledged_write_is_lost(seen: SeesEtcd, event: Entry) -> None:
    """Every later leader has every write that a client was told of.

    Losing one breaks the only promise that everything above is built on. (Raft paper, 5.4: leader completeness.)
    """
    leading = event.event
    assert isinstance(leading, BecameLeader), "woken by its own event only"
    acknowledged = seen.etcd.raft.acknowledged_index
    assert leading.first_index > acknowledged, (
        f"{event.by} leads term {leading.term} with a log that ends at {leading.first_index - 1}; "
        f"entry {acknowledged} was acknowledged"
    )


@always(on=[WatchDelivered, WatchProgressed])
def a_watch_delivers_every_event_once_in_order(seen: SeesEtcd, event: Entry) -> None:
    """A watch delivers the events of its range from its start on: all, once, in the order of revisions.

    Caches above have no other way to know of a change. (etcd API guarantees: ordered, unique, reliable, atomic.)
    """
    told = event.event
    assert isinstance(told, WatchDelivered | WatchProgressed), "woken by its own events only"
    conflict = seen.etcd.watches[told.watch].conflict
    assert not conflict, conflict


@eventually(within="60s")
def members_agree(seen: SeesEtcd, memory: dict[str, object]) -> None:
    """Once faults stop, every member has made every revision.

    One that stays behind answers with the past for ever. A revision that was made since this was last asked is
    still on its way: a follower learns of a commit a message later than the leader. (Raft paper, 5.3.)
    """
    wanted = memory.get("revision", 0)
    assert isinstance(wanted, int), "a revision is a number"
    memory["revision"] = seen.etcd.revision
    behind = [name for name, revision in seen.etcd.applied.items() if revision < wanted]
    assert not behind, (
        f"revision {wanted} is missing at {', '.join(f'{one} ({seen.etcd.applied[one]})' for one in behind)}"
    )
