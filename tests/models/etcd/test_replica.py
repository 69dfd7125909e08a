"""Members and crashes: what was acknowledged stays, nothing is applied twice, all end in the same state."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chaoskube.models.etcd import wal
from chaoskube.models.etcd.events import Recovered
from chaoskube.models.etcd.messages import (
    DEADLINE_EXCEEDED,
    TIMED_OUT,
    TIMED_OUT_CONNECTION_LOST,
    TIMED_OUT_LEADER_LOST,
    Alarm,
    AlarmAction,
    AlarmKind,
    Compact,
    MemberAdd,
    MemberRemove,
    Put,
    PutResponse,
    Range,
    RangeResponse,
)
from chaoskube.models.etcd.replica import ReplicaOptions
from chaoskube.sim import MILLISECOND, SECOND, ProcessPanicked, Unsynced, World
from tests.models.etcd.members import SMALL, Members


def live_through(cluster: Members, luck: random.Random, steps: int) -> dict[str, int]:
    """Writes and crashes at random instants; the keys that were put, with the numbers of their requests."""
    puts: dict[str, int] = {}
    for step in range(steps):
        cluster.world.advance(luck.randrange(1, 400 * MILLISECOND) if luck.random() < 0.4 else MILLISECOND)
        name = luck.choice(list(cluster.processes))
        process = cluster.processes[name]
        if not process.is_alive:
            process.start()
        elif name not in cluster.replicas:
            continue
        elif luck.random() < 0.06:
            process.crash(unsynced=luck.choice(list(Unsynced)))
        elif luck.random() < 0.03:
            cluster.send(name, Compact(max(1, cluster.replicas[name].state.store.revision - 3)))
        else:
            puts[f"/k{step:04}"] = cluster.send(name, Put(key=f"/k{step:04}", value="v" * luck.randrange(9)))
    return puts


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1, 2, 3, 5]))
def test_whatever_crashes_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(
    seed: int, size: int
) -> None:
    """Every put makes one revision, so one applied twice would make one too many."""
    with World(seed=seed) as world:
        cluster = Members(world, size)
        puts = live_through(cluster, random.Random(seed), 150)
        cluster.settle()

        acknowledged = {
            key for key, number in puts.items() if isinstance(cluster.answers.get(number), PutResponse)
        }
        made = {one.request_id for name in cluster.processes for one in cluster.applied(name) if one.events}
        assert len(cluster.hashes()) == 1
        for name in cluster.processes:
            assert acknowledged <= cluster.keys(name)
            assert cluster.replicas[name].state.store.revision == 1 + len(made) if size > 1 else True
        assert acknowledged or size > 1


def test_a_restart_does_not_apply_again_what_the_database_covers() -> None:
    """The consistent index and what it stands for are one record."""
    with World(seed=1) as world:
        cluster = Members(world, 1)
        cluster.wait_for_leader()
        cluster.put_many("etcd-0", 10)
        world.advance(SECOND)
        before = cluster.replicas["etcd-0"].applier.index

        cluster.processes["etcd-0"].crash()
        cluster.processes["etcd-0"].start()
        world.advance(3 * SECOND)

        recovered = cluster.events(Recovered)[-1]
        assert isinstance(recovered, Recovered)
        assert (recovered.consistent_index, recovered.revision) == (before, 11)
        applied = [one.index for one in cluster.applied("etcd-0")]
        assert applied == sorted(set(applied)), "none twice"


def test_a_crash_before_the_database_is_committed_replays_the_log() -> None:
    """100 ms of writes are in the log alone."""
    with World(seed=1) as world:
        cluster = Members(world, 1)
        cluster.wait_for_leader()
        cluster.put_many("etcd-0", 3)

        cluster.processes["etcd-0"].crash()
        cluster.processes["etcd-0"].start()
        world.advance(3 * SECOND)

        recovered = cluster.events(Recovered)[-1]
        assert isinstance(recovered, Recovered)
        assert recovered.consistent_index < recovered.last_index
        assert cluster.replicas["etcd-0"].state.store.revision == 4


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_rotten_log_keeps_the_member_from_starting(place: int) -> None:
    """Etcd says why and leaves it to people; the others go on."""
    with World(seed=2) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        cluster.put_many("etcd-0", 5)
        victim = cluster.processes["etcd-1"]
        victim.crash()
        victim.disk.rot(wal.FILE, place)

        victim.start()
        world.advance(5 * SECOND)

        panics = cluster.events(ProcessPanicked, "etcd-1")
        assert [one.why for one in panics if isinstance(one, ProcessPanicked)] == [
            "failed to read WAL, cannot be repaired: wal: crc mismatch"
        ]
        assert isinstance(cluster.ask("etcd-0", Put(key="/x", value="v")), PutResponse)


def test_a_rotten_database_keeps_the_member_from_starting() -> None:
    """There is no other copy on this disk."""
    with World(seed=2) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        cluster.put_many("etcd-0", 5)
        world.advance(SECOND)
        victim = cluster.processes["etcd-1"]
        victim.crash()
        victim.disk.rot("db", 0)

        victim.start()

        panic = cluster.events(ProcessPanicked, "etcd-1")[-1]
        assert isinstance(panic, ProcessPanicked) and panic.why.startswith("failed to open database")


def test_a_full_disk_ends_the_member_and_it_goes_on_when_there_is_space() -> None:
    """Etcd gives up rather than promise what it can't keep."""
    with World(seed=3) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        victim = cluster.processes["etcd-2"]
        full = victim.disk.fill()
        cluster.put_many("etcd-0", 2)
        world.advance(SECOND)
        panic = cluster.events(ProcessPanicked, "etcd-2")[-1]
        assert isinstance(panic, ProcessPanicked)
        assert panic.why.startswith("failed to save Raft hard state and entries")

        full.heal()
        cluster.settle()

        assert len(cluster.hashes()) == 1


def test_without_a_quorum_writes_and_reads_time_out_and_stale_reads_go_on() -> None:
    """Nobody leads: plain words, after 7 s."""
    with World(seed=4) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        cluster.put_many("etcd-0", 1)
        world.advance(SECOND)
        for name in ("etcd-1", "etcd-2"):
            cluster.processes[name].crash()
        world.advance(3 * SECOND)
        errors: list[object] = []
        replica = cluster.replicas["etcd-0"]
        number = cluster.send("etcd-0", Put(key="/a", value="1"))
        replica.when_current(errors.append)

        world.advance(6900 * MILLISECOND)
        assert number not in cluster.answers and errors == []
        world.advance(400 * MILLISECOND)

        assert cluster.answers[number] == DEADLINE_EXCEEDED
        assert errors == [TIMED_OUT]
        stale = replica.state.read(Range(key="/k0000", serializable=True))
        assert isinstance(stale, RangeResponse) and stale.count == 1


def test_a_time_out_says_when_a_new_leader_or_a_lost_connection_may_be_why() -> None:
    """Who has only just begun to lead blames the old leader; who was cut off blames the connection."""
    with World(seed=5) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        now = world.now

        assert leader.timeout(leader.node.led_since - SECOND) == TIMED_OUT_LEADER_LOST
        assert leader.timeout(now - MILLISECOND) == TIMED_OUT
        follower = next(one for one in cluster.replicas.values() if one is not leader)
        assert follower.timeout(now - MILLISECOND) == TIMED_OUT
        name, others = follower.process.host, [one.process.host for one in cluster.replicas.values()]
        cut = world.network.partition([name], [one for one in others if one != name])
        world.advance(6 * SECOND)
        cut.heal()
        world.advance(SECOND)
        assert follower.timeout(world.now - 5 * SECOND) == TIMED_OUT_CONNECTION_LOST


def test_lease_reads_need_no_round() -> None:
    """The leader trusts its clock: an answer costs no message."""
    with World(seed=6) as world:
        cluster = Members(world, options=ReplicaOptions(read_only="lease"))
        leader = cluster.wait_for_leader()
        done: list[object] = []

        leader.when_current(done.append)

        assert done == [None]


def test_an_idle_cluster_writes_nothing() -> None:
    """No timers and no commits when nothing is pending."""
    with World(seed=7) as world:
        cluster = Members(world, options=SMALL)
        cluster.wait_for_leader()
        world.advance(SECOND)
        before = {
            name: len(one.disk.read("db")) + len(one.disk.read("wal"))
            for name, one in cluster.processes.items()
        }

        world.advance(60 * SECOND)

        assert before == {
            name: len(one.disk.read("db")) + len(one.disk.read("wal"))
            for name, one in cluster.processes.items()
        }


def test_a_compaction_goes_on_after_a_crash() -> None:
    """Its records are taken out in batches; a crash may fall between two."""
    with World(seed=8) as world:
        cluster = Members(world, 1, ReplicaOptions(compaction_batch=5))
        cluster.wait_for_leader()
        for _ in range(30):
            cluster.ask("etcd-0", Put(key="/a", value="v"))
        cluster.ask("etcd-0", Compact(30))
        world.advance(25 * MILLISECOND)
        left = len(cluster.replicas["etcd-0"].backend.versions)
        assert 2 < left < 30

        cluster.processes["etcd-0"].crash()
        cluster.processes["etcd-0"].start()
        world.advance(2 * SECOND)

        assert len(cluster.replicas["etcd-0"].backend.versions) == 2


def disturb(cluster: Members, luck: random.Random, name: str) -> None:
    """One thing that people or networks do to a cluster that runs."""
    world, replica = cluster.world, cluster.replicas[name]
    _, answer = cluster.take()
    kind = luck.randrange(6)
    if kind == 0:
        replica.defragment(answer)
    elif kind == 1:
        action = luck.choice([AlarmAction.ACTIVATE, AlarmAction.DEACTIVATE])
        replica.alarm(Alarm(action=action, member=1, kind=AlarmKind.NOSPACE), answer)
    elif kind == 2:
        replica.move_leader(luck.randrange(1, 5), answer)
    elif kind == 3:
        hosts = [one.host for one in cluster.processes.values()]
        alone = luck.choice(hosts)
        cut = world.network.partition([alone], [one for one in hosts if one != alone])
        cluster.processes[name].world.clock.at(world.now + luck.randrange(SECOND, 4 * SECOND), cut.heal)
    elif (
        kind == 4 and f"etcd-{len(cluster.processes)}" not in cluster.processes and len(cluster.processes) < 6
    ):
        newcomer = f"etcd-{len(cluster.processes)}"
        replica.member_add(MemberAdd(newcomer, is_learner=luck.random() < 0.3), answer)
        process = cluster.add_process(newcomer, [*cluster.processes, newcomer], joining=True)
        process.start()
    elif kind == 5 and len(cluster.processes) > 3 and replica.membership.members:
        replica.member_remove(MemberRemove(luck.choice(list(replica.membership.members))), answer)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=18)
@example(seed=36)
def test_members_agree_whatever_is_done_to_them(seed: int) -> None:
    """Defragmentation, alarms, moves, partitions, joins and removals between crashes: equal state at the end."""
    luck = random.Random(seed)
    with World(seed=seed) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        for _ in range(6):
            live_through(cluster, luck, 25)
            if cluster.replicas:
                disturb(cluster, luck, luck.choice(list(cluster.replicas)))
        world.advance(10 * SECOND)
        for process in cluster.processes.values():
            process.start()
        world.advance(20 * SECOND)

        leader = cluster.wait_for_leader()
        members = {one.name for one in leader.membership.all}
        states = {
            (one.applier.index, one.state.store.hash_kv(0), one.membership.all, one.alarms.on())
            for name, one in cluster.replicas.items()
            if name in members and cluster.processes[name].is_alive
        }
        assert len(states) == 1
        by_index: dict[int, tuple[int, int]] = {}
        for name in cluster.processes:
            for one in cluster.applied(name):
                said = (one.request_id, one.revision)
                assert by_index.setdefault(one.index, said) == said
