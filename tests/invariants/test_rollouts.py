"""What a rolling update may do, as the real controller counts it."""

from __future__ import annotations

import pytest

from chaoskube.invariants.replicas import replicasets_converge
from chaoskube.invariants.rollouts import (
    deployments_roll_out,
    rollout_stays_within_surge,
    rollout_stays_within_unavailable,
)
from chaoskube.models.client.events import LeaderStarted
from chaoskube.models.client.views import View
from chaoskube.models.objects import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    ObjectMeta,
    OwnerReference,
    ReplicaSet,
    ReplicaSetSpec,
)
from chaoskube.models.observer import ReplicaSetScaleDecided
from chaoskube.sim import Entry, World
from tests.invariants.clusters import Case, pod

MANAGER = "controller-manager-0"


def said(
    invariant: object, *, old: int, new: int, total: int, available: int, own: int, surge: int = 1
) -> str | None:
    """What the invariant says of one decision of a Deployment with three replicas and maxUnavailable 0."""
    decided = ReplicaSetScaleDecided(
        deployment="default/web",
        replicaset="default/web-1",
        old=old,
        new=new,
        replicas=3,
        max_surge=surge,
        max_unavailable=0,
        total=total,
        available=available,
        own_available=own,
        rolling=True,
        is_new_object=False,
    )
    assert hasattr(invariant, "ask"), "an invariant can be asked"
    message = invariant.ask(None, Entry(seq=1, at=0, by="controller-manager-0", event=decided), {})
    assert message is None or isinstance(message, str)
    return message


def test_an_available_replica_that_is_needed_may_not_go() -> None:
    """rolling.go: only what is available above the minimum is scaled down."""
    assert said(rollout_stays_within_unavailable, old=3, new=2, total=4, available=4, own=3) is None
    assert said(rollout_stays_within_unavailable, old=3, new=2, total=4, available=3, own=3) == (
        "Deployment default/web needs 3 available pods and has 3, yet default/web-1 is scaled from 3 to 2"
    )


def test_replicas_that_are_not_available_may_all_go() -> None:
    """cleanupUnhealthyReplicas: also when another ReplicaSet has more available replicas than it wants now."""
    assert said(rollout_stays_within_unavailable, old=2, new=0, total=4, available=3, own=0) is None
    assert said(rollout_stays_within_unavailable, old=2, new=0, total=5, available=3, own=1) is not None


def test_no_more_than_replicas_and_surge_are_asked_for() -> None:
    """NewRSNewReplicas: the sum of all sizes stays below replicas + maxSurge."""
    assert said(rollout_stays_within_surge, old=0, new=1, total=3, available=3, own=0) is None
    assert said(rollout_stays_within_surge, old=0, new=2, total=3, available=3, own=0) is not None


def _owner(kind: str, name: str) -> tuple[OwnerReference, ...]:
    return (OwnerReference(api_version="apps/v1", kind=kind, name=name, uid=f"uid-{name}", controller=True),)


@pytest.mark.parametrize(("phase", "is_whole"), [("Failed", True), ("Running", False)])
def test_a_pod_that_failed_is_no_old_pod_that_is_left(world: World, phase: str, is_whole: bool) -> None:
    """A node that had no room for it refused it: it is never run, and nobody takes it away."""
    case = Case(world, deployments_roll_out)
    status = DeploymentStatus(replicas=1, updated_replicas=1, available_replicas=1)
    metadata = ObjectMeta(name="web", namespace="default", uid="uid-web")
    case.put(Deployment(metadata=metadata, spec=DeploymentSpec(replicas=1), status=status))
    owned = ObjectMeta(
        name="web-1", namespace="default", uid="uid-web-1", owner_references=_owner("Deployment", "web")
    )
    case.put(ReplicaSet(metadata=owned))
    for name, its in (("a", "Running"), ("b", phase)):
        case.put(pod(name, node="node-1", phase=its, owner_references=_owner("ReplicaSet", "web-1")))

    assert (case.in_the_end() == []) == is_whole


@pytest.mark.parametrize(("is_seen", "by"), [(False, MANAGER), (True, MANAGER), (False, "kubelet@node-1")])
def test_a_replicaset_whose_pod_came_and_went_unseen_may_wait(world: World, is_seen: bool, by: str) -> None:
    """Its controller expects the creation that its cache never shows, and nothing wakes it when it expects it no longer."""
    case = Case(world, replicasets_converge)
    view = View(resource="pods")
    metadata = ObjectMeta(name="web-1", namespace="default", uid="uid-web-1")
    case.put(ReplicaSet(metadata=metadata, spec=ReplicaSetSpec(replicas=1)))
    case.record(LeaderStarted(lease="kube-controller-manager", identity=MANAGER), MANAGER)
    case.lists(view, at=1, by=by)
    made = case.put(pod("a", owner_references=_owner("ReplicaSet", "web-1")))
    if is_seen:
        case.hears(view, "ADDED", made, by=by)
    case.remove(made)
    case.lists(view, at=3, by=by)

    assert (case.in_the_end() == []) == (by == MANAGER and not is_seen)
