"""Why something may be deleted, by whom."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.invariants.deletions import a_pod_is_gone_when_it_is_over, each_deletion_has_its_reason
from chaoskube.models.node.events import ContainerExited, ContainerStarted
from chaoskube.models.objects import KubeObject, Namespace, ObjectMeta, OwnerReference, ReplicaSet
from chaoskube.sim import World
from tests.invariants.clusters import Case, pod

ACCOUNT = "system:serviceaccount:kube-system:"


def owner(uid: str = "rs", **metadata: object) -> KubeObject:
    """The ReplicaSet `web`."""
    meta = ObjectMeta(name="web", namespace="default", uid=uid, **metadata)  # type: ignore[arg-type]  # its own fields
    return ReplicaSet(metadata=meta)


def owned(uid: str = "rs", *, kind: str = "ReplicaSet") -> KubeObject:
    """A pod of it."""
    reference = OwnerReference(api_version="apps/v1", kind=kind, name="web", uid=uid, controller=True)
    return pod("web-1", owner_references=(reference,))


def said(
    world: World, account: str, deleted: KubeObject, *stored: KubeObject, verb: str = "delete"
) -> list[str]:
    """What is said when this account deletes this, with these in the store."""
    case = Case(world, each_deletion_has_its_reason)
    for obj in stored:
        case.put(obj)
    before = case.put(deleted)
    case.remove(before)
    case.written(ACCOUNT + account, verb, before, None)
    return case.said


def test_the_garbage_collector_takes_what_nobody_owns_any_more(world: World) -> None:
    assert said(world, "generic-garbage-collector", owned(), owner("another")) == []


def test_it_takes_what_a_foreground_deletion_waits_for(world: World) -> None:
    waiting = owner(deletion_timestamp=1, finalizers=("foregroundDeletion",))

    assert said(world, "generic-garbage-collector", owned(), waiting) == []


@pytest.mark.parametrize(
    ("deleted", "stored", "why_not"),
    [
        (owned(), owner(), "its owner ReplicaSet default/web (uid rs) is there"),
        (owned(), owner(deletion_timestamp=1), "its owner ReplicaSet default/web (uid rs) is there"),
        (pod("web-1"), owner(), "it never had an owner"),
    ],
)
def test_it_takes_nothing_else(world: World, deleted: KubeObject, stored: KubeObject, why_not: str) -> None:
    """Not what an owner holds that stays, and not what nobody ever owned."""
    assert said(world, "generic-garbage-collector", deleted, stored) == [
        f"generic-garbage-collector deletes pods default/web-1, though {why_not}"
    ]


def test_a_namespace_is_emptied_when_it_goes(world: World) -> None:
    stays = Namespace(metadata=ObjectMeta(name="default"))

    assert said(world, "namespace-controller", pod("web-1"), stays) == [
        "namespace-controller deletes pods default/web-1, though namespace default is not being deleted"
    ]


def test_a_whole_collection_is_judged_as_well(world: World) -> None:
    """That is how the namespace controller deletes."""
    stays = Namespace(metadata=ObjectMeta(name="default"))

    assert len(said(world, "namespace-controller", pod("web-1"), stays, verb="deletecollection")) == 1


def test_a_namespace_that_is_gone_keeps_nothing(world: World) -> None:
    """Nor does it keep itself."""
    assert said(world, "namespace-controller", pod("web-1")) == []
    assert said(world, "namespace-controller", Namespace(metadata=ObjectMeta(name="default"))) == []


def test_and_then_it_may_be(world: World) -> None:
    goes = Namespace(metadata=ObjectMeta(name="default", deletion_timestamp=1))

    assert said(world, "namespace-controller", pod("web-1"), goes) == []


def test_a_controller_deletes_its_own_pods_alone(world: World) -> None:
    assert said(world, "replicaset-controller", owned()) == []


@pytest.mark.parametrize(
    ("deleted", "by"),
    [(pod("web-1"), "nobody"), (owned(kind="Job"), "Job web")],
    ids=["nobody's", "another's"],
)
def test_it_must_not_delete_others(world: World, deleted: KubeObject, by: str) -> None:
    assert said(world, "replicaset-controller", deleted) == [
        f"replicaset-controller deletes pods default/web-1, though it is controlled by {by}"
    ]


def test_a_controller_may_delete_what_is_no_pod(world: World) -> None:
    """A Deployment's old ReplicaSets go by a limit of its history."""
    assert said(world, "replicaset-controller", owner()) == []


def test_an_update_is_no_deletion(world: World) -> None:
    """It may take the last finalizer away, which somebody else's deletion waited for."""
    assert said(world, "generic-garbage-collector", pod("web-1"), owner(), verb="patch") == []


def test_a_kubelet_may_take_away_what_runs_elsewhere(world: World) -> None:
    """Another node's containers are another pod's, of the same name."""
    case = Case(world, a_pod_is_gone_when_it_is_over)
    mine = case.put(pod("a", node="node-1"))
    where = {"pod": "default/a", "container": "c", "node": "node-2"}
    case.record(ContainerStarted(**where, attempt=0, ip="10.0.0.1"), by="kubelet@node-2")
    case.written("system:node:node-1", "delete", mine, None)
    case.written("system:node:node-2", "delete", mine, None)

    assert case.said == []


def test_others_are_not_judged(world: World) -> None:
    """A user may delete what he likes."""
    case = Case(world, each_deletion_has_its_reason)
    before = case.put(pod("a"))
    case.remove(before)
    case.written("alice", "delete", before, None)
    case.written(ACCOUNT + "somebody-new", "delete", before, None)

    assert case.said == []


def test_a_kubelet_waits_for_the_end_of_a_pods_containers(world: World) -> None:
    case = Case(world, a_pod_is_gone_when_it_is_over)
    mine = case.put(pod("a", node="node-1"))
    where = {"pod": "default/a", "container": "c", "node": "node-1"}
    case.record(ContainerStarted(**where, attempt=0, ip="10.0.0.1"), by="kubelet@node-1")
    case.written("system:node:node-1", "delete", mine, evolve(mine))
    assert case.said == []

    case.written("system:node:node-1", "delete", mine, None)
    case.record(ContainerExited(**where, code=0, reason="Completed"), by="kubelet@node-1")
    case.written("system:node:node-1", "delete", mine, None)
    assert case.said == ["node-1 takes pod default/a away while its containers run"]
