"""Pods and nodes as the plugins see them, with what they ask and hold already added up.

`PodInfo` and `NodeInfo` never change; a node with one pod more is a new NodeInfo. A `View` is what one
scheduling decision looks at. (pkg/scheduler/framework/types.go: PodInfo, NodeInfo)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import evolve, frozen

from chaoskube.models.objects import Container, LabelSelector, Node, Pod
from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.scheduler.requests import (
    CPU,
    MEMORY,
    SCORED_WHEN_MISSING,
    Amounts,
    amounts,
    minus,
    plus,
    pod_requests,
)

HostPort = tuple[str, str, int]
"""Address, protocol, port on the node."""


@frozen(kw_only=True, eq=False)
class PodInfo:
    """A pod and the sums over its containers."""

    pod: Pod
    key: str
    uid: str
    priority: int
    requests: Amounts
    scored: Amounts
    """cpu and memory as scores count them: containers without a request count for something."""
    host_ports: tuple[HostPort, ...]

    @staticmethod
    def of(pod: Pod) -> PodInfo:
        """Add up a pod."""
        scored = pod_requests(pod, when_missing=SCORED_WHEN_MISSING)
        return PodInfo(
            pod=pod,
            key=pod.key,
            uid=pod.uid,
            priority=pod.spec.priority or 0,
            requests=pod_requests(pod),
            scored={CPU: scored.get(CPU, 0), MEMORY: scored.get(MEMORY, 0)},
            host_ports=_host_ports(pod),
        )


@frozen(kw_only=True, eq=False)
class NodeInfo:
    """A node with its assigned and assumed pods, by uid."""

    node: Node
    name: str
    allocatable: Amounts
    pods: Mapping[str, PodInfo]
    requested: Amounts
    scored: Amounts

    @staticmethod
    def of(node: Node, pods: Mapping[str, PodInfo] | None = None) -> NodeInfo:
        """A node, empty or with pods that came before it."""
        info = NodeInfo(
            node=node,
            name=node.name,
            allocatable=amounts(node.status.allocatable),
            pods={},
            requested={},
            scored={CPU: 0, MEMORY: 0},
        )
        for pod in (pods or {}).values():
            info = info.with_pod(pod)
        return info

    @property
    def labels(self) -> FrozenDict[str, str]:
        """The node's labels."""
        return self.node.labels

    def with_node(self, node: Node) -> NodeInfo:
        """The same pods on a node that changed."""
        return evolve(self, node=node, allocatable=amounts(node.status.allocatable))

    def with_pod(self, pod: PodInfo) -> NodeInfo:
        """One pod more."""
        assert pod.uid not in self.pods, f"{pod.key} is already on {self.name}"
        return evolve(
            self,
            pods={**self.pods, pod.uid: pod},
            requested=plus(self.requested, pod.requests),
            scored=plus(self.scored, pod.scored),
        )

    def without_pod(self, uid: str) -> NodeInfo:
        """One pod less."""
        assert uid in self.pods, f"{uid} is not on {self.name}"
        pod = self.pods[uid]
        return evolve(
            self,
            pods={other: info for other, info in self.pods.items() if other != uid},
            requested=minus(self.requested, pod.requests),
            scored=minus(self.scored, pod.scored),
        )


class Owners(Protocol):
    """Looks up who a pod belongs to, in what the scheduler's informers know."""

    def selectors_of(self, pod: Pod) -> tuple[LabelSelector, ...]:
        """Selectors of the services and of the controller that select this pod; all must match."""
        ...

    def namespace_labels(self, namespace: str) -> Mapping[str, str]:
        """The labels of a namespace; empty when it isn't known."""
        ...


@frozen(eq=False)
class NoOwners:
    """Owners of nothing: for pods on their own, and tests."""

    def selectors_of(self, pod: Pod) -> tuple[LabelSelector, ...]:
        """None."""
        return ()

    def namespace_labels(self, namespace: str) -> Mapping[str, str]:
        """None."""
        return {}


class Claims(Protocol):
    """Looks up the claims of a pod, in what the scheduler's informers know."""

    def missing_for(self, pod: Pod) -> str:
        """Why the pod can run nowhere yet; "" when its claims are bound."""
        ...


@frozen(eq=False)
class NoClaims:
    """Claims that are all bound: for tests."""

    def missing_for(self, pod: Pod) -> str:
        """Nothing."""
        return ""


@frozen(kw_only=True, eq=False)
class View:
    """What one decision looks at: nodes in the order in which they are scanned, and who owns what."""

    nodes: tuple[NodeInfo, ...]
    owners: Owners = NoOwners()
    claims: Claims = NoClaims()

    def node(self, name: str) -> NodeInfo | None:
        """The node of that name."""
        return next((info for info in self.nodes if info.name == name), None)

    def with_node(self, changed: NodeInfo) -> View:
        """The same view with another state of one node (to ask "what if")."""
        return evolve(
            self, nodes=tuple([changed if each.name == changed.name else each for each in self.nodes])
        )


def _host_ports(pod: Pod) -> tuple[HostPort, ...]:
    return tuple(
        (port.host_ip or "0.0.0.0", port.protocol or "TCP", port.host_port)
        for container in (*pod.spec.containers, *_sidecars(pod))
        for port in container.ports
        if port.host_port > 0
    )


def _sidecars(pod: Pod) -> list[Container]:
    return [each for each in pod.spec.init_containers if each.restart_policy == "Always"]
