"""Whether a kubelet takes a pod that was bound to its node, pure. A pod that it refuses is Failed for good.

Checked against all pods that the kubelet has accepted and that haven't finished: the node's selector and
required affinity, resources and the number of pods, host ports, and NoExecute taints. A kubelet that restarts
asks again for every pod, so a pod that ran may be refused.

Sources: `pkg/kubelet/lifecycle/predicate.go` (canAdmitPod, generalFilter; reasons and messages),
`pkg/scheduler/framework/plugins/*` AdmissionCheck helpers that it calls.

Not modelled: eviction to make room for critical pods, topology and device managers, node shutdown, OS checks.
"""

from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from chaoskube.models.objects import (
    Container,
    Node,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    Quantity,
    Taint,
    Toleration,
)


@frozen(kw_only=True)
class Rejection:
    """Why a pod can't run here, as its status says it."""

    reason: str
    message: str


def admit(pod: Pod, accepted: Sequence[Pod], node: Node) -> Rejection | None:
    """None when the node takes the pod beside those it has accepted."""
    return (
        _resources(pod, accepted, node)
        or _placement(pod, node)
        or _host_ports(pod, accepted)
        or _taints(pod, node)
    )


def requests_of(pod: Pod) -> dict[str, int]:
    """What a pod asks for: the sum of its containers or its largest init container, in thousandths.

    Source: staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests.
    """
    total: dict[str, int] = {}
    for container in pod.spec.containers:
        _add(total, _requests(container))
    sidecars: dict[str, int] = {}
    largest: dict[str, int] = {}
    for container in pod.spec.init_containers:
        wanted = _requests(container)
        if container.restart_policy == "Always":
            _add(sidecars, wanted)
            wanted = dict(sidecars)
        else:
            _add(wanted, sidecars)
        for name, amount in wanted.items():
            largest[name] = max(largest.get(name, 0), amount)
    _add(total, sidecars)
    for name, amount in largest.items():
        total[name] = max(total.get(name, 0), amount)
    _add(total, _milli(pod.spec.overhead))
    return total


def _resources(pod: Pod, accepted: Sequence[Pod], node: Node) -> Rejection | None:
    allocatable = _milli(node.status.allocatable)
    if len(accepted) + 1 > allocatable.get("pods", 0) // 1000:
        return _out_of("pods", 1, len(accepted), allocatable.get("pods", 0) // 1000)
    used: dict[str, int] = {}
    for other in accepted:
        _add(used, requests_of(other))
    for name, amount in requests_of(pod).items():
        if amount and amount > allocatable.get(name, 0) - used.get(name, 0):
            unit = 1 if name == "cpu" else 1000
            return _out_of(name, amount // unit, used.get(name, 0) // unit, allocatable.get(name, 0) // unit)
    return None


def _out_of(resource: str, requested: int, used: int, capacity: int) -> Rejection:
    return Rejection(
        reason=f"OutOf{resource}",
        message=(
            f"Pod was rejected: Node didn't have enough resource: {resource}, requested: {requested}, "
            f"used: {used}, capacity: {capacity}"
        ),
    )


def _placement(pod: Pod, node: Node) -> Rejection | None:
    if matches_node(pod, node):
        return None
    return Rejection(
        reason="NodeAffinity",
        message="Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    )


def matches_node(pod: Pod, node: Node) -> bool:
    """Whether the node fits the pod's nodeSelector and required node affinity."""
    labels = node.metadata.labels
    if any(labels.get(key) != value for key, value in pod.spec.node_selector.items()):
        return False
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None
    if required is None:
        return True
    return any(_term_matches(term, labels, node.name) for term in required.node_selector_terms)


def _term_matches(term: NodeSelectorTerm, labels: Mapping[str, str], name: str) -> bool:
    if not term.match_expressions and not term.match_fields:
        return False
    fields = {"metadata.name": name}
    return all(_requirement_matches(one, labels) for one in term.match_expressions) and all(
        _requirement_matches(one, fields) for one in term.match_fields
    )


def _requirement_matches(requirement: NodeSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    try:
        held, limit = int(value or ""), int(requirement.values[0])
    except (ValueError, IndexError):
        return False
    return held > limit if requirement.operator == "Gt" else requirement.operator == "Lt" and held < limit


def _host_ports(pod: Pod, accepted: Sequence[Pod]) -> Rejection | None:
    taken = {port for other in accepted for port in _ports(other)}
    if any(port in taken for port in _ports(pod)):
        return Rejection(
            reason="NodePorts",
            message=(
                "Pod was rejected: Predicate NodePorts failed: "
                "node(s) didn't have free ports for the requested pod ports"
            ),
        )
    return None


def _ports(pod: Pod) -> Iterable[tuple[str, int]]:
    for container in pod.spec.containers:
        for port in container.ports:
            number = port.host_port or (port.container_port if pod.spec.host_network else 0)
            if number:
                yield (port.protocol or "TCP", number)


def _taints(pod: Pod, node: Node) -> Rejection | None:
    for taint in node.spec.taints:
        if taint.effect == "NoExecute" and not any(tolerates(one, taint) for one in pod.spec.tolerations):
            return Rejection(
                reason="TaintToleration",
                message=(
                    "Pod was rejected: Predicate TaintToleration failed: "
                    "node(s) had taints that the pod didn't tolerate"
                ),
            )
    return None


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether the toleration bears the taint (staging/src/k8s.io/api/core/v1/toleration.go)."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and (toleration.value or "") == (taint.value or "")


def _requests(container: Container) -> dict[str, int]:
    # Requests that are absent default to the limits; the API server has written that into the object.
    return _milli(container.resources.requests)


def _milli(amounts: Mapping[str, Quantity]) -> dict[str, int]:
    return {name: amount.milli for name, amount in amounts.items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount
