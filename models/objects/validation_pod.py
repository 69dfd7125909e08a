"""What must hold of a pod, and of a pod template.

Source: pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodUpdate).

Not modelled: volumes beyond their names, affinities, security; the tightening of a gated pod's affinity; the
difference that the real server appends to "pod updates may not change fields".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from chaoskube.models.objects.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_negative,
    required,
    unsupported,
)
from chaoskube.models.objects.inside import difference
from chaoskube.models.objects.names import dns_label, dns_subdomain, label_value, qualified_name
from chaoskube.models.objects.placement import PodSchedulingGate, Toleration, TopologySpreadConstraint
from chaoskube.models.objects.pod import Pod, PodSpec, PodTemplateSpec
from chaoskube.models.objects.validation_container import check_containers, check_resources
from chaoskube.models.objects.validation_meta import check_annotations, check_labels, check_selector

_CHANGEABLE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_pod(pod: Pod) -> Iterator[Cause]:
    """A pod as it is created."""
    yield from check_pod_spec(pod.spec, "spec")


def check_template(template: PodTemplateSpec, path: str) -> Iterator[Cause]:
    """The template of a controller."""
    yield from check_labels(template.metadata.labels, f"{path}.labels")
    yield from check_annotations(template.metadata.annotations, f"{path}.annotations")
    yield from check_pod_spec(template.spec, f"{path}.spec")


def check_pod_spec(spec: PodSpec, path: str) -> Iterator[Cause]:
    """The spec of a pod or template, after defaulting."""
    volumes = tuple(volume.name for volume in spec.volumes)
    yield from _check_volume_names(volumes, f"{path}.volumes")
    grace = 30 if spec.termination_grace_period_seconds is None else spec.termination_grace_period_seconds
    if not spec.containers:
        yield required(f"{path}.containers")
    yield from check_containers(spec.containers, f"{path}.containers", volumes=volumes, grace=grace)
    taken = tuple(container.name for container in spec.containers)
    inits = spec.init_containers
    yield from check_containers(inits, f"{path}.initContainers", volumes=volumes, grace=grace, taken=taken)
    if spec.restart_policy is None:
        yield required(f"{path}.restartPolicy")
    elif spec.restart_policy not in ("Always", "OnFailure", "Never"):
        yield unsupported(f"{path}.restartPolicy", spec.restart_policy, ("Always", "OnFailure", "Never"))
    yield from check_labels(spec.node_selector, f"{path}.nodeSelector")
    if spec.service_account_name:
        for message in dns_subdomain(spec.service_account_name):
            yield invalid(f"{path}.serviceAccountName", spec.service_account_name, message)
    if spec.node_name:
        for message in dns_subdomain(spec.node_name):
            yield invalid(f"{path}.nodeName", spec.node_name, message)
    deadline = spec.active_deadline_seconds
    if deadline is not None and not 1 <= deadline <= 2**31 - 1:
        yield invalid(
            f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"
        )
    for field, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain)):
        for message in dns_label(value) if value else ():
            yield invalid(f"{path}.{field}", value, message)
    for position, toleration in enumerate(spec.tolerations):
        yield from _check_toleration(toleration, f"{path}.tolerations[{position}]")
    yield from _check_spreading(spec.topology_spread_constraints, f"{path}.topologySpreadConstraints")
    yield from _check_gates(spec.scheduling_gates, f"{path}.schedulingGates")
    if spec.scheduling_gates and spec.node_name:
        text = "cannot be set until all schedulingGates have been cleared"
        yield forbidden(f"{path}.nodeName", text)
    if spec.resources is not None:
        yield from check_resources(spec.resources, f"{path}.resources")


def _check_volume_names(volumes: tuple[str, ...], path: str) -> Iterator[Cause]:
    for position, name in enumerate(volumes):
        where = f"{path}[{position}].name"
        if not name:
            yield required(where)
            continue
        for message in dns_label(name):
            yield invalid(where, name, message)
        if name in volumes[:position]:
            yield duplicate(where, name)


def _check_toleration(toleration: Toleration, path: str) -> Iterator[Cause]:
    key, operator = toleration.key or "", toleration.operator or ""
    if key:
        for message in qualified_name(key):
            yield invalid(f"{path}.key", key, message)
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield invalid(f"{path}.operator", operator, text)
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{path}.effect", toleration.effect or "", text)
    if operator in ("Equal", ""):
        for message in label_value(toleration.value or ""):
            yield invalid(f"{path}.operator", toleration.value, message)
    elif operator == "Exists":
        if toleration.value:
            yield invalid(
                f"{path}.operator", toleration.value, "value must be empty when `operator` is 'Exists'"
            )
    else:
        yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
    if toleration.effect and toleration.effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
        yield unsupported(
            f"{path}.effect", toleration.effect, ("NoSchedule", "PreferNoSchedule", "NoExecute")
        )


def _check_spreading(constraints: tuple[TopologySpreadConstraint, ...], path: str) -> Iterator[Cause]:
    seen: list[tuple[str, str]] = []
    for position, constraint in enumerate(constraints):
        where = f"{path}[{position}]"
        if constraint.max_skew <= 0:
            yield invalid(f"{where}.maxSkew", constraint.max_skew, "must be greater than zero")
        if not constraint.topology_key:
            yield required(f"{where}.topologyKey", "can not be empty")
        else:
            for message in qualified_name(constraint.topology_key):
                yield invalid(f"{where}.topologyKey", constraint.topology_key, message)
        if constraint.when_unsatisfiable not in ("DoNotSchedule", "ScheduleAnyway"):
            allowed = ("DoNotSchedule", "ScheduleAnyway")
            yield unsupported(f"{where}.whenUnsatisfiable", constraint.when_unsatisfiable, allowed)
        if constraint.min_domains is not None and constraint.min_domains <= 0:
            yield invalid(f"{where}.minDomains", constraint.min_domains, "must be greater than zero")
        identity = (constraint.topology_key, constraint.when_unsatisfiable)
        if identity in seen:
            yield duplicate(
                f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{identity[0]}, {identity[1]}}}"
            )
        seen.append(identity)
        if constraint.label_selector is not None:
            yield from check_selector(constraint.label_selector, f"{where}.labelSelector")


def _check_gates(gates: tuple[PodSchedulingGate, ...], path: str) -> Iterator[Cause]:
    names = [gate.name for gate in gates]
    for position, name in enumerate(names):
        for message in qualified_name(name):
            yield invalid(f"{path}[{position}]", name, message)
        if name in names[:position]:
            yield duplicate(f"{path}[{position}]", name)


def check_pod_update(old: Pod, new: Pod) -> Iterator[Cause]:
    """What of a pod may change: images, a deadline made shorter, tolerations added, gates removed."""
    before, after = old.spec, new.spec
    for field, ours, theirs in (
        ("containers", before.containers, after.containers),
        ("initContainers", before.init_containers, after.init_containers),
    ):
        if len(ours) != len(theirs):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    for field, containers in (("containers", after.containers), ("initContainers", after.init_containers)):
        for position, container in enumerate(containers):
            if not container.image:
                yield required(f"spec.{field}[{position}].image")
    yield from _check_deadline_update(before.active_deadline_seconds, after.active_deadline_seconds)
    yield from _check_gates_update(before, after)
    yield from _check_tolerations_update(before.tolerations, after.tolerations)
    kept = _munged(after, before)
    if kept != before:
        yield forbidden("spec", f"{_CHANGEABLE}\n{difference(before, kept)}")


def _check_deadline_update(old: int | None, new: int | None) -> Iterator[Cause]:
    path = "spec.activeDeadlineSeconds"
    if new is not None:
        yield from not_negative(path, new)
        if old is not None and new > old:
            yield invalid(path, new, "must be less than or equal to previous value")
    elif old is not None:
        yield invalid(path, new, "must not update from a positive integer to nil value")


def _check_gates_update(before: PodSpec, after: PodSpec) -> Iterator[Cause]:
    known = [gate.name for gate in before.scheduling_gates]
    for position, gate in enumerate(after.scheduling_gates):
        if gate.name not in known:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.name}'"
            yield forbidden(f"spec.schedulingGates[{position}].name", text)
    if before.scheduling_gates and any(
        after.node_selector.get(key) != value for key, value in before.node_selector.items()
    ):
        text = "only additions are allowed (no mutations or deletions)"
        yield invalid("spec.nodeSelector", after.node_selector, text)


def _check_tolerations_update(
    before: tuple[Toleration, ...], after: tuple[Toleration, ...]
) -> Iterator[Cause]:
    kept = [attrs.evolve(toleration, toleration_seconds=None) for toleration in after]
    if any(attrs.evolve(toleration, toleration_seconds=None) not in kept for toleration in before):
        text = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", text)
        return
    for position, toleration in enumerate(after):
        yield from _check_toleration(toleration, f"spec.tolerations[{position}]")


def _munged(after: PodSpec, before: PodSpec) -> PodSpec:
    """The new spec with all that may change put back."""
    gated = bool(before.scheduling_gates)
    grace = after.termination_grace_period_seconds
    was = before.termination_grace_period_seconds
    return attrs.evolve(
        after,
        containers=tuple(
            attrs.evolve(new, image=old.image)
            for new, old in zip(after.containers, before.containers, strict=True)
        ),
        init_containers=tuple(
            attrs.evolve(new, image=old.image)
            for new, old in zip(after.init_containers, before.init_containers, strict=True)
        ),
        active_deadline_seconds=before.active_deadline_seconds,
        scheduling_gates=before.scheduling_gates,
        tolerations=before.tolerations,
        node_selector=before.node_selector if gated else after.node_selector,
        affinity=before.affinity if gated else after.affinity,
        termination_grace_period_seconds=was if was is not None and was < 0 and grace == 1 else grace,
    )
