"""What an object counts for in a quota: pods, services, claims, and everything else by number. Pure.

The admission plug-in and the quota controller count by the same rules.
Sources: pkg/quota/v1/evaluator/core/{pods,services,persistent_volume_claims,registry}.go,
staging/src/k8s.io/apiserver/pkg/quota/v1/generic/evaluator.go.

Not modelled: devices (resource claims), volume attributes classes, in-place resize.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaoskube.models.apiserver.admission.amounts import Amounts, add, pod_limits, pod_requests
from chaoskube.models.objects import (
    Container,
    KubeObject,
    PersistentVolumeClaim,
    Pod,
    PodAffinityTerm,
    Quantity,
    ResourceQuota,
    Service,
)
from chaoskube.models.objects.conditions import is_pod_terminal
from chaoskube.models.objects.policy import ScopedSelectorRequirement
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND

ONE = Quantity("1")
IGNORED = frozenset({"events", "events.events.k8s.io", "bindings", "componentstatuses"})
ALIASES = frozenset({"configmaps", "secrets", "resourcequotas", "replicationcontrollers"})
"""Counted under their plain name too, as before `count/` was thought of."""
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_POD_NAMES = frozenset(
    {
        "count/pods",
        "pods",
        *_COMPUTE,
        *[f"requests.{one}" for one in _COMPUTE],
        *[f"limits.{one}" for one in _COMPUTE],
    }
)
_MUST_BE_SAID = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
_SERVICE_NAMES = frozenset({"count/services", "services", "services.nodeports", "services.loadbalancers"})
_CLASS_SUFFIX = ".storageclass.storage.k8s.io/"


def tracked(resource: Resource, hard: Iterable[str]) -> tuple[str, ...]:
    """Those of a quota's names that objects of this resource count for, sorted."""
    return tuple(sorted(name for name in hard if _counts_for(resource, name)))


def _counts_for(resource: Resource, name: str) -> bool:
    if resource.name == "pods":
        return (
            name in _POD_NAMES or name.startswith(("hugepages-", "requests.hugepages-")) or _is_extended(name)
        )
    if resource.name == "services":
        return name in _SERVICE_NAMES
    if resource.name == "persistentvolumeclaims":
        plain = ("count/persistentvolumeclaims", "persistentvolumeclaims", "requests.storage")
        return name in plain or name.endswith(
            (f"{_CLASS_SUFFIX}persistentvolumeclaims", f"{_CLASS_SUFFIX}requests.storage")
        )
    return name == count_name(resource) or (resource.name in ALIASES and name == resource.name)


def _is_extended(name: str) -> bool:
    """`requests.example.com/gpu`: what isn't Kubernetes' own."""
    asked = name.removeprefix("requests.")
    return asked != name and "/" in asked and not asked.startswith("kubernetes.io/")


def count_name(resource: Resource) -> str:
    """`count/pods`, `count/deployments.apps`."""
    return f"count/{resource.plural}.{resource.group}" if resource.group else f"count/{resource.plural}"


def usage_of(resource: Resource, obj: KubeObject, now_ns: int) -> dict[str, Quantity]:
    """What the object counts for."""
    if isinstance(obj, Pod):
        return _pod_usage(obj, now_ns)
    if isinstance(obj, Service):
        return _service_usage(obj)
    if isinstance(obj, PersistentVolumeClaim):
        return _claim_usage(obj)
    result = {count_name(resource): ONE}
    return {**result, resource.name: ONE} if resource.name in ALIASES else result


# ---- pods


def _pod_usage(pod: Pod, now_ns: int) -> dict[str, Quantity]:
    """A pod that has ended, or should have by now, counts as an object alone."""
    result: dict[str, Quantity] = {"count/pods": ONE}
    metadata = pod.metadata
    grace = metadata.deletion_grace_period_seconds or 0
    is_overdue = metadata.deletion_timestamp is not None and (
        metadata.deletion_timestamp + grace * SECOND < now_ns
    )
    if is_pod_terminal(pod) or is_overdue:
        return result
    return add(result, _compute_usage(pod_requests(pod), pod_limits(pod)))


def _compute_usage(requests: Amounts, limits: Amounts) -> dict[str, Quantity]:
    result: dict[str, Quantity] = {"pods": ONE}
    for name, amount in requests.items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            result[name] = result[f"requests.{name}"] = amount
        elif _is_extended(f"requests.{name}"):
            result[f"requests.{name}"] = amount
    for name in _COMPUTE:
        if name in limits:
            result[f"limits.{name}"] = limits[name]
    return result


def missing_in(pod: Pod, names: Iterable[str]) -> str:
    """What a quota on compute wants each container to say and some don't; "" when all do."""
    wanted = sorted(_MUST_BE_SAID.intersection(names))
    if pod.spec.resources is not None and (pod.spec.resources.requests or pod.spec.resources.limits):
        return ""
    containers = (*pod.spec.containers, *pod.spec.init_containers)
    said = []
    for name in wanted:
        silent = sorted({one.name for one in containers if name not in _said_by(one)})
        if silent:
            said.append(f"{name} for: {','.join(silent)}")
    return f"must specify {'; '.join(said)}" if said else ""


def _said_by(container: Container) -> dict[str, Quantity]:
    return _compute_usage(container.resources.requests, container.resources.limits)


# ---- services and claims


def _service_usage(service: Service) -> dict[str, Quantity]:
    kind, ports = service.spec.type, len(service.spec.ports)
    if kind == "LoadBalancer" and service.spec.extra.get("allocateLoadBalancerNodePorts") is False:
        ports = len([port for port in service.spec.ports if port.node_port])
    noded = ports if kind in ("NodePort", "LoadBalancer") else 0
    return {
        "count/services": ONE,
        "services": ONE,
        "services.loadbalancers": ONE if kind == "LoadBalancer" else Quantity("0"),
        "services.nodeports": Quantity(str(noded)),
    }


def _claim_usage(claim: PersistentVolumeClaim) -> dict[str, Quantity]:
    result = {"count/persistentvolumeclaims": ONE, "persistentvolumeclaims": ONE}
    annotations = claim.metadata.annotations
    of_class = annotations.get("volume.beta.kubernetes.io/storage-class", claim.spec.storage_class_name)
    storage = claim.spec.resources.requests.get("storage")
    if storage is not None:
        result["requests.storage"] = storage
    if of_class:
        result[f"{of_class}{_CLASS_SUFFIX}persistentvolumeclaims"] = ONE
        if storage is not None:
            result[f"{of_class}{_CLASS_SUFFIX}requests.storage"] = storage
    return result


# ---- scopes


def is_of_scopes(quota: ResourceQuota, obj: KubeObject) -> bool:
    """Whether the object is within all scopes of the quota."""
    plain = [ScopedSelectorRequirement(scope_name=name, operator="Exists") for name in quota.spec.scopes]
    selector = quota.spec.scope_selector
    wanted = (*plain, *(selector.match_expressions if selector is not None else ()))
    return all(isinstance(obj, Pod) and _matches_scope(one, obj) for one in wanted)


def _matches_scope(wanted: ScopedSelectorRequirement, pod: Pod) -> bool:
    name = wanted.scope_name
    if name in ("Terminating", "NotTerminating"):
        return is_terminating(pod) == (name == "Terminating")
    if name in ("BestEffort", "NotBestEffort"):
        return _is_best_effort(pod) == (name == "BestEffort")
    if name == "PriorityClass":
        return _matches_class(wanted, pod.spec.priority_class_name or "")
    return name == "CrossNamespacePodAffinity" and _crosses_namespaces(pod)


def is_terminating(pod: Pod) -> bool:
    """Whether the pod ends by itself at some time."""
    deadline = pod.spec.active_deadline_seconds
    return deadline is not None and deadline >= 0


def _is_best_effort(pod: Pod) -> bool:
    containers = (*pod.spec.containers, *pod.spec.init_containers)
    amounts = [
        amount
        for one in containers
        for side in (one.resources.requests, one.resources.limits)
        for name, amount in side.items()
        if name in ("cpu", "memory")
    ]
    return all(amount.is_zero for amount in amounts)


def _matches_class(wanted: ScopedSelectorRequirement, name: str) -> bool:
    if wanted.operator == "Exists":
        return bool(name)
    if wanted.operator == "DoesNotExist":
        return not name
    is_in = bool(name) and name in wanted.values
    return is_in if wanted.operator == "In" else not is_in


def _crosses_namespaces(pod: Pod) -> bool:
    affinity = pod.spec.affinity
    if affinity is None:
        return False
    terms: list[PodAffinityTerm] = []
    for side in (affinity.pod_affinity, affinity.pod_anti_affinity):
        if side is not None:
            terms += side.required_during_scheduling_ignored_during_execution
            terms += [
                one.pod_affinity_term for one in side.preferred_during_scheduling_ignored_during_execution
            ]
    return any(term.namespaces or term.namespace_selector is not None for term in terms)
