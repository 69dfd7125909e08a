"""Clients that send requests to Services: open loop, at a constant interval, from one node.

Each request opens a connection of its own: the rules in the node's kernel choose an endpoint, the client
connects, asks, and waits for the answer, all within one time-out. It ends as ok, refused, reset, timed out or
no endpoint (the rules reject the connection), and is journalled with the way it took. `plan` says which
Services get requests, and of the others why not.

Not modelled: names (a client knows the Service's address), connections kept for several requests, retries.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from attrs import frozen

from chaoskube.models.constants import REQUEST_TIMEOUT
from chaoskube.models.container import HttpRequest
from chaoskube.models.network.endpoints import Backend
from chaoskube.models.network.events import RequestEnded
from chaoskube.models.network.rules import RuleTable, Verdict, rule_table
from chaoskube.models.objects import PodTemplateSpec, Service
from chaoskube.sim import SECOND, Address, Connection, Process

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


def plan(services: Iterable[Service], templates: Sequence[tuple[str, PodTemplateSpec]] | None = None) -> Plan:
    """Decide which Services get requests; `templates` are the pods to come, each with its namespace.

    Without templates every Service with a selector is believed to have pods.
    """
    targets, skipped = [], []
    for service in sorted(services, key=_key):
        reason = _why_not(service, templates)
        if reason:
            skipped.append(Skipped(service=_key(service), reason=reason))
        else:
            port = next(one for one in service.spec.ports if one.protocol in (None, "TCP"))
            targets.append(Target(service=_key(service), port=port.port))
    return Plan(targets=tuple(targets), skipped=tuple(skipped))


def _key(service: Service) -> str:
    # A manifest may leave the namespace to kubectl.
    return f"{service.namespace or 'default'}/{service.name}"


def _why_not(service: Service, templates: Sequence[tuple[str, PodTemplateSpec]] | None) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return "it is of type ExternalName: a name outside the cluster"
    if spec.cluster_ip == "None":
        return "it is headless: clients would have to resolve pods by name"
    if not spec.selector:
        return "it has no selector: nothing says which pods answer"
    if not any(port.protocol in (None, "TCP") for port in spec.ports):
        return "it has no TCP port"
    if templates is None:
        return ""
    selected = [
        template
        for namespace, template in templates
        if (namespace or "default") == (service.namespace or "default")
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
    """Sends requests to Services in turn for as long as its process lives."""

    def __init__(
        self, process: Process, targets: Sequence[Target], *, gap_ns: int, phase_ns: int, timeout_ns: int
    ) -> None:
        self._process = process
        self._targets = tuple(targets)
        self._next = 0
        self._gap_ns = gap_ns
        self._timeout_ns = timeout_ns
        self._waiting: deque[_Request] = deque()
        self._is_watching = False
        self._table: RuleTable = rule_table(process.world, process.machine)
        # In step with the others whenever it starts: clients take turns, calm load is even.
        first = process.now + (phase_ns - process.now) % gap_ns
        process.call_at(first, self._tick)

    def _tick(self) -> None:
        process = self._process
        process.call_later(self._gap_ns, self._tick)
        target = self._targets[self._next]
        self._next = (self._next + 1) % len(self._targets)
        route = self._table.route(target.service, target.port)
        if route.verdict is Verdict.REJECT:
            self.ended(target.service, NO_ENDPOINT, None, process.now)
            return
        self._waiting.append(_Request(self, process, target.service, route.backend))
        if not self._is_watching:
            self._watch()

    def _watch(self) -> None:
        """One timer for all requests: they time out in the order in which they began."""
        while self._waiting and self._waiting[0].is_over:
            self._waiting.popleft()
        self._is_watching = bool(self._waiting)
        if self._waiting:
            self._process.call_at(self._waiting[0].started_at + self._timeout_ns, self._expire)

    def _expire(self) -> None:
        due = self._process.now - self._timeout_ns
        while self._waiting and self._waiting[0].started_at <= due:
            self._waiting.popleft().give_up()
        self._watch()

    def ended(self, service: str, outcome: str, backend: Backend | None, started_at: int) -> None:
        """Journal how a request ended."""
        process = self._process
        process.record(
            RequestEnded(
                client=process.name,
                node=process.host,
                service=service,
                outcome=outcome,
                endpoint="" if backend is None else f"{backend.ip}:{backend.port}",
                pod="" if backend is None else backend.pod,
                pod_node="" if backend is None else backend.node,
                started_at=started_at,
                ended_at=process.now,
            )
        )


class _Request:
    """One request on a connection of its own; without a backend it is dropped on the way."""

    __slots__ = ("_backend", "_client", "_connection", "_service", "is_over", "started_at")

    def __init__(self, client: Client, process: Process, service: str, backend: Backend | None) -> None:
        self.started_at = process.now
        self.is_over = False
        self._client = client
        self._service = service
        self._backend = backend
        self._connection: Connection | None = None
        if backend is not None:
            self._connection = process.connect(
                Address(backend.ip, backend.port),
                label="request",
                on_message=self._answered,
                on_close=self._closed,
            )
            self._connection.send(_REQUEST)

    def give_up(self) -> None:
        """The client has waited long enough."""
        if self.is_over:
            return
        if self._connection is not None:
            self._connection.reset()
        self._end(TIMED_OUT)

    def _answered(self, _response: object) -> None:
        if self._connection is not None:
            self._connection.close()
        self._end(OK)

    def _closed(self, reason: str) -> None:
        self._end(_OUTCOME_OF_CLOSE[reason])

    def _end(self, outcome: str) -> None:
        self.is_over = True
        self._client.ended(self._service, outcome, self._backend, self.started_at)


def boot_traffic(
    process: Process,
    services: Iterable[Service],
    *,
    templates: Sequence[tuple[str, PodTemplateSpec]] | None = None,
    gap_ns: int = SECOND,
    phase_ns: int = 0,
    timeout_ns: int = REQUEST_TIMEOUT,
) -> None:
    """Boot a client in `process`: one request every `gap_ns`, to each Service of the plan in turn."""
    targets = plan(services, templates).targets
    if targets:
        Client(process, targets, gap_ns=gap_ns, phase_ns=phase_ns, timeout_ns=timeout_ns)
