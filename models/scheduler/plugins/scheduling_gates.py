"""SchedulingGates: a pod with gates isn't tried. (plugins/schedulinggates/scheduling_gates.go)"""

from __future__ import annotations

from chaoskube.models.objects import Pod
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, Plugin, plugin
from chaoskube.models.scheduler.nodes import PodInfo


@plugin
class SchedulingGates(Plugin):
    """Keeps gated pods out of the active queue."""

    name = "SchedulingGates"
    order = 10

    def pre_enqueue(self, pod: Pod) -> str | None:
        """Name the gates that are left."""
        if not pod.spec.scheduling_gates:
            return None
        return f"waiting for scheduling gates: [{' '.join(gate.name for gate in pod.spec.scheduling_gates)}]"

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """Only the pod's own last gate."""
        return event.what is Happening.OWN_GATES_GONE
