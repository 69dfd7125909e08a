"""Pods as they are wanted: containers, probes, hooks, and where they may run.

Source: staging/src/k8s.io/api/core/v1/types.go. What a pod reports is in pod_status.py, what it asks of nodes in
placement.py.

Not modelled: environment, security contexts, DNS settings, ephemeral containers (carried in `extra`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, IntOrString
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LocalObjectReference, ObjectMeta
from chaoskube.models.objects.placement import (
    Affinity,
    PodSchedulingGate,
    Toleration,
    TopologySpreadConstraint,
)
from chaoskube.models.objects.pod_status import PodStatus
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.volumes import Volume, VolumeMount


@frozen(kw_only=True)
class HTTPGetAction:
    """Ask an URL; 200 to 399 is well."""

    SHARED: ClassVar[bool] = True
    path: str | None = None
    port: IntOrString | None = None
    host: str | None = None
    scheme: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class TCPSocketAction:
    """Open a connection."""

    SHARED: ClassVar[bool] = True
    port: IntOrString | None = None
    host: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class GRPCAction:
    """Call the gRPC health service."""

    SHARED: ClassVar[bool] = True
    port: int = 0
    service: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ExecAction:
    """Run a command in the container; exit code 0 is well."""

    SHARED: ClassVar[bool] = True
    command: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class SleepAction:
    """Wait."""

    SHARED: ClassVar[bool] = True
    seconds: int = 0
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Probe:
    """A check of a container, repeated."""

    SHARED: ClassVar[bool] = True
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    termination_grace_period_seconds: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class LifecycleHandler:
    """What a hook does."""

    SHARED: ClassVar[bool] = True
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    sleep: SleepAction | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Lifecycle:
    """Hooks around a container's life."""

    SHARED: ClassVar[bool] = True
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None
    stop_signal: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerPort:
    """A port a container says it listens on."""

    SHARED: ClassVar[bool] = True
    name: str | None = None
    host_port: int = 0
    container_port: int = 0
    protocol: str | None = None
    host_ip: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ResourceRequirements:
    """What a container is promised and what it may not pass."""

    SHARED: ClassVar[bool] = True
    limits: FrozenDict[str, Quantity] = EMPTY
    requests: FrozenDict[str, Quantity] = EMPTY
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Container:
    """One container of a pod."""

    name: str = ""
    image: str | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = field(default=ResourceRequirements())
    restart_policy: str | None = None
    volume_mounts: tuple[VolumeMount, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    image_pull_policy: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodReadinessGate:
    """A condition, set by others, that must be True for the pod to be ready."""

    condition_type: str = ""
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodSpec:
    """What a pod is to be."""

    volumes: tuple[Volume, ...] = ()
    init_containers: tuple[Container, ...] = ()
    containers: tuple[Container, ...] = ()
    restart_policy: str | None = None
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    node_selector: FrozenDict[str, str] = EMPTY
    service_account_name: str | None = None
    service_account: str | None = None
    automount_service_account_token: bool | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    node_name: str | None = None
    host_network: bool = False
    hostname: str | None = None
    subdomain: str | None = None
    affinity: Affinity | None = None
    scheduler_name: str | None = None
    tolerations: tuple[Toleration, ...] = ()
    priority_class_name: str | None = None
    priority: int | None = None
    preemption_policy: str | None = None
    readiness_gates: tuple[PodReadinessGate, ...] = ()
    overhead: FrozenDict[str, Quantity] = EMPTY
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    scheduling_gates: tuple[PodSchedulingGate, ...] = ()
    resources: ResourceRequirements | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodTemplateSpec:
    """The pod that a controller makes copies of."""

    metadata: ObjectMeta = field(default=ObjectMeta())
    spec: PodSpec = field(default=PodSpec())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Pod(KubeObject):
    """Containers that live and die together on one node."""

    api_version: str = "v1"
    kind: str = "Pod"
    spec: PodSpec = field(default=PodSpec())
    status: PodStatus = field(default=PodStatus())
