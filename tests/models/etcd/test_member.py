"""Three members in a world: they elect, replicate, survive crashes, and a minority writes nothing."""

from __future__ import annotations

import pytest

from chaoskube.models.etcd.client import EtcdClient
from chaoskube.models.etcd.messages import (
    NO_LEADER,
    TIMED_OUT,
    Compact,
    Compare,
    CompareTarget,
    DeleteRange,
    Event,
    EventType,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
    WatchCreate,
    prefix_end,
)
from chaoskube.sim import MILLISECOND, SECOND, Process, Refused, Unsure, Unsynced, World
from tests.models.etcd.cluster import Cluster


def value(outcome: object) -> object:
    assert isinstance(outcome, RangeResponse), outcome
    return outcome.kvs[0].value if outcome.kvs else None


def others(cluster: Cluster, one: Process) -> list[int]:
    return [place for place, member in enumerate(cluster.members) if member is not one]


def test_members_elect_one_leader_and_replicate() -> None:
    """The calm case: whatever member is asked, all have the same revisions."""
    with World(seed=1) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()

        assert cluster.put("/a", "1", at=0) == PutResponse(revision=2)
        assert cluster.put("/a", "2", at=1) == PutResponse(revision=3)
        world.advance(SECOND)

        assert [value(cluster.get("/a", at, serializable=True)) for at in range(3)] == ["2"] * 3
        assert cluster.view.applied == {"etcd-0": 3, "etcd-1": 3, "etcd-2": 3}
        assert len(cluster.view.raft.leaders_by_term) == 1


@pytest.mark.parametrize("unsynced", list(Unsynced))
def test_a_leader_crash_loses_no_acknowledged_write(unsynced: Unsynced) -> None:
    """What was answered is on a majority of disks."""
    with World(seed=2) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        survivor = others(cluster, leader)[0]
        assert isinstance(cluster.put("/a", "kept", survivor), PutResponse)

        leader.crash(unsynced=unsynced)
        world.advance(4 * SECOND)

        assert cluster.leader() is not leader
        assert value(cluster.get("/a", survivor)) == "kept"
        assert isinstance(cluster.put("/b", "new", survivor), PutResponse)
        leader.start()
        world.advance(2 * SECOND)
        assert value(cluster.get("/b", cluster.members.index(leader), serializable=True)) == "new"


def test_all_members_lose_power_and_keep_what_they_acknowledged() -> None:
    """Restart from disk: the write-ahead log is replayed."""
    with World(seed=3) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        for number in range(20):
            assert isinstance(cluster.put(f"/k{number}", number, number % 3), PutResponse)

        for member in cluster.members:
            world.host(member.host).crash()
        world.advance(SECOND)
        for member in cluster.members:
            world.host(member.host).start()
        world.advance(5 * SECOND)

        everything = Range(key="/k", range_end=prefix_end("/k"))
        assert isinstance(cluster.ask(everything, at=1), Unsure), "the old connection is gone"
        found = cluster.ask(everything, at=1)
        assert isinstance(found, RangeResponse)
        assert (found.count, found.revision) == (20, 21)
        assert not cluster.view.store.revision_conflict
        assert not cluster.view.raft.committed_conflict


def test_a_minority_neither_writes_nor_reads_linearizably() -> None:
    """Without a quorum: 7 s, then "request timed out"; a serializable read answers at once, maybe stale."""
    with World(seed=4) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        alone = cluster.members.index(leader)
        cluster.put("/a", "old", alone)
        rest = [one.host for one in cluster.members if one is not leader]
        cut = world.network.partition([leader.host], rest)
        began = world.now

        assert cluster.put("/a", "lost", alone) == TIMED_OUT
        assert 7 * SECOND <= world.now - began <= 7.3 * SECOND
        assert cluster.get("/a", alone) == TIMED_OUT
        assert value(cluster.get("/a", alone, serializable=True)) == "old"
        assert isinstance(cluster.put("/a", "new", others(cluster, leader)[0]), PutResponse)

        cut.heal()
        world.advance(2 * SECOND)
        assert value(cluster.get("/a", alone)) == "new"
        assert not cluster.view.store.revision_conflict


def test_a_write_at_a_follower_waits_for_the_next_leader() -> None:
    """Proposals block while there is no leader, they don't fail (etcd-io/raft node.go)."""
    with World(seed=5) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        leader.crash()
        world.advance(2 * SECOND)

        assert isinstance(cluster.put("/a", "1", others(cluster, leader)[0]), PutResponse)


def test_a_paused_leader_is_replaced_and_steps_down() -> None:
    """Its first message after the pause is answered with the newer term."""
    with World(seed=6) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        leader.pause()
        world.advance(4 * SECOND)
        assert cluster.leader() is not leader

        leader.resume()
        world.advance(SECOND)

        assert isinstance(cluster.put("/a", "1", cluster.members.index(leader)), PutResponse)
        assert all(len(leaders) == 1 for leaders in cluster.view.raft.leaders_by_term.values())


def test_the_same_seed_gives_the_same_run() -> None:
    """Two worlds, one digest."""
    digests = []
    for _ in range(2):
        with World(seed=7) as world:
            cluster = Cluster(world)
            cluster.wait_for_leader()
            cluster.put("/a", "1")
            cluster.leader().crash()
            world.advance(5 * SECOND)
            digests.append(world.journal.digest())

    assert digests[0] == digests[1]


def watch(
    cluster: Cluster, at: int, create: WatchCreate
) -> tuple[list[tuple[Event, ...]], list[str], list[int]]:
    batches: list[tuple[Event, ...]] = []
    ends: list[str] = []
    progress: list[int] = []
    handle = cluster.clients[at].watch(
        create,
        on_events=lambda events, revision: batches.append(events),
        on_end=ends.append,
        on_progress=progress.append,
    )
    cluster.world.advance(300 * MILLISECOND)
    handle.request_progress()
    cluster.world.advance(10 * MILLISECOND)
    return batches, ends, progress


def test_a_watch_gets_history_and_news_in_order_with_previous_values() -> None:
    """From a past revision: what was missed in one message, then each revision as it comes."""
    with World(seed=8) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        for number in range(3):
            cluster.put("/a", number)
        batches, _, progress = watch(cluster, 1, WatchCreate(key="/a", start_revision=3, prev_kv=True))

        cluster.ask(Txn(success=(Put(key="/a", value=3), Put(key="/b", value=0))))
        cluster.ask(DeleteRange(key="/a"))
        world.advance(SECOND)

        assert progress == [4]
        assert [[event.kv.mod_revision for event in batch] for batch in batches] == [[3, 4], [5], [6]]
        last = batches[-1][0]
        assert (last.type, last.kv.value) == (EventType.DELETE, None)
        assert last.prev_kv is not None and last.prev_kv.value == 3
        assert not cluster.view.watches.broken


def test_a_watch_from_a_compacted_revision_is_cancelled() -> None:
    """ErrCompacted: whoever watches has to list again."""
    with World(seed=9) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        for number in range(5):
            cluster.put("/a", number)
        cluster.ask(Compact(4))

        _, ends, _ = watch(cluster, 0, WatchCreate(key="/a", start_revision=3))
        assert ends == ["canceled: etcdserver: mvcc: required revision has been compacted"]
        batches, ends, _ = watch(cluster, 0, WatchCreate(key="/a", start_revision=4))
        assert (len(batches[0]), ends) == (3, [])


def test_a_watch_that_requires_a_leader_ends_without_one() -> None:
    """After about 3 election time-outs, so that an API server doesn't hang on a cut-off member."""
    with World(seed=10) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        alone = others(cluster, leader)[0]
        _, ends, _ = watch(cluster, alone, WatchCreate(key="/a", require_leader=True))
        _, kept, _ = watch(cluster, alone, WatchCreate(key="/a"))
        hosts = [one.host for one in cluster.members]
        world.network.partition([hosts[alone]], [host for host in hosts if host != hosts[alone]])

        world.advance(2 * SECOND)
        assert ends == []
        world.advance(4 * SECOND)

        assert ends == [f"canceled: {NO_LEADER.message}"]
        assert kept == []


def test_leases_end_their_keys_unless_kept_alive() -> None:
    """The leader keeps time; keep-alives at other members are passed on to it."""
    with World(seed=11) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        grants = [cluster.ask(LeaseGrant(ttl=5)) for _ in range(2)]
        assert isinstance(grants[0], LeaseGrantResponse) and isinstance(grants[1], LeaseGrantResponse)
        short, kept = grants[0].id, grants[1].id
        cluster.ask(Put(key="/short", value="x", lease=short))
        cluster.ask(Put(key="/kept", value="x", lease=kept))
        for _ in range(4):
            world.advance(2 * SECOND)
            answer = cluster.ask(LeaseKeepAlive(kept), at=others(cluster, leader)[0])
            assert isinstance(answer, LeaseKeepAliveResponse) and answer.ttl == 5

        assert value(cluster.get("/short")) is None
        assert value(cluster.get("/kept")) == "x"
        left = cluster.ask(LeaseTimeToLive(kept), at=1)
        assert isinstance(left, LeaseTimeToLiveResponse) and left.ttl == 4, "cut off, as etcd does"
        gone = cluster.ask(LeaseKeepAlive(short), at=1)
        assert isinstance(gone, LeaseKeepAliveResponse) and gone.ttl == 0


def test_a_client_fails_over_and_tasks_get_exceptions() -> None:
    """A reset is Unsure for what was in flight; the next call goes to the next endpoint."""
    with World(seed=12) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        outcomes: list[object] = []

        async def work(process: Process) -> None:
            first = cluster.members.index(leader)
            turned = cluster.endpoints[first:] + cluster.endpoints[:first]
            client = EtcdClient(process, turned)
            outcomes.append(await client.call(Put(key="/a", value="1")))
            leader.crash()
            try:
                await client.call(Put(key="/a", value="2"))
            except Unsure as unsure:
                outcomes.append(str(unsure))
            await process.sleep(4 * SECOND)
            create = Compare(key="/a", target=CompareTarget.MOD, value=0)
            outcomes.append(await client.call(Txn(compare=(create,), success=(Put(key="/a", value="3"),))))
            try:
                await client.call(Range(key="/a", revision=99))
            except Refused as refused:
                outcomes.append(str(refused))

        process = world.process("worker", host="client", boot=lambda process: process.spawn(work, process))
        process.start()
        world.advance(20 * SECOND)

        assert outcomes[0] == PutResponse(revision=2)
        assert "reset" in str(outcomes[1]) or "refused" in str(outcomes[1])
        assert isinstance(outcomes[2], TxnResponse) and not outcomes[2].succeeded
        assert outcomes[3] == "etcdserver: mvcc: required revision is a future revision"
