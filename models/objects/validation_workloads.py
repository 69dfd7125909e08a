"""What must hold of Deployments, ReplicaSets and ReplicationControllers.

Sources: pkg/apis/apps/validation/validation.go, pkg/apis/core/validation/validation.go. Called by validation.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaoskube.models.objects.causes import Cause, forbidden, invalid, not_negative, required, unsupported
from chaoskube.models.objects.fields import json_name
from chaoskube.models.objects.meta import LabelSelector
from chaoskube.models.objects.pod import PodTemplateSpec
from chaoskube.models.objects.replication import ReplicationController
from chaoskube.models.objects.selectors import matches
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_pod import check_template
from chaoskube.models.objects.validation_values import amount, at_most_all, int_or_percent, unchanged
from chaoskube.models.objects.workloads import Deployment, DeploymentStrategy, ReplicaSet


def check_deployment(obj: Deployment) -> Iterator[Cause]:
    """A Deployment."""
    spec = obj.spec
    yield from not_negative("spec.replicas", spec.replicas)
    yield from _selected_template(spec.selector, spec.template)
    yield from _strategy(spec.strategy)
    yield from not_negative("spec.minReadySeconds", spec.min_ready_seconds)
    yield from not_negative("spec.revisionHistoryLimit", spec.revision_history_limit)
    deadline = spec.progress_deadline_seconds
    if deadline is not None:
        yield from not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.min_ready_seconds:
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def check_replica_set(obj: ReplicaSet) -> Iterator[Cause]:
    """A ReplicaSet."""
    yield from not_negative("spec.replicas", obj.spec.replicas)
    yield from not_negative("spec.minReadySeconds", obj.spec.min_ready_seconds)
    yield from _selected_template(obj.spec.selector, obj.spec.template)


def _selected_template(selector: LabelSelector | None, template: PodTemplateSpec) -> Iterator[Cause]:
    if selector is None:
        yield required("spec.selector")
    else:
        wrong = list(check_selector(selector, "spec.selector"))
        yield from wrong
        if selector == LabelSelector():
            yield invalid("spec.selector", selector, "empty selector is invalid for deployment")
        if wrong:
            yield invalid("spec.selector", selector, "invalid label selector")
            return
    labels = template.metadata.labels
    if not matches(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from check_template(template, "spec.template")
    yield from check_always_restarted(template, "ReplicaSet")


def _strategy(strategy: DeploymentStrategy) -> Iterator[Cause]:
    path = "spec.strategy"
    rolling = strategy.rolling_update
    if strategy.type == "Recreate":
        if rolling is not None:
            yield forbidden(
                f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
            )
    elif strategy.type == "RollingUpdate":
        if rolling is None:
            yield required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")
            return
        unavailable, surge = rolling.max_unavailable, rolling.max_surge
        yield from int_or_percent(unavailable, f"{path}.rollingUpdate.maxUnavailable")
        yield from int_or_percent(surge, f"{path}.rollingUpdate.maxSurge")
        if amount(unavailable) == 0 and amount(surge) == 0:
            yield invalid(
                f"{path}.rollingUpdate.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"
            )
        yield from at_most_all(unavailable, f"{path}.rollingUpdate.maxUnavailable")
    else:
        value: dict[str, Any] = {"Type": strategy.type or "", "RollingUpdate": None}
        yield unsupported(path, value, ("Recreate", "RollingUpdate"))


def check_selector_update(old: Deployment | ReplicaSet, new: Deployment | ReplicaSet) -> Iterator[Cause]:
    """The selector stays."""
    yield from unchanged("spec.selector", old.spec.selector, new.spec.selector)


def check_replication_controller(obj: ReplicationController) -> Iterator[Cause]:
    """A ReplicationController."""
    spec = obj.spec
    yield from not_negative("spec.minReadySeconds", spec.min_ready_seconds)
    if not spec.selector:
        yield required("spec.selector")
    if spec.replicas is None:
        yield required("spec.replicas")
    yield from not_negative("spec.replicas", spec.replicas)
    if spec.template is None:
        yield required("spec.template")
        return
    labels = spec.template.metadata.labels
    if spec.selector and not matches(spec.selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from check_template(spec.template, "spec.template")
    yield from check_always_restarted(spec.template, "ReplicationController")


def check_always_restarted(template: PodTemplateSpec, kind: str) -> Iterator[Cause]:
    """Pods of a service run on: they are restarted, and have no deadline."""
    if template.spec.restart_policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", template.spec.restart_policy or "", ("Always",))
    if template.spec.active_deadline_seconds is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)


def check_replicated_status(
    old: Deployment | ReplicaSet | ReplicationController, new: Deployment | ReplicaSet | ReplicationController
) -> Iterator[Cause]:
    """Counts of a status: none below zero, none above the replicas, none available that isn't ready."""
    status = new.status
    counted = "updated_replicas" if isinstance(new, Deployment) else "fully_labeled_replicas"
    for name in ("replicas", counted, "ready_replicas", "available_replicas", "observed_generation"):
        yield from not_negative(f"status.{json_name(name)}", getattr(status, name))
    for name in (counted, "ready_replicas", "available_replicas"):
        count: int = getattr(status, name)
        if count > status.replicas:
            yield invalid(f"status.{json_name(name)}", count, "cannot be greater than status.replicas")
    if status.available_replicas > status.ready_replicas:
        text = "cannot be greater than readyReplicas"
        yield invalid("status.availableReplicas", status.available_replicas, text)
