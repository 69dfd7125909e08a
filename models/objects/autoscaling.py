"""HorizontalPodAutoscalers, as autoscaling/v2 has them.

Source: staging/src/k8s.io/api/autoscaling/v2/types.go.

Not modelled: autoscaling/v1, which the real server converts to and from this (a HorizontalPodAutoscaler of v1 is a
kind of its own here).
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector
from chaoskube.models.objects.quantity import Quantity


@frozen(kw_only=True)
class CrossVersionObjectReference:
    """What is scaled."""

    kind: str = field(default="", metadata=WRITTEN)
    name: str = field(default="", metadata=WRITTEN)
    api_version: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MetricTarget:
    """The value that a metric should have."""

    type: str = field(default="", metadata=WRITTEN)
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MetricIdentifier:
    """A metric's name, and which of its series."""

    name: str = field(default="", metadata=WRITTEN)
    selector: LabelSelector | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ResourceMetricSource:
    """A resource of all containers of the pods."""

    name: str = field(default="", metadata=WRITTEN)
    target: MetricTarget = field(default=MetricTarget(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerResourceMetricSource:
    """A resource of one container of the pods."""

    name: str = field(default="", metadata=WRITTEN)
    target: MetricTarget = field(default=MetricTarget(), metadata=WRITTEN)
    container: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodsMetricSource:
    """A metric of each pod."""

    metric: MetricIdentifier = field(default=MetricIdentifier(), metadata=WRITTEN)
    target: MetricTarget = field(default=MetricTarget(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ObjectMetricSource:
    """A metric of some object."""

    described_object: CrossVersionObjectReference = field(
        default=CrossVersionObjectReference(), metadata=WRITTEN
    )
    target: MetricTarget = field(default=MetricTarget(), metadata=WRITTEN)
    metric: MetricIdentifier = field(default=MetricIdentifier(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ExternalMetricSource:
    """A metric of something outside."""

    metric: MetricIdentifier = field(default=MetricIdentifier(), metadata=WRITTEN)
    target: MetricTarget = field(default=MetricTarget(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MetricSpec:
    """One metric, by its sort."""

    type: str = field(default="", metadata=WRITTEN)
    object: ObjectMetricSource | None = None
    pods: PodsMetricSource | None = None
    resource: ResourceMetricSource | None = None
    container_resource: ContainerResourceMetricSource | None = None
    external: ExternalMetricSource | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HPAScalingPolicy:
    """At most `value` pods or percent in a period."""

    type: str = field(default="", metadata=WRITTEN)
    value: int = field(default=0, metadata=WRITTEN)
    period_seconds: int = field(default=0, metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HPAScalingRules:
    """How fast replicas may grow or shrink."""

    stabilization_window_seconds: int | None = None
    select_policy: str | None = None
    policies: tuple[HPAScalingPolicy, ...] = ()
    tolerance: Quantity | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HorizontalPodAutoscalerBehavior:
    """How fast replicas may grow and shrink."""

    scale_up: HPAScalingRules | None = None
    scale_down: HPAScalingRules | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HorizontalPodAutoscalerSpec:
    """What is scaled, between which bounds, by which metrics."""

    scale_target_ref: CrossVersionObjectReference = field(
        default=CrossVersionObjectReference(), metadata=WRITTEN
    )
    min_replicas: int | None = None
    max_replicas: int = field(default=0, metadata=WRITTEN)
    metrics: tuple[MetricSpec, ...] = ()
    behavior: HorizontalPodAutoscalerBehavior | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MetricValueStatus:
    """The value that a metric has."""

    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ResourceMetricStatus:
    """A resource of all containers of the pods, as it is."""

    name: str = field(default="", metadata=WRITTEN)
    current: MetricValueStatus = field(default=MetricValueStatus(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerResourceMetricStatus:
    """A resource of one container of the pods, as it is."""

    name: str = field(default="", metadata=WRITTEN)
    current: MetricValueStatus = field(default=MetricValueStatus(), metadata=WRITTEN)
    container: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodsMetricStatus:
    """A metric of each pod, as it is."""

    metric: MetricIdentifier = field(default=MetricIdentifier(), metadata=WRITTEN)
    current: MetricValueStatus = field(default=MetricValueStatus(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ObjectMetricStatus:
    """A metric of some object, as it is."""

    metric: MetricIdentifier = field(default=MetricIdentifier(), metadata=WRITTEN)
    current: MetricValueStatus = field(default=MetricValueStatus(), metadata=WRITTEN)
    described_object: CrossVersionObjectReference = field(
        default=CrossVersionObjectReference(), metadata=WRITTEN
    )
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ExternalMetricStatus:
    """A metric of something outside, as it is."""

    metric: MetricIdentifier = field(default=MetricIdentifier(), metadata=WRITTEN)
    current: MetricValueStatus = field(default=MetricValueStatus(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class MetricStatus:
    """One metric, as it is."""

    type: str = field(default="", metadata=WRITTEN)
    object: ObjectMetricStatus | None = None
    pods: PodsMetricStatus | None = None
    resource: ResourceMetricStatus | None = None
    container_resource: ContainerResourceMetricStatus | None = None
    external: ExternalMetricStatus | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HorizontalPodAutoscalerCondition:
    """One condition of an autoscaler."""

    type: str = field(default="", metadata=WRITTEN)
    status: str = field(default="", metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HorizontalPodAutoscalerStatus:
    """What it wants, and why."""

    observed_generation: int | None = None
    last_scale_time: Time | None = None
    current_replicas: int = 0
    desired_replicas: int = field(default=0, metadata=WRITTEN)
    current_metrics: tuple[MetricStatus, ...] = field(default=(), metadata=WRITTEN)
    conditions: tuple[HorizontalPodAutoscalerCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HorizontalPodAutoscaler(KubeObject):
    """Sets the replicas of a workload by metrics."""

    api_version: str = "autoscaling/v2"
    kind: str = "HorizontalPodAutoscaler"
    spec: HorizontalPodAutoscalerSpec = field(default=HorizontalPodAutoscalerSpec())
    status: HorizontalPodAutoscalerStatus = field(default=HorizontalPodAutoscalerStatus())
