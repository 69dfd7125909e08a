"""NodeResourcesBalancedAllocation: cpu and memory used in like shares. (plugins/noderesources/balanced_allocation.go)

The only place besides topology spreading where floats decide: they are the same double-precision operations
in the same order as in the original, and nothing keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.scheduler.framework import MAX_NODE_SCORE, Plugin, plugin
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View
from chaoskube.models.scheduler.requests import CPU, MEMORY

_BALANCED = (CPU, MEMORY)


@plugin
class NodeResourcesBalancedAllocation(Plugin):
    """Prefers nodes where the pod leaves cpu and memory used alike."""

    name = "NodeResourcesBalancedAllocation"
    order = 200
    weight = 1

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int] | None:
        """One minus the standard deviation of the used shares; nothing to say of best-effort pods."""
        if all(pod.requests.get(name, 0) == 0 for name in _BALANCED):
            return None
        return [_balance(pod, info) for info in feasible]


def _balance(pod: PodInfo, info: NodeInfo) -> int:
    shares = [
        min((info.requested.get(name, 0) + pod.requests.get(name, 0)) / info.allocatable[name], 1.0)
        for name in _BALANCED
        if info.allocatable.get(name, 0) > 0
    ]
    deviation = abs((shares[0] - shares[1]) / 2) if len(shares) == 2 else 0.0
    return int((1 - deviation) * MAX_NODE_SCORE)
