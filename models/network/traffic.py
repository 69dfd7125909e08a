"""Clients that send requests to Services: open loop, at a constant interval, from one node.

Each request opens a connection of its own: the rules in the node's kernel choose an endpoint, the client
connects, asks, and waits for the answer, all within one time-out. It ends as ok, refused, reset, timed out or
no endpoint (the rules reject the connection), and is journalled with the way it took. `plan` says which
Services get requests, and of the others why not.

Not modelled: names (a client knows the Service's address), connections kept for several requests, retries.
"""

from collections.abc import Iterable, Sequence

from attrs import frozen

from chaoskube.models.constants import REQUEST_TIMEOUT
from chaoskube.models.container import HttpRequest
from chaoskube.models.network.endpoints import Backend
from chaoskube.models.network.events import RequestEnded
from chaoskube.models.network.rules import RuleTable, Verdict, rule_table
from chaoskube.models.objects import PodTemplateSpec, Service
from chaoskube.sim import SECOND, Address, Connection, Process, Timer

OK = "ok"
REFUSED = "refused"
RESET = "reset"
TIMED_OUT = "timed out"
NO_ENDPOINT = "no endpoint"
OUTCOMES = (OK, REFUSED, RESET, TIMED_OUT, NO_ENDPOINT)

_OUTCOME_OF_CLOSE = {"refused": REFUSED, "reset": RESET, "closed": RESET, "timeout": TIMED_OUT}
_REQUEST = HttpRequest(path="/")


@frozen(kw_only=True)
class Target:
    """One port of one Service that clients call."""

    service: str
    port: int


@frozen(kw_only=True)
class Skipped:
    """A Service that gets no requests, and why, in words for a story."""

    service: str
    reason: str


@frozen(kw_only=True)
class Plan:
    """Which Services are called, and which are not."""

    targets: tuple[Target, ...]
    skipped: tuple[Skipped, ...]


def plan(services: Iterable[Service], templates: Sequence[tuple[str, PodTemplateSpec]]) -> Plan:
    """Decide which Services get requests; `templates` are the pods to come, each with its namespace."""
    targets, skipped = [], []
    for service in sorted(services, key=lambda one: one.key):
        reason = _why_not(service, templates)
        if reason:
            skipped.append(Skipped(service=service.key, reason=reason))
        else:
            port = next(one for one in service.spec.ports if one.protocol in (None, "TCP"))
            targets.append(Target(service=service.key, port=port.port))
    return Plan(targets=tuple(targets), skipped=tuple(skipped))


def _why_not(service: Service, templates: Sequence[tuple[str, PodTemplateSpec]]) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return "it is of type ExternalName: a name outside the cluster"
    if spec.cluster_ip == "None":
        return "it is headless: clients would have to resolve pods by name"
    if not spec.selector:
        return "it has no selector: nothing says which pods answer"
    if not any(port.protocol in (None, "TCP") for port in spec.ports):
        return "it has no TCP port"
    selected = [
        template
        for namespace, template in templates
        if namespace == service.namespace
        and all(template.metadata.labels.get(key) == value for key, value in spec.selector.items())
    ]
    if not selected:
        return "no pods in these manifests match its selector"
    port = next(one for one in spec.ports if one.protocol in (None, "TCP"))
    if isinstance(port.target_port, str) and not any(_declares(one, port.target_port) for one in selected):
        return f"none of its pods has a port called {port.target_port}"
    return ""


def _declares(template: PodTemplateSpec, port_name: str) -> bool:
    return any(port.name == port_name for one in template.spec.containers for port in one.ports)


class Client:
    """Sends requests to one port of one Service for as long as its process lives."""

    def __init__(
        self, process: Process, target: Target, *, interval_ns: int, first_ns: int, timeout_ns: int
    ) -> None:
        self._process = process
        self._target = target
        self._interval_ns = interval_ns
        self._timeout_ns = timeout_ns
        self._table: RuleTable = rule_table(process.world, process.machine)
        self._name = f"{process.name}/{target.service}"
        process.call_later(first_ns, self._tick)

    def _tick(self) -> None:
        process = self._process
        process.call_later(self._interval_ns, self._tick)
        now = process.now
        route = self._table.route(self._target.service, self._target.port)
        if route.verdict is Verdict.REJECT:
            self.ended(NO_ENDPOINT, None, now)
            return
        if route.backend is None:
            # Dropped on the way: nothing answers until the client has waited long enough.
            process.call_later(self._timeout_ns, self.ended, TIMED_OUT, None, now)
            return
        _Request(self, process, route.backend, self._timeout_ns)

    def ended(self, outcome: str, backend: Backend | None, started_at: int) -> None:
        """Journal how a request ended."""
        process = self._process
        process.record(
            RequestEnded(
                client=self._name,
                node=process.host,
                service=self._target.service,
                outcome=outcome,
                endpoint="" if backend is None else f"{backend.ip}:{backend.port}",
                pod="" if backend is None else backend.pod,
                pod_node="" if backend is None else backend.node,
                started_at=started_at,
                ended_at=process.now,
            )
        )


class _Request:
    """One request on a connection of its own."""

    __slots__ = ("_backend", "_client", "_connection", "_started_at", "_timeout")

    def __init__(self, client: Client, process: Process, backend: Backend, timeout_ns: int) -> None:
        self._client = client
        self._backend = backend
        self._started_at = process.now
        self._timeout: Timer = process.call_later(timeout_ns, self._give_up)
        self._connection: Connection = process.connect(
            Address(backend.ip, backend.port),
            label="request",
            on_message=self._answered,
            on_close=self._closed,
        )
        self._connection.send(_REQUEST)

    def _answered(self, _response: object) -> None:
        self._connection.close()
        self._end(OK)

    def _closed(self, reason: str) -> None:
        self._end(_OUTCOME_OF_CLOSE[reason])

    def _give_up(self) -> None:
        self._connection.reset()
        self._end(TIMED_OUT)

    def _end(self, outcome: str) -> None:
        self._timeout.cancel()
        self._client.ended(outcome, self._backend, self._started_at)


def boot_traffic(
    process: Process,
    targets: Sequence[Target],
    *,
    interval_ns: int = SECOND,
    timeout_ns: int = REQUEST_TIMEOUT,
) -> None:
    """Boot clients in `process`: one request to each target every `interval_ns`, evenly spread."""
    for index, target in enumerate(targets):
        first_ns = interval_ns * (index + 1) // (len(targets) + 1)
        Client(process, target, interval_ns=interval_ns, first_ns=first_ns, timeout_ns=timeout_ns)
