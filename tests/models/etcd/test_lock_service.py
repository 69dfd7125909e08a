"""Locks and elections by calls to a member, as recorded from a real one (etcd-lock-service, etcd-election-service)."""

from __future__ import annotations

from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.concurrency import NOBODY_ELECTED, NOT_ELECTED
from chaoskube.models.etcd.lock_messages import (
    Campaign,
    CampaignResponse,
    Leader,
    LeaderKey,
    LeaderResponse,
    Lock,
    LockResponse,
    Observe,
    Proclaim,
    ProclaimResponse,
    Resign,
    ResignResponse,
    Unlock,
    UnlockResponse,
)
from chaoskube.models.etcd.messages import (
    Answer,
    Call,
    LeaseGrant,
    LeaseRevoke,
    LeaseRevokeResponse,
    Range,
    RangeResponse,
    prefix_end,
)
from chaoskube.sim import SECOND, Process, World
from tests.models.etcd.cluster import Cluster


def started(world: World) -> Cluster:
    cluster = Cluster(world, size=1)
    cluster.wait_for_leader()
    for lease in (1, 2):
        cluster.ask(LeaseGrant(ttl=30, id=lease))
    return cluster


def count(cluster: Cluster, prefix: str) -> int:
    found = cluster.ask(Range(key=prefix, range_end=prefix_end(prefix)))
    assert isinstance(found, RangeResponse)
    return found.count


def test_the_lock_service_answers_what_was_recorded() -> None:
    """Keys L/1 and L/2; the second waits, and is answered at the revision that freed it."""
    with World(seed=91) as world:
        cluster = started(world)
        waiting: list[Outcome] = []

        assert cluster.ask(Lock(name="L", lease=1)) == LockResponse(revision=2, key="L/1")
        cluster.clients[0].request(Lock(name="L", lease=2), waiting.append)
        world.advance(SECOND)
        assert (waiting, count(cluster, "L/")) == ([], 2)
        assert cluster.ask(Unlock("L/1")) == UnlockResponse(revision=4)
        world.advance(SECOND)
        assert waiting == [LockResponse(revision=4, key="L/2")]
        assert cluster.ask(LeaseRevoke(2)) == LeaseRevokeResponse(revision=5)
        assert count(cluster, "L/") == 0


def test_the_election_service_answers_what_was_recorded() -> None:
    """Campaign, leader, proclaim, a second candidate, resign, a ghost."""
    with World(seed=92) as world:
        cluster = started(world)
        bob: list[Outcome] = []
        alice_key = LeaderKey(name="E", key="E/1", revision=2, lease=1)

        assert cluster.ask(Leader("E")) == NOBODY_ELECTED
        assert cluster.ask(Campaign(name="E", lease=1, value="alice")) == CampaignResponse(
            revision=2, leader=alice_key
        )
        cluster.clients[0].request(Campaign(name="E", lease=2, value="bob"), bob.append)
        world.advance(SECOND)
        alice = cluster.ask(Leader("E"))
        assert isinstance(alice, LeaderResponse) and (alice.revision, alice.kv.value) == (3, "alice")
        assert cluster.ask(Proclaim(leader=alice_key, value="alice-2")) == ProclaimResponse(revision=4)
        assert bob == []
        assert cluster.ask(Resign(alice_key)) == ResignResponse(revision=5)
        world.advance(SECOND)
        bob_key = LeaderKey(name="E", key="E/2", revision=3, lease=2)
        assert bob == [CampaignResponse(revision=3, leader=bob_key)]
        elected = cluster.ask(Leader("E"))
        assert isinstance(elected, LeaderResponse)
        assert (elected.kv.value, elected.kv.create_revision) == ("bob", 3)
        assert cluster.ask(Proclaim(leader=alice_key, value="ghost")) == NOT_ELECTED


def test_an_observer_is_told_each_leader_and_each_value() -> None:
    """The stream of the recording: alice at 2, alice-2 at 4, bob at 5; one call, many answers."""
    with World(seed=95) as world:
        cluster = started(world)
        told: list[object] = []

        def boot(process: Process) -> None:
            process.connect(cluster.endpoints[0], on_message=told.append).send(Call(1, Observe("E")))

        watcher = world.process("watcher", host="watcher", boot=boot)
        watcher.start()
        world.advance(SECOND)
        alice = LeaderKey(name="E", key="E/1", revision=2, lease=1)
        cluster.ask(Campaign(name="E", lease=1, value="alice"))
        cluster.clients[0].request(Campaign(name="E", lease=2, value="bob"), lambda outcome: None)
        world.advance(SECOND)
        cluster.ask(Proclaim(leader=alice, value="alice-2"))
        cluster.ask(Resign(alice))
        world.advance(SECOND)
        watcher.crash()
        world.advance(SECOND)
        cluster.ask(LeaseRevoke(2))

        answers = [one.response for one in told if isinstance(one, Answer)]
        heard = [(one.revision, one.kv.value) for one in answers if isinstance(one, LeaderResponse)]
        assert heard == [(2, "alice"), (4, "alice-2"), (5, "bob")]


def test_a_caller_that_hangs_up_leaves_the_queue() -> None:
    """Its key goes, and with it its claim."""
    with World(seed=93) as world:
        cluster = started(world)
        cluster.ask(Lock(name="L", lease=1))

        def boot(process: Process) -> None:
            EtcdClient(process, cluster.endpoints).request(Lock(name="L", lease=2), lambda outcome: None)

        caller = world.process("caller", host="caller", boot=boot)
        caller.start()
        world.advance(SECOND)
        assert count(cluster, "L/") == 2
        caller.crash()
        world.advance(SECOND)

        assert count(cluster, "L/") == 1


def test_without_a_lease_the_member_grants_one() -> None:
    """60 s, and nobody keeps it alive (v3lock.go: the session is orphaned)."""
    with World(seed=94) as world:
        cluster = started(world)
        held = cluster.ask(Lock(name="L"))
        assert isinstance(held, LockResponse) and held.key not in ("L/1", "L/2")
        world.advance(55 * SECOND)
        assert count(cluster, "L/") == 1
        world.advance(8 * SECOND)
        assert count(cluster, "L/") == 0
