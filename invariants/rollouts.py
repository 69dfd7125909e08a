"""Deployments: how far a rolling update may go above and below, and that it ends."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.objects import Deployment
from chaoskube.models.observer import Entry, Observer, ReplicaSetScaleDecided


@always(on=[ReplicaSetScaleDecided])
def rollout_stays_within_surge(event: Entry) -> None:
    """A rolling update never asks for more than replicas + maxSurge pods in all.

    Counted as the real controller counts: the ReplicaSets' spec.replicas in its own view. More would take
    capacity that nobody granted. (pkg/controller/deployment/util/deployment_util.go, NewRSNewReplicas.)
    """
    decided = event.event
    assert isinstance(decided, ReplicaSetScaleDecided), "woken by its own event only"
    if not decided.rolling or decided.new <= decided.old:
        return
    total = decided.total + decided.new - decided.old
    limit = decided.replicas + decided.max_surge
    assert total <= limit, (
        f"Deployment {decided.deployment} wants {decided.replicas} replicas with maxSurge {decided.max_surge}, "
        f"yet scaling {decided.replicaset} from {decided.old} to {decided.new} makes {total}"
    )


@always(on=[ReplicaSetScaleDecided])
def rollout_stays_within_unavailable(event: Entry) -> None:
    """A rolling update never takes away an available pod that replicas - maxUnavailable still needs.

    Counted as the real controller counts: the ReplicaSets' status.availableReplicas in its own view, which may be
    behind; a ReplicaSet's replicas that aren't available may always go, and go first.
    (pkg/controller/deployment/rolling.go, reconcileOldReplicaSets: cleanupUnhealthyReplicas.)
    """
    decided = event.event
    assert isinstance(decided, ReplicaSetScaleDecided), "woken by its own event only"
    if not decided.rolling or decided.new >= decided.old or decided.is_new_object:
        return
    taken = max(0, min(decided.own_available, decided.old) - decided.new)
    needed = decided.replicas - decided.max_unavailable
    assert decided.available - taken >= min(needed, decided.available), (
        f"Deployment {decided.deployment} needs {needed} available pods and has {decided.available}, yet "
        f"{decided.replicaset} is scaled from {decided.old} to {decided.new}"
    )


@eventually(within="600s")
def deployments_roll_out(seen: Observer) -> None:
    """Once faults stop, every Deployment that isn't paused and whose pods find a node reaches its newest template, whole.

    A rollout that stands still is a release that nobody gets. (pkg/controller/deployment/sync.go.) Not judged: one of which
    a ReplicaSet waits for a pod that came and went unseen (`replicasets-converge`).
    """
    for one in seen.all(Deployment):
        if (
            one.spec.paused
            or one.metadata.deletion_timestamp is not None
            or seen.has_nowhere_to_go((one.key,))
            or any(seen.may_wait(owned) for owned in seen.replicasets_of(one))
        ):
            continue
        assert seen.is_whole(one), (
            f"Deployment {one.key} wants {one.spec.replicas} replicas: {one.status.updated_replicas} are up to date, "
            f"{one.status.available_replicas} available, {one.status.replicas} in all"
        )
