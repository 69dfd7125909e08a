"""A Deployment's status and conditions: what its ReplicaSets amount to, and whether it gets on. Pure.

A condition keeps its lastTransitionTime while its status stays, and isn't touched at all while status and
reason stay; Progressing alone refreshes its lastUpdateTime whenever there is progress. A condition that
is set moves to the end of the list.

Sources: pkg/controller/deployment/{progress,sync}.go, pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from chaoskube.models.controllers.deployment_rolling import (
    max_unavailable,
    total_available,
    total_size,
    wanted,
)
from chaoskube.models.objects import (
    Deployment,
    DeploymentCondition,
    DeploymentStatus,
    ReplicaSet,
    ReplicaSetCondition,
)
from chaoskube.sim import SECOND

AVAILABLE = "Available"
PROGRESSING = "Progressing"
REPLICA_FAILURE = "ReplicaFailure"
NEW_SET_AVAILABLE = "NewReplicaSetAvailable"
NEW_SET_CREATED = "NewReplicaSetCreated"
FOUND_NEW_SET = "FoundNewReplicaSet"
SET_UPDATED = "ReplicaSetUpdated"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"
FAILED_CREATE = "ReplicaSetCreateError"
NO_DEADLINE = 2**31 - 1


def has_deadline(deployment: Deployment) -> bool:
    """Whether progress is watched at all."""
    return deployment.spec.progress_deadline_seconds not in (None, NO_DEADLINE)


def condition_of(status: DeploymentStatus, type: str) -> DeploymentCondition | None:
    """The condition of that type."""
    for condition in status.conditions:
        if condition.type == type:
            return condition
    return None


def condition(type: str, status: str, reason: str, message: str, wall_ns: int) -> DeploymentCondition:
    """A condition as of now."""
    now = wall_ns // SECOND * SECOND
    return DeploymentCondition(
        type=type,
        status=status,
        last_update_time=now,
        last_transition_time=now,
        reason=reason,
        message=message,
    )


def with_condition(status: DeploymentStatus, new: DeploymentCondition) -> DeploymentStatus:
    """`status` with the condition set (SetDeploymentCondition)."""
    standing = condition_of(status, new.type)
    if standing is not None and standing.status == new.status:
        if standing.reason == new.reason:
            return status
        new = evolve(new, last_transition_time=standing.last_transition_time)
    return evolve(without_condition(status, new.type), conditions=(*_others(status, new.type), new))


def without_condition(status: DeploymentStatus, type: str) -> DeploymentStatus:
    """`status` without conditions of that type."""
    return evolve(status, conditions=_others(status, type))


def _others(status: DeploymentStatus, type: str) -> tuple[DeploymentCondition, ...]:
    return tuple([each for each in status.conditions if each.type != type])


def counted_status(
    deployment: Deployment, replicasets: Sequence[ReplicaSet], new: ReplicaSet | None, wall_ns: int
) -> DeploymentStatus:
    """The counts and the Available condition (calculateStatus)."""
    available = total_available(replicasets)
    status = DeploymentStatus(
        observed_generation=deployment.metadata.generation,
        replicas=sum(each.status.replicas for each in replicasets),
        updated_replicas=new.status.replicas if new is not None else 0,
        ready_replicas=sum(each.status.ready_replicas for each in replicasets),
        available_replicas=available,
        unavailable_replicas=max(0, total_size(replicasets) - available),
        terminating_replicas=_terminating(replicasets),
        conditions=deployment.status.conditions,
        collision_count=deployment.status.collision_count,
        extra=deployment.status.extra,
    )
    if available >= wanted(deployment) - max_unavailable(deployment):
        text = "Deployment has minimum availability."
        return with_condition(status, condition(AVAILABLE, "True", "MinimumReplicasAvailable", text, wall_ns))
    text = "Deployment does not have minimum availability."
    return with_condition(status, condition(AVAILABLE, "False", "MinimumReplicasUnavailable", text, wall_ns))


def _terminating(replicasets: Sequence[ReplicaSet]) -> int | None:
    total = 0
    for each in replicasets:
        if each.status.terminating_replicas is not None:
            total += each.status.terminating_replicas
        elif each.status.observed_generation != 0:
            return None  # its controller has not counted them: the sum isn't known
    return total


def is_complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Whether the rollout is done (DeploymentComplete)."""
    target = wanted(deployment)
    return (
        status.updated_replicas == target
        and status.replicas == target
        and status.available_replicas == target
        and status.observed_generation >= deployment.metadata.generation
    )


def made_progress(old: DeploymentStatus, new: DeploymentStatus) -> bool:
    """Whether anything moved forward (DeploymentProgressing)."""
    return (
        new.updated_replicas > old.updated_replicas
        or new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
        or new.ready_replicas > old.ready_replicas
        or new.available_replicas > old.available_replicas
    )


def has_timed_out(deployment: Deployment, status: DeploymentStatus, wall_ns: int) -> bool:
    """Whether the deadline for progress has passed (DeploymentTimedOut)."""
    standing = condition_of(status, PROGRESSING)
    if not has_deadline(deployment) or standing is None or standing.reason == NEW_SET_AVAILABLE:
        return False
    if standing.reason == TIMED_OUT:
        return True
    limit = (deployment.spec.progress_deadline_seconds or 0) * SECOND
    return (standing.last_update_time or 0) + limit < wall_ns


def rollout_status(
    deployment: Deployment, replicasets: Sequence[ReplicaSet], new: ReplicaSet | None, wall_ns: int
) -> DeploymentStatus:
    """The whole status during a rollout (syncRolloutStatus)."""
    status = counted_status(deployment, replicasets, new, wall_ns)
    if not has_deadline(deployment):
        status = without_condition(status, PROGRESSING)
    standing = condition_of(deployment.status, PROGRESSING)
    was_complete = (
        status.replicas == status.updated_replicas
        and standing is not None
        and standing.reason == NEW_SET_AVAILABLE
    )
    if has_deadline(deployment) and not was_complete:
        status = _with_progress(deployment, status, standing, new, wall_ns)
    failure = _replica_failure(replicasets, new)
    if failure is None:
        return without_condition(status, REPLICA_FAILURE)
    return with_condition(status, failure)


def _with_progress(
    deployment: Deployment,
    status: DeploymentStatus,
    standing: DeploymentCondition | None,
    new: ReplicaSet | None,
    wall_ns: int,
) -> DeploymentStatus:
    subject = f'ReplicaSet "{new.name}"' if new is not None else f'Deployment "{deployment.name}"'
    if is_complete(deployment, status):
        text = f"{subject} has successfully progressed."
        return with_condition(status, condition(PROGRESSING, "True", NEW_SET_AVAILABLE, text, wall_ns))
    if made_progress(deployment.status, status):
        fresh = condition(PROGRESSING, "True", SET_UPDATED, f"{subject} is progressing.", wall_ns)
        if standing is not None and standing.status == "True":
            fresh = evolve(fresh, last_transition_time=standing.last_transition_time)
        return with_condition(without_condition(status, PROGRESSING), fresh)
    if has_timed_out(deployment, status, wall_ns):
        text = f"{subject} has timed out progressing."
        return with_condition(status, condition(PROGRESSING, "False", TIMED_OUT, text, wall_ns))
    return status


def _replica_failure(replicasets: Sequence[ReplicaSet], new: ReplicaSet | None) -> DeploymentCondition | None:
    for each in ([new] if new is not None else []) + list(replicasets):
        for found in each.status.conditions:
            if found.type == REPLICA_FAILURE:
                return _copied(found)
    return None


def _copied(failure: ReplicaSetCondition) -> DeploymentCondition:
    return DeploymentCondition(
        type=failure.type,
        status=failure.status,
        last_update_time=failure.last_transition_time,
        last_transition_time=failure.last_transition_time,
        reason=failure.reason,
        message=failure.message,
    )


def pause_condition(deployment: Deployment, wall_ns: int) -> DeploymentCondition | None:
    """The condition to write when pausing began or ended (checkPausedConditions)."""
    standing = condition_of(deployment.status, PROGRESSING)
    if not has_deadline(deployment) or (standing is not None and standing.reason == TIMED_OUT):
        return None
    said_paused = standing is not None and standing.reason == PAUSED
    if deployment.spec.paused and not said_paused:
        return condition(PROGRESSING, "Unknown", PAUSED, "Deployment is paused", wall_ns)
    if not deployment.spec.paused and said_paused:
        return condition(PROGRESSING, "Unknown", RESUMED, "Deployment is resumed", wall_ns)
    return None


def progress_check_delay(deployment: Deployment, status: DeploymentStatus, wall_ns: int) -> int | None:
    """When to look again whether progress stopped; 0 for soon, None for no need (requeueStuckDeployment)."""
    standing = condition_of(deployment.status, PROGRESSING)
    if not has_deadline(deployment) or standing is None:
        return None
    if is_complete(deployment, status) or standing.reason == TIMED_OUT:
        return None
    limit = (deployment.spec.progress_deadline_seconds or 0) * SECOND
    left = (standing.last_update_time or 0) + limit - wall_ns
    return 0 if left < SECOND else left + SECOND
