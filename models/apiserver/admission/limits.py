"""What LimitRanges fill in and refuse: defaults of containers, least, most, and limit against request. Pure.

Source: plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from chaoskube.models.apiserver.admission.amounts import Amounts, pod_limits, pod_requests
from chaoskube.models.objects import (
    Container,
    LimitRange,
    LimitRangeItem,
    PersistentVolumeClaim,
    Pod,
    Quantity,
)

ANNOTATION = "kubernetes.io/limit-ranger"


# ---- what is filled in


def with_defaults(pod: Pod, limits: LimitRange) -> Pod:
    """The pod with the requests and limits that its containers leave out, and the annotation that says so."""
    requests: dict[str, Quantity] = {}
    most: dict[str, Quantity] = {}
    for item in limits.spec.limits:
        if item.type == "Container":
            requests.update(item.default_request)
            most.update(item.default)
    said: list[str] = []
    containers = [_defaulted(one, requests, most, "container", said) for one in pod.spec.containers]
    inits = [_defaulted(one, requests, most, "init container", said) for one in pod.spec.init_containers]
    if not said:
        return pod
    spec = evolve(pod.spec, containers=tuple(containers), init_containers=tuple(inits))
    annotations = pod.metadata.annotations.plus({ANNOTATION: "LimitRanger plugin set: " + "; ".join(said)})
    return evolve(pod, metadata=evolve(pod.metadata, annotations=annotations), spec=spec)


def _defaulted(
    container: Container, requests: Amounts, limits: Amounts, role: str, said: list[str]
) -> Container:
    resources = container.resources
    for field, defaults in (("requests", requests), ("limits", limits)):
        given = getattr(resources, field)
        missing = {name: amount for name, amount in sorted(defaults.items()) if name not in given}
        if missing:
            resources = evolve(resources, **{field: given.plus(missing)})
            said.append(f"{', '.join(missing)} {field[:-1]} for {role} {container.name}")
    return (
        container
        if resources is container.resources
        else evolve(container, resources=resources, extra=container.extra.minus("resources"))
    )


# ---- what is refused


def pod_refusal(pod: Pod, limits: LimitRange) -> str:
    """Why the pod is refused, "" if it isn't."""
    problems: list[str] = []
    for item in limits.spec.limits:
        if item.type == "Container":
            for container in (*pod.spec.containers, *pod.spec.init_containers):
                problems += _problems(item, container.resources.requests, container.resources.limits)
        elif item.type == "Pod":
            problems += _problems(item, pod_requests(pod), pod_limits(pod))
    return _aggregate(problems)


def claim_refusal(claim: PersistentVolumeClaim, limits: LimitRange) -> str:
    """Why the claim is refused, "" if it isn't."""
    problems: list[str] = []
    requests = claim.spec.resources.requests
    for item in limits.spec.limits:
        if item.type == "PersistentVolumeClaim":
            problems += [
                _too_little(item.type, name, item.min[name], requests, {}) for name in sorted(item.min)
            ]
            problems += [
                _request_too_much(item.type, name, item.max[name], requests) for name in sorted(item.max)
            ]
    return _aggregate(problems)


def _problems(item: LimitRangeItem, requests: Amounts, limits: Amounts) -> list[str]:
    kind = item.type
    ratios = item.max_limit_request_ratio
    return [
        *[_too_little(kind, name, item.min[name], requests, limits) for name in sorted(item.min)],
        *[_too_much(kind, name, item.max[name], requests, limits) for name in sorted(item.max)],
        *[_too_far_apart(kind, name, ratios[name], requests, limits) for name in sorted(ratios)],
    ]


def _too_little(kind: str, name: str, least: Quantity, requests: Amounts, limits: Amounts) -> str:
    what = f"minimum {name} usage per {kind} is {least.canonical()}"
    request, limit = requests.get(name), limits.get(name)
    if request is None:
        return f"{what}.  No request is specified"
    if request.milli < least.milli:
        return f"{what}, but request is {request.canonical()}"
    if limit is not None and limit.milli < least.milli:
        return f"{what}, but limit is {limit.canonical()}"
    return ""


def _too_much(kind: str, name: str, most: Quantity, requests: Amounts, limits: Amounts) -> str:
    what = f"maximum {name} usage per {kind} is {most.canonical()}"
    request, limit = requests.get(name), limits.get(name)
    if limit is None:
        return f"{what}.  No limit is specified"
    if limit.milli > most.milli:
        return f"{what}, but limit is {limit.canonical()}"
    if request is not None and request.milli > most.milli:
        return f"{what}, but request is {request.canonical()}"
    return ""


def _request_too_much(kind: str, name: str, most: Quantity, requests: Amounts) -> str:
    what = f"maximum {name} usage per {kind} is {most.canonical()}"
    request = requests.get(name)
    if request is None:
        return f"{what}.  No request is specified"
    return f"{what}, but request is {request.canonical()}" if request.milli > most.milli else ""


def _too_far_apart(kind: str, name: str, most: Quantity, requests: Amounts, limits: Amounts) -> str:
    what = f"{name} max limit to request ratio per {kind} is {most.canonical()}"
    request, limit = requests.get(name), limits.get(name)
    if request is None or request.milli == 0:
        return f"{what}, but no request is specified or request is 0"
    if limit is None or limit.milli == 0:
        return f"{what}, but no limit is specified or limit is 0"
    if limit.milli * 1000 > most.milli * request.milli:
        return f"{what}, but provided ratio is {limit.milli / request.milli:f}"
    return ""


def _aggregate(problems: Iterable[str]) -> str:
    """How Go says several errors at once: each once, in brackets."""
    said = list(dict.fromkeys([problem for problem in problems if problem]))
    return said[0] if len(said) == 1 else f"[{', '.join(said)}]" if said else ""
