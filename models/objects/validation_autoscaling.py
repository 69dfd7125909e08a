"""What must hold of HorizontalPodAutoscalers.

Source: pkg/apis/autoscaling/validation/validation.go. Called by validation.py.

Not modelled: rules of the values of metrics, beyond that each sort has its part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chaoskube.models.objects.autoscaling import (
    CrossVersionObjectReference,
    HorizontalPodAutoscaler,
    HPAScalingRules,
    MetricSpec,
)
from chaoskube.models.objects.causes import Cause, forbidden, invalid, not_negative, required, unsupported
from chaoskube.models.objects.names import path_segment

_PERIOD_SECONDS_MAX: Final = 1800
_WINDOW_SECONDS_MAX: Final = 3600
_SORTS: Final[Mapping[str, str]] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def check_autoscaler(obj: HorizontalPodAutoscaler) -> Iterator[Cause]:
    """A HorizontalPodAutoscaler."""
    spec = obj.spec
    least = spec.min_replicas
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if spec.max_replicas == 0:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    elif spec.max_replicas < 0:
        yield invalid("spec.maxReplicas", spec.max_replicas, "must be greater than or equal to 1")
    if least is not None and spec.max_replicas < least:
        yield invalid("spec.maxReplicas", spec.max_replicas, "must be greater than or equal to `minReplicas`")
    yield from _target(spec.scale_target_ref, "spec.scaleTargetRef")
    for position, metric in enumerate(spec.metrics):
        yield from _metric(metric, f"spec.metrics[{position}]")
    if least == 0 and not any(metric.type in ("Object", "External") for metric in spec.metrics):
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden("spec.metrics", text)
    if spec.behavior is not None:
        for field, rules in (("scaleUp", spec.behavior.scale_up), ("scaleDown", spec.behavior.scale_down)):
            if rules is not None:
                yield from _rules(rules, f"spec.behavior.{field}")


def check_autoscaler_status(old: HorizontalPodAutoscaler, new: HorizontalPodAutoscaler) -> Iterator[Cause]:
    """Counts of the status."""
    yield from not_negative("status.currentReplicas", new.status.current_replicas)
    yield from not_negative("status.desiredReplicas", new.status.desired_replicas)


def _target(reference: CrossVersionObjectReference, path: str) -> Iterator[Cause]:
    for field, value in (("kind", reference.kind), ("name", reference.name)):
        if not value:
            yield required(f"{path}.{field}")
        for message in path_segment(value) if value else ():
            yield invalid(f"{path}.{field}", value, message)
    version = reference.api_version or ""
    if version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif "/" not in version and not (version == "v1" and reference.kind == "ReplicationController"):
        yield invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")


def _metric(metric: MetricSpec, path: str) -> Iterator[Cause]:
    if not metric.type:
        yield required(f"{path}.type", "must specify a metric source type")
    if metric.type not in _SORTS:
        yield unsupported(f"{path}.type", metric.type, sorted(_SORTS))
    parts = {
        "object": metric.object,
        "external": metric.external,
        "pods": metric.pods,
        "resource": metric.resource,
        "containerResource": metric.container_resource,
    }
    expected = _SORTS.get(metric.type)
    if expected is not None and parts[expected] is None:
        yield required(f"{path}.{expected}", "must populate information for the given metric source")
    present = [name for name, part in parts.items() if part is not None]
    if len(present) > 1 and expected in present:
        for name in sorted(present):
            if name != expected:
                text = "must populate the given metric source only"
                yield forbidden(f"{path}.{name}", text)


def _rules(rules: HPAScalingRules, path: str) -> Iterator[Cause]:
    window = rules.stabilization_window_seconds
    if window is not None and window < 0:
        yield invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _WINDOW_SECONDS_MAX:
        text = f"must be less than or equal to {_WINDOW_SECONDS_MAX}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, text)
    if rules.select_policy is not None and rules.select_policy not in ("Disabled", "Max", "Min"):
        yield unsupported(f"{path}.selectPolicy", rules.select_policy, ("Disabled", "Max", "Min"))
    if not rules.policies:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for position, policy in enumerate(rules.policies):
        where = f"{path}.policies[{position}]"
        if policy.type not in ("Percent", "Pods"):
            yield unsupported(f"{where}.type", policy.type, ("Percent", "Pods"))
        if policy.value <= 0:
            yield invalid(f"{where}.value", policy.value, "must be greater than zero")
        if policy.period_seconds <= 0:
            yield invalid(f"{where}.periodSeconds", policy.period_seconds, "must be greater than zero")
        if policy.period_seconds > _PERIOD_SECONDS_MAX:
            text = f"must be less than or equal to {_PERIOD_SECONDS_MAX}"
            yield invalid(f"{where}.periodSeconds", policy.period_seconds, text)
    if rules.tolerance is not None and rules.tolerance.is_negative:
        text = "must be greater than or equal to 0"
        yield invalid(f"{path}.tolerance", rules.tolerance.canonical(), text)
