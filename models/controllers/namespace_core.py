"""What must go before a namespace may: which resources, how long that may take, what its conditions say. Pure.

Pods go first and alone; everything else waits until the last of them is gone. What remains after a round says when
to look again: as long as the longest grace of a pod that still runs, or 15 s where finalizers hold something back.

Sources: pkg/controller/namespace/deletion/{namespaced_resources_deleter,status_condition_utils}.go,
pkg/controller/namespace/namespace_controller.go. Messages: recordings of a real server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve, frozen

from chaoskube.models.objects import (
    KubeObject,
    Namespace,
    NamespaceCondition,
    Pod,
    get_condition,
    is_pod_terminal,
)
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND

KUBERNETES_FINALIZER = "kubernetes"
CONTENT_WAIT = 5 * SECOND
"""namespaceDeletionGracePeriod: other API servers have to hear of the deletion first."""
RETRY_MAX = 60 * SECOND
FINALIZER_ESTIMATE_SECONDS = 15

DISCOVERY_FAILURE = "NamespaceDeletionDiscoveryFailure"
PARSING_FAILURE = "NamespaceDeletionGroupVersionParsingFailure"
CONTENT_FAILURE = "NamespaceDeletionContentFailure"
CONTENT_REMAINING = "NamespaceContentRemaining"
FINALIZERS_REMAINING = "NamespaceFinalizersRemaining"

_WELL = (
    (DISCOVERY_FAILURE, "ResourcesDiscovered", "All resources successfully discovered"),
    (PARSING_FAILURE, "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        CONTENT_FAILURE,
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    (CONTENT_REMAINING, "ContentRemoved", "All content successfully removed"),
    (FINALIZERS_REMAINING, "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)
"""Every condition, in order, and what it says when nothing is wrong."""


@frozen(kw_only=True)
class Remaining:
    """What is left of one resource after its deletion was asked for, and in how many seconds it may be gone."""

    resource: str
    group: str
    count: int = 0
    finalizers: tuple[tuple[str, int], ...] = ()
    estimate_seconds: int = 0

    @property
    def is_stuck(self) -> bool:
        """Something is left, and nothing explains why."""
        return bool(self.count) and not self.estimate_seconds


def in_order(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The namespaced resources in the order in which they are deleted: pods first."""
    namespaced = [one for one in resources if one.namespaced]
    return tuple(sorted(namespaced, key=lambda one: (one.plural != "pods", one.plural, one.group)))


def pods_estimate_seconds(pods: Iterable[Pod], deleted_at_ns: int, now_ns: int) -> int:
    """The longest grace of a pod that has not ended; 0 when that much time has passed since the deletion."""
    longest = 0
    for pod in pods:
        if not is_pod_terminal(pod):
            longest = max(longest, pod.spec.termination_grace_period_seconds or 0)
    return 0 if now_ns - deleted_at_ns >= longest * SECOND else longest


def remaining_of(resource: Resource, items: Sequence[KubeObject], estimate_seconds: int) -> Remaining:
    """What `items`, listed after the deletion, mean."""
    if not items:
        return Remaining(resource=resource.plural, group=resource.group)
    held: dict[str, int] = {}
    for item in items:
        for finalizer in item.metadata.finalizers:
            held[finalizer] = held.get(finalizer, 0) + 1
    estimate = estimate_seconds or (FINALIZER_ESTIMATE_SECONDS if held else 0)
    return Remaining(
        resource=resource.plural,
        group=resource.group,
        count=len(items),
        finalizers=tuple(sorted(held.items())),
        estimate_seconds=estimate,
    )


def retry_after_ns(estimate_seconds: int) -> int:
    """When to look again at a namespace in which something remains."""
    return (estimate_seconds // 2 + 1) * SECOND


def with_conditions(
    namespace: Namespace, remaining: Sequence[Remaining], failures: Sequence[str], now_ns: int
) -> Namespace:
    """The namespace with its conditions as they are now; itself when nothing changed."""
    wrong = {**_failed(failures), **_left(remaining)}
    conditions = namespace.status.conditions
    for type, reason, message in _WELL:
        status = "False"
        if type in wrong:
            status = "True"
            reason, message = wrong[type]
        conditions = _set(conditions, type, status, reason, message, now_ns)
    if conditions == namespace.status.conditions:
        return namespace
    return evolve(namespace, status=evolve(namespace.status, conditions=conditions))


def without_finalizer(namespace: Namespace) -> Namespace:
    """The namespace as it is sent to be finalized."""
    kept = tuple(sorted(one for one in namespace.spec.finalizers if one != KUBERNETES_FINALIZER))
    return evolve(namespace, spec=evolve(namespace.spec, finalizers=kept))


def _failed(failures: Sequence[str]) -> dict[str, tuple[str, str]]:
    if not failures:
        return {}
    said = f"Failed to delete all resource types, {len(failures)} remaining: {', '.join(sorted(failures))}"
    return {CONTENT_FAILURE: ("ContentDeletionFailed", said)}


def _left(remaining: Sequence[Remaining]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    kinds = sorted(
        f"{one.resource}.{one.group} has {one.count} resource instances" for one in remaining if one.count
    )
    if kinds:
        said = f"Some resources are remaining: {', '.join(kinds)}"
        found[CONTENT_REMAINING] = ("SomeResourcesRemain", said)
    held: dict[str, int] = {}
    for one in remaining:
        for finalizer, count in one.finalizers:
            held[finalizer] = held.get(finalizer, 0) + count
    if held:
        names = ", ".join(sorted(f"{name} in {count} resource instances" for name, count in held.items()))
        said = f"Some content in the namespace has finalizers remaining: {names}"
        found[FINALIZERS_REMAINING] = ("SomeFinalizersRemain", said)
    return found


def _set(
    conditions: tuple[NamespaceCondition, ...], type: str, status: str, reason: str, message: str, now_ns: int
) -> tuple[NamespaceCondition, ...]:
    old = get_condition(conditions, type)
    if old is not None and (old.status, old.reason, old.message) == (status, reason, message):
        return conditions
    since = old.last_transition_time if old is not None and old.status == status else now_ns
    new = NamespaceCondition(
        type=type, status=status, last_transition_time=since, reason=reason, message=message
    )
    if old is None:
        return (*conditions, new)
    return tuple([new if one.type == type else one for one in conditions])
