"""Services and EndpointSlices.

Source: staging/src/k8s.io/api/core/v1/types.go, staging/src/k8s.io/api/discovery/v1/types.go.

Not modelled: load balancers' settings and status (carried in `extra`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN, IntOrString
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject


@frozen(kw_only=True)
class ObjectReference:
    """A pointer to another object."""

    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    api_version: str | None = None
    resource_version: str | None = None
    field_path: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ServicePort:
    """A port of a Service and where it leads."""

    SHARED: ClassVar[bool] = True
    name: str | None = None
    protocol: str | None = None
    app_protocol: str | None = field(default=None, metadata=POINTER)
    port: int = 0
    target_port: IntOrString | None = None
    node_port: int = 0
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ServiceSpec:
    """Which pods, by which address and ports."""

    ports: tuple[ServicePort, ...] = ()
    selector: FrozenDict[str, str] = EMPTY
    cluster_ip: str | None = None
    cluster_ips: tuple[str, ...] = ()
    type: str | None = None
    external_ips: tuple[str, ...] = ()
    session_affinity: str | None = None
    external_name: str | None = None
    external_traffic_policy: str | None = None
    health_check_node_port: int = 0
    publish_not_ready_addresses: bool = False
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    internal_traffic_policy: str | None = None
    traffic_distribution: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ServiceStatus:
    """Nothing that the simulation acts on."""

    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Service(KubeObject):
    """One address for many pods."""

    api_version: str = "v1"
    kind: str = "Service"
    spec: ServiceSpec = field(default=ServiceSpec())
    status: ServiceStatus = field(default=ServiceStatus())


@frozen(kw_only=True)
class EndpointConditions:
    """What an endpoint can do; None is unknown, and is read as the API says (ready and serving: yes)."""

    SHARED: ClassVar[bool] = True
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Endpoint:
    """One pod behind a Service."""

    addresses: tuple[str, ...] = field(default=(), metadata=WRITTEN)
    conditions: EndpointConditions = field(default=EndpointConditions(), metadata=WRITTEN)
    hostname: str | None = None
    target_ref: ObjectReference | None = None
    node_name: str | None = None
    zone: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class EndpointPort:
    """A port of all endpoints of a slice; its name may be ""."""

    SHARED: ClassVar[bool] = True
    name: str | None = field(default=None, metadata=POINTER)
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class EndpointSlice(KubeObject):
    """Some of the endpoints of a Service."""

    api_version: str = "discovery.k8s.io/v1"
    kind: str = "EndpointSlice"
    address_type: str = field(default="", metadata=WRITTEN)
    endpoints: tuple[Endpoint, ...] = field(default=(), metadata=WRITTEN)
    ports: tuple[EndpointPort, ...] = field(default=(), metadata=WRITTEN)
