"""Snapshots: who is far behind gets the whole database, and a crash may fall anywhere in between."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chaoskube.models.etcd import snapshot
from chaoskube.models.etcd.events import Recovered, SnapshotInstalled, SnapshotSaved
from chaoskube.models.etcd.messages import (
    Alarm,
    AlarmAction,
    AlarmKind,
    LeaseGrant,
    Put,
    PutResponse,
    WatchCreate,
)
from chaoskube.models.etcd.replica import Replica
from chaoskube.sim import MILLISECOND, SECOND, ProcessPanicked, Unsynced, World
from tests.models.etcd.members import Members

BEHIND = "etcd-2"


def leave_behind(cluster: Members, writes: int = 40) -> Replica:
    """One member misses more than the others keep; the leader."""
    leader = cluster.wait_for_leader()
    if leader.process.name == BEHIND:
        leader.process.crash()
        cluster.wait_for_leader()
        cluster.processes[BEHIND].start()
        cluster.world.advance(2 * SECOND)
    cluster.put_many("etcd-0", 3, "/early")
    cluster.world.advance(SECOND)
    cluster.processes[BEHIND].crash()
    cluster.put_many("etcd-0", writes, "/late")
    cluster.world.advance(SECOND)
    leader = cluster.wait_for_leader()
    assert leader.raft.log.offset > 15, "entries have left the log"
    return leader


def test_a_member_that_is_far_behind_gets_the_database() -> None:
    """Its log is too short to go on from."""
    with World(seed=1) as world:
        cluster = Members(world)
        leave_behind(cluster)

        cluster.settle()

        installed = cluster.events(SnapshotInstalled, BEHIND)
        assert len(installed) == 1
        assert len(cluster.hashes()) == 1
        assert len(cluster.keys(BEHIND)) == 43
        assert isinstance(cluster.ask(BEHIND, Put(key="/after", value="v")), PutResponse)


def test_a_snapshot_is_saved_every_so_many_entries_and_some_stay_for_who_is_a_little_behind() -> None:
    """With 5 of them kept, missing 4 needs no snapshot."""
    with World(seed=2) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        cluster.put_many("etcd-0", 50)
        world.advance(SECOND)

        saved = [
            one.index for one in cluster.events(SnapshotSaved, "etcd-0") if isinstance(one, SnapshotSaved)
        ]
        assert len(saved) == 2
        assert all(later - earlier > 20 for earlier, later in pairwise(saved))
        assert leader.raft.log.offset == saved[-1] - 5


@pytest.mark.parametrize("unsynced", list(Unsynced))
@pytest.mark.parametrize("after_ns", [step * 500_000 for step in range(1, 25)])
def test_a_crash_anywhere_while_a_snapshot_arrives_is_harmless(unsynced: Unsynced, after_ns: int) -> None:
    """File, mark, hard state, switch: whatever was reached, the member boots and catches up."""
    with World(seed=3) as world:
        cluster = Members(world)
        leave_behind(cluster)
        cluster.processes[BEHIND].start()
        world.run_until(
            lambda: any(one.endswith(".snap.db") for one in cluster.processes[BEHIND].disk.files),
            SECOND,
            MILLISECOND // 4,
        )
        world.advance(after_ns)

        cluster.processes[BEHIND].crash(unsynced=unsynced)
        cluster.settle()

        assert cluster.events(ProcessPanicked) == []
        assert len(cluster.hashes()) == 1


def crash_before_the_switch_is_synced(cluster: Members) -> None:
    """The mark and the hard state are on the disk; the new database is in its place, but not for long."""
    assert cluster.world.run_until(
        lambda: bool(cluster.events(SnapshotInstalled, BEHIND)), 5 * SECOND, MILLISECOND // 10
    )
    cluster.processes[BEHIND].crash(unsynced=Unsynced.LOST)


def test_a_member_boots_from_the_received_database_when_the_log_says_so() -> None:
    """The crash fell after the mark and before the switch (issue 7628)."""
    with World(seed=3) as world:
        cluster = Members(world)
        leave_behind(cluster)
        process = cluster.processes[BEHIND]
        process.start()
        crash_before_the_switch_is_synced(cluster)

        process.start()

        recovered = cluster.events(Recovered, BEHIND)[-1]
        assert isinstance(recovered, Recovered)
        assert recovered.consistent_index >= recovered.snapshot_index > 15
        assert recovered.revision > 4


def test_without_the_received_database_the_member_does_not_start() -> None:
    """Its log begins after entries that it never applied."""
    with World(seed=3) as world:
        cluster = Members(world)
        leave_behind(cluster)
        process = cluster.processes[BEHIND]
        process.start()
        crash_before_the_switch_is_synced(cluster)
        for name in process.disk.files:
            if name.endswith(".snap.db"):
                process.disk.rot(name, 0)

        process.start()

        panic = cluster.events(ProcessPanicked, BEHIND)[-1]
        assert isinstance(panic, ProcessPanicked)
        assert "failed to find database snapshot file" in panic.why


def test_a_snapshot_brings_leases_and_alarms_and_wakes_watches() -> None:
    """All that decides what later entries do is in the database."""
    with World(seed=4) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        victim = next(name for name in cluster.processes if name != leader.process.name)
        names = [one.process.host for one in cluster.replicas.values()]
        host = cluster.processes[victim].host
        seen: list[object] = []
        stream = cluster.replicas[victim].hub.stream(seen.append)
        stream.create(WatchCreate(key="/", range_end="0"))
        cut = world.network.partition([host], [one for one in names if one != host])
        asked = leader.process.name
        cluster.ask(asked, LeaseGrant(ttl=60, id=77))
        number, answer = cluster.take()
        leader.alarm(Alarm(action=AlarmAction.ACTIVATE, member=1, kind=AlarmKind.CORRUPT), answer)
        cluster.wait(number)
        number, answer = cluster.take()
        leader.alarm(Alarm(action=AlarmAction.DEACTIVATE, member=1, kind=AlarmKind.CORRUPT), answer)
        cluster.wait(number)
        cluster.put_many(asked, 40)
        number, answer = cluster.take()
        leader.alarm(Alarm(action=AlarmAction.ACTIVATE, member=1, kind=AlarmKind.NOSPACE), answer)
        cluster.wait(number)
        world.advance(SECOND)

        cut.heal()
        cluster.settle()
        world.advance(SECOND)

        replica = cluster.replicas[victim]
        assert cluster.events(SnapshotInstalled, victim)
        assert 77 in replica.state.lessor.leases
        assert [one.kind for one in replica.alarms.on()] == [AlarmKind.NOSPACE]
        assert len(cluster.hashes()) == 1
        assert sum(len(getattr(one, "events", ())) for one in seen) == 40


def test_a_full_disk_refuses_a_snapshot_and_the_leader_tries_again() -> None:
    """The member doesn't fall over it."""
    with World(seed=5) as world:
        cluster = Members(world)
        leave_behind(cluster)
        process = cluster.processes[BEHIND]
        process.start()
        full = process.disk.fill()
        world.advance(2 * SECOND)
        full.heal()

        cluster.settle()

        assert len(cluster.hashes()) == 1


def test_received_files_are_named_by_their_index() -> None:
    """So that the mark finds the database that belongs to it."""
    assert snapshot.received_file(255) == "00000000000000ff.snap.db"
    assert snapshot.may_drop_up_to(100, 30, stable=100) == 70
    assert snapshot.may_drop_up_to(100, 5_000, stable=100) == 1
    assert snapshot.may_drop_up_to(52, 5, stable=45) == 45, "what is to be written again stays"


def test_entries_that_change_nothing_are_covered_by_a_snapshot_as_well() -> None:
    """Found by chance: the mark stood beyond the database, and the member never started again."""
    with World(seed=6) as world:
        cluster = Members(world, 1)
        cluster.wait_for_leader()
        for _ in range(30):
            cluster.ask("etcd-0", Put(key="/a", value="v", lease=99))
        world.advance(SECOND)
        assert cluster.events(SnapshotSaved)

        cluster.processes["etcd-0"].crash()
        cluster.processes["etcd-0"].start()
        world.advance(2 * SECOND)

        assert cluster.events(ProcessPanicked) == []
