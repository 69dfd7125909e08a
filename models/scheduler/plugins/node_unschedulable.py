"""NodeUnschedulable: cordoned nodes. (plugins/nodeunschedulable/node_unschedulable.go)"""

from __future__ import annotations

from chaoskube.models.objects.placement import Taint
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, NodeCheck, Plugin, Rejection, plugin
from chaoskube.models.scheduler.matching import tolerates
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View

_CORDON = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
_REASON = "node(s) were unschedulable"


def _tolerates_cordon(pod: PodInfo) -> bool:
    return any(tolerates(each, _CORDON) for each in pod.pod.spec.tolerations)


@plugin
class NodeUnschedulable(Plugin):
    """Rejects nodes with spec.unschedulable, unless the pod tolerates that."""

    name = "NodeUnschedulable"
    order = 20

    def check(self, pod: PodInfo, view: View) -> NodeCheck | None:
        """Ask for spec.unschedulable."""
        if _tolerates_cordon(pod):
            return None
        rejection = Rejection(plugin=self.name, reasons=(_REASON,), is_resolvable=False)

        def ask(node: NodeInfo) -> Rejection | None:
            return rejection if node.node.spec.unschedulable else None

        return ask

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A node that is open now and wasn't, or a new toleration."""
        if event.what is Happening.OWN_TOLERATIONS:
            return _tolerates_cordon(pod)
        if event.what not in (Happening.NODE_ADDED, Happening.NODE_TAINTS) or event.node.spec.unschedulable:
            return False
        return event.old_node is None or event.old_node.spec.unschedulable
