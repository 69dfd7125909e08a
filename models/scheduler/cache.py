"""The scheduler's own picture of the nodes: pods that are assigned, and pods it has just assumed. Pure.

An assumed pod counts from the moment of the decision, before the API server has been told; it stays until
the informer shows it assigned, or until it is forgotten because binding failed. There is no expiry.
(pkg/scheduler/backend/cache/cache.go, node_tree.go)

The scan order takes one node of each zone in turn. `view` is cheap: it is rebuilt only when something
changed, and shares every NodeInfo that didn't.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.objects import Node, Pod
from chaoskube.models.scheduler.nodes import Claims, NoClaims, NodeInfo, NoOwners, Owners, PodInfo, View
from chaoskube.sim import reached

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"


class SchedulerCache:
    """Nodes by name, each with its pods."""

    def __init__(self, owners: Owners | None = None, claims: Claims | None = None) -> None:
        self._owners: Owners = owners or NoOwners()
        self._claims: Claims = claims or NoClaims()
        self._nodes: dict[str, NodeInfo] = {}
        self._orphans: dict[str, dict[str, PodInfo]] = {}
        self._where: dict[str, str] = {}
        self._assumed: set[str] = set()
        self._zones: dict[str, dict[str, None]] = {}
        self._view: View | None = None

    # Nodes

    def set_node(self, node: Node) -> None:
        """A node appeared or changed."""
        known = self._nodes.get(node.name)
        if known is None:
            self._nodes[node.name] = NodeInfo.of(node, self._orphans.pop(node.name, None))
        else:
            self._nodes[node.name] = known.with_node(node)
        if known is None or zone_of(known.node) != zone_of(node):
            if known is not None:
                self._leave_zone(known.node)
            self._zones.setdefault(zone_of(node), {})[node.name] = None
        self._view = None

    def remove_node(self, name: str) -> None:
        """A node went; its pods are kept for the case that it comes back before they go."""
        known = self._nodes.pop(name, None)
        if known is None:
            return
        self._leave_zone(known.node)
        if known.pods:
            self._orphans[name] = dict(known.pods)
        self._view = None

    def has_node(self, name: str) -> bool:
        """Whether the node is known now."""
        return name in self._nodes

    # Pods, by uid: a pod that was made again under the same name is another one

    def assume(self, pod: PodInfo, node: str) -> None:
        """Count the pod on `node` from now on, before anybody else knows."""
        assert pod.uid not in self._where, f"{pod.key} is already counted on {self._where[pod.uid]}"
        self._assumed.add(pod.uid)
        self._put(evolve(pod, pod=evolve(pod.pod, spec=evolve(pod.pod.spec, node_name=node))), node)

    def forget(self, uid: str) -> bool:
        """Binding failed: no longer count it, unless the informer has shown it assigned meanwhile."""
        if uid not in self._assumed:
            return False
        self._assumed.discard(uid)
        self._take(uid)
        return True

    def is_assumed(self, uid: str) -> bool:
        """Whether the pod counts by assumption alone."""
        return uid in self._assumed

    def has_pod(self, uid: str) -> bool:
        """Whether the pod counts, assigned or assumed."""
        return uid in self._where

    def set_pod(self, pod: Pod) -> None:
        """The informer shows an assigned pod."""
        node = pod.spec.node_name
        assert node, f"{pod.key} is not assigned"
        before = self._where.get(pod.uid)
        if before is not None and before != node:
            reached("scheduler: assumed pod was assigned elsewhere")
        self._assumed.discard(pod.uid)
        if before is not None:
            self._take(pod.uid)
        self._put(PodInfo.of(pod), node)

    def remove_pod(self, uid: str) -> None:
        """The pod is gone, or has ended."""
        self._assumed.discard(uid)
        if uid in self._where:
            self._take(uid)

    def view(self) -> View:
        """What a decision looks at now."""
        if self._view is None:
            self._view = View(
                nodes=tuple([self._nodes[name] for name in self._scan_order()]),
                owners=self._owners,
                claims=self._claims,
            )
        return self._view

    # Helpers

    def _put(self, pod: PodInfo, node: str) -> None:
        self._where[pod.uid] = node
        known = self._nodes.get(node)
        if known is None:
            self._orphans.setdefault(node, {})[pod.uid] = pod
        else:
            self._nodes[node] = known.with_pod(pod)
            self._view = None

    def _take(self, uid: str) -> None:
        node = self._where.pop(uid)
        known = self._nodes.get(node)
        if known is None:
            left = self._orphans[node]
            del left[uid]
            if not left:
                del self._orphans[node]
        else:
            self._nodes[node] = known.without_pod(uid)
            self._view = None

    def _leave_zone(self, node: Node) -> None:
        zone = zone_of(node)
        del self._zones[zone][node.name]
        if not self._zones[zone]:
            del self._zones[zone]

    def _scan_order(self) -> list[str]:
        """One node of each zone in turn, zones and nodes in the order of their appearance."""
        columns = [list(names) for names in self._zones.values()]
        longest = max((len(column) for column in columns), default=0)
        return [column[row] for row in range(longest) for column in columns if row < len(column)]


def zone_of(node: Node) -> str:
    """Region and zone, "" when the node names neither. (component-helpers/node/topology, GetZoneKey)"""
    region, zone = node.labels.get(REGION, ""), node.labels.get(ZONE, "")
    return f"{region}:\0:{zone}" if region or zone else ""
