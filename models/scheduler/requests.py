"""What a pod asks for, as whole numbers by resource name: cpu in thousandths, everything else in units.

Sources: staging/src/k8s.io/component-helpers/resource/helpers.go (PodRequests),
pkg/scheduler/util/pod_resources.go (what a container without a request counts for in scores).

Not modelled: resources allocated to a pod that is being resized in place (the spec counts).
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.objects import Container, Pod
from chaoskube.models.objects.quantity import Quantity

CPU = "cpu"
MEMORY = "memory"
PODS = "pods"
SCORED_WHEN_MISSING: Mapping[str, int] = {CPU: 100, MEMORY: 200 * 1024 * 1024}

Amounts = Mapping[str, int]


def amounts(quantities: Mapping[str, Quantity]) -> dict[str, int]:
    """Quantities as whole numbers."""
    return {name: each.milli if name == CPU else each.value for name, each in quantities.items()}


def pod_requests(pod: Pod, *, when_missing: Amounts | None = None) -> dict[str, int]:
    """What the scheduler must find room for; containers that don't name a resource ask `when_missing`."""
    missing = when_missing or {}
    total: dict[str, int] = {}
    for container in pod.spec.containers:
        _add(total, _asked(container, missing))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in pod.spec.init_containers:
        asked = _asked(container, missing)
        if container.restart_policy == "Always":
            _add(total, asked)
            _add(sidecars, asked)
            _raise(peak, sidecars)
        else:
            _add(asked, sidecars)
            _raise(peak, asked)
    _raise(total, peak)
    if pod.spec.resources is not None:
        total.update(amounts(pod.spec.resources.requests))
    _add(total, amounts(pod.spec.overhead))
    return total


def plus(left: Amounts, right: Amounts) -> dict[str, int]:
    """The sum, resource by resource."""
    total = dict(left)
    _add(total, right)
    return total


def minus(left: Amounts, right: Amounts) -> dict[str, int]:
    """The difference, resource by resource."""
    return plus(left, {name: -amount for name, amount in right.items()})


def _asked(container: Container, missing: Amounts) -> dict[str, int]:
    return {**missing, **amounts(container.resources.requests)}


def _add(total: dict[str, int], more: Amounts) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: dict[str, int], least: Amounts) -> None:
    for name, amount in least.items():
        total[name] = max(total.get(name, 0), amount)
