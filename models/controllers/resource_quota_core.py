"""What a ResourceQuota's status should say, counted from what is known, and when to count again. Pure.

What is new was charged by the API server before it was stored; what this finds is what went. What an object counts for
is in apiserver/admission/quota_usage.py, for both.

Sources: pkg/controller/resourcequota/resource_quota_controller.go (syncResourceQuota, addQuota),
pkg/quota/v1/install/update_filter.go, staging/src/k8s.io/apiserver/pkg/quota/v1/resources.go (CalculateUsage).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import evolve

from chaoskube.models.apiserver.admission.amounts import add, mask, same_amounts
from chaoskube.models.apiserver.admission.quota_usage import is_of_scopes, tracked, usage_of
from chaoskube.models.objects import (
    KubeObject,
    PersistentVolumeClaim,
    Pod,
    Quantity,
    ResourceQuota,
    Service,
    freeze,
)
from chaoskube.models.objects.resources import Resource

ZERO = Quantity("0")
Listed = Callable[[Resource], Iterable[KubeObject]]


def counted(
    quota: ResourceQuota, resources: Sequence[Resource], listed: Listed, now_ns: int
) -> ResourceQuota:
    """The quota with its status counted anew; itself when nothing changes. `listed`: its namespace's objects."""
    hard = quota.spec.hard
    used = dict(quota.status.used)
    for resource in resources:
        names = tracked(resource, hard)
        if names:
            used.update(usage(quota, resource, names, listed(resource), now_ns))
    used = mask(used, hard)
    if same_amounts(hard, quota.status.hard) and same_amounts(used, quota.status.used):
        return quota
    return evolve(quota, status=evolve(quota.status, hard=hard, used=freeze(used)))


def usage(
    quota: ResourceQuota, resource: Resource, names: Iterable[str], objects: Iterable[KubeObject], now_ns: int
) -> dict[str, Quantity]:
    """What these objects count for under `names`, zero included."""
    total: dict[str, Quantity] = dict.fromkeys(names, ZERO)
    for obj in objects:
        if is_of_scopes(quota, obj):
            total = add(total, mask(usage_of(resource, obj, now_ns), total))
    return total


def is_urgent(quota: ResourceQuota, resources: Sequence[Resource]) -> bool:
    """Whether the status doesn't know yet what the spec wants: until then nothing can be created."""
    status = quota.status
    if not same_amounts(quota.spec.hard, status.hard):
        return True
    unknown = [name for name in status.hard if name not in status.used]
    return bool(unknown) and any(tracked(resource, unknown) for resource in resources)


def is_of_quota(quota: ResourceQuota, resource: Resource) -> bool:
    """Whether the quota tracks this resource."""
    return bool(tracked(resource, quota.status.hard))


def frees(resource: Resource, old: KubeObject, new: KubeObject, now_ns: int) -> bool:
    """Whether an update gives something back that the server did not charge."""
    if isinstance(old, Pod) and isinstance(new, Pod):
        if old.spec is not new.spec and old.spec != new.spec:
            return usage_of(resource, old, now_ns) != usage_of(resource, new, now_ns)
        return _is_charged(resource, old, now_ns) and not _is_charged(resource, new, now_ns)
    if isinstance(old, Service) and isinstance(new, Service):
        return old.spec.type != new.spec.type
    if isinstance(old, PersistentVolumeClaim) and isinstance(new, PersistentVolumeClaim):
        return old.spec != new.spec and usage_of(resource, old, now_ns) != usage_of(resource, new, now_ns)
    return False


def _is_charged(resource: Resource, pod: Pod, now_ns: int) -> bool:
    return "pods" in usage_of(resource, pod, now_ns)
