"""The example operator in a simulated cluster, and the decisions that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from chaoskube.models.apiserver.events import Rejected
from chaoskube.models.client.operator import OperatorStarted
from chaoskube.models.cluster import Cluster
from chaoskube.models.kubectl import Kubectl
from chaoskube.models.objects import (
    GenericObject,
    KubeObject,
    ObjectMeta,
    PersistentVolumeClaim,
    Pod,
    decode,
    freeze,
)
from chaoskube.scenarios.database_operator import database_operator
from chaoskube.scenarios.operators import database as example
from chaoskube.scenarios.operators.database import (
    FINALIZER,
    MEMBER_LABEL,
    NAME_LABEL,
    UID_LABEL,
    children_of,
    claims_to_delete,
    members_wanted,
    pods_to_delete,
)
from chaoskube.scenarios.operators.database_rules import no_claim_is_left_behind
from chaoskube.sim import SECOND, Process, World

OPERATOR = "database-operator-"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """The scenario's cluster, warm."""
    made = database_operator()
    with World(seed=3) as world:
        subject = made.build(world, made.setup)
        assert isinstance(subject, Cluster)
        assert world.run_until(lambda: subject.warm() is None, 120 * SECOND, SECOND), subject.warm()
        yield subject


def operators(cluster: Cluster) -> list[Process]:
    """The operator's replicas."""
    return [one for one in cluster.world.processes.values() if one.name.startswith(OPERATOR)]


def members(cluster: Cluster) -> tuple[list[str], list[str]]:
    """The names of the pods and of the claims that there are."""
    pods = [pod.name for pod in cluster.observer.all(Pod) if UID_LABEL in pod.labels]
    return sorted(pods), sorted(claim.name for claim in cluster.observer.all(PersistentVolumeClaim))


def tell(cluster: Cluster, command: Any) -> None:
    """Let kubectl do something, and wait until it returns."""
    done: list[bool] = []
    cluster.run_kubectl(command, lambda: done.append(True))
    assert cluster.world.run_until(lambda: bool(done), 120 * SECOND, SECOND // 1000)


async def scale_to_one(kubectl: Kubectl) -> None:
    """kubectl scale database orders --replicas=1"""
    await kubectl.client.patch(
        "databases", "databases", "orders", {"spec": {"replicas": 1}}, type="merge", subresource="scale"
    )


async def remove(kubectl: Kubectl) -> None:
    """kubectl delete database orders --wait=false"""
    await kubectl.client.delete("databases", "databases", "orders")


def test_each_member_has_a_pod_and_a_claim(cluster: Cluster) -> None:
    """And the status says so; the operator needed no right that its roles don't give."""
    (database,) = cluster.observer.store.named("Database")
    assert isinstance(database, GenericObject)

    assert members(cluster) == (["orders-0", "orders-1"], ["data-orders-0", "data-orders-1"])
    assert dict(database.content["status"]) == {"members": 2, "ready": 2}
    assert database.metadata.finalizers == (FINALIZER,)
    refused = [entry.event for entry in cluster.world.journal.entries if isinstance(entry.event, Rejected)]
    assert not [one for one in refused if one.code == 403 and one.user.endswith(":databases:operator")]


def test_a_member_that_is_not_wanted_loses_its_claim_though_the_operator_dies(cluster: Cluster) -> None:
    """It crashes between the deletion of the pod and that of the claim, and misses the pod's end."""
    world = cluster.world
    tell(cluster, scale_to_one)
    assert world.run_until(
        lambda: any(pod.metadata.deletion_timestamp is not None for pod in cluster.observer.all(Pod)),
        10 * SECOND,
        SECOND // 1000,
    )
    for process in operators(cluster):
        process.restart_after_ns = None
        process.crash()
    world.advance(45 * SECOND)
    assert members(cluster) == (["orders-0"], ["data-orders-0", "data-orders-1"])

    for process in operators(cluster):
        process.start()
    world.advance(40 * SECOND)

    assert members(cluster) == (["orders-0"], ["data-orders-0"])


def test_a_database_waits_until_its_members_are_gone(cluster: Cluster) -> None:
    """The finalizer holds it; what is left behind is nothing."""
    tell(cluster, remove)
    assert cluster.observer.store.named("Database")

    cluster.world.advance(60 * SECOND)

    assert members(cluster) == ([], [])
    assert not cluster.observer.store.named("Database")


def test_a_database_waits_for_a_claim_that_somebody_else_holds(cluster: Cluster) -> None:
    """The operator asks the server what is left before it takes its finalizer away, and asks again until nothing is."""

    def hold(*finalizers: str) -> Any:
        async def command(kubectl: Kubectl) -> None:
            patch = {"metadata": {"finalizers": list(finalizers)}}
            where = ("persistentvolumeclaims", "databases", "data-orders-1")
            await kubectl.client.patch(*where, patch, type="merge")

        return command

    tell(cluster, hold("shop.example/backup"))
    tell(cluster, remove)
    cluster.world.advance(60 * SECOND)
    assert members(cluster) == ([], ["data-orders-1"])
    (held,) = cluster.observer.store.named("Database")
    assert held.metadata.finalizers == (FINALIZER,)

    tell(cluster, hold())
    cluster.world.advance(60 * SECOND)
    assert members(cluster) == ([], [])
    assert not cluster.observer.store.named("Database")


def test_a_stranger_that_has_a_members_name_must_go_first(cluster: Cluster) -> None:
    """The operator neither adopts it nor deletes it; it tries again until the name is free."""
    stranger = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "orders-2", "namespace": "databases"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }

    async def intrude(kubectl: Kubectl) -> None:
        await kubectl.client.create(decode(stranger))
        await kubectl.client.patch(
            "databases", "databases", "orders", {"spec": {"replicas": 3}}, type="merge", subresource="scale"
        )

    async def leave(kubectl: Kubectl) -> None:
        await kubectl.client.delete("pods", "databases", "orders-2", grace_period_seconds=0)

    tell(cluster, intrude)
    cluster.world.advance(30 * SECOND)
    pod = cluster.observer.get(Pod, "databases/orders-2")
    assert pod is not None
    assert UID_LABEL not in pod.labels

    tell(cluster, leave)
    cluster.world.advance(60 * SECOND)
    assert members(cluster)[0] == ["orders-0", "orders-1", "orders-2"]


def test_each_life_of_the_operator_begins_with_its_caches(cluster: Cluster) -> None:
    """A crash takes its memory, and its lease runs out: the standby works on, with the caches that it has."""
    events = cluster.world.journal.entries
    (first,) = [entry.by for entry in events if isinstance(entry.event, OperatorStarted)]
    for process in operators(cluster):
        if process.name == first:
            process.crash()
    cluster.world.advance(30 * SECOND)
    started = [entry.event.identity for entry in events if isinstance(entry.event, OperatorStarted)]

    assert len(started) == 2
    assert started[0] == f"{first}_1"
    assert started[1] != started[0]


# ---- decisions


def database(uid: str = "u1", *, wanted: int = 2, deleted: bool = False) -> GenericObject:
    """A Database."""
    metadata = ObjectMeta(name="orders", namespace="a", uid=uid, deletion_timestamp=1 if deleted else None)
    content = freeze({"spec": {"members": wanted}})
    return GenericObject(api_version="shop.example/v1", kind="Database", metadata=metadata, content=content)


def child(kind: str, number: int, uid: str = "u1", **metadata: Any) -> Any:
    """A pod or claim of a member."""
    labels = {NAME_LABEL: "orders", UID_LABEL: uid, MEMBER_LABEL: str(number)}
    name = f"orders-{number}" if kind == "Pod" else f"data-orders-{number}"
    return decode(
        {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "a", "labels": labels, **metadata},
        }
    )


def test_children_are_known_by_uid() -> None:
    """A Database of the same name that came later is another one."""
    own, other = child("Pod", 0), child("Pod", 1, uid="u2")

    assert children_of(database(), [own, other]) == (own,)
    assert children_of(database("u2", deleted=True), [own, other]) == (other,)


def test_a_claim_goes_by_what_is_there_not_by_what_was_seen() -> None:
    """Wanted or not, pod or none: nothing else counts."""
    claims = [child("PersistentVolumeClaim", number) for number in range(4)]
    pods = [child("Pod", 0), child("Pod", 2)]

    assert claims_to_delete(database(), pods, claims) == (claims[3],)
    assert claims_to_delete(database(deleted=True), [], claims) == tuple(claims)
    dying = child("PersistentVolumeClaim", 3, deletionTimestamp="2026-01-01T00:00:00Z")
    assert claims_to_delete(database(), pods, [dying]) == ()


def test_pods_go_when_they_are_not_wanted_or_have_ended() -> None:
    """Once: what is on its way isn't asked again."""
    wanted, surplus = child("Pod", 0), child("Pod", 5)
    dying = child("Pod", 6, deletionTimestamp="2026-01-01T00:00:00Z")

    assert pods_to_delete(database(), [wanted, surplus, dying]) == (surplus,)
    assert pods_to_delete(database(deleted=True), [wanted]) == (wanted,)
    assert members_wanted(database(deleted=True)) == 0


def on_edge(
    database: GenericObject, pods: Iterable[KubeObject], claims: Iterable[KubeObject]
) -> tuple[KubeObject, ...]:
    """A wrong `claims_to_delete`: claims whose pods are seen on their way, and only then."""
    dying = {pod.labels[MEMBER_LABEL] for pod in pods if pod.metadata.deletion_timestamp is not None}
    return tuple([claim for claim in claims if claim.labels[MEMBER_LABEL] in dying])


def test_a_cleanup_that_waits_for_an_edge_leaves_a_claim_behind(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule tells: who has not seen the pod go never deletes its claim (cassandra-operator#398)."""
    monkeypatch.setattr(example, "claims_to_delete", on_edge)
    tell(cluster, scale_to_one)
    cluster.world.run_until(
        lambda: any(pod.metadata.deletion_timestamp is not None for pod in cluster.observer.all(Pod)),
        10 * SECOND,
        SECOND // 1000,
    )
    for process in operators(cluster):
        process.restart_after_ns = None
        process.crash()
    cluster.world.advance(45 * SECOND)
    for process in operators(cluster):
        process.start()
    cluster.world.advance(60 * SECOND)

    with pytest.raises(AssertionError, match="claim databases/data-orders-1 is of member 1"):
        no_claim_is_left_behind.function(cluster.observer)
