"""What must hold of StatefulSets, DaemonSets and ControllerRevisions.

Source: pkg/apis/apps/validation/validation.go. Called by validation.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve

from chaoskube.models.objects.causes import Cause, forbidden, invalid, not_negative, required, unsupported
from chaoskube.models.objects.daemonset import DaemonSet, RollingUpdateDaemonSet
from chaoskube.models.objects.fields import json_name
from chaoskube.models.objects.inside import inside
from chaoskube.models.objects.meta import LabelSelector
from chaoskube.models.objects.names import dns_label
from chaoskube.models.objects.pod import PodTemplateSpec
from chaoskube.models.objects.selectors import matches
from chaoskube.models.objects.stateful import ControllerRevision, StatefulSet, StatefulSetSpec
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_pod import check_template
from chaoskube.models.objects.validation_storage import check_claim_spec
from chaoskube.models.objects.validation_values import (
    amount,
    at_most_all,
    int_or_percent,
    unchanged,
)
from chaoskube.models.objects.validation_workloads import check_always_restarted
from chaoskube.models.objects.volumes import PersistentVolumeClaimVolumeSource, Volume

_STATEFUL_CHANGEABLE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def check_stateful_set(obj: StatefulSet) -> Iterator[Cause]:
    """A new StatefulSet."""
    yield from check_stateful_spec(obj)
    for message in dns_label(obj.spec.service_name) if obj.spec.service_name else ():
        yield invalid("spec.serviceName", obj.spec.service_name, message)


def check_stateful_set_update(old: StatefulSet, new: StatefulSet) -> Iterator[Cause]:
    """A changed one: the fields that say who its pods are stay."""
    before = old.spec
    kept = evolve(
        new.spec,
        replicas=before.replicas,
        template=before.template,
        update_strategy=before.update_strategy,
        min_ready_seconds=before.min_ready_seconds,
        ordinals=before.ordinals,
        revision_history_limit=before.revision_history_limit,
        persistent_volume_claim_retention_policy=before.persistent_volume_claim_retention_policy,
    )
    if kept != before:
        yield forbidden("spec", _STATEFUL_CHANGEABLE)


def check_stateful_spec(obj: StatefulSet) -> Iterator[Cause]:
    """Any StatefulSet."""
    spec = obj.spec
    if not spec.pod_management_policy:
        yield required("spec.podManagementPolicy")
    elif spec.pod_management_policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        yield invalid("spec.podManagementPolicy", spec.pod_management_policy, text)
    yield from _stateful_strategy(spec)
    retention = spec.persistent_volume_claim_retention_policy
    if retention is not None:
        path = "spec.persistentVolumeClaimRetentionPolicy"
        for field, value in (("whenDeleted", retention.when_deleted), ("whenScaled", retention.when_scaled)):
            if value not in ("Retain", "Delete"):
                yield unsupported(f"{path}.{field}", value or "", ("Retain", "Delete"))
    for position, claim in enumerate(spec.volume_claim_templates):
        yield from check_claim_spec(claim.spec, f"spec.volumeClaimTemplates[{position}].spec")
    yield from not_negative("spec.replicas", spec.replicas)
    yield from not_negative("spec.minReadySeconds", spec.min_ready_seconds)
    if spec.ordinals is not None:
        yield from not_negative("spec.ordinals.start", spec.ordinals.start)
    yield from _stateful_template(spec)


def _stateful_strategy(spec: StatefulSetSpec) -> Iterator[Cause]:
    strategy = spec.update_strategy
    path = "spec.updateStrategy"
    rolling = strategy.rolling_update
    if not strategy.type:
        yield required(path)
    elif strategy.type == "OnDelete":
        if rolling is not None:
            yield invalid(
                f"{path}.rollingUpdate", inside(rolling), "only allowed for updateStrategy 'RollingUpdate'"
            )
    elif strategy.type != "RollingUpdate":
        yield invalid(path, inside(strategy), "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        yield from not_negative(f"{path}.rollingUpdate.partition", rolling.partition)
        most = rolling.max_unavailable
        if most is not None:
            where = f"{path}.rollingUpdate.maxUnavailable"
            yield from int_or_percent(most, where)
            if amount(most) == 0:
                yield invalid(where, most, "cannot be 0")
            yield from at_most_all(most, where)


def _stateful_template(spec: StatefulSetSpec) -> Iterator[Cause]:
    wrong = False
    if spec.selector is None:
        yield required("spec.selector")
    else:
        for cause in check_selector(spec.selector, "spec.selector"):
            wrong = True
            yield cause
        if spec.selector == LabelSelector():
            yield invalid("spec.selector", spec.selector, "empty selector is invalid for statefulset")
    if wrong:
        yield invalid("spec.selector", spec.selector, "")
    else:
        template = _as_run(spec)
        labels = template.metadata.labels
        if spec.selector is not None and not matches(spec.selector, labels):
            text = "`selector` does not match template `labels`"
            yield invalid("spec.template.metadata.labels", labels, text)
        yield from check_template(template, "spec.template")
    yield from check_always_restarted(spec.template, "StatefulSet")


def _as_run(spec: StatefulSetSpec) -> PodTemplateSpec:
    """The template with what the controller puts into each pod: its claims' volumes, and names of its own."""
    claims = {claim.metadata.name: claim for claim in spec.volume_claim_templates}
    added = [
        Volume(name=name, persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name=name))
        for name in claims
    ]
    own = [volume for volume in spec.template.spec.volumes if volume.name not in claims]
    pod = evolve(spec.template.spec, subdomain=None, hostname=None, volumes=(*added, *own))
    return evolve(spec.template, spec=pod)


def check_stateful_set_status(old: StatefulSet, new: StatefulSet) -> Iterator[Cause]:
    """Counts of the status."""
    status = new.status
    counts: Mapping[str, int] = {
        "readyReplicas": status.ready_replicas,
        "currentReplicas": status.current_replicas,
        "updatedReplicas": status.updated_replicas,
        "availableReplicas": status.available_replicas,
    }
    yield from not_negative("status.replicas", status.replicas)
    for name, count in counts.items():
        yield from not_negative(f"status.{name}", count)
    yield from not_negative("status.observedGeneration", status.observed_generation)
    yield from not_negative("status.collisionCount", status.collision_count)
    for name, count in counts.items():
        if count > status.replicas:
            yield invalid(f"status.{name}", count, "cannot be greater than status.replicas")
    if status.available_replicas > status.ready_replicas:
        text = "cannot be greater than status.readyReplicas"
        yield invalid("status.availableReplicas", status.available_replicas, text)
    yield from _collisions(old.status.collision_count, status.collision_count)


def check_daemon_set(obj: DaemonSet) -> Iterator[Cause]:
    """A DaemonSet."""
    spec = obj.spec
    wrong = False
    for cause in check_selector(spec.selector, "spec.selector") if spec.selector is not None else ():
        wrong = True
        yield cause
    labels = spec.template.metadata.labels
    if not wrong and not matches(spec.selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if spec.selector == LabelSelector():
        yield invalid("spec.selector", spec.selector, "empty selector is invalid for daemonset")
    yield from check_template(spec.template, "spec.template")
    yield from check_always_restarted(spec.template, "DaemonSet")
    yield from not_negative("spec.minReadySeconds", spec.min_ready_seconds)
    strategy = spec.update_strategy
    if strategy.type == "RollingUpdate":
        if strategy.rolling_update is None:
            yield required("spec.updateStrategy.rollingUpdate")
        else:
            yield from _daemon_rolling(strategy.rolling_update, "spec.updateStrategy.rollingUpdate")
    elif strategy.type != "OnDelete":
        yield unsupported("spec.updateStrategy", inside(strategy), ("RollingUpdate", "OnDelete"))
    yield from not_negative("spec.revisionHistoryLimit", spec.revision_history_limit)


def _daemon_rolling(rolling: RollingUpdateDaemonSet, path: str) -> Iterator[Cause]:
    unavailable, surge = rolling.max_unavailable, rolling.max_surge
    yield from int_or_percent(unavailable, f"{path}.maxUnavailable")
    yield from int_or_percent(surge, f"{path}.maxSurge")
    yield from at_most_all(unavailable, f"{path}.maxUnavailable")
    yield from at_most_all(surge, f"{path}.maxSurge")
    if amount(unavailable) and amount(surge):
        yield invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif not amount(unavailable) and not amount(surge):
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def check_daemon_set_update(old: DaemonSet, new: DaemonSet) -> Iterator[Cause]:
    """The selector stays."""
    yield from unchanged("spec.selector", old.spec.selector, new.spec.selector)


def check_daemon_set_status(old: DaemonSet, new: DaemonSet) -> Iterator[Cause]:
    """Counts of the status."""
    status = new.status
    for name in (
        "current_number_scheduled",
        "number_misscheduled",
        "desired_number_scheduled",
        "number_ready",
        "observed_generation",
        "updated_number_scheduled",
        "number_available",
        "number_unavailable",
    ):
        yield from not_negative(f"status.{json_name(name)}", getattr(status, name))
    yield from _collisions(old.status.collision_count, status.collision_count)


def _collisions(old: int | None, new: int | None) -> Iterator[Cause]:
    if old is not None and (new or 0) < old:
        yield invalid("status.collisionCount", new or 0, "cannot be decremented")


def check_revision(obj: ControllerRevision) -> Iterator[Cause]:
    """A ControllerRevision."""
    yield from not_negative("revision", obj.revision)
    if obj.data is None:
        yield required("data", "data is mandatory")
    elif not isinstance(obj.data, Mapping):
        yield required("data", "data must be a valid JSON object")


def check_revision_update(old: ControllerRevision, new: ControllerRevision) -> Iterator[Cause]:
    """What it keeps never changes; its number does."""
    yield from unchanged("data", old.data, new.data)
