"""Whether the API server takes an object: the rules of the typed kinds, with the real wording.

Sources: pkg/apis/core/validation/validation.go, pkg/apis/apps/validation/validation.go,
pkg/apis/discovery/validation/validation.go, pkg/apis/coordination/validation/validation.go.

Objects come here defaulted. Other kinds are checked for their metadata alone. Called by the API server's strategies.
Not modelled: allocation of addresses and ports (the API server's), rules of fields that are only carried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chaoskube.models.objects.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_negative,
    required,
    too_long,
    unsupported,
)
from chaoskube.models.objects.config import ConfigMap
from chaoskube.models.objects.fields import IntOrString
from chaoskube.models.objects.lease import Lease
from chaoskube.models.objects.meta import KubeObject, LabelSelector
from chaoskube.models.objects.names import (
    config_key,
    dns_label,
    dns_subdomain,
    percent,
    port_name,
    port_number,
)
from chaoskube.models.objects.node import Node
from chaoskube.models.objects.pod import Pod, PodTemplateSpec
from chaoskube.models.objects.policy import PriorityClass
from chaoskube.models.objects.resources import resource_for
from chaoskube.models.objects.selectors import matches
from chaoskube.models.objects.service import EndpointSlice, Service, ServicePort, ServiceSpec
from chaoskube.models.objects.validation_container import PROTOCOLS
from chaoskube.models.objects.validation_meta import (
    check_labels,
    check_meta,
    check_meta_update,
    check_selector,
)
from chaoskube.models.objects.validation_pod import check_pod, check_pod_update, check_template
from chaoskube.models.objects.validation_priority import check_priority_class, check_priority_class_update
from chaoskube.models.objects.workloads import Deployment, DeploymentStrategy, ReplicaSet
from chaoskube.sim import UsageError

_CONFIG_BYTES_MAX: Final = 1024 * 1024
_SERVICE_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def validate_create(obj: KubeObject) -> tuple[Cause, ...]:
    """Why this object may not be created; nothing: it may."""
    return (*_meta(obj), *_content(obj))


def validate_update(old: KubeObject, new: KubeObject, *, subresource: str = "") -> tuple[Cause, ...]:
    """Why `old` may not become `new`; for the status subresource only metadata and counts are looked at."""
    changed = check_meta_update(old.metadata, new.metadata)
    if subresource == "status":
        return (*changed, *_status(new))
    if isinstance(old, Pod) and isinstance(new, Pod):
        return (*changed, *_meta(new), *check_pod(new), *check_pod_update(old, new))
    return (*_meta(new), *changed, *_content(new), *_immutable(old, new))


def _meta(obj: KubeObject) -> Iterator[Cause]:
    try:
        namespaced = resource_for(obj.kind, obj.api_version).namespaced
    except UsageError:
        namespaced = bool(obj.metadata.namespace)
    rule: Callable[[str], list[str]] = dns_label if obj.kind in ("Namespace", "Service") else dns_subdomain
    if obj.api_version.startswith("rbac.") or obj.kind == "Event":
        rule = _any_name
    return check_meta(obj.metadata, namespaced=namespaced, name_rule=rule)


def _any_name(name: str) -> list[str]:
    """ValidatePathSegmentName: what can stand in a URL."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{sign}'" for sign in ("/", "%") if sign in name]


def _content(obj: KubeObject) -> Iterator[Cause]:
    rule = _RULES.get(type(obj))
    return iter(()) if rule is None else rule(obj)


def _deployment(obj: Deployment) -> Iterator[Cause]:
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


def _replica_set(obj: ReplicaSet) -> Iterator[Cause]:
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
    if template.spec.restart_policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", template.spec.restart_policy or "", ("Always",))
    if template.spec.active_deadline_seconds is not None:
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)


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
        yield from _int_or_percent(unavailable, f"{path}.rollingUpdate.maxUnavailable")
        yield from _int_or_percent(surge, f"{path}.rollingUpdate.maxSurge")
        if _amount(unavailable) == 0 and _amount(surge) == 0:
            yield invalid(
                f"{path}.rollingUpdate.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"
            )
        if isinstance(unavailable, str) and not percent(unavailable) and int(unavailable[:-1]) > 100:
            yield invalid(
                f"{path}.rollingUpdate.maxUnavailable", unavailable, "must not be greater than 100%"
            )
    else:
        value: dict[str, Any] = {"Type": strategy.type or "", "RollingUpdate": None}
        yield unsupported(path, value, ("Recreate", "RollingUpdate"))


def _int_or_percent(value: IntOrString | None, path: str) -> Iterator[Cause]:
    if isinstance(value, str):
        for message in percent(value):
            yield invalid(path, value, message)
    else:
        yield from not_negative(path, value)


def _amount(value: IntOrString | None) -> int | None:
    """The number, or the number of percent; None when it is neither."""
    if isinstance(value, str):
        return None if percent(value) else int(value[:-1])
    return 0 if value is None else value


def _service(obj: Service) -> Iterator[Cause]:
    spec = obj.spec
    headless = spec.cluster_ip == "None" or spec.cluster_ips == ("None",)
    if not spec.ports and not headless and spec.type != "ExternalName":
        yield required("spec.ports")
    if spec.type == "ExternalName" and not spec.external_name:
        yield required("spec.externalName")
    yield from _service_ports(spec.ports, headless=headless)
    yield from check_labels(spec.selector, "spec.selector")
    if spec.session_affinity is None:
        yield required("spec.sessionAffinity")
    elif spec.session_affinity not in ("ClientIP", "None"):
        yield unsupported("spec.sessionAffinity", spec.session_affinity, ("ClientIP", "None"))
    if spec.type is None:
        yield required("spec.type")
    elif spec.type not in _SERVICE_TYPES:
        yield unsupported("spec.type", spec.type, _SERVICE_TYPES)
    for position, port in enumerate(spec.ports):
        same = [(other.protocol, other.port) for other in spec.ports[:position]]
        if (port.protocol, port.port) in same:
            yield duplicate(f"spec.ports[{position}]", {"port": port.port, "protocol": port.protocol})
    yield from _service_type(spec, headless=headless)
    for field, value in (
        ("internalTrafficPolicy", spec.internal_traffic_policy),
        ("externalTrafficPolicy", spec.external_traffic_policy),
    ):
        if value is not None and value not in ("Cluster", "Local"):
            yield unsupported(f"spec.{field}", value, ("Cluster", "Local"))


def _service_type(spec: ServiceSpec, *, headless: bool) -> Iterator[Cause]:
    """What a type forbids. (ValidateService, validateServiceExternalTrafficPolicy)"""
    is_noded = spec.type in ("NodePort", "LoadBalancer")
    if is_noded and headless:
        text = f"may not be set to 'None' for {spec.type} services"
        yield invalid("spec.clusterIPs[0]", "None", text)
    if spec.type == "ExternalName" and spec.cluster_ip:
        yield forbidden("spec.clusterIPs", "may not be set when type is 'ExternalName'")
    seen: list[tuple[str | None, int]] = []
    for position, port in enumerate(spec.ports):
        path = f"spec.ports[{position}].nodePort"
        if not port.node_port:
            continue
        if spec.type == "ClusterIP":
            yield forbidden(path, "may not be used when `type` is 'ClusterIP'")
        if (port.protocol, port.node_port) in seen:
            yield duplicate(path, port.node_port)
        seen.append((port.protocol, port.node_port))
    policy = spec.external_traffic_policy
    if policy and not is_noded and not (spec.type == "ClusterIP" and spec.external_ips):
        text = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, text)


def _service_ports(ports: tuple[ServicePort, ...], *, headless: bool) -> Iterator[Cause]:
    names: list[str] = []
    for position, port in enumerate(ports):
        path = f"spec.ports[{position}]"
        if not port.name:
            if len(ports) > 1:
                yield required(f"{path}.name")
        else:
            for message in dns_label(port.name):
                yield invalid(f"{path}.name", port.name, message)
            if port.name in names:
                yield duplicate(f"{path}.name", port.name)
            names.append(port.name)
        for message in port_number(port.port):
            yield invalid(f"{path}.port", port.port, message)
        if port.protocol is None:
            yield required(f"{path}.protocol")
        elif port.protocol not in PROTOCOLS:
            yield unsupported(f"{path}.protocol", port.protocol, PROTOCOLS)
        target = port.target_port
        if target is not None:
            for message in port_name(target) if isinstance(target, str) else port_number(target):
                yield invalid(f"{path}.targetPort", target, message)


def _config_map(obj: ConfigMap) -> Iterator[Cause]:
    for field, data in (("data", obj.data), ("binaryData", obj.binary_data)):
        for key in sorted(data):
            for message in config_key(key):
                yield invalid(f"{field}[{key}]", key, message)
    size = sum(len(value.encode()) for value in obj.data.values())
    size += sum(len(value) * 3 // 4 for value in obj.binary_data.values())
    if size > _CONFIG_BYTES_MAX:
        yield too_long("[]", _CONFIG_BYTES_MAX)


def _lease(obj: Lease) -> Iterator[Cause]:
    duration = obj.spec.lease_duration_seconds
    if duration is not None and duration <= 0:
        yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", obj.spec.lease_transitions)


def _node(obj: Node) -> Iterator[Cause]:
    seen: list[tuple[str, str]] = []
    for position, taint in enumerate(obj.spec.taints):
        path = f"spec.taints[{position}]"
        yield from check_labels({taint.key: taint.value or ""}, f"{path}.key")
        if taint.effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            yield unsupported(f"{path}.effect", taint.effect, ("NoSchedule", "PreferNoSchedule", "NoExecute"))
        if (taint.key, taint.effect) in seen:
            yield duplicate(path, taint)
        seen.append((taint.key, taint.effect))


def _endpoint_slice(obj: EndpointSlice) -> Iterator[Cause]:
    if not obj.address_type:
        yield required("addressType")
    elif obj.address_type not in ("FQDN", "IPv4", "IPv6"):
        yield unsupported("addressType", obj.address_type, ("FQDN", "IPv4", "IPv6"))
    for position, endpoint in enumerate(obj.endpoints):
        if not endpoint.addresses:
            yield required(f"endpoints[{position}].addresses", "must contain at least 1 address")


def _pod(obj: Pod) -> Iterator[Cause]:
    return check_pod(obj)


_RULES: Final[Mapping[type[KubeObject], Callable[[Any], Iterator[Cause]]]] = {
    ConfigMap: _config_map,
    Deployment: _deployment,
    EndpointSlice: _endpoint_slice,
    Lease: _lease,
    Node: _node,
    Pod: _pod,
    PriorityClass: check_priority_class,
    ReplicaSet: _replica_set,
    Service: _service,
}


def _immutable(old: KubeObject, new: KubeObject) -> Iterator[Cause]:
    if isinstance(old, PriorityClass) and isinstance(new, PriorityClass):
        yield from check_priority_class_update(old, new)
    if isinstance(old, (Deployment, ReplicaSet)) and isinstance(new, (Deployment, ReplicaSet)):
        if old.spec.selector != new.spec.selector:
            yield invalid("spec.selector", new.spec.selector, "field is immutable")
    elif isinstance(old, Service) and isinstance(new, Service):
        yield from _service_addresses(old, new)
    elif isinstance(old, EndpointSlice) and isinstance(new, EndpointSlice):
        if old.address_type != new.address_type:
            yield invalid("addressType", new.address_type, "field is immutable")
    elif isinstance(old, ConfigMap) and isinstance(new, ConfigMap) and old.immutable:
        text = "field is immutable when `immutable` is set"
        if not new.immutable:
            yield forbidden("immutable", text)
        if old.data != new.data:
            yield forbidden("data", text)
        if old.binary_data != new.binary_data:
            yield forbidden("binaryData", text)


def _service_addresses(old: Service, new: Service) -> Iterator[Cause]:
    before, after = old.spec, new.spec
    if "ExternalName" in (before.type, after.type) or not before.cluster_ip or not after.cluster_ip:
        return
    addresses = after.cluster_ips
    if before.cluster_ip != after.cluster_ip and before.cluster_ips == after.cluster_ips:
        addresses = (after.cluster_ip,)  # a client that knows the older field alone
    if addresses[:1] != before.cluster_ips[:1]:
        yield invalid("spec.clusterIPs[0]", addresses, "may not change once set")


def _status(obj: KubeObject) -> Iterator[Cause]:
    if isinstance(obj, (Deployment, ReplicaSet)):
        for field in ("replicas", "ready_replicas", "available_replicas"):
            count: int = getattr(obj.status, field)
            head, *rest = field.split("_")
            yield from not_negative(f"status.{head}{''.join(part.title() for part in rest)}", count)
        if obj.status.ready_replicas > obj.status.replicas:
            yield invalid(
                "status.readyReplicas", obj.status.ready_replicas, "cannot be greater than status.replicas"
            )
        if obj.status.available_replicas > obj.status.ready_replicas:
            text = "cannot be greater than readyReplicas"
            yield invalid("status.availableReplicas", obj.status.available_replicas, text)
