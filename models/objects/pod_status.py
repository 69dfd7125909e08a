"""What a pod reports: phase, conditions, and what became of each container.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict


@frozen(kw_only=True)
class PodCondition:
    """One condition of a pod (Ready, PodScheduled, ...)."""

    SHARED: ClassVar[bool] = True
    type: str = ""
    observed_generation: int = 0
    status: str = ""
    last_probe_time: Time | None = field(default=None, metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerStateWaiting:
    """Not yet running, or waiting to run again."""

    SHARED: ClassVar[bool] = True
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerStateRunning:
    """Running since."""

    SHARED: ClassVar[bool] = True
    started_at: Time | None = field(default=None, metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerStateTerminated:
    """Ended, with its exit code."""

    SHARED: ClassVar[bool] = True
    exit_code: int = field(default=0, metadata=WRITTEN)
    signal: int = 0
    reason: str | None = None
    message: str | None = None
    started_at: Time | None = field(default=None, metadata=WRITTEN)
    finished_at: Time | None = field(default=None, metadata=WRITTEN)
    container_id: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerState:
    """One of waiting, running, terminated."""

    SHARED: ClassVar[bool] = True
    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ContainerStatus:
    """What became of one container."""

    name: str = ""
    state: ContainerState = field(default=ContainerState(), metadata=WRITTEN)
    last_state: ContainerState = field(default=ContainerState(), metadata=WRITTEN)
    ready: bool = field(default=False, metadata=WRITTEN)
    restart_count: int = field(default=0, metadata=WRITTEN)
    image: str = field(default="", metadata=WRITTEN)
    image_id: str = field(default="", metadata=WRITTEN)
    container_id: str | None = None
    started: bool | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IPAddress:
    """One address of a pod or of its host."""

    SHARED: ClassVar[bool] = True
    ip: str = ""
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodStatus:
    """What the kubelet, the scheduler and others say of a pod."""

    observed_generation: int = 0
    phase: str | None = None
    conditions: tuple[PodCondition, ...] = ()
    message: str | None = None
    reason: str | None = None
    nominated_node_name: str | None = None
    host_ip: str | None = None
    host_ips: tuple[IPAddress, ...] = ()
    pod_ip: str | None = None
    pod_ips: tuple[IPAddress, ...] = ()
    start_time: Time | None = None
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    qos_class: str | None = None
    extra: FrozenDict[str, Any] = EMPTY
