"""Whether a node is alive, from what its lease and status said and when this controller saw them change.

`judge` is the whole decision about one node. Node clocks play no part: only that a heart beat or a renewal
*changed* counts, at the controller's own time. So a controller that starts anew gives every node a fresh
grace period. Pure.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go (tryUpdateNodeHealth, doNoScheduleTaintingPass).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve, frozen

from chaoskube.models.constants import NODE_MONITOR_GRACE_PERIOD, NODE_STARTUP_GRACE_PERIOD
from chaoskube.models.objects import Node, NodeCondition, Taint
from chaoskube.sim import SECOND

READY = "Ready"
WATCHED_CONDITIONS = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")
NOT_READY_TAINT = "node.kubernetes.io/not-ready"
UNREACHABLE_TAINT = "node.kubernetes.io/unreachable"
UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable"
NO_SCHEDULE = "NoSchedule"
NO_EXECUTE = "NoExecute"
EXCLUDE_LABEL = "node.kubernetes.io/exclude-disruption"

_CONDITION_TAINTS = {
    (READY, "False"): NOT_READY_TAINT,
    (READY, "Unknown"): UNREACHABLE_TAINT,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
_MANAGED_TAINTS = (*_CONDITION_TAINTS.values(), UNSCHEDULABLE_TAINT)


@frozen(kw_only=True)
class Health:
    """What the controller remembers of a node: what it saw last, and when it last saw a change."""

    ready: NodeCondition | None
    renewed: int | None
    probed_at: int


@frozen(kw_only=True)
class Judgement:
    """The new memory, and the node as it must be written if it fell silent."""

    health: Health
    ready_before: str
    ready_now: str
    silent_ns: int = 0
    write: Node | None = None


def ready_condition(node: Node) -> NodeCondition | None:
    """The node's Ready condition."""
    for condition in node.status.conditions:
        if condition.type == READY:
            return condition
    return None


def judge(node: Node, renewed: int | None, known: Health | None, now: int, wall_ns: int) -> Judgement:
    """Look at a node as cached, with its lease's renewal time (None: no lease)."""
    ready = ready_condition(node)
    grace = NODE_MONITOR_GRACE_PERIOD if ready is not None else NODE_STARTUP_GRACE_PERIOD
    health = _observed(node, ready, renewed, known, now, wall_ns)
    silent = now - health.probed_at
    before = ready.status if ready is not None else "Unknown"
    if silent <= grace:
        return Judgement(health=health, ready_before=before, ready_now=ready.status if ready else "")
    written = _all_unknown(node, wall_ns // SECOND * SECOND)
    after = ready_condition(written)
    assert after is not None, "a silent node has a Ready condition"
    changed = after != ready
    return Judgement(
        health=evolve(health, ready=after, renewed=renewed) if changed else health,
        ready_before=before,
        ready_now=after.status,
        silent_ns=silent,
        write=written if changed else None,
    )


def _observed(
    node: Node, ready: NodeCondition | None, renewed: int | None, known: Health | None, now: int, wall_ns: int
) -> Health:
    if known is None and ready is None:
        created = node.metadata.creation_timestamp or wall_ns
        known = Health(ready=None, renewed=None, probed_at=now - max(0, wall_ns - created))
    saved_renewal = known.renewed if known is not None else None
    if (
        known is None
        or (known.ready is None) != (ready is None)
        or (
            ready is not None
            and known.ready is not None
            and known.ready.last_heartbeat_time != ready.last_heartbeat_time
        )
    ):
        health = Health(ready=ready, renewed=None, probed_at=now)
    else:
        health = known
    if renewed is not None and (saved_renewal is None or saved_renewal < renewed):
        return evolve(health, renewed=renewed, probed_at=now)
    return health


def _all_unknown(node: Node, wall_ns: int) -> Node:
    conditions = list(node.status.conditions)
    for type in WATCHED_CONDITIONS:
        place = next((i for i, each in enumerate(conditions) if each.type == type), None)
        if place is None:
            conditions.append(
                NodeCondition(
                    type=type,
                    status="Unknown",
                    reason="NodeStatusNeverUpdated",
                    message="Kubelet never posted node status.",
                    last_heartbeat_time=node.metadata.creation_timestamp,
                    last_transition_time=wall_ns,
                )
            )
        elif conditions[place].status != "Unknown":
            conditions[place] = evolve(
                conditions[place],
                status="Unknown",
                reason="NodeStatusUnknown",
                message="Kubelet stopped posting node status.",
                last_transition_time=wall_ns,
            )
    return evolve(node, status=evolve(node.status, conditions=tuple(conditions)))


# -- taints


def no_schedule_taints(node: Node) -> tuple[str, ...]:
    """The NoSchedule taints that mirror the node's conditions and its cordon."""
    keys = []
    for condition in node.status.conditions:
        key = _CONDITION_TAINTS.get((condition.type, condition.status))
        if key is not None:
            keys.append(key)
    if node.spec.unschedulable:
        keys.append(UNSCHEDULABLE_TAINT)
    return tuple(keys)


def mirror_changes(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The NoSchedule taints to add and to remove so that they mirror the node's conditions."""
    wanted = no_schedule_taints(node)
    standing = [
        each.key for each in node.spec.taints if each.effect == NO_SCHEDULE and each.key in _MANAGED_TAINTS
    ]
    add = tuple([key for key in wanted if key not in standing])
    remove = tuple([key for key in standing if key not in wanted])
    return add, remove


def missing_labels(node: Node) -> dict[str, str]:
    """The deprecated labels that must say the same as those that replaced them (labelReconcileInfo)."""
    return {
        f"beta.{key}": value
        for key in ("kubernetes.io/os", "kubernetes.io/arch")
        if (value := node.labels.get(key)) is not None and node.labels.get(f"beta.{key}") != value
    }


def with_taints(
    taints: Sequence[Taint], keys: Iterable[str], effect: str, wall_ns: int
) -> tuple[Taint, ...] | None:
    """The taints and these; None when they are all there."""
    missing = [key for key in keys if not has_taint(taints, key, effect)]
    if not missing:
        return None
    time = wall_ns // SECOND * SECOND
    return (*taints, *[Taint(key=key, effect=effect, time_added=time) for key in missing])


def without_taints(taints: Sequence[Taint], keys: Iterable[str], effect: str) -> tuple[Taint, ...] | None:
    """The taints without these; None when none of them is there."""
    gone = tuple(keys)
    kept = tuple([each for each in taints if each.effect != effect or each.key not in gone])
    return None if len(kept) == len(taints) else kept


def has_taint(taints: Iterable[Taint], key: str, effect: str) -> bool:
    """Whether the taint is there."""
    return any(each.key == key and each.effect == effect for each in taints)
