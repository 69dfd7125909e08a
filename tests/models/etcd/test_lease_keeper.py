"""Lease time: only a leader that is confirmed tells of it, and it survives changes of leader."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from chaoskube.bug import patched
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.lease_keeper import NOT_PRIMARY, LeaseKeeper
from chaoskube.models.etcd.messages import (
    NO_LEADER,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseLeases,
    LeaseLeasesResponse,
    LeaseRevoke,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Put,
    RangeResponse,
)
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.sim import SECOND, Process, World
from tests.models.etcd.cluster import Cluster

MINUTE = 60 * SECOND


def other(cluster: Cluster, than: Process) -> int:
    return next(place for place, one in enumerate(cluster.members) if one is not than)


def grant(cluster: Cluster, ttl: int, lease: int = 7, at: int = 0) -> None:
    cluster.ask(LeaseGrant(ttl=ttl, id=lease), at)
    cluster.ask(Put(key=f"/{lease}", value="x", lease=lease), at)


def has_key(cluster: Cluster, at: int, lease: int = 7) -> bool:
    found = cluster.get(f"/{lease}", at)
    assert isinstance(found, RangeResponse)
    return bool(found.kvs)


def alive(cluster: Cluster, at: int, lease: int = 7) -> object:
    answer = cluster.ask(LeaseKeepAlive(lease), at)
    return answer.ttl if isinstance(answer, LeaseKeepAliveResponse) else answer


def left(cluster: Cluster, at: int, lease: int = 7) -> int:
    answer = cluster.ask(LeaseTimeToLive(lease), at)
    assert isinstance(answer, LeaseTimeToLiveResponse), answer
    return answer.ttl


def test_any_member_answers_for_the_leader() -> None:
    """Keep-alives, time to live (with keys), and which leases exist; the recording etcd-lease-lifecycle."""
    with World(seed=61) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        grant(cluster, ttl=60)
        cluster.ask(LeaseGrant(ttl=5, id=3))
        for at in range(3):
            assert alive(cluster, at) == 60
            found = cluster.ask(LeaseTimeToLive(7, keys=True), at)
            assert found == LeaseTimeToLiveResponse(revision=2, id=7, ttl=59, granted_ttl=60, keys=("/7",))
            assert left(cluster, at, lease=555) == -1
            assert alive(cluster, at, lease=555) == 0
        at = cluster.members.index(cluster.leader())

        assert cluster.ask(LeaseLeases(), at) == LeaseLeasesResponse(revision=2, leases=(3, 7))


def asked_after_a_revocation() -> object:
    """A leader is cut off and sleeps; the next one revokes a lease; the first wakes to a keep-alive."""
    with World(seed=62) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        at, rest = cluster.members.index(leader), other(cluster, leader)
        grant(cluster, ttl=60)
        world.network.partition([leader.host], [one.host for one in cluster.members if one is not leader])
        leader.pause()
        world.advance(4 * SECOND)
        cluster.ask(LeaseRevoke(7), rest)
        outcomes: list[Outcome] = []
        cluster.clients[at].request(LeaseKeepAlive(7), outcomes.append, 20 * SECOND)
        world.advance(SECOND)
        leader.resume()
        world.advance(9 * SECOND)
        return outcomes[0].ttl if isinstance(outcomes[0], LeaseKeepAliveResponse) else outcomes[0]


def test_a_leader_that_was_replaced_renews_nothing() -> None:
    """Etcd PR 20615. The bug is one patch away: a leader that trusts itself."""
    assert asked_after_a_revocation() == NOT_PRIMARY

    with patched(LeaseKeeper, "confirm_leadership", lambda self, go_on: go_on(None)):
        assert asked_after_a_revocation() == 60


def test_a_leader_without_a_quorum_renews_nothing() -> None:
    """Cut off, it cannot know; whoever asks hears after 7 s that it isn't the one."""
    with World(seed=63) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        grant(cluster, ttl=60)
        hosts = [one.host for one in cluster.members if one is not leader]
        world.network.partition([leader.host], hosts)

        assert alive(cluster, cluster.members.index(leader)) == NOT_PRIMARY
        assert alive(cluster, other(cluster, leader)) == 60


def test_without_a_leader_lease_time_is_nobodys() -> None:
    """After 7 s: no leader (v3_server.go waitLeader)."""
    with World(seed=71) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        grant(cluster, ttl=60)
        at = other(cluster, leader)
        for place, one in enumerate(cluster.members):
            if place != at:
                one.crash()

        began = world.now
        assert alive(cluster, at) == NO_LEADER
        assert 7 * SECOND <= world.now - began < 7.1 * SECOND
        assert cluster.ask(LeaseTimeToLive(7), at) == NO_LEADER


def test_a_lease_that_has_run_out_is_gone_before_a_keep_alive_is_answered() -> None:
    """Between its end and the next look (500 ms) nobody can save it (lessor.go Renew)."""
    with World(seed=64) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        grant(cluster, ttl=2)
        began = world.now
        while left(cluster, 0) > 0:
            world.advance(SECOND // 100)
        world.advance(SECOND - SECOND // 100)

        assert alive(cluster, 0) == 0
        assert not has_key(cluster, 0)
        assert 2 * SECOND <= world.now - began < 2.7 * SECOND


def test_a_new_leader_gives_every_lease_its_time_again() -> None:
    """Without checkpoints: from its election on, and an election time-out more (Promote)."""
    with World(seed=65) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        at = other(cluster, leader)
        grant(cluster, ttl=10, at=at)
        world.advance(8 * SECOND)
        leader.crash()
        world.advance(4 * SECOND)

        assert has_key(cluster, at) and left(cluster, at) >= 6
        world.advance(12 * SECOND)
        assert not has_key(cluster, at)


def life_of_a_dead_clients_lease(options: ReplicaOptions) -> int:
    """Seconds until the key of a lease of 10 min is gone, with a new leader every 4 min."""
    with World(seed=66) as world:
        cluster = Cluster(world, options=options)
        cluster.wait_for_leader()
        grant(cluster, ttl=600)
        began = world.now
        for _ in range(8):
            world.advance(4 * MINUTE)
            leader = cluster.leader()
            leader.crash()
            world.advance(5 * SECOND)
            leader.start()
            world.advance(5 * SECOND)
            if not has_key_somewhere(cluster):
                break
        return (world.now - began) // SECOND


def has_key_somewhere(cluster: Cluster) -> bool:
    at = cluster.members.index(cluster.leader())
    for _ in range(2):
        found = cluster.get("/7", at)
        if isinstance(found, RangeResponse):
            return bool(found.kvs)
    raise AssertionError("nobody answers")


def test_checkpoints_let_leases_end_however_often_the_leader_changes() -> None:
    """Etcd issue 9888: without them each new leader begins anew, and the lease lives for ever."""
    noted = ReplicaOptions(lease_checkpoint_ns=MINUTE, lease_checkpoint_persist=True)

    assert life_of_a_dead_clients_lease(noted) < 1_300
    assert life_of_a_dead_clients_lease(ReplicaOptions(lease_checkpoint_ns=0)) > 1_900


def test_a_renewed_lease_forgets_its_checkpoint() -> None:
    """Else the next leader would end it early: the note is cleared through Raft before the answer."""
    with World(seed=67) as world:
        options = ReplicaOptions(lease_checkpoint_ns=MINUTE, lease_checkpoint_persist=True)
        cluster = Cluster(world, options=options)
        leader = cluster.wait_for_leader()
        at = other(cluster, leader)
        grant(cluster, ttl=300, at=at)
        world.advance(4 * MINUTE)
        assert alive(cluster, at) == 300
        leader.crash()
        world.advance(5 * SECOND)

        assert left(cluster, at) > 280


def test_a_paused_leader_revokes_nothing_that_the_next_one_renewed() -> None:
    """Etcd issue 15247: it would have asked the new leader to revoke what had run out in its sleep."""
    with World(seed=68) as world:
        cluster = Cluster(world)
        leader = cluster.wait_for_leader()
        at = other(cluster, leader)
        grant(cluster, ttl=5, at=at)
        leader.pause()
        world.advance(4 * SECOND)
        for _ in range(5):
            assert alive(cluster, at) == 5
            world.advance(SECOND)
        leader.resume()
        world.advance(3 * SECOND)

        assert has_key(cluster, at)


def test_leases_run_on_the_leaders_own_clock() -> None:
    """A leader whose crystal is fast ends leases early, one that is slow ends them late."""

    def life(drift_ppm: int) -> float:
        with World(seed=69) as world:
            cluster = Cluster(world, size=1)
            cluster.wait_for_leader()
            world.host(cluster.members[0].host).drift(drift_ppm)
            grant(cluster, ttl=20)
            began = world.now
            while has_key(cluster, 0):
                world.advance(SECOND // 10)
            return (world.now - began) / SECOND

    fast, right, slow = life(100_000), life(0), life(-100_000)
    assert fast < 19.5
    assert 20 <= right < 20.7
    assert slow > 21.5


def test_many_leases_end_at_once() -> None:
    """At most 500 a look; all are gone in the end, and a keep-alive in the middle is still answered."""
    with World(seed=70) as world:
        cluster = Cluster(world, size=1)
        cluster.wait_for_leader()
        for lease in range(100, 1300):
            cluster.clients[0].request(LeaseGrant(ttl=5, id=lease), lambda outcome: None)
        world.advance(SECOND)
        listing = partial(cluster.ask, LeaseLeases())
        sizes = []
        for _ in range(16):
            world.advance(SECOND // 2)
            answer = listing()
            assert isinstance(answer, LeaseLeasesResponse)
            sizes.append(len(answer.leases))

        steps = [before - after for before, after in pairwise(sizes)]
        assert sizes[0] == 1200 and sizes[-1] == 0 and max(steps) <= 500
