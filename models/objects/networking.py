"""Ingresses, their classes, and network policies.

Source: staging/src/k8s.io/api/networking/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN, IntOrString
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector, TypedLocalObjectReference


@frozen(kw_only=True)
class ServiceBackendPort:
    """A port by name or by number."""

    name: str | None = None
    number: int = 0
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressServiceBackend:
    """A Service and one of its ports."""

    name: str = field(default="", metadata=WRITTEN)
    port: ServiceBackendPort = field(default=ServiceBackendPort())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressBackend:
    """Where requests go: a Service, or some other resource."""

    service: IngressServiceBackend | None = None
    resource: TypedLocalObjectReference | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HTTPIngressPath:
    """A path, how it is matched, and where it leads."""

    path: str | None = None
    path_type: str | None = field(default=None, metadata=WRITTEN)
    backend: IngressBackend = field(default=IngressBackend())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class HTTPIngressRuleValue:
    """The paths of a host."""

    paths: tuple[HTTPIngressPath, ...] = field(default=(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressRule:
    """A host and its paths."""

    host: str | None = None
    http: HTTPIngressRuleValue | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressTLS:
    """Hosts whose certificate is in a Secret."""

    hosts: tuple[str, ...] = ()
    secret_name: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressSpec:
    """Rules for requests from outside."""

    ingress_class_name: str | None = field(default=None, metadata=POINTER)
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressLoadBalancerIngress:
    """An address at which requests arrive."""

    ip: str | None = None
    hostname: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressLoadBalancerStatus:
    """The addresses of an Ingress."""

    ingress: tuple[IngressLoadBalancerIngress, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressStatus:
    """Where the Ingress can be reached."""

    load_balancer: IngressLoadBalancerStatus = field(default=IngressLoadBalancerStatus(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Ingress(KubeObject):
    """Which requests from outside go to which Service."""

    api_version: str = "networking.k8s.io/v1"
    kind: str = "Ingress"
    spec: IngressSpec = field(default=IngressSpec())
    status: IngressStatus = field(default=IngressStatus())


@frozen(kw_only=True)
class IngressClassParametersReference:
    """Settings of the controller of a class."""

    api_group: str | None = field(default=None, metadata=POINTER)
    kind: str = field(default="", metadata=WRITTEN)
    name: str = field(default="", metadata=WRITTEN)
    scope: str | None = field(default=None, metadata=POINTER)
    namespace: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressClassSpec:
    """Who serves the Ingresses of a class."""

    controller: str | None = None
    parameters: IngressClassParametersReference | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IngressClass(KubeObject):
    """A kind of Ingress, and who serves it."""

    api_version: str = "networking.k8s.io/v1"
    kind: str = "IngressClass"
    spec: IngressClassSpec = field(default=IngressClassSpec())


@frozen(kw_only=True)
class NetworkPolicyPort:
    """A port, by name or number, or a range of them."""

    protocol: str | None = None
    port: IntOrString | None = None
    end_port: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class IPBlock:
    """A range of addresses, with holes."""

    cidr: str = field(default="", metadata=WRITTEN)
    except_: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NetworkPolicyPeer:
    """Pods, by their labels and their namespaces', or addresses."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NetworkPolicyIngressRule:
    """What may come in: any of these peers, to any of these ports."""

    ports: tuple[NetworkPolicyPort, ...] = ()
    from_: tuple[NetworkPolicyPeer, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NetworkPolicyEgressRule:
    """What may go out."""

    ports: tuple[NetworkPolicyPort, ...] = ()
    to: tuple[NetworkPolicyPeer, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NetworkPolicySpec:
    """Which pods it is for, and what they may do."""

    pod_selector: LabelSelector = field(default=LabelSelector())
    ingress: tuple[NetworkPolicyIngressRule, ...] = ()
    egress: tuple[NetworkPolicyEgressRule, ...] = ()
    policy_types: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NetworkPolicy(KubeObject):
    """Which pods may talk to which."""

    api_version: str = "networking.k8s.io/v1"
    kind: str = "NetworkPolicy"
    spec: NetworkPolicySpec = field(default=NetworkPolicySpec())
