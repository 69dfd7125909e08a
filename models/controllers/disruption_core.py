"""What a PodDisruptionBudget allows now: counting pods against what it wants. Pure.

A whole number of pods that must be there is compared with the pods that there are; a share, or a number that may be
missing, with what the pods' controllers want. Pods that an eviction has just taken count as gone for two minutes, until
their deletion is seen.

Source: pkg/controller/disruption/disruption.go, staging/src/k8s.io/component-helpers/apps/poddisruptionbudget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, frozen

from chaoskube.models.controllers.int_or_percent import scaled_value
from chaoskube.models.objects import (
    FrozenDict,
    LabelSelector,
    Pod,
    PodDisruptionBudget,
    PodDisruptionBudgetStatus,
    get_condition,
    is_pod_ready,
    is_pod_terminal,
)
from chaoskube.models.objects.budgets import (
    DISRUPTION_ALLOWED,
    SYNC_FAILED,
    with_allowed_condition,
    with_condition,
)
from chaoskube.sim import SECOND

DELETION_TIMEOUT = 120 * SECOND
STALE_AFTER = 120 * SECOND
DISRUPTION_TARGET = "DisruptionTarget"
BY_KUBELET = "TerminationByKubelet"


@frozen(kw_only=True)
class Expected:
    """How many pods there should be, and how many of them healthy."""

    count: int
    healthy: int


@frozen(kw_only=True)
class Disrupted:
    """The pods that were evicted and are still there: counted as gone; those given up; when to look again."""

    pods: FrozenDict[str, int]
    given_up: tuple[Pod, ...]
    look_again_at: int | None


def needs_scale(budget: PodDisruptionBudget) -> bool:
    """Whether it takes what controllers want to know how many pods are expected."""
    return budget.spec.max_unavailable is not None or isinstance(budget.spec.min_available, str)


def expected(budget: PodDisruptionBudget, pods: int, scale: int) -> Expected:
    """How many are expected, of `pods` that match and whose controllers want `scale` in all."""
    spec = budget.spec
    if spec.max_unavailable is not None:
        missing = scaled_value(spec.max_unavailable, scale, round_up=True)
        return Expected(count=scale, healthy=max(0, scale - missing))
    if isinstance(spec.min_available, str):
        return Expected(count=scale, healthy=scaled_value(spec.min_available, scale, round_up=True))
    if spec.min_available is not None:
        return Expected(count=pods, healthy=spec.min_available)
    return Expected(count=0, healthy=0)


def disrupted(budget: PodDisruptionBudget, pods: Iterable[Pod], now_ns: int) -> Disrupted:
    """Which evicted pods are still waited for."""
    told = budget.status.disrupted_pods
    kept: dict[str, int] = {}
    given_up: list[Pod] = []
    for pod in pods:
        since = told.get(pod.name)
        if pod.metadata.deletion_timestamp is not None or since is None:
            continue
        if since + DELETION_TIMEOUT < now_ns:
            given_up.append(pod)
        else:
            kept[pod.name] = since
    look_again_at = min(kept.values()) + DELETION_TIMEOUT if kept else None
    return Disrupted(pods=FrozenDict(kept), given_up=tuple(given_up), look_again_at=look_again_at)


def healthy(pods: Iterable[Pod], evicted: Mapping[str, int], now_ns: int) -> int:
    """How many pods are ready and stay."""
    count = 0
    for pod in pods:
        if pod.metadata.deletion_timestamp is not None:
            continue
        since = evicted.get(pod.name)
        if since is not None and since + DELETION_TIMEOUT > now_ns:
            continue
        count += is_pod_ready(pod)
    return count


def allowed(current: int, wanted: Expected) -> int:
    """How many may go now; none while no pod is expected, so that the first ones are safe."""
    return max(0, current - wanted.healthy) if wanted.count > 0 else 0


def new_status(
    budget: PodDisruptionBudget, current: int, wanted: Expected, evicted: FrozenDict[str, int], now_ns: int
) -> PodDisruptionBudgetStatus:
    """The status as it should be; the old one when nothing is to be written."""
    old = budget.status
    may_go = allowed(current, wanted)
    counted = evolve(
        old,
        current_healthy=current,
        desired_healthy=wanted.healthy,
        expected_pods=wanted.count,
        disruptions_allowed=may_go,
        disrupted_pods=evicted,
        observed_generation=budget.metadata.generation,
    )
    if counted == old and get_condition(old.conditions, DISRUPTION_ALLOWED) is not None:
        return old
    return with_allowed_condition(counted, now_ns)


def failed_status(budget: PodDisruptionBudget, message: str, now_ns: int) -> PodDisruptionBudgetStatus:
    """Nothing may go as long as nobody can count."""
    status = evolve(budget.status, disruptions_allowed=0)
    return with_condition(status, "False", SYNC_FAILED, message, now_ns)


def stale_disruption_after(pod: Pod, now_ns: int) -> int | None:
    """In how many ns the pod's DisruptionTarget is stale, because nobody deleted it; None when it never will be."""
    if pod.metadata.deletion_timestamp is not None or is_pod_terminal(pod):
        return None
    condition = get_condition(pod.status.conditions, DISRUPTION_TARGET)
    if condition is None or condition.status != "True" or condition.reason == BY_KUBELET:
        return None
    return max(0, (condition.last_transition_time or 0) + STALE_AFTER - now_ns)


def selector_text(selector: LabelSelector | None) -> str:
    """The selector as Go prints it in the event about unmanaged pods."""
    if selector is None:
        return "nil"
    labels = "".join(f"{key}: {selector.match_labels[key]}," for key in sorted(selector.match_labels))
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{one.key},Operator:{one.operator},Values:[{' '.join(one.values)}],}},"
        for one in selector.match_expressions
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"
    )
