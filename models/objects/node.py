"""Nodes.

Source: staging/src/k8s.io/api/core/v1/types.go.

Not modelled: nodeInfo, images, daemon endpoints (carried in `extra`).
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.placement import Taint
from chaoskube.models.objects.quantity import Quantity


@frozen(kw_only=True)
class NodeCondition:
    """One condition of a node (Ready, MemoryPressure, ...)."""

    type: str = ""
    status: str = ""
    last_heartbeat_time: Time | None = field(default=None, metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NodeAddress:
    """An address and its kind (InternalIP, Hostname, ...)."""

    type: str = ""
    address: str = ""
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NodeSpec:
    """What others decide of a node."""

    pod_cidr: str | None = None
    pod_cidrs: tuple[str, ...] = ()
    provider_id: str | None = None
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NodeStatus:
    """What the kubelet says of its node."""

    capacity: FrozenDict[str, Quantity] = EMPTY
    allocatable: FrozenDict[str, Quantity] = EMPTY
    phase: str | None = None
    conditions: tuple[NodeCondition, ...] = ()
    addresses: tuple[NodeAddress, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Node(KubeObject):
    """A machine that runs pods."""

    api_version: str = "v1"
    kind: str = "Node"
    spec: NodeSpec = field(default=NodeSpec())
    status: NodeStatus = field(default=NodeStatus())
