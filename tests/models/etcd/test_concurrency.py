"""Sessions, locks and elections among tasks, with the lock that was not looked at again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from chaoskube.bug import patched
from chaoskube.models.etcd.client import EtcdClient
from chaoskube.models.etcd.concurrency import (
    LOCK_RELEASED,
    LOCKED,
    NOBODY_ELECTED,
    NOT_ELECTED,
    SESSION_EXPIRED,
    Context,
    Election,
    Mutex,
    Session,
)
from chaoskube.models.etcd.messages import LeaseRevoke, Put, RangeResponse, Txn, TxnResponse, prefix_end
from chaoskube.models.etcd.messages import Range as Read
from chaoskube.sim import SECOND, Process, Refused, TimedOut, World
from tests.models.etcd.cluster import Cluster

Work = Callable[[EtcdClient], Awaitable[None]]


def run(cluster: Cluster, name: str, work: Work) -> Process:
    """A process of its own whose task does `work`."""

    async def body(process: Process) -> None:
        await work(EtcdClient(process, cluster.endpoints))

    process = cluster.world.process(name, host=name, boot=lambda process: process.spawn(body, process))
    process.start()
    return process


async def refused(awaitable: Awaitable[object]) -> object:
    try:
        return await awaitable
    except Refused as no:
        return no.status


def keys(cluster: Cluster, prefix: str) -> list[str]:
    found = cluster.ask(Read(key=prefix, range_end=prefix_end(prefix)))
    assert isinstance(found, RangeResponse)
    return [kv.key for kv in found.kvs]


def test_one_holds_the_lock_and_the_others_wait_in_order() -> None:
    """Oldest first; the holder's condition holds in a transaction as long as it holds the lock."""
    with World(seed=81) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        said: list[str] = []

        def worker(name: str) -> Work:
            async def work(client: EtcdClient) -> None:
                session = await Session.open(client, ttl=10)
                mutex = Mutex(session, "jobs")
                await mutex.lock()
                said.append(f"{name} in")
                written = await client.call(
                    Txn(compare=(mutex.is_owner(),), success=(Put(key="/owner", value=name),))
                )
                assert isinstance(written, TxnResponse) and written.succeeded
                await client.process.sleep(3 * SECOND)
                said.append(f"{name} out")
                await mutex.unlock()
                assert await refused(mutex.unlock()) == LOCK_RELEASED
                await session.close()

            return work

        for name in ("a", "b", "c"):
            run(cluster, name, worker(name))
            world.advance(SECOND // 10)
        world.advance(20 * SECOND)

        assert said == ["a in", "a out", "b in", "b out", "c in", "c out"]
        assert keys(cluster, "jobs") == []


def lock_after_a_long_sleep() -> list[object]:
    """A waiter sleeps past its TTL while it is queued; the queue drains to the next one."""
    with World(seed=82) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        held: list[object] = []

        def worker(name: str, seconds: int) -> Work:
            async def work(client: EtcdClient) -> None:
                mutex = Mutex(await Session.open(client, ttl=5), "jobs")
                outcome = await refused(mutex.lock())
                held.append((name, outcome if not isinstance(outcome, int) else "holds"))
                await client.process.sleep(seconds * SECOND)
                if isinstance(outcome, int):
                    await mutex.unlock()

            return work

        run(cluster, "first", worker("first", 3))
        world.advance(SECOND // 10)
        sleeper = run(cluster, "sleeper", worker("sleeper", 30))
        world.advance(SECOND // 10)
        run(cluster, "third", worker("third", 30))
        world.advance(SECOND // 10)
        sleeper.pause()
        world.advance(12 * SECOND)
        sleeper.resume()
        world.advance(3 * SECOND)
        return held


def test_a_lock_is_not_held_without_its_key() -> None:
    """Jepsen's etcd 3.4.3 report; the look after the wait is one method, and without it two hold the lock."""
    assert lock_after_a_long_sleep() == [
        ("first", "holds"),
        ("third", "holds"),
        ("sleeper", SESSION_EXPIRED),
    ]

    async def trust(self: Mutex) -> int | None:
        return 1

    with patched(Mutex, "_is_still_queued", trust):
        assert [one for one in lock_after_a_long_sleep() if one == ("sleeper", "holds")]


def test_a_dead_holder_frees_the_lock_when_its_lease_ends() -> None:
    """Nobody unlocks for it; until then the others wait."""
    with World(seed=83) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        times: dict[str, int] = {}

        def worker(name: str) -> Work:
            async def work(client: EtcdClient) -> None:
                await Mutex(await Session.open(client, ttl=5), "jobs").lock()
                times[name] = client.process.now

            return work

        first = run(cluster, "first", worker("first"))
        world.advance(SECOND)
        run(cluster, "second", worker("second"))
        world.advance(SECOND)
        first.crash()
        crashed = world.now
        world.advance(10 * SECOND)

        assert 2 * SECOND < times["second"] - crashed < 6 * SECOND


def test_waiting_has_an_end_if_the_caller_wants_one() -> None:
    """Its place in the queue is given up then; `try_lock` doesn't wait at all."""
    with World(seed=84) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        said: list[object] = []

        async def holder(client: EtcdClient) -> None:
            await Mutex(await Session.open(client), "jobs").lock()

        async def impatient(client: EtcdClient) -> None:
            mutex = Mutex(await Session.open(client), "jobs")
            with pytest.raises(TimedOut):
                await mutex.lock(Context(client.process, timeout_ns=2 * SECOND))
            said.append(client.process.now)
            said.append(await refused(mutex.try_lock()))

        run(cluster, "holder", holder)
        world.advance(SECOND)
        began = world.now
        run(cluster, "impatient", impatient)
        world.advance(5 * SECOND)

        assert isinstance(said[0], int) and 2 * SECOND <= said[0] - began < 2.2 * SECOND
        assert said[1] == LOCKED
        assert len(keys(cluster, "jobs")) == 1


def test_a_wait_outlives_the_member_that_it_watches() -> None:
    """Reads and watches are tried elsewhere, as the Go client does."""
    with World(seed=85) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        said: list[str] = []

        async def holder(client: EtcdClient) -> None:
            mutex = Mutex(await Session.open(client, ttl=20), "jobs")
            await mutex.lock()
            await client.process.sleep(10 * SECOND)
            await refused(mutex.unlock())

        async def waiter(client: EtcdClient) -> None:
            await Mutex(await Session.open(client, ttl=20), "jobs").lock()
            said.append("in")

        async def elsewhere(client: EtcdClient) -> None:
            client.next_endpoint()
            client.leave(client.endpoint)
            await holder(client)

        run(cluster, "holder", elsewhere)
        world.advance(SECOND)
        run(cluster, "waiter", waiter)
        world.advance(SECOND)
        cluster.members[0].crash()
        world.advance(3 * SECOND)
        assert said == []
        world.advance(20 * SECOND)

        assert said == ["in"]


def test_a_session_ends_when_its_lease_does() -> None:
    """A keep-alive that is answered with 0 is the last."""
    with World(seed=86) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        sessions: list[Session] = []

        async def work(client: EtcdClient) -> None:
            sessions.append(await Session.open(client, ttl=6))

        run(cluster, "worker", work)
        world.advance(30 * SECOND)
        assert sessions[0].is_alive
        cluster.ask(LeaseRevoke(sessions[0].lease))
        world.advance(4 * SECOND)
        assert not sessions[0].is_alive


def test_an_election_has_one_leader_who_may_change_its_value_and_resign() -> None:
    """The recording etcd-election-service, from the client's side."""
    with World(seed=87) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        said: list[object] = []

        async def alice(client: EtcdClient) -> None:
            election = Election(await Session.open(client), "E")
            said.append(await refused(election.leader()))
            assert await refused(election.proclaim("x")) == NOT_ELECTED
            await election.campaign("alice")
            said.append(await name(election))
            await client.process.sleep(2 * SECOND)
            await election.proclaim("alice-2")
            said.append(await name(election))
            stale = Election(election._session, "E", election.key, election.revision)
            await election.resign()
            assert await election.resign() == 0
            assert await refused(stale.proclaim("ghost")) == NOT_ELECTED
            await client.process.sleep(SECOND)
            said.append(await name(election))

        async def bob(client: EtcdClient) -> None:
            await Election(await Session.open(client), "E").campaign("bob")
            said.append("bob is elected")

        async def name(election: Election) -> object:
            return (await election.leader()).kvs[0].value

        run(cluster, "alice", alice)
        world.advance(SECOND)
        run(cluster, "bob", bob)
        world.advance(6 * SECOND)

        assert said == [NOBODY_ELECTED, "alice", "alice-2", "bob is elected", "bob"]


def test_a_candidate_of_the_same_session_takes_its_candidacy_up() -> None:
    """With another value it proclaims that."""
    with World(seed=88) as world:
        cluster = Cluster(world)
        cluster.wait_for_leader()
        seen: list[object] = []

        async def work(client: EtcdClient) -> None:
            session = await Session.open(client)
            first, second = Election(session, "E"), Election(session, "E")
            await first.campaign("one")
            await second.campaign("two")
            seen.append((await second.leader()).kvs[0].value)
            seen.append(first.revision == second.revision)

        run(cluster, "worker", work)
        world.advance(3 * SECOND)
        assert seen == ["two", True]
