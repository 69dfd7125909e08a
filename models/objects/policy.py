"""Bounds that others must keep: disruption budgets, quotas, limits, priorities.

Source: staging/src/k8s.io/api/policy/v1/types.go, staging/src/k8s.io/api/core/v1/types.go,
staging/src/k8s.io/api/scheduling/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, IntOrString, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector, StandardCondition
from chaoskube.models.objects.quantity import Quantity


@frozen(kw_only=True)
class PodDisruptionBudgetSpec:
    """How many pods must stay, or may go, when somebody asks nicely."""

    min_available: IntOrString | None = None
    selector: LabelSelector | None = None
    max_unavailable: IntOrString | None = None
    unhealthy_pod_eviction_policy: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodDisruptionBudgetStatus:
    """How many may go now, and which were told to."""

    observed_generation: int = 0
    disrupted_pods: FrozenDict[str, Time] = EMPTY
    disruptions_allowed: int = field(default=0, metadata=WRITTEN)
    current_healthy: int = field(default=0, metadata=WRITTEN)
    desired_healthy: int = field(default=0, metadata=WRITTEN)
    expected_pods: int = field(default=0, metadata=WRITTEN)
    conditions: tuple[StandardCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodDisruptionBudget(KubeObject):
    """A bound on evictions."""

    api_version: str = "policy/v1"
    kind: str = "PodDisruptionBudget"
    spec: PodDisruptionBudgetSpec = field(default=PodDisruptionBudgetSpec())
    status: PodDisruptionBudgetStatus = field(default=PodDisruptionBudgetStatus())


@frozen(kw_only=True)
class ScopedSelectorRequirement:
    """A scope of a quota, and its values: In, NotIn, Exists, DoesNotExist."""

    scope_name: str = field(default="", metadata=WRITTEN)
    operator: str = field(default="", metadata=WRITTEN)
    values: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ScopeSelector:
    """All of its requirements must hold."""

    match_expressions: tuple[ScopedSelectorRequirement, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ResourceQuotaSpec:
    """How much a namespace may use, of which objects."""

    hard: FrozenDict[str, Quantity] = EMPTY
    scopes: tuple[str, ...] = ()
    scope_selector: ScopeSelector | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ResourceQuotaStatus:
    """What the quota controller, and admission, counted."""

    hard: FrozenDict[str, Quantity] = EMPTY
    used: FrozenDict[str, Quantity] = EMPTY
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ResourceQuota(KubeObject):
    """A bound on what a namespace uses."""

    api_version: str = "v1"
    kind: str = "ResourceQuota"
    spec: ResourceQuotaSpec = field(default=ResourceQuotaSpec())
    status: ResourceQuotaStatus = field(default=ResourceQuotaStatus())


@frozen(kw_only=True)
class LimitRangeItem:
    """Bounds and defaults for Containers, Pods or PersistentVolumeClaims."""

    type: str = field(default="", metadata=WRITTEN)
    max: FrozenDict[str, Quantity] = EMPTY
    min: FrozenDict[str, Quantity] = EMPTY
    default: FrozenDict[str, Quantity] = EMPTY
    default_request: FrozenDict[str, Quantity] = EMPTY
    max_limit_request_ratio: FrozenDict[str, Quantity] = EMPTY
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class LimitRangeSpec:
    """The bounds of a namespace."""

    limits: tuple[LimitRangeItem, ...] = field(default=(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class LimitRange(KubeObject):
    """Bounds and defaults for what is made in a namespace."""

    api_version: str = "v1"
    kind: str = "LimitRange"
    spec: LimitRangeSpec = field(default=LimitRangeSpec())


@frozen(kw_only=True)
class PriorityClass(KubeObject):
    """A name for a priority."""

    api_version: str = "scheduling.k8s.io/v1"
    kind: str = "PriorityClass"
    value: int = 0
    global_default: bool = False
    description: str | None = None
    preemption_policy: str | None = None
