"""The rules in a node's kernel: `models/network/rules.py`."""

from collections import Counter
from random import Random

from chaoskube.models.network.endpoints import Backend, Backends, PortRule
from chaoskube.models.network.rules import RuleTable, Verdict


def a_rule(*ips: str, node_port: int = 0, drop: bool = False) -> PortRule:
    among = Backends(backends=tuple(Backend(ip=ip, port=80, pod=ip, node="n") for ip in ips), drop=drop)
    return PortRule(
        namespace="default",
        service="web",
        port_name="",
        cluster_ip="10.96.0.1",
        port=80,
        node_port=node_port,
        internal=among,
        external=among,
    )


def test_each_connection_chooses_evenly_among_all_endpoints() -> None:
    """network.md 2: rule i of n matches with probability 1/(n-i)."""
    table = RuleTable(Random(1))
    table.replace("default/web", (a_rule("a", "b", "c"),))
    routes = [table.route("default/web", 80) for _ in range(3000)]
    counts = Counter(one.backend.ip for one in routes if one.backend is not None)

    assert set(counts) == {"a", "b", "c"}
    assert all(900 < count < 1100 for count in counts.values())


def test_replacing_rules_leaves_nothing_of_the_old_ones() -> None:
    """A port or node port that the Service no longer has is rejected."""
    table = RuleTable(Random(1))
    table.replace("default/web", (a_rule("a", node_port=30080),))
    assert table.route_node_port(30080).verdict is Verdict.FORWARD
    table.replace("default/web", ())

    assert table.route("default/web", 80).verdict is Verdict.REJECT
    assert table.route_node_port(30080).verdict is Verdict.REJECT
    assert table.services == ()


def test_without_endpoints_it_rejects_or_drops() -> None:
    """No endpoints at all: refused at once; forbidden ones by a Local policy: silence."""
    table = RuleTable(Random(1))
    table.replace("default/web", (a_rule(),))
    assert table.route("default/web", 80).verdict is Verdict.REJECT
    table.replace("default/web", (a_rule(drop=True),))
    assert table.route("default/web", 80).verdict is Verdict.DROP
