"""Watches at a member that falls behind, is compacted, takes a snapshot, restarts, or joins; in a world."""

from __future__ import annotations

from functools import partial

from chaoskube.bug import patched
from chaoskube.models.etcd.client import EtcdClient
from chaoskube.models.etcd.events import SnapshotInstalled
from chaoskube.models.etcd.member import boot_member, endpoints
from chaoskube.models.etcd.messages import (
    COMPACTED,
    NOT_SUPPORTED_FOR_LEARNER,
    Compact,
    Event,
    MemberAdd,
    MemberAddResponse,
    MemberPromote,
    MemberPromoteResponse,
    Put,
    RangeResponse,
    WatchCreate,
)
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.etcd.watch_stream import Watcher
from chaoskube.sim import SECOND, World
from tests.models.etcd.cluster import Cluster

SMALL = ReplicaOptions(snapshot_count=10, catch_up_entries=3)


class Heard:
    """What a watch of the cluster's client heard."""

    def __init__(self, cluster: Cluster, at: int, create: WatchCreate) -> None:
        self.events: list[Event] = []
        self.progress: list[int] = []
        self.ends: list[str] = []
        self.handle = cluster.clients[at].watch(
            create,
            on_events=lambda events, revision: self.events.extend(events),
            on_progress=self.progress.append,
            on_end=self.ends.append,
        )

    @property
    def revisions(self) -> list[int]:
        return [event.kv.mod_revision for event in self.events]


def lagging_follower(seed: int, creates: dict[str, WatchCreate], compact_at: int = 0) -> dict[str, Heard]:
    """Watches at a follower that is cut off from its peers for 40 writes, and comes back by a snapshot."""
    with World(seed=seed) as world:
        cluster = Cluster(world, options=SMALL)
        leader = cluster.wait_for_leader()
        at = next(place for place, one in enumerate(cluster.members) if one is not leader)
        rest = cluster.members.index(leader)
        for number in range(4):
            cluster.put("/a", number, rest)
        heard = {name: Heard(cluster, at, create) for name, create in creates.items()}
        world.advance(SECOND)
        cluster.put("/a", "before", rest)
        world.advance(SECOND)
        hosts = [one.host for one in cluster.members]
        cut = world.network.partition([hosts[at]], [host for host in hosts if host != hosts[at]])
        for number in range(40):
            cluster.put("/a" if number % 2 else "/b", number, rest)
        if compact_at:
            cluster.ask(Compact(compact_at), rest)
        cut.heal()
        world.advance(5 * SECOND)
        cluster.put("/a", "after", rest)
        world.advance(SECOND)
        assert any(type(entry.event) is SnapshotInstalled for entry in world.journal.entries)
        for one in heard.values():
            one.handle.request_progress()
        world.advance(SECOND)
        return heard


EVERY_A = [6, *range(8, 48, 2), 47]


def test_a_snapshot_rewinds_nobody_and_skips_nothing() -> None:
    """Etcd issues 15271 and 20221, with the whole cluster around the hub."""
    creates = {
        "synced": WatchCreate(key="/a"),
        "past": WatchCreate(key="/a", start_revision=3),
        "future": WatchCreate(key="/a", start_revision=30),
        "quiet": WatchCreate(key="/z"),
    }
    heard = lagging_follower(101, creates)

    assert heard["synced"].revisions == EVERY_A
    assert heard["past"].revisions == [3, 4, 5, *EVERY_A]
    assert heard["future"].revisions == [one for one in EVERY_A if one >= 30]
    assert [one.progress for one in heard.values()] == [[47]] * 4

    def forget(self: WatchHub, watcher: Watcher, revision: int) -> None:
        if watcher not in self._synced:
            watcher.min_revision = revision + 1

    with patched(WatchHub, "_note_delivered", forget):
        again = lagging_follower(101, creates)
    assert again["past"].revisions != heard["past"].revisions


def test_a_snapshot_of_compacted_history_ends_who_still_needs_it() -> None:
    """And a quiet watch too, which has missed nothing: it had not moved since it was opened, as in etcd."""
    creates = {
        "synced": WatchCreate(key="/a"),
        "future": WatchCreate(key="/a", start_revision=45),
        "quiet": WatchCreate(key="/z"),
    }
    heard = lagging_follower(102, creates, compact_at=40)

    assert heard["synced"].revisions == [6]
    assert heard["synced"].ends == heard["quiet"].ends == [f"canceled: {COMPACTED.message}"]
    assert heard["synced"].handle.compact_revision == 40
    assert (heard["future"].revisions, heard["future"].ends) == ([46, 47], [])


def test_history_outlives_a_restart_of_the_member() -> None:
    """A watch from the past gets the same events from a member that has read everything back from its disk."""
    with World(seed=103) as world:
        cluster = Cluster(world, size=1, options=SMALL)
        cluster.wait_for_leader()
        for number in range(30):
            cluster.ask(Put(key=f"/{number % 3}", value=number))
        before = Heard(cluster, 0, WatchCreate(key="/", range_end="0", start_revision=2, prev_kv=True))
        world.advance(SECOND)
        cluster.members[0].crash()
        cluster.members[0].start()
        world.advance(3 * SECOND)
        after = Heard(cluster, 0, WatchCreate(key="/", range_end="0", start_revision=2, prev_kv=True))
        world.advance(SECOND)

        assert before.revisions == list(range(2, 32))
        assert after.events == before.events


def test_a_member_that_joins_serves_once_it_is_promoted() -> None:
    """Added as a learner, it asks the others who they are; a learner takes no watches, a voter does."""
    with World(seed=104) as world:
        cluster = Cluster(world, options=SMALL)
        leader = cluster.wait_for_leader()
        at = cluster.members.index(leader)
        for number in range(20):
            cluster.put("/a", number, at)
        added = cluster.ask(MemberAdd("etcd-3", is_learner=True), at)
        assert isinstance(added, MemberAddResponse)
        names = [one.name for one in (*cluster.members,)] + ["etcd-3"]
        boot = partial(boot_member, name="etcd-3", members=names, options=SMALL, joining=True)
        joined = world.process("etcd-3", host="control-3", boot=boot)
        joined.start()
        world.advance(5 * SECOND)
        cluster.clients[3] = EtcdClient(cluster.client_process, endpoints([joined]))
        refused = Heard(cluster, 3, WatchCreate(key="/a"))
        world.advance(SECOND)
        assert cluster.get("/a", 3) == NOT_SUPPORTED_FOR_LEARNER
        assert isinstance(cluster.get("/a", 3, serializable=True), RangeResponse)
        assert refused.ends == [f"canceled: {NOT_SUPPORTED_FOR_LEARNER.message}"]
        assert isinstance(cluster.ask(MemberPromote(added.member.id), at), MemberPromoteResponse)
        world.advance(2 * SECOND)
        served = Heard(cluster, 3, WatchCreate(key="/a", start_revision=21))
        world.advance(SECOND)
        assert served.revisions == [21]
        joined.crash()
        joined.start()
        world.advance(3 * SECOND)
        cluster.put("/a", "last", at)
        world.advance(SECOND)

        assert cluster.view.applied["etcd-3"] == cluster.view.applied[leader.name]
