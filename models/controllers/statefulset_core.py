"""What a StatefulSet does next: pod by pod, in order; what its status says. Pure.

Replicas first, lowest number first; then the condemned, highest number first; then updates, highest number first. With
OrderedReady the first pod that isn't finished ends the round: that is what keeps two pods from changing at a time,
and what wedges a broken update until somebody deletes the pod. A pod that is gone from the API, and only that, is made
again under its name.

Source: pkg/controller/statefulset/stateful_set_control.go.

Not modelled: MaxUnavailableStatefulSet (off in 1.36).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from attrs import evolve, field, frozen

from chaoskube.models.controllers.statefulset_identity import (
    by_ordinal,
    is_in_range,
    new_pod,
    ordinal_of,
    replicas_of,
    revision_of,
    start_of,
)
from chaoskube.models.controllers.statefulset_revisions import template_of
from chaoskube.models.objects import (
    ControllerRevision,
    Pod,
    StatefulSet,
    StatefulSetStatus,
    is_pod_available,
    is_pod_ready,
    is_pod_terminal,
)


class Step(Enum):
    """What to do about one pod, and whether the round goes on behind it."""

    CREATE = "create"
    """It isn't there: make it."""
    REPLACE = "replace"
    """It has ended: delete it; a new one comes in a later round."""
    DELETE = "delete"
    """It is too many."""
    WAIT = "wait"
    """It keeps the round from going on."""
    CHECK = "check"
    """It is as far as it gets: see that name and storage fit, then go on."""
    PASS = "pass"
    """Nothing to do; go on."""


@frozen(kw_only=True)
class Revisions:
    """The revision that most pods have, and the one they are to have."""

    current: ControllerRevision
    update: ControllerRevision
    collisions: int = 0


@frozen(kw_only=True)
class Layout:
    """The pods by their part: one for each wanted number (not created: a new one), and those that are too many."""

    replicas: tuple[Pod, ...]
    condemned: tuple[Pod, ...] = field(default=())
    first_unavailable: Pod | None = None


def is_monotonic(statefulset: StatefulSet) -> bool:
    """Whether pods come and go one at a time."""
    return statefulset.spec.pod_management_policy != "Parallel"


def lay_out(statefulset: StatefulSet, pods: Iterable[Pod], revisions: Revisions, now_ns: int) -> Layout:
    """The pods by their part, with new ones where numbers are missing."""
    start = start_of(statefulset)
    there: dict[int, Pod] = {}
    condemned: list[Pod] = []
    for pod in pods:
        ordinal = ordinal_of(pod)
        if is_in_range(statefulset, ordinal):
            there[ordinal] = pod
        elif ordinal >= 0:
            condemned.append(pod)
    replicas = tuple(
        [
            there.get(ordinal) or versioned_pod(statefulset, revisions, ordinal)
            for ordinal in range(start, start + replicas_of(statefulset))
        ]
    )
    rising = by_ordinal(condemned)
    seconds = statefulset.spec.min_ready_seconds
    unavailable = [pod for pod in (*replicas, *rising) if is_unavailable(pod, seconds, now_ns)]
    return Layout(
        replicas=replicas,
        condemned=rising[::-1],
        first_unavailable=unavailable[0] if unavailable else None,
    )


def versioned_pod(statefulset: StatefulSet, revisions: Revisions, ordinal: int) -> Pod:
    """A new pod of that number, of the revision that the number is to have."""
    revision = revisions.current if needs_current(statefulset, ordinal) else revisions.update
    return new_pod(statefulset, template_of(revision), revision.name, ordinal)


def needs_current(statefulset: StatefulSet, ordinal: int) -> bool:
    """Whether a new pod of that number is still made of the current revision."""
    strategy = statefulset.spec.update_strategy
    if strategy.rolling_update is not None:
        return ordinal < start_of(statefulset) + (strategy.rolling_update.partition or 0)
    kept = statefulset.status.current_replicas
    return strategy.type == "RollingUpdate" and ordinal < start_of(statefulset) + kept


# -- one pod


def is_created(pod: Pod) -> bool:
    """Whether the server knows the pod."""
    return bool(pod.status.phase)


def is_running_and_ready(pod: Pod) -> bool:
    """Whether the pod works."""
    return pod.status.phase == "Running" and is_pod_ready(pod)


def is_unavailable(pod: Pod, min_ready_seconds: int, now_ns: int) -> bool:
    """Whether the pod doesn't work, not for long enough yet, or not for much longer."""
    return not is_pod_available(pod, min_ready_seconds, now_ns) or is_going(pod)


def is_going(pod: Pod) -> bool:
    """Whether the pod was told to go."""
    return pod.metadata.deletion_timestamp is not None


def replica_step(statefulset: StatefulSet, pod: Pod, now_ns: int) -> Step:
    """What to do about a pod whose number is wanted (processReplica)."""
    if is_pod_terminal(pod):
        return Step.WAIT if is_going(pod) else Step.REPLACE
    if not is_created(pod):
        return Step.CREATE
    if is_monotonic(statefulset):
        if is_going(pod) or not is_running_and_ready(pod):
            return Step.WAIT
        if not is_pod_available(pod, statefulset.spec.min_ready_seconds, now_ns):
            return Step.WAIT
    return Step.CHECK


def needs_claims(pod: Pod) -> bool:
    """Whether claims that are missing are made for a pod that exists."""
    return pod.status.phase == "Pending"


def condemned_step(statefulset: StatefulSet, pod: Pod, first_unavailable: Pod | None, now_ns: int) -> Step:
    """What to do about a pod whose number isn't wanted (processCondemned)."""
    monotonic = is_monotonic(statefulset)
    if is_going(pod):
        return Step.WAIT if monotonic else Step.PASS
    works = is_running_and_ready(pod) and is_pod_available(pod, statefulset.spec.min_ready_seconds, now_ns)
    if monotonic and not works and pod is not first_unavailable:
        return Step.WAIT
    return Step.DELETE


def update_target(
    statefulset: StatefulSet, replicas: Sequence[Pod], revisions: Revisions, now_ns: int
) -> Pod | None:
    """The pod to delete so that it comes back updated; None: nothing to update, or one that must come back first."""
    strategy = statefulset.spec.update_strategy
    if strategy.type == "OnDelete":
        return None
    lowest = strategy.rolling_update.partition or 0 if strategy.rolling_update is not None else 0
    for pod in reversed(replicas[lowest:]):
        if revision_of(pod) != revisions.update.name and not is_going(pod):
            return pod
        if is_unavailable(pod, statefulset.spec.min_ready_seconds, now_ns):
            return None
    return None


# -- status


def new_status(
    statefulset: StatefulSet, pods: Iterable[Pod], revisions: Revisions, now_ns: int
) -> StatefulSetStatus:
    """What these pods mean for the status; pods that are not created count for nothing."""
    replicas = ready = available = current = updated = 0
    for pod in pods:
        if not is_created(pod):
            continue
        replicas += 1
        if is_running_and_ready(pod):
            ready += 1
            if is_pod_available(pod, statefulset.spec.min_ready_seconds, now_ns):
                available += 1
        if not is_going(pod):
            current += revision_of(pod) == revisions.current.name
            updated += revision_of(pod) == revisions.update.name
    return StatefulSetStatus(
        observed_generation=statefulset.metadata.generation,
        replicas=replicas,
        ready_replicas=ready,
        available_replicas=available,
        current_replicas=current,
        updated_replicas=updated,
        current_revision=revisions.current.name,
        update_revision=revisions.update.name,
        collision_count=revisions.collisions,
    )


def completed(statefulset: StatefulSet, status: StatefulSetStatus) -> StatefulSetStatus:
    """The status with a rolling update that is through marked as such (completeRollingUpdate)."""
    wanted = replicas_of(statefulset)
    if statefulset.spec.update_strategy.type != "RollingUpdate":
        return status
    if not (status.updated_replicas == status.replicas == status.ready_replicas == wanted):
        return status
    return evolve(status, current_replicas=status.updated_replicas, current_revision=status.update_revision)


def is_status_old(statefulset: StatefulSet, status: StatefulSetStatus) -> bool:
    """Whether the status is worth writing (inconsistentStatus): conditions and collisions alone are not."""
    old = statefulset.status
    return status.observed_generation > old.observed_generation or any(
        getattr(status, name) != getattr(old, name)
        for name in (
            "replicas",
            "current_replicas",
            "ready_replicas",
            "updated_replicas",
            "available_replicas",
            "current_revision",
            "update_revision",
        )
    )
