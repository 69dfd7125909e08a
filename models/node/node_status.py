"""A node's object and status, pure: what a machine of a given shape says of itself.

Sources: `pkg/kubelet/kubelet_node_status.go` initialNode, nodeStatusHasChanged; `pkg/kubelet/nodestatus/setters.go`
(conditions with their reasons and messages). Called by `node/heartbeat.py`.

Not modelled: pressure (always absent), images, volumes, system-reserved resources (allocatable is capacity).
"""

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from chaoskube.models.objects import (
    FrozenDict,
    Node,
    NodeAddress,
    NodeCondition,
    NodeStatus,
    ObjectMeta,
    Quantity,
    encode,
    second,
)

ZONE_LABEL = "topology.kubernetes.io/zone"
_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
_READY = ("Ready", "True", "KubeletReady", "kubelet is posting ready status")
_NOT_READY = (
    "Ready",
    "False",
    "KubeletNotReady",
    "container runtime status check may not have completed yet",
)


@frozen(kw_only=True)
class NodeShape:
    """A machine: its name (ending in a number), what it has, and where it stands."""

    name: str
    cpu: str = "4"
    memory: str = "8Gi"
    pods: int = 110
    labels: Mapping[str, str] = FrozenDict()
    zone: str = ""


def new_node(shape: NodeShape, host_ip: str, now_ns: int) -> Node:
    """The object that the kubelet registers; it isn't Ready yet."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": shape.name,
        "kubernetes.io/os": "linux",
        **({ZONE_LABEL: shape.zone} if shape.zone else {}),
        **shape.labels,
    }
    return Node(
        metadata=ObjectMeta(name=shape.name, labels=FrozenDict(labels)),
        status=node_status(shape, host_ip, NodeStatus(), now_ns, ready=False),
    )


def node_status(
    shape: NodeShape, host_ip: str, before: NodeStatus, now_ns: int, *, ready: bool
) -> NodeStatus:
    """The status to report now; conditions keep the time of their last change."""
    amounts = FrozenDict(
        {"cpu": Quantity(shape.cpu), "memory": Quantity(shape.memory), "pods": Quantity(str(shape.pods))}
    )
    held = {condition.type: condition for condition in before.conditions}
    own = tuple(
        _condition(said, held.get(said[0]), second(now_ns))
        for said in (*_HEALTHY, _READY if ready else _NOT_READY)
    )
    types = {condition.type for condition in own}
    return evolve(
        before,
        capacity=amounts,
        allocatable=amounts,
        conditions=(*(one for one in before.conditions if one.type not in types), *own),
        addresses=(
            NodeAddress(type="InternalIP", address=host_ip),
            NodeAddress(type="Hostname", address=shape.name),
        ),
    )


def has_changed(before: NodeStatus, after: NodeStatus) -> bool:
    """Whether they differ in more than the time of the heartbeat."""
    return _timeless(before) != _timeless(after)


def is_ready(status: NodeStatus) -> bool:
    """Whether the status says Ready."""
    return any(one.type == "Ready" and one.status == "True" for one in status.conditions)


def status_patch(before: NodeStatus, after: NodeStatus) -> dict[str, object]:
    """The strategic merge patch from one to the other (conditions and addresses merge by type)."""
    old, new = encode(before), encode(after)
    return {name: new[name] for name in new if old.get(name) != new[name]}


def _condition(said: Sequence[str], before: NodeCondition | None, now_ns: int) -> NodeCondition:
    kind, status, reason, message = said
    changed = before is None or before.status != status
    return NodeCondition(
        type=kind,
        status=status,
        last_heartbeat_time=now_ns,
        last_transition_time=now_ns if before is None or changed else before.last_transition_time,
        reason=reason,
        message=message,
    )


def _timeless(status: NodeStatus) -> NodeStatus:
    # By type: the node controller may have reordered what it set to Unknown.
    conditions = sorted(
        (evolve(one, last_heartbeat_time=None) for one in status.conditions), key=lambda one: one.type
    )
    return evolve(
        status,
        conditions=tuple(conditions),
        capacity=_canonical(status.capacity),
        allocatable=_canonical(status.allocatable),
    )


def _canonical(amounts: Mapping[str, Quantity]) -> FrozenDict[str, Quantity]:
    return FrozenDict({name: Quantity(amount.canonical()) for name, amount in amounts.items()})
