"""NodeResourcesFit: room for the requests; LeastAllocated scoring. (plugins/noderesources/fit.go, least_allocated.go)"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.scheduler.framework import (
    MAX_NODE_SCORE,
    ClusterEvent,
    Happening,
    NodeCheck,
    Plugin,
    Rejection,
    plugin,
)
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View
from chaoskube.models.scheduler.requests import CPU, MEMORY, PODS, Amounts, amounts

_SCORED = (CPU, MEMORY)
_FIRST = (CPU, MEMORY, "ephemeral-storage")


@plugin
class NodeResourcesFit(Plugin):
    """Rejects nodes without room; prefers those with the most room left."""

    name = "NodeResourcesFit"
    order = 70
    weight = 1

    def check(self, pod: PodInfo, view: View) -> NodeCheck:
        """Ask for room. What no empty node of that size could hold isn't resolvable."""
        wanted = {name: pod.requests[name] for name in _in_order(pod.requests) if pod.requests[name] > 0}

        def ask(node: NodeInfo) -> Rejection | None:
            reasons = []
            is_resolvable = True
            if len(node.pods) + 1 > node.allocatable.get(PODS, 0):
                reasons.append("Too many pods")
            for name, amount in wanted.items():
                room = node.allocatable.get(name, 0)
                if amount > room - node.requested.get(name, 0):
                    reasons.append(f"Insufficient {name}")
                    is_resolvable = is_resolvable and amount <= room
            if not reasons:
                return None
            return Rejection(plugin=self.name, reasons=tuple(reasons), is_resolvable=is_resolvable)

        return ask

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int]:
        """The share of cpu and memory that would be left, averaged."""
        return [_least_allocated(pod, info) for info in feasible]

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """Any pod that goes, or a node that could hold the pod and has grown."""
        if event.what in (Happening.POD_GONE, Happening.POD_SCALED_DOWN, Happening.OWN_SCALED_DOWN):
            return True
        if event.what not in (Happening.NODE_ADDED, Happening.NODE_ALLOCATABLE):
            return False
        now = amounts(event.node.status.allocatable)
        if now.get(PODS, 0) < 1 or any(amount > now.get(name, 0) for name, amount in pod.requests.items()):
            return False
        if event.old_node is None:
            return True
        before = amounts(event.old_node.status.allocatable)
        return any(now.get(name, 0) > before.get(name, 0) for name in (PODS, *pod.requests))


def _in_order(requests: Amounts) -> list[str]:
    """cpu, memory, ephemeral storage, then the others by name."""
    known = [name for name in _FIRST if name in requests]
    return known + sorted(name for name in requests if name not in _FIRST)


def _least_allocated(pod: PodInfo, info: NodeInfo) -> int:
    total = weights = 0
    for name in _SCORED:
        capacity = info.allocatable.get(name, 0)
        if capacity == 0:
            continue
        left = capacity - info.scored.get(name, 0) - pod.scored.get(name, 0)
        total += max(left, 0) * MAX_NODE_SCORE // capacity
        weights += 1
    return total // weights if weights else 0
