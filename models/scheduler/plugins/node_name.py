"""NodeName: the node that the pod names itself. (plugins/nodename/node_name.go)

A pod with spec.nodeName is assigned already and never reaches the scheduler; the plugin is here because its
place in the order is, and because the kubelet asks it too.
"""

from __future__ import annotations

from chaoskube.models.scheduler.framework import ClusterEvent, Happening, NodeCheck, Plugin, Rejection, plugin
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View


@plugin
class NodeName(Plugin):
    """Rejects every node but the one that is named."""

    name = "NodeName"
    order = 30

    def check(self, pod: PodInfo, view: View) -> NodeCheck | None:
        """Compare the names."""
        wanted = pod.pod.spec.node_name
        if not wanted:
            return None
        reason = "node(s) didn't match the requested node name"
        rejection = Rejection(plugin=self.name, reasons=(reason,), is_resolvable=False)

        def ask(node: NodeInfo) -> Rejection | None:
            return None if node.name == wanted else rejection

        return ask

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """The node that is named has come."""
        return event.what is Happening.NODE_ADDED and event.node.name == pod.pod.spec.node_name
