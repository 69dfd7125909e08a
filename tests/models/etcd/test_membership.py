"""Members come and go: as learner or voter, by snapshot or log, never in a way that strict checks forbid."""

from __future__ import annotations

from typing import cast

import pytest

from chaoskube.models.etcd import raft_node, reconfiguration
from chaoskube.models.etcd.backend import Backend
from chaoskube.models.etcd.events import MemberStopped, SnapshotInstalled
from chaoskube.models.etcd.membership import Membership, check_cluster, cluster_id, is_restored
from chaoskube.models.etcd.messages import (
    LEARNER_NOT_READY,
    MEMBER_NOT_ENOUGH_STARTED,
    MEMBER_NOT_FOUND,
    MEMBER_NOT_LEARNER,
    PEER_URL_EXISTS,
    TOO_MANY_LEARNERS,
    UNHEALTHY,
    EtcdError,
    Member,
    MemberAdd,
    MemberAddResponse,
    MemberList,
    MemberListResponse,
    MemberPromote,
    MemberPromoteResponse,
    MemberRemove,
    MemberRemoveResponse,
    Put,
    PutResponse,
    Response,
)
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.restore import erase
from chaoskube.models.raft.events import ConfigApplied
from chaoskube.models.raft.messages import ConfChange, ConfChangeType, Message, MessageType
from chaoskube.sim import SECOND, UsageError, World
from tests.models.etcd.members import SMALL, Members

Change = MemberAdd | MemberRemove | MemberPromote | MemberList


def change(cluster: Members, at: str, request: Change) -> Response | EtcdError:
    replica = cluster.replicas[at]
    number, answer = cluster.take()
    if isinstance(request, MemberAdd):
        replica.member_add(request, answer)
    elif isinstance(request, MemberRemove):
        replica.member_remove(request, answer)
    elif isinstance(request, MemberPromote):
        replica.member_promote(request, answer)
    else:
        replica.member_list(request, answer)
    return cluster.wait(number)


def join(cluster: Members, name: str, *, is_learner: bool = False) -> int:
    """Add a member and start it; its id."""
    answer = change(cluster, "etcd-0", MemberAdd(name, is_learner=is_learner))
    assert isinstance(answer, MemberAddResponse), answer
    cluster.add_process(name, [*cluster.processes, name], joining=True).start()
    cluster.world.advance(2 * SECOND)
    return answer.member.id


@pytest.mark.parametrize("writes", [3, 60])
def test_a_member_joins_by_log_or_by_snapshot_and_votes(writes: int) -> None:
    """It learns from the others who it is, and gets the rest from the leader."""
    with World(seed=1) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        cluster.put_many("etcd-0", writes)
        world.advance(SECOND)

        number = join(cluster, "etcd-3")
        cluster.settle()

        assert number == 4
        assert bool(cluster.events(SnapshotInstalled, "etcd-3")) == (writes > 20)
        assert len(cluster.hashes()) == 1
        assert cluster.replicas["etcd-3"].membership.members[4].is_started
        assert cluster.replicas["etcd-0"].raft.tracker.config.voters.incoming == (1, 2, 3, 4)
        for name in ("etcd-1", "etcd-2"):
            cluster.processes[name].crash()
        number = cluster.send("etcd-3", Put(key="/x", value="v"))
        world.advance(5 * SECOND)
        assert number not in cluster.answers, "2 of 4 are no majority"
        cluster.processes["etcd-1"].start()
        assert isinstance(cluster.ask("etcd-3", Put(key="/y", value="v")), PutResponse)


def test_a_learner_is_promoted_when_it_has_caught_up_and_not_before() -> None:
    """Nine tenths of the leader's log, which only the leader knows; others pass the request on."""
    with World(seed=2) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        follower = next(name for name in cluster.processes if name != leader.process.name)
        cluster.put_many("etcd-0", 40)
        answer = change(cluster, "etcd-0", MemberAdd("etcd-3", is_learner=True))
        assert isinstance(answer, MemberAddResponse) and answer.member == Member(
            id=4, name="etcd-3", is_learner=True
        )
        assert change(cluster, "etcd-0", MemberAdd("etcd-4", is_learner=True)) == TOO_MANY_LEARNERS

        assert change(cluster, follower, MemberPromote(4)) == LEARNER_NOT_READY
        cluster.add_process("etcd-3", [*cluster.processes, "etcd-3"], joining=True).start()
        world.advance(3 * SECOND)
        assert cluster.replicas["etcd-3"].is_learner
        promoted = change(cluster, follower, MemberPromote(4))

        assert isinstance(promoted, MemberPromoteResponse)
        assert promoted.members[3] == Member(id=4, name="etcd-3")
        assert change(cluster, follower, MemberPromote(4)) == MEMBER_NOT_LEARNER
        assert change(cluster, follower, MemberPromote(9)) == MEMBER_NOT_FOUND
        cluster.settle()
        assert not cluster.replicas["etcd-3"].is_learner
        last = cast(ConfigApplied, cluster.events(ConfigApplied, "etcd-3")[-1])
        assert (last.voters, last.learners) == (("etcd-0", "etcd-1", "etcd-2", "etcd-3"), ())


def test_a_removed_member_stops_and_its_id_is_never_given_again() -> None:
    """Also when it was away and hears of it from the others alone."""
    with World(seed=3) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        cluster.processes["etcd-2"].crash()

        removed = change(cluster, "etcd-0", MemberRemove(3))
        assert isinstance(removed, MemberRemoveResponse) and len(removed.members) == 2
        assert change(cluster, "etcd-0", MemberRemove(3)) == MEMBER_NOT_FOUND
        cluster.processes["etcd-2"].start()
        world.advance(10 * SECOND)

        assert not cluster.processes["etcd-2"].is_alive
        assert cluster.events(MemberStopped, "etcd-2") == [
            MemberStopped("the member has been permanently removed from the cluster")
        ]
        erase(cluster.processes.pop("etcd-2"))
        assert join(cluster, "etcd-3") == 4


def test_a_member_that_comes_back_is_another_whoever_tells_it_so() -> None:
    """One that is behind knows the former only, as a member that has started."""
    with World(seed=11) as world:
        cluster = Members(world, options=ReplicaOptions(strict_reconfig_check=False))
        cluster.wait_for_leader()
        former = join(cluster, "etcd-3")
        cut = world.network.partition(["host-etcd-0"], ["host-etcd-1", "host-etcd-2"])
        world.advance(10 * SECOND)

        assert isinstance(change(cluster, "etcd-1", MemberRemove(former)), MemberRemoveResponse)
        world.advance(10 * SECOND)
        process = cluster.processes["etcd-3"]
        assert not process.is_alive
        erase(process)
        added = change(cluster, "etcd-1", MemberAdd("etcd-3", is_learner=True))
        assert isinstance(added, MemberAddResponse)
        assert former in cluster.replicas["etcd-0"].membership.members, "it is behind"
        process.start()
        world.advance(10 * SECOND)

        assert cluster.replicas["etcd-3"].id == added.member.id
        cut.heal()
        world.advance(10 * SECOND)
        assert process.is_alive
        assert (
            cluster.replicas["etcd-3"].state.store.revision == cluster.replicas["etcd-1"].state.store.revision
        )


def test_what_was_meant_for_a_former_member_is_not_for_its_namesake() -> None:
    """A late answer "you were removed", a late message of Raft: on a real network neither would find it."""
    with World(seed=12) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        join(cluster, "etcd-3")
        late = Message(type=MessageType.MSG_APP, to=99, from_=1, term=1000)
        for message in (late, raft_node.Gone(99)):
            cluster.processes["etcd-0"].send("etcd-3", message)
        world.advance(5 * SECOND)

        assert cluster.processes["etcd-3"].is_alive
        assert cluster.replicas["etcd-3"].raft.term < 1000


def test_a_leader_that_is_removed_lets_the_others_go_on() -> None:
    """It applies its own removal, and ends."""
    with World(seed=4) as world:
        cluster = Members(world)
        leader = cluster.wait_for_leader()
        name = leader.process.name

        assert isinstance(change(cluster, name, MemberRemove(leader.id)), MemberRemoveResponse)
        world.advance(10 * SECOND)

        assert not cluster.processes.pop(name).is_alive
        other = next(iter(cluster.processes))
        assert isinstance(cluster.ask(other, Put(key="/x", value="v")), PutResponse)
        listed = change(cluster, other, MemberList())
        assert isinstance(listed, MemberListResponse) and name not in [one.name for one in listed.members]


def test_strict_checks_refuse_what_would_break_the_quorum() -> None:
    """A second newcomer before the first has started; one less when two of three are up; too few in reach."""
    with World(seed=5) as world:
        cluster = Members(world)
        cluster.wait_for_leader()
        world.advance(SECOND)
        assert change(cluster, "etcd-0", MemberAdd("etcd-1")) == PEER_URL_EXISTS
        cluster.processes["etcd-2"].crash()
        world.advance(3 * SECOND)
        assert change(cluster, "etcd-0", MemberAdd("etcd-3")) == UNHEALTHY
        other = cluster.replicas["etcd-1"].id
        assert change(cluster, "etcd-0", MemberRemove(other)) == UNHEALTHY
        cluster.processes["etcd-2"].start()
        world.advance(3 * SECOND)
        assert isinstance(change(cluster, "etcd-0", MemberAdd("etcd-3")), MemberAddResponse)
        assert isinstance(change(cluster, "etcd-0", MemberAdd("etcd-4")), MemberAddResponse)
        assert change(cluster, "etcd-0", MemberAdd("etcd-5")) == MEMBER_NOT_ENOUGH_STARTED


def test_without_strict_checks_anything_goes() -> None:
    """The flag that people set when they know better."""
    with World(seed=6) as world:
        cluster = Members(world, options=ReplicaOptions(strict_reconfig_check=False))
        cluster.wait_for_leader()
        cluster.processes["etcd-2"].crash()
        world.advance(3 * SECOND)

        assert isinstance(change(cluster, "etcd-0", MemberAdd("etcd-3")), MemberAddResponse)


@pytest.mark.parametrize("size", range(1, 8))
def test_clusters_of_1_to_7_write_with_a_majority(size: int) -> None:
    """Odd and even; one less than a majority writes nothing."""
    with World(seed=7) as world:
        cluster = Members(world, size)
        cluster.wait_for_leader()
        names = list(cluster.processes)
        majority = size // 2 + 1
        for name in names[majority:]:
            cluster.processes[name].crash()
        world.advance(4 * SECOND)
        assert isinstance(cluster.ask(names[0], Put(key="/x", value="v")), PutResponse)
        if size == 1:
            return
        cluster.processes[names[majority - 1]].crash()
        world.advance(4 * SECOND)
        assert isinstance(cluster.ask(names[0], Put(key="/y", value="v")), EtcdError)


def test_a_cluster_that_cannot_be_is_refused_in_one_sentence() -> None:
    """Nobody, somebody twice, too many."""
    with pytest.raises(UsageError, match="at least 1 member"):
        check_cluster(())
    with pytest.raises(UsageError, match="etcd-1 stands there more than once"):
        check_cluster(("etcd-0", "etcd-1", "etcd-1"))
    with pytest.raises(UsageError, match="8 members are too many"):
        check_cluster([f"etcd-{place}" for place in range(8)])
    check_cluster([f"etcd-{place}" for place in range(7)])


def test_what_a_change_is_checked_against_is_the_database_alone() -> None:
    """Another life, or a snapshot, decides the same."""
    backend = Backend()
    from chaoskube.models.etcd.membership import NewMember

    add = ConfChange(type=ConfChangeType.ADD_NODE, node_id=1, context=NewMember("a"))
    remove = ConfChange(type=ConfChangeType.REMOVE_NODE, node_id=1)
    first = Membership(backend)
    assert first.validate(add) is None
    first.apply(add)
    assert first.validate(remove) is None
    first.apply(remove)

    second = Membership(Backend.load([backend.database()]))

    assert second.validate(add) == MEMBER_NOT_FOUND
    assert (second.next_id, second.members, second.removed) == (2, {}, {1: "a"})


def test_small_decisions() -> None:
    """Readiness, and numbers of clusters."""
    assert reconfiguration.is_caught_up(90, 100)
    assert not reconfiguration.is_caught_up(89, 100)
    assert cluster_id(("b", "a")) == cluster_id(("a", "b")) != cluster_id(("a", "b"), "x")
    assert is_restored(cluster_id(("a",), "x")) and not is_restored(cluster_id(("a",)))
    assert SMALL.strict_reconfig_check
