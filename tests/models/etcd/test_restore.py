"""A cluster made from a backup: the old keys, a new cluster, and revisions that go back unless they are raised."""

from __future__ import annotations

import pytest

from chaoskube.models.etcd.backend import Database
from chaoskube.models.etcd.events import Restored
from chaoskube.models.etcd.messages import COMPACTED, Put, PutResponse, Range, RangeResponse
from chaoskube.models.etcd.restore import erase, restore
from chaoskube.sim import SECOND, Unsynced, UsageError, World
from tests.models.etcd.members import Members


def back_up_then_lose_all(cluster: Members) -> Database:
    """A backup at revision 6, then four writes more, then everybody is down."""
    cluster.wait_for_leader()
    cluster.put_many("etcd-0", 5)
    cluster.world.advance(SECOND)
    database = cluster.replicas["etcd-1"].save_snapshot()
    cluster.put_many("etcd-0", 4, "/lost")
    for process in cluster.processes.values():
        process.crash()
    return database


def test_a_restored_cluster_has_the_backups_keys_and_its_revision() -> None:
    """What came after the backup is gone, and its revisions are given again."""
    with World(seed=1) as world:
        cluster = Members(world)
        database = back_up_then_lose_all(cluster)
        for process in cluster.processes.values():
            restore(process, database, tuple(cluster.processes))

        cluster.settle()

        assert cluster.keys("etcd-2") == {f"/k{number:04}" for number in range(5)}
        assert cluster.ask("etcd-0", Put(key="/new", value="v")) == PutResponse(revision=7)
        world.advance(SECOND)
        assert len(cluster.hashes()) == 1
        assert [one.revision for one in cluster.events(Restored) if isinstance(one, Restored)] == [6, 6, 6]


@pytest.mark.parametrize("unsynced", list(Unsynced))
def test_a_restored_disk_survives_the_next_crash(unsynced: Unsynced) -> None:
    """The tool syncs before it ends."""
    with World(seed=2) as world:
        cluster = Members(world)
        database = back_up_then_lose_all(cluster)
        for process in cluster.processes.values():
            restore(process, database, tuple(cluster.processes))
            process.start()
            process.crash(unsynced=unsynced)

        cluster.settle()

        assert len(cluster.keys("etcd-1")) == 5


def test_raised_revisions_never_come_twice_and_old_ones_can_be_declared_compacted() -> None:
    """Watchers and caches that know the future then have to list again."""
    with World(seed=3) as world:
        cluster = Members(world)
        database = back_up_then_lose_all(cluster)
        for process in cluster.processes.values():
            restore(process, database, tuple(cluster.processes), bump_revision=1000, mark_compacted=True)

        cluster.settle()

        assert cluster.ask("etcd-0", Put(key="/new", value="v")) == PutResponse(revision=1007)
        store = cluster.replicas["etcd-0"].state.store
        assert store.range(Range(key="/k0001", revision=1005)) == COMPACTED
        found = store.range(Range(key="/k0001"))
        assert isinstance(found, RangeResponse) and found.kvs[0].value == "v"
        assert len(cluster.hashes()) == 1


def test_members_of_the_old_cluster_are_not_listened_to() -> None:
    """One that was forgotten, with a longer log and a higher term, changes nothing."""
    with World(seed=4) as world:
        cluster = Members(world)
        database = back_up_then_lose_all(cluster)
        for name in ("etcd-0", "etcd-1"):
            restore(cluster.processes[name], database, ("etcd-0", "etcd-1"))

        cluster.processes["etcd-2"].start()
        cluster.processes["etcd-0"].start()
        cluster.processes["etcd-1"].start()
        world.advance(10 * SECOND)

        assert cluster.ask("etcd-0", Put(key="/new", value="v")) == PutResponse(revision=7)
        assert cluster.replicas["etcd-2"].raft.lead == 0
        assert cluster.replicas["etcd-0"].raft.term < 5


def test_what_cannot_be_restored_is_refused_in_one_sentence() -> None:
    """A running member, a stranger, nothing to raise."""
    with World(seed=5) as world:
        cluster = Members(world)
        process = cluster.processes["etcd-0"]
        names = tuple(cluster.processes)
        cluster.wait_for_leader()
        database = cluster.replicas["etcd-0"].save_snapshot()
        with pytest.raises(UsageError, match="stop it"):
            restore(process, database, names)
        with pytest.raises(UsageError, match="stop it"):
            erase(process)
        process.crash()
        with pytest.raises(UsageError, match="not one of the members"):
            restore(process, database, ("a", "b"))
        with pytest.raises(UsageError, match="bump_revision"):
            restore(process, database, names, mark_compacted=True)
