"""What an update amounts to for scheduling: the happenings between two versions of a node or a pod. Pure.

Source: pkg/scheduler/framework/events.go (NodeSchedulingPropertiesChange, PodSchedulingPropertiesChange).
"""

from __future__ import annotations

from chaoskube.models.objects import Node, Pod
from chaoskube.models.scheduler.framework import ClusterEvent, Happening
from chaoskube.models.scheduler.requests import pod_requests


def node_events(old: Node, new: Node) -> tuple[ClusterEvent, ...]:
    """The happenings of a node's update."""
    found = [
        (Happening.NODE_ALLOCATABLE, old.status.allocatable != new.status.allocatable),
        (Happening.NODE_LABELS, old.labels != new.labels),
        (
            Happening.NODE_TAINTS,
            old.spec.taints != new.spec.taints or old.spec.unschedulable != new.spec.unschedulable,
        ),
        (Happening.NODE_CONDITIONS, _conditions(old) != _conditions(new)),
    ]
    return tuple(ClusterEvent(what=what, old=old, new=new) for what, is_so in found if is_so)


def assigned_pod_events(old: Pod, new: Pod) -> tuple[ClusterEvent, ...]:
    """The happenings of an assigned pod's update."""
    found = [
        (Happening.POD_LABELS, old.labels != new.labels),
        (Happening.POD_SCALED_DOWN, _asks_less(old, new)),
    ]
    return tuple(ClusterEvent(what=what, old=old, new=new) for what, is_so in found if is_so)


def own_events(old: Pod, new: Pod) -> tuple[ClusterEvent, ...]:
    """The happenings of a waiting pod's own update."""
    found = [
        (Happening.OWN_LABELS, old.labels != new.labels),
        (Happening.OWN_SCALED_DOWN, _asks_less(old, new)),
        (Happening.OWN_GATES_GONE, bool(old.spec.scheduling_gates) and not new.spec.scheduling_gates),
        (Happening.OWN_TOLERATIONS, old.spec.tolerations != new.spec.tolerations),
    ]
    return tuple(ClusterEvent(what=what, old=old, new=new) for what, is_so in found if is_so)


def _conditions(node: Node) -> dict[str, str]:
    return {each.type: each.status for each in node.status.conditions}


def _asks_less(old: Pod, new: Pod) -> bool:
    if old.spec.containers is new.spec.containers:
        return False
    now = pod_requests(new)
    return any(now.get(name, 0) < amount for name, amount in pod_requests(old).items())
