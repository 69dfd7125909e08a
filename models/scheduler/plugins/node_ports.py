"""NodePorts: two pods can't listen on one port of a node. (plugins/nodeports/node_ports.go)"""

from __future__ import annotations

from collections.abc import Iterable

from chaoskube.models.scheduler.framework import ClusterEvent, Happening, NodeCheck, Plugin, Rejection, plugin
from chaoskube.models.scheduler.nodes import HostPort, NodeInfo, PodInfo, View

_REASON = "node(s) didn't have free ports for the requested pod ports"
_ANY = "0.0.0.0"


def conflict(wanted: Iterable[HostPort], used: Iterable[HostPort]) -> bool:
    """Whether a wanted port is taken; the address 0.0.0.0 stands for all. (HostPortInfo.CheckConflict)"""
    taken = tuple(used)
    return any(
        protocol == other_protocol and port == other_port and (ip == other or _ANY in (ip, other))
        for ip, protocol, port in wanted
        for other, other_protocol, other_port in taken
    )


@plugin
class NodePorts(Plugin):
    """Rejects nodes where a hostPort of the pod is taken."""

    name = "NodePorts"
    order = 60

    def check(self, pod: PodInfo, view: View) -> NodeCheck | None:
        """Ask for the ports of the node's pods."""
        if not pod.host_ports:
            return None
        rejection = Rejection(plugin=self.name, reasons=(_REASON,))

        def ask(node: NodeInfo) -> Rejection | None:
            used = (port for each in node.pods.values() for port in each.host_ports)
            return rejection if conflict(pod.host_ports, used) else None

        return ask

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A new node, or the end of a pod that held one of the ports."""
        if event.what is Happening.NODE_ADDED:
            return True
        return event.what is Happening.POD_GONE and conflict(pod.host_ports, PodInfo.of(event.pod).host_ports)
