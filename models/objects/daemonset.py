"""DaemonSets: a pod on each node.

Source: staging/src/k8s.io/api/apps/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, IntOrString, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector
from chaoskube.models.objects.pod import PodTemplateSpec


@frozen(kw_only=True)
class RollingUpdateDaemonSet:
    """How many nodes may be without a pod, or have two, during an update."""

    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DaemonSetUpdateStrategy:
    """RollingUpdate or OnDelete."""

    type: str | None = None
    rolling_update: RollingUpdateDaemonSet | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DaemonSetCondition:
    """One condition of a DaemonSet."""

    type: str = ""
    status: str = ""
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DaemonSetSpec:
    """Which pods, and how they are replaced."""

    selector: LabelSelector | None = None
    template: PodTemplateSpec = field(default=PodTemplateSpec())
    update_strategy: DaemonSetUpdateStrategy = field(default=DaemonSetUpdateStrategy())
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DaemonSetStatus:
    """On how many nodes a pod should run, runs, and is ready."""

    current_number_scheduled: int = field(default=0, metadata=WRITTEN)
    number_misscheduled: int = field(default=0, metadata=WRITTEN)
    desired_number_scheduled: int = field(default=0, metadata=WRITTEN)
    number_ready: int = field(default=0, metadata=WRITTEN)
    observed_generation: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    collision_count: int | None = None
    conditions: tuple[DaemonSetCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DaemonSet(KubeObject):
    """One pod on each node that fits."""

    api_version: str = "apps/v1"
    kind: str = "DaemonSet"
    spec: DaemonSetSpec = field(default=DaemonSetSpec())
    status: DaemonSetStatus = field(default=DaemonSetStatus())
