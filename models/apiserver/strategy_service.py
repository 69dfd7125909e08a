"""What an update of a Service keeps of what the server gave it: addresses, ports, policies. Pure.

Source: pkg/registry/core/service/strategy.go (patchAllocatedValues, dropTypeDependentFields). Called by `strategy.py`.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from chaoskube.models.objects import Service, ServicePort, ServiceSpec

NODED = ("NodePort", "LoadBalancer")


def with_allocations(new: Service, old: Service) -> Service:
    """What the server gave and the client left out stays, or goes with the type that needed it.

    (pkg/registry/core/service/strategy.go, patchAllocatedValues and dropTypeDependentFields)
    """
    wanted, given = new.spec, old.spec
    if given.type == "ExternalName":
        return new
    if wanted.type == "ExternalName":
        return evolve(new, spec=_without_addresses(wanted, given))
    ports = wanted.ports
    if wanted.type in NODED and given.type in NODED:
        ports = tuple([_with_node_port(port, given) for port in ports])
    elif given.type in NODED:
        ports = _without_node_ports(wanted, given)
    policy = wanted.external_traffic_policy
    if wanted.type not in NODED and not wanted.external_ips and policy == given.external_traffic_policy:
        policy = None
    return evolve(
        new,
        spec=evolve(
            wanted,
            cluster_ip=wanted.cluster_ip or given.cluster_ip,
            cluster_ips=wanted.cluster_ips or given.cluster_ips,
            ip_families=wanted.ip_families or given.ip_families,
            ip_family_policy=wanted.ip_family_policy or given.ip_family_policy,
            external_traffic_policy=policy,
            ports=ports,
        ),
    )


def _without_addresses(wanted: ServiceSpec, given: ServiceSpec) -> ServiceSpec:
    """A name needs no address: what was not changed at the same time goes; what was is for validation to refuse."""
    changes: dict[str, Any] = {
        field: empty
        for field, empty in (
            ("cluster_ip", None),
            ("cluster_ips", ()),
            ("ip_families", ()),
            ("ip_family_policy", None),
            ("internal_traffic_policy", None),
            ("external_traffic_policy", None),
        )
        if getattr(wanted, field) == getattr(given, field)
    }
    if given.type in NODED:
        changes["ports"] = _without_node_ports(wanted, given)
    return evolve(wanted, **changes)


def _without_node_ports(wanted: ServiceSpec, given: ServiceSpec) -> tuple[ServicePort, ...]:
    if [port.node_port for port in wanted.ports] != [port.node_port for port in given.ports]:
        return wanted.ports
    return tuple([evolve(port, node_port=0) for port in wanted.ports])


def _with_node_port(port: ServicePort, given: ServiceSpec) -> ServicePort:
    if port.node_port:
        return port
    for old in given.ports:
        if (old.protocol, old.port) == (port.protocol, port.port):
            return evolve(port, node_port=old.node_port)
    return port
