"""What a ReplicaSet wants: which pods count, which go first, and what its status says. Pure.

Deletion ranking, smaller is deleted first: unassigned, then pending before running, not ready before ready, lower
deletion cost, more siblings on its node, ready for a shorter time, more restarts, younger. Times are
compared on a log2 scale, so that two pods of about one age are equal unless their uids decide.

Sources: pkg/controller/controller_utils.go (ActivePodsWithRanks), pkg/controller/replicaset/replica_set_utils.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cmp_to_key

from attrs import evolve

from chaoskube.models.objects import (
    Pod,
    ReplicaSet,
    ReplicaSetCondition,
    ReplicaSetStatus,
    is_pod_active,
    is_pod_available,
    is_pod_ready,
    is_pod_terminal,
)

BURST_REPLICAS = 500
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
REPLICA_FAILURE = "ReplicaFailure"
_COST = re.compile(r"-[0-9]+|0|[1-9][0-9]*")
_PHASE_RANK = {"Pending": 0, "Unknown": 1, "Running": 2}


def wanted_replicas(replicaset: ReplicaSet) -> int:
    """spec.replicas, 1 when it isn't set."""
    return 1 if replicaset.spec.replicas is None else replicaset.spec.replicas


def slow_start_batches(count: int) -> tuple[int, ...]:
    """How many are created at once, batch after batch: 1, 2, 4, ... as long as all go well."""
    batches: list[int] = []
    size, left = min(1, count), count
    while size > 0:
        batches.append(size)
        left -= size
        size = min(2 * size, left)
    return tuple(batches)


def choose_victims(
    active: Sequence[Pod], count: int, siblings_by_node: Mapping[str, int], now: int
) -> tuple[Pod, ...]:
    """The `count` pods to delete. `siblings_by_node` counts active pods of the related ReplicaSets."""
    if count >= len(active):
        return tuple(active)

    def rank(pod: Pod) -> int:
        return siblings_by_node.get(pod.spec.node_name or "", 0)

    def compare(one: Pod, other: Pod) -> int:
        return compare_victims(one, other, rank(one), rank(other), now)

    return tuple(sorted(active, key=cmp_to_key(compare))[:count])


def compare_victims(one: Pod, other: Pod, one_rank: int, other_rank: int, now: int) -> int:
    """Negative when `one` goes before `other`, 0 when nothing distinguishes them."""
    for mine, theirs in (
        (bool(one.spec.node_name), bool(other.spec.node_name)),
        (_PHASE_RANK.get(one.status.phase or "", 0), _PHASE_RANK.get(other.status.phase or "", 0)),
        (is_pod_ready(one), is_pod_ready(other)),
        (_deletion_cost(one), _deletion_cost(other)),
        (-one_rank, -other_rank),
    ):
        if mine != theirs:
            return -1 if mine < theirs else 1
    if is_pod_ready(one) and is_pod_ready(other):
        by_ready = _younger_first(one, other, _ready_since(one), _ready_since(other), now)
        if by_ready:
            return by_ready
    for mine, theirs in zip(_restarts(one), _restarts(other), strict=True):
        if mine != theirs:
            return -1 if mine > theirs else 1
    return _younger_first(
        one, other, one.metadata.creation_timestamp or 0, other.metadata.creation_timestamp or 0, now
    )


def _younger_first(one: Pod, other: Pod, one_time: int, other_time: int, now: int) -> int:
    if one_time == other_time:
        return 0
    if not one_time or not other_time:
        return -1 if not one_time else 1
    mine, theirs = _log_age(now, one_time), _log_age(now, other_time)
    if mine == theirs:
        return -1 if one.uid < other.uid else 1
    return -1 if mine < theirs else 1


def _log_age(now: int, time: int) -> int:
    age = now - time
    return age.bit_length() - 1 if age > 0 else -1


def _deletion_cost(pod: Pod) -> int:
    text = pod.metadata.annotations.get(DELETION_COST, "0")
    if not _COST.fullmatch(text):
        return 0  # no plus sign, no leading zeros (GetDeletionCostFromPodAnnotations in pkg/apis/core/helper)
    cost = int(text)
    return cost if -(2**31) <= cost < 2**31 else 0


def _ready_since(pod: Pod) -> int:
    for condition in pod.status.conditions:
        if condition.type == "Ready" and condition.status == "True":
            return condition.last_transition_time or 0
    return 0


def _restarts(pod: Pod) -> tuple[int, int]:
    regular = max((status.restart_count for status in pod.status.container_statuses), default=0)
    always = {
        container.name for container in pod.spec.init_containers if container.restart_policy == "Always"
    }
    sidecars = max(
        (status.restart_count for status in pod.status.init_container_statuses if status.name in always),
        default=0,
    )
    return regular, sidecars


def active_pods(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """Those that are neither finished nor told to go."""
    return tuple([pod for pod in pods if is_pod_active(pod)])


def terminating_pods(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """Those told to go that have not finished."""
    return tuple(
        [pod for pod in pods if pod.metadata.deletion_timestamp is not None and not is_pod_terminal(pod)]
    )


def new_status(
    replicaset: ReplicaSet, active: Sequence[Pod], terminating: int, failure: str, now: int, wall_ns: int
) -> ReplicaSetStatus:
    """The status that `active` pods amount to; `failure` is what went wrong in this sync."""
    template_labels = replicaset.spec.template.metadata.labels
    labeled = ready = available = 0
    for pod in active:
        labels = pod.labels
        if all(labels.get(key) == value for key, value in template_labels.items()):
            labeled += 1
        if is_pod_ready(pod):
            ready += 1
            if is_pod_available(pod, replicaset.spec.min_ready_seconds, now):
                available += 1
    return evolve(
        replicaset.status,
        replicas=len(active),
        fully_labeled_replicas=labeled,
        ready_replicas=ready,
        available_replicas=available,
        terminating_replicas=terminating,
        observed_generation=replicaset.metadata.generation,
        conditions=_conditions(replicaset, len(active), failure, wall_ns),
    )


def _conditions(
    replicaset: ReplicaSet, active: int, failure: str, wall_ns: int
) -> tuple[ReplicaSetCondition, ...]:
    conditions = replicaset.status.conditions
    standing = any(condition.type == REPLICA_FAILURE for condition in conditions)
    if failure and not standing:
        reason = "FailedCreate" if active < wanted_replicas(replicaset) else "FailedDelete"
        return (
            *conditions,
            ReplicaSetCondition(
                type=REPLICA_FAILURE,
                status="True",
                last_transition_time=wall_ns,
                reason=reason,
                message=failure,
            ),
        )
    if not failure and standing:
        return tuple([condition for condition in conditions if condition.type != REPLICA_FAILURE])
    return conditions
