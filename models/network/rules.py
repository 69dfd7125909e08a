"""The rules in a node's kernel that lead connections to Services to endpoints.

kube-proxy writes them; they stay when it dies, and go when the node loses power. Connections that are open
don't care about them any more. `route` answers what the kernel does with a new connection.

Sources: `pkg/proxy/iptables/proxier.go` (rule i of n matches with probability 1/(n-i): uniform; no endpoints:
reject, unless a Local policy drops), `docs` of NodePort Services. Used by `network/proxy.py` and clients.

Not modelled: session affinity; source addresses and masquerading; connection tracking of UDP.
"""

from enum import Enum
from random import Random

from attrs import frozen

from chaoskube.models.network.endpoints import Backend, Backends, PortRule
from chaoskube.sim import Host, World


class Verdict(Enum):
    """What becomes of a new connection."""

    FORWARD = "forward"
    REJECT = "reject"
    DROP = "drop"


@frozen(kw_only=True)
class Route:
    """The kernel's decision for one connection."""

    verdict: Verdict
    backend: Backend | None = None


_REJECT = Route(verdict=Verdict.REJECT)
_DROP = Route(verdict=Verdict.DROP)


class RuleTable:
    """All Service rules of one node, by Service and port, and by node port."""

    def __init__(self, luck: Random) -> None:
        self._luck = luck
        self._by_service: dict[str, tuple[PortRule, ...]] = {}
        self._by_port: dict[tuple[str, int], PortRule] = {}
        self._by_node_port: dict[int, PortRule] = {}
        self._routes: dict[Backend, Route] = {}

    def of_service(self, key: str) -> tuple[PortRule, ...]:
        """The rules of a Service (namespace/name), () when there are none."""
        return self._by_service.get(key, ())

    @property
    def services(self) -> tuple[str, ...]:
        """All Services with rules here, in order of name."""
        return tuple(sorted(self._by_service))

    def replace(self, key: str, rules: tuple[PortRule, ...]) -> None:
        """Put these rules in place of all earlier ones of the Service."""
        for old in self._by_service.pop(key, ()):
            self._by_port.pop((key, old.port), None)
            if self._by_node_port.get(old.node_port) is old:
                del self._by_node_port[old.node_port]
        if not rules:
            return
        self._by_service[key] = rules
        for rule in rules:
            self._by_port[key, rule.port] = rule
            if rule.node_port:
                self._by_node_port[rule.node_port] = rule

    def route(self, key: str, port: int) -> Route:
        """A connection from this node to the Service's address and port."""
        rule = self._by_port.get((key, port))
        return _REJECT if rule is None else self._choose(rule.internal)

    def route_node_port(self, port: int) -> Route:
        """A connection from outside to this node's port."""
        rule = self._by_node_port.get(port)
        return _REJECT if rule is None else self._choose(rule.external)

    def _choose(self, among: Backends) -> Route:
        backends = among.backends
        if not backends:
            return _DROP if among.drop else _REJECT
        chosen = backends[0] if len(backends) == 1 else backends[self._luck.randrange(len(backends))]
        route = self._routes.get(chosen)
        if route is None:
            route = self._routes[chosen] = Route(verdict=Verdict.FORWARD, backend=chosen)
        return route


def rule_table(world: World, host: Host) -> RuleTable:
    """The rules of this host since it got its power; an empty table is made when there is none."""
    table = host.memory.get("service-rules")
    if not isinstance(table, RuleTable):
        table = RuleTable(world.stream(f"kernel/{host.name}/rules"))
        host.memory["service-rules"] = table
    return table
