"""kube-proxy against a real API server: `models/network/proxy.py`."""

from collections.abc import Iterator

import pytest

from chaoskube.models.client.api import ApiClient
from chaoskube.models.network.events import ProxySynced
from chaoskube.models.network.rules import Verdict, rule_table
from chaoskube.models.objects import decode
from chaoskube.sim import SECOND, World
from tests.models.node.small_cluster import SmallCluster


@pytest.fixture
def cluster() -> Iterator[SmallCluster]:
    with World(seed=3) as world:
        small = SmallCluster(world, nodes=2, proxies=True)
        world.advance(6 * SECOND)
        make_service(small)
        yield small


def make_service(cluster: SmallCluster) -> None:
    spec = {"clusterIP": "10.96.0.10", "ports": [{"port": 80, "nodePort": 30080}], "type": "NodePort"}
    meta = {"name": "web", "namespace": "default"}
    tree = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {**spec, "selector": {"a": "b"}}}
    cluster.run(lambda client: client.create(decode(tree)))
    put_slice(cluster, "10.244.1.2", create=True)


def put_slice(cluster: SmallCluster, *addresses: str, create: bool = False) -> None:
    endpoints = [
        {"addresses": [one], "conditions": {"ready": True}, "nodeName": "node-1"} for one in addresses
    ]
    tree = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "web-abc",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "web"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
        "endpoints": endpoints,
    }

    async def put(client: ApiClient) -> object:
        if create:
            return await client.create(decode(tree))
        return await client.patch(
            "endpointslices", "default", "web-abc", {"endpoints": endpoints}, type="merge"
        )

    cluster.run(put)


def chosen(cluster: SmallCluster, node: str = "node-1") -> set[str]:
    """Every address that twenty connections from the node get."""
    table = rule_table(cluster.world, cluster.world.host(node))
    routes = [table.route("default/web", 80) for _ in range(20)]
    return {one.backend.ip if one.backend is not None else one.verdict.value for one in routes}


def syncs(cluster: SmallCluster, node: str = "node-1") -> list[int]:
    entries = cluster.world.journal.entries
    return [one.at for one in entries if isinstance(one.event, ProxySynced) and one.event.node == node]


def test_each_node_learns_of_endpoints_by_its_own_watch(cluster: SmallCluster) -> None:
    """network.md 2: independent and eventually consistent."""
    cluster.world.advance(2 * SECOND)
    delay = cluster.world.network.delay_stream("*", "proxy@node-2", "watch/endpointslices", 30 * SECOND)
    put_slice(cluster, "10.244.1.3", "10.244.1.4")
    cluster.world.advance(2 * SECOND)

    assert chosen(cluster, "node-1") == {"10.244.1.3", "10.244.1.4"}
    assert chosen(cluster, "node-2") == {"10.244.1.2"}
    delay.heal()
    cluster.world.advance(40 * SECOND)
    assert chosen(cluster, "node-2") == {"10.244.1.3", "10.244.1.4"}


def test_syncs_keep_a_second_between_them(cluster: SmallCluster) -> None:
    """minSyncPeriod 1 s: at once when the last was longer ago, else a second after it."""
    cluster.world.advance(5 * SECOND)
    before = len(syncs(cluster))
    for number in range(3, 8):
        put_slice(cluster, f"10.244.1.{number}")
    asked = cluster.world.now
    cluster.world.advance(3 * SECOND)
    first, *later = syncs(cluster)[before:]

    assert first < asked
    assert len(later) == 1 and later[0] - first == SECOND


def test_rules_stay_when_the_proxy_dies_and_go_with_the_power(cluster: SmallCluster) -> None:
    """network.md 2: on proxy death the rules stay: stale routing continues."""
    cluster.world.advance(2 * SECOND)
    cluster.world.processes["proxy@node-1"].crash()
    put_slice(cluster, "10.244.1.3")
    cluster.world.advance(5 * SECOND)
    assert chosen(cluster) == {"10.244.1.2"}

    cluster.world.processes["proxy@node-1"].start()
    cluster.world.advance(5 * SECOND)
    assert chosen(cluster) == {"10.244.1.3"}
    cluster.world.host("node-1").crash()
    assert chosen(cluster) == {Verdict.REJECT.value}


def test_a_service_deleted_while_the_proxy_was_down_loses_its_rules(cluster: SmallCluster) -> None:
    """The first sync of a proxy writes everything it finds in the kernel anew."""
    cluster.world.advance(2 * SECOND)
    cluster.world.processes["proxy@node-1"].crash()
    cluster.run(lambda client: client.delete("services", "default", "web"))
    cluster.world.processes["proxy@node-1"].start()
    cluster.world.advance(5 * SECOND)

    assert chosen(cluster) == {Verdict.REJECT.value}


def test_node_ports_lead_to_the_same_endpoints(cluster: SmallCluster) -> None:
    """network.md 1: the same port on every node."""
    cluster.world.advance(2 * SECOND)
    route = rule_table(cluster.world, cluster.world.host("node-2")).route_node_port(30080)

    assert route.backend is not None and route.backend.ip == "10.244.1.2"
