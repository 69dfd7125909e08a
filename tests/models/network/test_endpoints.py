"""What a node's proxy decides: `models/network/endpoints.py`."""

from attrs import evolve

from chaoskube.models.network.endpoints import endpoints_for, rules_for
from chaoskube.models.objects import (
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
    FrozenDict,
    ObjectMeta,
    ObjectReference,
    Service,
    ServicePort,
    ServiceSpec,
)

SERVICE = Service(
    metadata=ObjectMeta(name="web", namespace="default"),
    spec=ServiceSpec(
        ports=(ServicePort(port=80, target_port=8080, node_port=30080),),
        selector=FrozenDict({"app": "web"}),
        cluster_ip="10.96.0.10",
    ),
)


def endpoint(
    number: int,
    *,
    ready: bool | None = True,
    serving: bool | None = True,
    terminating: bool | None = False,
    node: str = "node-1",
) -> Endpoint:
    return Endpoint(
        addresses=(f"10.244.1.{number}",),
        conditions=EndpointConditions(ready=ready, serving=serving, terminating=terminating),
        node_name=node,
        target_ref=ObjectReference(kind="Pod", name=f"web-{number}"),
    )


def a_slice(*endpoints: Endpoint, name: str = "web-abc", port: int = 8080) -> EndpointSlice:
    return EndpointSlice(
        metadata=ObjectMeta(name=name, namespace="default"),
        address_type="IPv4",
        ports=(EndpointPort(name="", port=port, protocol="TCP"),),
        endpoints=endpoints,
    )


def pods(*slices: EndpointSlice, service: Service = SERVICE, node: str = "node-1") -> list[str]:
    return [backend.pod for backend in endpoints_for(service, slices, node)]


def test_ready_endpoints_are_used_and_no_others() -> None:
    """topology.go CategorizeEndpoints, Cluster policy."""
    chosen = pods(a_slice(endpoint(2), endpoint(3, ready=False, serving=False), endpoint(4)))

    assert chosen == ["web-2", "web-4"]


def test_serving_and_terminating_endpoints_are_used_only_when_none_is_ready() -> None:
    """Otherwise a rolling update of one replica would refuse every connection."""
    leaving = endpoint(2, ready=False, serving=True, terminating=True)

    assert pods(a_slice(leaving, endpoint(3))) == ["web-3"]
    assert pods(a_slice(leaving, endpoint(3, ready=False, serving=False))) == ["web-2"]
    assert pods(a_slice(endpoint(3, ready=False, serving=True))) == []


def test_absent_conditions_mean_ready_and_serving_as_ready() -> None:
    """discovery/v1 types.go: unknown is to be read as ready."""
    assert pods(a_slice(endpoint(2, ready=None, serving=None, terminating=None))) == ["web-2"]


def test_an_address_in_two_slices_counts_once() -> None:
    """endpointslicecache.go: slices may overlap while the controller moves endpoints between them."""
    assert pods(a_slice(endpoint(2)), a_slice(endpoint(2), name="web-def")) == ["web-2"]


def test_a_local_policy_drops_instead_of_falling_back() -> None:
    """pitfalls.md 25: internalTrafficPolicy Local has no fallback; elsewhere there are endpoints: drop."""
    local = evolve(SERVICE, spec=evolve(SERVICE.spec, internal_traffic_policy="Local"))
    (rule,) = rules_for(local, [a_slice(endpoint(2, node="node-2"))], "node-1")

    assert rule.internal.backends == () and rule.internal.drop
    assert [one.pod for one in rule.external.backends] == ["web-2"]
    (rule,) = rules_for(local, [a_slice()], "node-1")
    assert rule.internal.backends == () and not rule.internal.drop


def test_headless_and_external_services_have_no_rules() -> None:
    """Only DNS knows them."""
    headless = evolve(SERVICE, spec=evolve(SERVICE.spec, cluster_ip="None"))
    external = evolve(SERVICE, spec=evolve(SERVICE.spec, type="ExternalName"))

    assert rules_for(headless, [a_slice(endpoint(2))], "node-1") == ()
    assert rules_for(external, [a_slice(endpoint(2))], "node-1") == ()
