"""What must hold of Services, EndpointSlices and Endpoints.

Sources: pkg/apis/core/validation/validation.go, pkg/apis/discovery/validation/validation.go. Called by validation.py.

Not modelled: allocation of addresses and ports (the API server's).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from chaoskube.models.objects.causes import Cause, duplicate, forbidden, invalid, required, unsupported
from chaoskube.models.objects.endpoints import Endpoints, EndpointSubsetPort
from chaoskube.models.objects.names import dns_label, port_name, port_number
from chaoskube.models.objects.service import EndpointSlice, Service, ServicePort, ServiceSpec
from chaoskube.models.objects.validation_container import PROTOCOLS
from chaoskube.models.objects.validation_meta import check_labels
from chaoskube.models.objects.validation_values import one_of, unchanged

_SERVICE_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def check_service(obj: Service) -> Iterator[Cause]:
    """A Service."""
    spec = obj.spec
    headless = spec.cluster_ip == "None" or spec.cluster_ips == ("None",)
    if not spec.ports and not headless and spec.type != "ExternalName":
        yield required("spec.ports")
    if spec.type == "ExternalName" and not spec.external_name:
        yield required("spec.externalName")
    yield from _service_ports(spec.ports, headless=headless)
    yield from check_labels(spec.selector, "spec.selector")
    if spec.session_affinity is None:
        yield required("spec.sessionAffinity")
    elif spec.session_affinity not in ("ClientIP", "None"):
        yield unsupported("spec.sessionAffinity", spec.session_affinity, ("ClientIP", "None"))
    if spec.type is None:
        yield required("spec.type")
    elif spec.type not in _SERVICE_TYPES:
        yield unsupported("spec.type", spec.type, _SERVICE_TYPES)
    for position, port in enumerate(spec.ports):
        same = [(other.protocol, other.port) for other in spec.ports[:position]]
        if (port.protocol, port.port) in same:
            yield duplicate(f"spec.ports[{position}]", {"port": port.port, "protocol": port.protocol})
    yield from _service_type(spec, headless=headless)
    for field, value in (
        ("internalTrafficPolicy", spec.internal_traffic_policy),
        ("externalTrafficPolicy", spec.external_traffic_policy),
    ):
        if value is not None and value not in ("Cluster", "Local"):
            yield unsupported(f"spec.{field}", value, ("Cluster", "Local"))


def _service_type(spec: ServiceSpec, *, headless: bool) -> Iterator[Cause]:
    """What a type forbids. (ValidateService, validateServiceExternalTrafficPolicy)"""
    is_noded = spec.type in ("NodePort", "LoadBalancer")
    if is_noded and headless:
        text = f"may not be set to 'None' for {spec.type} services"
        yield invalid("spec.clusterIPs[0]", "None", text)
    if spec.type == "ExternalName" and spec.cluster_ip:
        yield forbidden("spec.clusterIPs", "may not be set when type is 'ExternalName'")
    seen: list[tuple[str | None, int]] = []
    for position, port in enumerate(spec.ports):
        path = f"spec.ports[{position}].nodePort"
        if not port.node_port:
            continue
        if spec.type == "ClusterIP":
            yield forbidden(path, "may not be used when `type` is 'ClusterIP'")
        if (port.protocol, port.node_port) in seen:
            yield duplicate(path, port.node_port)
        seen.append((port.protocol, port.node_port))
    policy = spec.external_traffic_policy
    if policy and not is_noded and not (spec.type == "ClusterIP" and spec.external_ips):
        text = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, text)


def _service_ports(ports: tuple[ServicePort, ...], *, headless: bool) -> Iterator[Cause]:
    names: list[str] = []
    for position, port in enumerate(ports):
        path = f"spec.ports[{position}]"
        if not port.name:
            if len(ports) > 1:
                yield required(f"{path}.name")
        else:
            for message in dns_label(port.name):
                yield invalid(f"{path}.name", port.name, message)
            if port.name in names:
                yield duplicate(f"{path}.name", port.name)
            names.append(port.name)
        for message in port_number(port.port):
            yield invalid(f"{path}.port", port.port, message)
        if port.protocol is None:
            yield required(f"{path}.protocol")
        elif port.protocol not in PROTOCOLS:
            yield unsupported(f"{path}.protocol", port.protocol, PROTOCOLS)
        target = port.target_port
        if target is not None:
            for message in port_name(target) if isinstance(target, str) else port_number(target):
                yield invalid(f"{path}.targetPort", target, message)


def check_service_update(old: Service, new: Service) -> Iterator[Cause]:
    """An address that was given stays."""
    before, after = old.spec, new.spec
    if "ExternalName" in (before.type, after.type) or not before.cluster_ip or not after.cluster_ip:
        return
    addresses = after.cluster_ips
    if before.cluster_ip != after.cluster_ip and before.cluster_ips == after.cluster_ips:
        addresses = (after.cluster_ip,)  # a client that knows the older field alone
    if addresses[:1] != before.cluster_ips[:1]:
        yield invalid("spec.clusterIPs[0]", addresses, "may not change once set")


def check_endpoint_slice(obj: EndpointSlice) -> Iterator[Cause]:
    """An EndpointSlice."""
    if not obj.address_type:
        yield required("addressType")
    elif obj.address_type not in ("FQDN", "IPv4", "IPv6"):
        yield unsupported("addressType", obj.address_type, ("FQDN", "IPv4", "IPv6"))
    for position, endpoint in enumerate(obj.endpoints):
        if not endpoint.addresses:
            yield required(f"endpoints[{position}].addresses", "must contain at least 1 address")


def check_endpoint_slice_update(old: EndpointSlice, new: EndpointSlice) -> Iterator[Cause]:
    """The type of its addresses stays."""
    yield from unchanged("addressType", old.address_type, new.address_type)


def check_endpoints(obj: Endpoints) -> Iterator[Cause]:
    """An Endpoints."""
    for position, subset in enumerate(obj.subsets):
        path = f"subsets[{position}]"
        if not subset.addresses and not subset.not_ready_addresses:
            yield required(path, "must specify `addresses` or `notReadyAddresses`")
        for field, addresses in (
            ("addresses", subset.addresses),
            ("notReadyAddresses", subset.not_ready_addresses),
        ):
            for number, address in enumerate(addresses):
                yield from _endpoint_address(address.ip, f"{path}.{field}[{number}].ip")
        for number, port in enumerate(subset.ports):
            yield from _endpoint_port(port, f"{path}.ports[{number}]", wants_name=len(subset.ports) > 1)


def _endpoint_address(text: str, path: str) -> Iterator[Cause]:
    """ValidateEndpointIP: an address that a packet can be sent to."""
    try:
        address = ip_address(text)
    except ValueError:
        yield invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        yield invalid(path, text, "must be a valid IP address")
        return
    if address.is_unspecified:
        yield invalid(path, text, f"may not be unspecified ({text})")
    if address.is_loopback:
        yield invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        yield invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")


def _endpoint_port(port: EndpointSubsetPort, path: str, *, wants_name: bool) -> Iterator[Cause]:
    if port.name:
        for message in dns_label(port.name):
            yield invalid(f"{path}.name", port.name, message)
    elif wants_name:
        yield required(f"{path}.name")
    for message in port_number(port.port):
        yield invalid(f"{path}.port", port.port, message)
    yield from one_of(f"{path}.protocol", port.protocol, PROTOCOLS)
