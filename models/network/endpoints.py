"""Which endpoints a node sends a Service's connections to: what kube-proxy decides, as one pure function.

Ready endpoints first; if no endpoint is ready, those that still serve while terminating; else none. A
Local policy looks at the node's own endpoints only and never falls back to others. The same address in
several slices counts once.

Sources: `pkg/proxy/topology.go` CategorizeEndpoints, `pkg/proxy/endpointslicecache.go` addEndpoints,
`staging/src/k8s.io/api/discovery/v1/types.go` EndpointConditions (what an absent condition means).
Called by `network/proxy.py`.

Not modelled: topology hints and trafficDistribution (all endpoints are used); UDP and SCTP; session
affinity (each connection chooses anew).
"""

from collections.abc import Iterable

from attrs import frozen

from chaoskube.models.objects import Endpoint, EndpointSlice, Service, ServicePort

MANAGED_LABEL = "kubernetes.io/service-name"


@frozen(kw_only=True)
class Backend:
    """One address that a rule may choose, and whose it is."""

    ip: str
    port: int
    pod: str
    node: str

    def digest_text(self) -> str:
        """The address: what the rest says follows from it at any one time."""
        return f"{self.ip}:{self.port}"


@frozen(kw_only=True)
class Backends:
    """Where one kind of traffic may go. Without backends it is dropped (silence) or rejected (refused)."""

    backends: tuple[Backend, ...] = ()
    drop: bool = False


@frozen(kw_only=True)
class PortRule:
    """The rules of one port of one Service on one node."""

    namespace: str
    service: str
    port_name: str
    cluster_ip: str
    port: int
    node_port: int
    internal: Backends
    external: Backends


@frozen(kw_only=True)
class Candidate:
    """An endpoint with its conditions resolved (absent ready means yes, absent serving means as ready)."""

    backend: Backend
    ready: bool
    serving: bool
    terminating: bool
    local: bool


def rules_for(service: Service, slices: Iterable[EndpointSlice], node: str) -> tuple[PortRule, ...]:
    """The rules of all TCP ports of a Service, as this node's kube-proxy would write them."""
    spec = service.spec
    if spec.type == "ExternalName" or spec.cluster_ip in (None, "", "None"):
        return ()
    held = tuple(sorted(slices, key=lambda piece: piece.name))
    return tuple(_rule(service, port, held, node) for port in spec.ports if port.protocol in (None, "TCP"))


def endpoints_for(
    service: Service, slices: Iterable[EndpointSlice], node: str, port_name: str = ""
) -> tuple[Backend, ...]:
    """The backends that a connection from this node to the Service's port may reach."""
    for rule in rules_for(service, slices, node):
        if rule.port_name == port_name:
            return rule.internal.backends
    return ()


def categorize(candidates: tuple[Candidate, ...], *, local_only: bool) -> Backends:
    """The usable ones, and what happens to traffic when there is none."""
    usable = [one for one in candidates if one.ready]
    leaving = [one for one in candidates if one.serving and one.terminating]
    if not local_only:
        return Backends(backends=tuple(one.backend for one in usable or leaving))
    chosen = [one for one in usable if one.local] or [one for one in leaving if one.local]
    # Endpoints elsewhere that the policy forbids: packets vanish instead of being refused.
    return Backends(
        backends=tuple(one.backend for one in chosen), drop=not chosen and bool(usable or leaving)
    )


def _rule(service: Service, port: ServicePort, slices: tuple[EndpointSlice, ...], node: str) -> PortRule:
    spec = service.spec
    name = port.name or ""
    candidates = _candidates(slices, name, node)
    return PortRule(
        namespace=service.namespace,
        service=service.name,
        port_name=name,
        cluster_ip=spec.cluster_ip or "",
        port=port.port,
        node_port=port.node_port or 0,
        internal=categorize(candidates, local_only=spec.internal_traffic_policy == "Local"),
        external=categorize(candidates, local_only=spec.external_traffic_policy == "Local"),
    )


def _candidates(slices: tuple[EndpointSlice, ...], port_name: str, node: str) -> tuple[Candidate, ...]:
    found: dict[tuple[str, int], Candidate] = {}
    for piece in slices:
        for slice_port in piece.ports:
            if (slice_port.name or "") != port_name or slice_port.port is None:
                continue
            for endpoint in piece.endpoints:
                candidate = _candidate(endpoint, slice_port.port, node)
                if candidate is None:
                    continue
                address = (candidate.backend.ip, candidate.backend.port)
                if address not in found or candidate.local:
                    found[address] = candidate
    return tuple(found[address] for address in sorted(found))


def _candidate(endpoint: Endpoint, port: int, node: str) -> Candidate | None:
    if not endpoint.addresses:
        return None
    conditions = endpoint.conditions
    ready = conditions.ready is not False
    serving = ready if conditions.serving is None else conditions.serving
    target = endpoint.target_ref
    return Candidate(
        backend=Backend(
            ip=endpoint.addresses[0],
            port=port,
            pod=(target.name or "") if target is not None and target.kind == "Pod" else "",
            node=endpoint.node_name or "",
        ),
        ready=ready,
        serving=serving,
        terminating=conditions.terminating is True,
        local=endpoint.node_name == node,
    )
