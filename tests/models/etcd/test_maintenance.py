"""Upkeep: alarms and quota, defragmentation that a crash may interrupt, leadership given away, status and hashes."""

from __future__ import annotations

import pytest

from chaoskube.bug import patched
from chaoskube.models.etcd import applying
from chaoskube.models.etcd.alarm import Alarms, cost, has_space
from chaoskube.models.etcd.backend import Backend
from chaoskube.models.etcd.events import AlarmCleared, AlarmRaised, LeaseGranted, Recovered
from chaoskube.models.etcd.messages import (
    BAD_LEADER_TRANSFEREE,
    CORRUPT_CLUSTER,
    NO_SPACE,
    Alarm,
    AlarmAction,
    AlarmKind,
    AlarmMember,
    AlarmResponse,
    Compact,
    DefragmentResponse,
    DeleteRange,
    DeleteRangeResponse,
    EtcdError,
    HashKVResponse,
    LeaseGrant,
    MoveLeaderResponse,
    Put,
    PutResponse,
    Range,
    Response,
    StatusResponse,
    Txn,
)
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.view import EtcdView
from chaoskube.sim import MILLISECOND, SECOND, Unsynced, World
from tests.models.etcd.members import Members

TIGHT = ReplicaOptions(quota_bytes=24 * 1024)


def alarm(
    cluster: Members, action: AlarmAction, kind: AlarmKind = AlarmKind.NONE, member: int = 1
) -> Response | EtcdError:
    number, answer = cluster.take()
    cluster.replicas["etcd-0"].alarm(Alarm(action=action, member=member, kind=kind), answer)
    return cluster.wait(number)


def defragment(cluster: Members, name: str) -> int:
    number, answer = cluster.take()
    cluster.replicas[name].defragment(answer)
    return number


def test_over_the_quota_writes_are_refused_until_space_is_made_and_the_alarm_disarmed() -> None:
    """Put, NOSPACE, delete, compact, defragment, disarm: the way that etcd's manual describes."""
    with World(seed=1) as world:
        cluster = Members(world, options=TIGHT)
        cluster.wait_for_leader()
        answers = [cluster.ask("etcd-0", Put(key="/big", value="x" * 1000)) for _ in range(5)]
        assert isinstance(answers[0], PutResponse)
        assert isinstance(answers[-1], EtcdError) and answers[-1].message == NO_SPACE.message
        world.advance(SECOND)
        assert {one.by for one in world.journal.entries if isinstance(one.event, AlarmRaised)} == set(
            cluster.processes
        )
        assert cluster.ask("etcd-1", LeaseGrant(ttl=60, id=5)) == NO_SPACE
        assert cluster.ask("etcd-1", Txn(success=(Put(key="/a", value="v"),))) == NO_SPACE
        assert isinstance(cluster.ask("etcd-1", DeleteRange(key="/big")), DeleteRangeResponse)

        revision = cluster.replicas["etcd-0"].state.store.revision
        cluster.ask("etcd-0", Compact(revision))
        world.advance(SECOND)
        for name in cluster.processes:
            assert isinstance(cluster.wait(defragment(cluster, name)), DefragmentResponse)
        assert cluster.ask("etcd-1", Put(key="/a", value="v")) == NO_SPACE, "the alarm is still on"
        for one in range(1, 4):
            alarm(cluster, AlarmAction.DEACTIVATE, AlarmKind.NOSPACE, one)
        assert alarm(cluster, AlarmAction.GET) == AlarmResponse(revision=revision)

        assert isinstance(cluster.ask("etcd-1", Put(key="/a", value="v")), PutResponse)
        assert cluster.events(AlarmCleared, "etcd-2")
        world.advance(SECOND)
        assert len(cluster.hashes()) == 1


def test_a_member_over_its_quota_carries_out_what_the_others_do() -> None:
    """Only its answer differs: sizes do, after a defragmentation here and not there (apply/quota.go)."""
    with World(seed=3) as world:
        view = EtcdView(world.journal)
        cluster = Members(world)
        cluster.wait_for_leader()
        full = cluster.replicas["etcd-0"].backend

        def only_others(backend: Backend, _request: object, _quota_bytes: int) -> bool:
            return backend is not full

        with patched(applying, "has_space", only_others):
            answer = cluster.ask("etcd-0", LeaseGrant(ttl=60, id=5))
            world.advance(SECOND)

        assert isinstance(answer, EtcdError) and answer.message == NO_SPACE.message
        assert all(cluster.events(LeaseGranted, name) for name in cluster.processes)
        assert view.store.state_conflict == ""


def test_a_corrupt_cluster_refuses_everything_but_alarms() -> None:
    """Also reads."""
    with World(seed=2) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        alarm(cluster, AlarmAction.ACTIVATE, AlarmKind.CORRUPT)

        assert cluster.ask("etcd-1", Put(key="/a", value="v")) == CORRUPT_CLUSTER
        assert cluster.replicas["etcd-1"].alarms.refusal(Range(key="/a")) == CORRUPT_CLUSTER
        alarm(cluster, AlarmAction.DEACTIVATE, AlarmKind.CORRUPT)
        assert isinstance(cluster.ask("etcd-1", Put(key="/a", value="v")), PutResponse)


def test_alarms_are_read_back_from_the_database() -> None:
    """A member that restarts, or gets a snapshot, refuses what the others refuse (issue 14571 was of this kind)."""
    backend = Backend()
    one = AlarmMember(member=2, kind=AlarmKind.NOSPACE)
    Alarms(backend).apply(Alarm(action=AlarmAction.ACTIVATE, member=2, kind=AlarmKind.NOSPACE))

    again = Alarms(Backend.load([backend.database()]))

    assert again.on() == again.on(AlarmKind.NOSPACE) == (one,)
    assert again.refusal(Put(key="a", value="b")) == NO_SPACE
    assert again.refusal(DeleteRange(key="a")) is None
    assert again.on(AlarmKind.CORRUPT) == ()


def test_what_costs_space_and_what_does_not() -> None:
    """Puts and grants; of a transaction the dearer branch (server/storage/quota.go)."""
    put = Put(key="ab", value="cde")
    assert cost(put) == 256 + 5
    assert cost(Txn(success=(put,), failure=(put, put))) == 2 * cost(put)
    assert cost(LeaseGrant(ttl=9)) == 64
    assert cost(Range(key="a")) == cost(DeleteRange(key="a")) == cost(Txn(success=(Range(key="a"),))) == 0
    backend = Backend()
    assert not has_space(backend, put, backend.size)
    assert has_space(backend, put, backend.size + cost(put) + 1)
    assert has_space(backend, DeleteRange(key="a"), 1)
    assert has_space(backend, put, -1)


@pytest.mark.parametrize("unsynced", list(Unsynced))
@pytest.mark.parametrize("after_ms", [0, 1, 2, 3, 10, 51, 52, 53, 54, 55, 56, 80])
def test_a_crash_while_defragmenting_applies_nothing_twice(unsynced: Unsynced, after_ms: int) -> None:
    """The commit that it begins with covers what was applied (issue 14685)."""
    with World(seed=3) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        for number in range(10):
            cluster.send("etcd-0", Put(key=f"/k{number}", value="v"))
        world.advance(20 * MILLISECOND)
        defragment(cluster, "etcd-1")
        world.advance(after_ms * MILLISECOND)

        cluster.processes["etcd-1"].crash(unsynced=unsynced)
        cluster.settle()

        assert len(cluster.hashes()) == 1
        assert cluster.replicas["etcd-1"].state.store.revision == 11


def test_defragmentation_keeps_everybody_waiting_and_makes_the_file_smaller() -> None:
    """Its member applies nothing meanwhile; Raft goes on."""
    with World(seed=4) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        name = next(one for one in cluster.processes if one != leader.process.name)
        replica = cluster.replicas[name]
        cluster.put_many(name, 50)
        cluster.ask(name, DeleteRange(key="/", range_end="0"))
        cluster.ask(name, Compact(replica.state.store.revision, physical=True))
        before, content = replica.status(), replica.hash_kv(0)
        current: list[object] = []

        number = defragment(cluster, name)
        cluster.ask(leader.process.name, Put(key="/meanwhile", value="v"))
        replica.when_current(lambda error: current.append((error, number in cluster.answers)))
        world.advance(30 * MILLISECOND)
        assert (replica.status().raft_applied_index, current) == (before.raft_applied_index, [])
        assert replica.status().raft_index > before.raft_index
        cluster.wait(number)
        world.advance(SECOND)

        assert current == [(None, True)]
        after = replica.status()
        assert after.db_size < before.db_size and after.db_size >= after.db_size_in_use
        assert isinstance(content, HashKVResponse) and replica.hash_kv(content.revision) != content
        assert len(cluster.hashes()) == 1


def test_leadership_moves_to_who_is_named() -> None:
    """In one tick or two, without an election time-out."""
    with World(seed=5) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        target = next(one for one in cluster.replicas.values() if one is not leader)
        number, answer = cluster.take()
        leader.move_leader(target.id, answer)
        world.advance(300 * MILLISECOND)

        assert isinstance(cluster.answers[number], MoveLeaderResponse)
        assert cluster.leader is target
        number, answer = cluster.take()
        target.move_leader(9, answer)
        assert cluster.answers[number] == BAD_LEADER_TRANSFEREE


def test_a_move_to_a_member_that_is_down_times_out() -> None:
    """With words of its own."""
    with World(seed=6) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        target = next(one for one in cluster.replicas.values() if one is not leader)
        target.process.crash()
        number, answer = cluster.take()
        leader.move_leader(target.id, answer)

        late = cluster.wait(number)

        assert isinstance(late, EtcdError) and "leader transfer took too long" in late.message


def test_a_leader_that_is_told_to_stop_gives_leadership_away_first() -> None:
    """SIGTERM: no election time-out without a leader, and nothing left to replay."""
    with World(seed=7) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        world.advance(SECOND)
        process = leader.process
        cluster.put_many(process.name, 3)
        assert process.on_sigterm is not None

        process.on_sigterm()
        world.advance(300 * MILLISECOND)

        assert not process.is_alive
        assert cluster.leader is not None
        process.start()
        recovered = cluster.events(Recovered, process.name)[-1]
        assert isinstance(recovered, Recovered) and recovered.revision == 4


def test_status_says_what_the_member_knows() -> None:
    """Also what is wrong."""
    with World(seed=8) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        alarm(cluster, AlarmAction.ACTIVATE, AlarmKind.NOSPACE)
        status = leader.status()
        assert isinstance(status, StatusResponse)
        assert (status.member, status.leader, status.is_learner) == (leader.id, leader.id, False)
        assert status.raft_index == status.raft_applied_index > 3
        assert status.errors == ("memberID:1 alarm:NOSPACE ",)
        for name in cluster.processes:
            if name != leader.process.name:
                cluster.processes[name].crash()
        world.advance(3 * SECOND)

        assert leader.status().errors[0] == "etcdserver: no leader"
