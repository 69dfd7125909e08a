"""Users' operators as processes: they wait for what they ask for, learn through watches, and one of several works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from chaoskube.models.client.election import ElectionOptions
from chaoskube.models.client.events import LeaderStarted, LeaderStopped
from chaoskube.models.client.operator import (
    Operator,
    OperatorContext,
    OperatorStarted,
    OperatorWaits,
    operator,
    reconciler,
)
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import ConfigMap, KubeObject, ObjectMeta, OwnerReference, decode
from chaoskube.sim import SECOND, UsageError, World

SMALL = Shape(etcd=1, apiservers=2, managers=1, schedulers=1, nodes=1, requests_per_second=0)
DEFINITION = decode(
    {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "tills.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {"plural": "tills", "kind": "Till"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                }
            ],
        },
    }
)
TILL = decode(
    {"apiVersion": "shop.example/v1", "kind": "Till", "metadata": {"name": "front", "namespace": "default"}}
)


@reconciler("till-operator", on="tills.shop.example", owns=["configmaps"], replicas=2)
async def keep_drawer(op: OperatorContext, key: str) -> None:
    """A till has a ConfigMap."""
    till = op.informer("tills.shop.example").get_by_key(key)
    drawers = op.informer("configmaps")
    if till is None or drawers.get_by_key(key) is not None:
        return
    owner = OwnerReference(
        api_version=till.api_version, kind=till.kind, name=till.name, uid=till.uid, controller=True
    )
    metadata = ObjectMeta(name=till.name, namespace=till.namespace, owner_references=(owner,))
    await op.client.create(ConfigMap(metadata=metadata))


@operator("lost", account="default/nobody")
def lost(op: OperatorContext) -> object:
    """Asks for what is not there."""
    return op.informer("boxes.shop.example")


def running(documents: list[KubeObject], *operators: Operator) -> Iterator[Cluster]:
    """A small cluster."""
    with World(seed=2) as world:
        yield Cluster(world, SMALL, documents, operators)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """With a till, and its operator twice."""
    yield from running([DEFINITION, TILL], keep_drawer, lost)


def events(cluster: Cluster, kind: type) -> list[object]:
    """What was journalled of a kind."""
    return [entry.event for entry in cluster.world.journal.entries if isinstance(entry.event, kind)]


def drawers(cluster: Cluster) -> list[str]:
    """The operator's ConfigMaps."""
    return [one.key for one in cluster.observer.all(ConfigMap) if one.name == "front"]


def test_what_it_owns_comes_back_and_one_of_two_works(cluster: Cluster) -> None:
    """A deletion of what is owned wakes the owner; the standby waits for the lease."""
    cluster.world.advance(20 * SECOND)
    assert drawers(cluster) == ["default/front"]
    done: list[bool] = []
    cluster.run_kubectl(
        lambda kubectl: kubectl.client.delete("configmaps", "default", "front"), lambda: done.append(True)
    )
    cluster.world.advance(5 * SECOND)
    assert done and drawers(cluster) == ["default/front"]
    (started,) = events(cluster, OperatorStarted)
    assert isinstance(started, OperatorStarted)

    leader = started.identity.rpartition("_")[0]
    cluster.world.processes[leader].crash()
    cluster.world.advance(30 * SECOND)

    others = [one.identity for one in events(cluster, OperatorStarted) if isinstance(one, OperatorStarted)]
    assert len(others) == 2 and not others[1].startswith(leader)


@pytest.mark.parametrize(("releases", "gap"), [(True, 5), (False, 20)])
def test_a_leader_that_is_asked_to_end_stops_working_and_may_let_its_lease_go(
    releases: bool, gap: int
) -> None:
    """With the lease let go the standby leads within its next try; without, when the lease has run out."""
    options = ElectionOptions(release_on_cancel=releases)
    operator = evolve(keep_drawer, elections=(options,))
    for cluster in running([DEFINITION, TILL], operator):
        cluster.world.advance(10 * SECOND)
        (first,) = events(cluster, OperatorStarted)
        assert isinstance(first, OperatorStarted)
        leader = cluster.world.processes[first.identity.rpartition("_")[0]]
        leader.restart_after_ns = None
        leader.terminate()
        cluster.world.advance(SECOND)
        assert not leader.is_alive
        cluster.world.advance(gap * SECOND)

        starts = [
            entry for entry in cluster.world.journal.entries if isinstance(entry.event, OperatorStarted)
        ]
        ended = [
            entry.at for entry in cluster.world.journal.entries if isinstance(entry.event, LeaderStopped)
        ]
        assert [entry.by == leader.name for entry in starts] == [True, False]
        assert (gap - 10) * SECOND < starts[1].at - ended[0] < gap * SECOND


def ticking(ticks: list[tuple[str, int]]) -> Operator:
    """Works all the time, in a task and in a loop of its own, and lets its lease go at its end."""

    def tick(op: OperatorContext) -> None:
        async def work(key: str) -> None:
            while True:
                ticks.append((f"{op.process.name} {op.process.life}", op.now))
                await op.process.sleep(SECOND // 10)

        op.reconcile(work, on=op.informer("namespaces"))
        op.add_task(lambda: work("task"))

    return operator("ticker", replicas=2, elections=[ElectionOptions(release_on_cancel=True)])(tick)


def test_who_is_asked_to_end_works_no_more_while_it_lets_its_lease_go() -> None:
    """However long that takes: here etcd is frozen for a second."""
    ticks: list[tuple[str, int]] = []
    for cluster in running([], ticking(ticks)):
        world = cluster.world
        world.advance(10 * SECOND)
        first, asked = ticks[0][0], world.now
        leader = first.partition(" ")[0]
        world.processes["etcd-0"].pause()
        world.processes[leader].terminate()
        world.call_later(SECOND, world.processes["etcd-0"].resume)
        world.advance(SECOND // 2)
        assert world.processes[leader].is_alive
        world.advance(9 * SECOND)

        assert max(at for who, at in ticks if who == first) <= asked
        assert any(who != first for who, _ in ticks)


def test_who_is_asked_to_end_when_its_turn_comes_does_not_begin() -> None:
    """Its claim was on its way; the lease is let go again, and the other one leads."""
    turn = 0
    for is_asked in (False, True):
        ticks: list[tuple[str, int]] = []
        for cluster in running([], ticking(ticks)):
            world = cluster.world
            world.advance(10 * SECOND)
            leader = ticks[0][0].partition(" ")[0]
            (standby,) = {"ticker-0", "ticker-1"} - {leader}
            world.processes[leader].restart_after_ns = None
            world.processes[leader].terminate()
            if is_asked:
                world.advance(turn - world.now - SECOND // 500)
                world.processes[standby].terminate()
            world.advance(20 * SECOND)
            turns = [entry for entry in world.journal.entries if isinstance(entry.event, LeaderStarted)]
            turn = next(entry.at for entry in turns if entry.by == standby)
            assert (f"{standby} 1" in dict(ticks)) is not is_asked


def test_an_operator_that_asks_for_what_is_not_there_says_so_once(cluster: Cluster) -> None:
    """It waits; a real manager would end, and begin anew."""
    cluster.world.advance(20 * SECOND)
    waits = [
        one for one in events(cluster, OperatorWaits) if isinstance(one, OperatorWaits) and one.name == "lost"
    ]

    assert waits and all("'boxes.shop.example' is not served" in one.why for one in waits)
    assert len(waits) <= 2


def test_a_cluster_is_not_up_while_an_operator_cannot_begin(cluster: Cluster) -> None:
    """Else a hunt would be one in which nobody works."""
    cluster.world.advance(20 * SECOND)

    assert "operator lost-0 cannot begin: resource 'boxes.shop.example' is not served" in str(cluster.warm())


def test_what_cannot_be_an_operator_is_refused_where_it_is_declared() -> None:
    def no_coroutine(op: OperatorContext, key: str) -> None:
        """Forgets its async."""

    with pytest.raises(UsageError, match="operator till: no_coroutine must be an `async def`"):
        reconciler("till", on="tills.shop.example")(no_coroutine)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(UsageError, match="account='nobody' must be NAMESPACE/NAME"):
        reconciler("till", on="tills.shop.example", account="nobody")(keep_drawer_of)
    with pytest.raises(UsageError, match="operator 'My Till': .* write small letters, digits and '-'"):
        reconciler("My Till", on="tills.shop.example")(keep_drawer_of)
    with pytest.raises(UsageError, match="operator till: replicas=0 must be 1 or more"):
        reconciler("till", on="tills.shop.example", replicas=0)(keep_drawer_of)
    with pytest.raises(UsageError, match="operator till: workers=0 must be 1 or more"):
        reconciler("till", on="tills.shop.example", workers=0)


async def keep_drawer_of(op: OperatorContext, key: str) -> None:
    """Does nothing."""


def test_it_acts_as_its_service_account(cluster: Cluster) -> None:
    """So roles count; without an account it is an administrator, by its group."""
    assert (lost.user, lost.groups) == ("system:serviceaccount:default:nobody", ())
    assert (keep_drawer.user, keep_drawer.groups) == ("admin", ("system:masters",))
