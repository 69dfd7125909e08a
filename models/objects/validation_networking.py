"""What must hold of Ingresses, IngressClasses and NetworkPolicies.

Source: pkg/apis/networking/validation/validation.go. Called by validation.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from chaoskube.models.objects.causes import Cause, forbidden, invalid, required, too_long, unsupported
from chaoskube.models.objects.meta import TypedLocalObjectReference
from chaoskube.models.objects.names import (
    dns_label,
    dns_subdomain,
    domain_prefixed_path,
    path_segment,
    port_name,
    port_number,
    wildcard_subdomain,
)
from chaoskube.models.objects.networking import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IngressTLS,
    IPBlock,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)
from chaoskube.models.objects.validation_container import PROTOCOLS
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_values import unchanged

_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_CONTROLLER_BYTES_MAX: Final = 250
_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES: Final = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS: Final = ("/..", "/.")


def check_ingress_create(obj: Ingress) -> Iterator[Cause]:
    """A new Ingress: the older annotation must not say another class."""
    yield from check_ingress(obj)
    annotation = obj.metadata.annotations.get(_CLASS_ANNOTATION)
    wanted = obj.spec.ingress_class_name
    if annotation is not None and wanted is not None and annotation != wanted:
        text = "must match `ingressClassName` when both are specified"
        yield invalid(f"annotations.{_CLASS_ANNOTATION}", annotation, text)


def check_ingress(obj: Ingress) -> Iterator[Cause]:
    """An Ingress."""
    spec = obj.spec
    if not spec.rules and spec.default_backend is None:
        yield invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if spec.default_backend is not None:
        yield from _backend(spec.default_backend, "spec.defaultBackend")
    for position, rule in enumerate(spec.rules):
        path = f"spec.rules[{position}]"
        yield from _host(rule.host or "", f"{path}.host")
        if rule.http is not None:
            if not rule.http.paths:
                yield required(f"{path}.http.paths")
            for number, one in enumerate(rule.http.paths):
                yield from _path(one, f"{path}.http.paths[{number}]")
    for position, tls in enumerate(spec.tls):
        yield from _tls(tls, f"spec.tls[{position}]")
    for message in dns_subdomain(spec.ingress_class_name) if spec.ingress_class_name is not None else ():
        yield invalid("spec.ingressClassName", spec.ingress_class_name, message)


def _host(host: str, path: str) -> Iterator[Cause]:
    if not host:
        return
    if _is_address(host):
        yield invalid(path, host, "must be a DNS name, not an IP address")
    for message in wildcard_subdomain(host) if "*" in host else dns_subdomain(host):
        yield invalid(path, host, message)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _path(one: HTTPIngressPath, path: str) -> Iterator[Cause]:
    if one.path_type is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    text = one.path or ""
    if one.path_type in ("Exact", "Prefix"):
        if not text.startswith("/"):
            yield invalid(f"{path}.path", text, "must be an absolute path")
        for sequence in _BAD_SEQUENCES:
            if sequence in text:
                yield invalid(f"{path}.path", text, f"must not contain '{sequence}'")
        for end in _BAD_ENDS:
            if text.endswith(end):
                yield invalid(f"{path}.path", text, f"cannot end with '{end}'")
    elif one.path_type != "ImplementationSpecific":
        yield unsupported(f"{path}.pathType", one.path_type, _PATH_TYPES)
    elif text and not text.startswith("/"):
        yield invalid(f"{path}.path", text, "must be an absolute path")
    yield from _backend(one.backend, f"{path}.backend")


def _backend(backend: IngressBackend, path: str) -> Iterator[Cause]:
    service = backend.service
    if backend.resource is not None and service is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif backend.resource is not None:
        yield from _reference(backend.resource, f"{path}.resource")
    elif service is None:
        yield invalid(path, "", "resource or service backend is required")
    else:
        if not service.name:
            yield required(f"{path}.service.name")
        for message in dns_label(service.name) if service.name else ():
            yield invalid(f"{path}.service.name", service.name, message)
        port = service.port
        if port.name and port.number:
            yield invalid(path, "", "cannot set both port name & port number")
        elif port.name:
            for message in port_name(port.name):
                yield invalid(f"{path}.service.port.name", port.name, message)
        elif port.number:
            for message in port_number(port.number):
                yield invalid(f"{path}.service.port.number", port.number, message)
        else:
            yield required(path, "port name or number is required")


def _reference(reference: TypedLocalObjectReference, path: str) -> Iterator[Cause]:
    for message in dns_subdomain(reference.api_group) if reference.api_group is not None else ():
        yield invalid(f"{path}.apiGroup", reference.api_group, message)
    for field, value in (("kind", reference.kind), ("name", reference.name)):
        if not value:
            yield required(f"{path}.{field}")
        for message in path_segment(value) if value else ():
            yield invalid(f"{path}.{field}", value, message)


def _tls(tls: IngressTLS, path: str) -> Iterator[Cause]:
    for number, host in enumerate(tls.hosts):
        for message in wildcard_subdomain(host) if "*" in host else dns_subdomain(host):
            yield invalid(f"{path}.hosts[{number}]", host, message)
    for message in dns_subdomain(tls.secret_name) if tls.secret_name else ():
        yield invalid(f"{path}.secretName", tls.secret_name, message)


def check_ingress_class(obj: IngressClass) -> Iterator[Cause]:
    """An IngressClass."""
    controller = obj.spec.controller or ""
    if len(controller) > _CONTROLLER_BYTES_MAX:
        yield too_long("spec.controller", _CONTROLLER_BYTES_MAX)
    if not controller:
        yield required("spec.controller")
    for message in domain_prefixed_path(controller) if controller else ():
        yield invalid("spec.controller", controller, message)
    parameters = obj.spec.parameters
    if parameters is None:
        return
    for field, value in (("kind", parameters.kind), ("name", parameters.name)):
        if not value:
            yield required(f"spec.parameters.{field}")
    if parameters.scope not in ("Cluster", "Namespace"):
        yield unsupported("spec.parameters.scope", parameters.scope or "", ("Cluster", "Namespace"))
    elif parameters.scope == "Namespace" and not parameters.namespace:
        yield required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'")
    elif parameters.scope == "Cluster" and parameters.namespace is not None:
        yield forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'")


def check_ingress_class_update(old: IngressClass, new: IngressClass) -> Iterator[Cause]:
    """Who serves it stays."""
    yield from unchanged("spec.controller", old.spec.controller, new.spec.controller)


def check_network_policy(obj: NetworkPolicy) -> Iterator[Cause]:
    """A NetworkPolicy."""
    spec = obj.spec
    yield from check_selector(spec.pod_selector, "spec.podSelector")
    for position, ingress in enumerate(spec.ingress):
        path = f"spec.ingress[{position}]"
        yield from _rule(ingress.ports, ingress.from_, path, "from")
    for position, egress in enumerate(spec.egress):
        path = f"spec.egress[{position}]"
        yield from _rule(egress.ports, egress.to, path, "to")
    if len(spec.policy_types) > 2:
        yield invalid("spec.policyTypes", spec.policy_types, "may not specify more than two policyTypes")
    for position, kind in enumerate(spec.policy_types):
        if kind not in ("Ingress", "Egress"):
            yield unsupported(f"spec.policyTypes[{position}]", kind, ("Ingress", "Egress"))


def _rule(
    ports: tuple[NetworkPolicyPort, ...], peers: tuple[NetworkPolicyPeer, ...], path: str, side: str
) -> Iterator[Cause]:
    for number, port in enumerate(ports):
        yield from _policy_port(port, f"{path}.ports[{number}]")
    for number, peer in enumerate(peers):
        yield from _peer(peer, f"{path}.{side}[{number}]")


def _policy_port(port: NetworkPolicyPort, path: str) -> Iterator[Cause]:
    if port.protocol is not None and port.protocol not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", port.protocol, ("TCP", "UDP", "SCTP"))
    end = port.end_port
    if port.port is None:
        if end is not None:
            yield invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")
    elif isinstance(port.port, str):
        if end is not None:
            yield invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
        for message in port_name(port.port):
            yield invalid(f"{path}.port", port.port, message)
    else:
        for message in port_number(port.port):
            yield invalid(f"{path}.port", port.port, message)
        if end is not None:
            if end < port.port:
                yield invalid(f"{path}.endPort", port.port, "must be greater than or equal to `port`")
            for message in port_number(end):
                yield invalid(f"{path}.endPort", end, message)


def _peer(peer: NetworkPolicyPeer, path: str) -> Iterator[Cause]:
    if peer.pod_selector is not None:
        yield from check_selector(peer.pod_selector, f"{path}.podSelector")
    if peer.namespace_selector is not None:
        yield from check_selector(peer.namespace_selector, f"{path}.namespaceSelector")
    if peer.ip_block is not None:
        yield from _ip_block(peer.ip_block, f"{path}.ipBlock")
        if peer.pod_selector is not None or peer.namespace_selector is not None:
            yield forbidden(path, "may not specify both ipBlock and another peer")
    elif peer.pod_selector is None and peer.namespace_selector is None:
        yield required(path, "must specify a peer")


def _ip_block(block: IPBlock, path: str) -> Iterator[Cause]:
    wrong = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    if not block.cidr:
        yield required(f"{path}.cidr")
        return
    try:
        whole = ip_network(block.cidr, strict=False)
    except ValueError:
        yield invalid(f"{path}.cidr", block.cidr, wrong)
        return
    for number, text in enumerate(block.except_):
        where = f"{path}.except[{number}]"
        try:
            hole = ip_network(text, strict=False)
        except ValueError:
            yield invalid(where, text, wrong)
            continue
        inside = hole.version == whole.version and hole.network_address in whole
        if not inside or whole.prefixlen >= hole.prefixlen:
            yield invalid(where, text, "must be a strict subset of `cidr`")
