"""From a shape and documents to running processes: the whole simulated cluster, and its god's view.

Hosts `control-0..` carry etcd, API servers, controller managers and schedulers; `node-1..` carry kubelet,
kube-proxy, containers and the clients of the applications; `workstation` carries kubectl. Everything talks
over the network and learns from its own watches only.

Called by scenarios, benchmarks and tests. What a scenario's actions may name comes from `targets`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from attrs import frozen

from chaoskube.models.apiserver.api import API_PORT
from chaoskube.models.apiserver.authentication import MASTERS
from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.apps.behaviour import assumptions as assumptions_of
from chaoskube.models.apps.ports import targets_of
from chaoskube.models.apps.web import web
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.events import InformerSynced
from chaoskube.models.client.operator import Operator, OperatorWaits, OperatorWaitsNoMore, boot_operator
from chaoskube.models.constants import SUPERVISOR_RESTART
from chaoskube.models.controllers.manager import boot_controller_manager
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.kubectl import Kubectl
from chaoskube.models.kubectl.apply import apply
from chaoskube.models.network.proxy import boot_proxy
from chaoskube.models.network.traffic import boot_traffic
from chaoskube.models.node.kubelet import NodeShape, boot_kubelet
from chaoskube.models.objects import (
    Deployment,
    GenericObject,
    KubeObject,
    Node,
    Pod,
    Service,
    StatefulSet,
    get_condition,
    is_pod_ready,
    known,
)
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.rbac import ClusterRoleBinding
from chaoskube.models.observer import Observer
from chaoskube.models.observer.leading import leading
from chaoskube.models.scheduler.shell import boot_scheduler
from chaoskube.models.telling import KubectlFailed, tell, tell_of_the_past
from chaoskube.sim import SECOND, Address, Entry, Line, Process, Refused, Unsure, UsageError, World

APPLY_RETRY_NS = SECOND // 2
JOIN_NS = 4 * SECOND
"""When machines join a control plane that comes up first."""
QUIET_NS = 20 * SECOND
"""A cluster is settled when nothing but heartbeats was written for so long."""
WARM_QUIET_NS = 3 * SECOND
LEADING = "leading-"
_FIRST_VIEWS = ("pods", "replicasets", "deployments", "statefulsets", "nodes", "endpointslices")
"""Whose views matter most: they come first among the streams."""
_VIEWERS = ("controller-manager-", "scheduler-", "kubelet@", "proxy@")
_WATCH, _CACHE_WATCH, _REQUESTS = "watch/", "etcd-watch/", "api"
"""Heads of the labels of connections."""


SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "etcd": (1, 7),
    "apiservers": (1, 7),
    "managers": (0, 7),
    "schedulers": (0, 7),
    "nodes": (0, 255),
    "pods": (0, 1000),
    "requests_per_second": (0, 10_000),
}
"""The least and the most of each part of a cluster's shape."""


@frozen(kw_only=True)
class Shape:
    """How large a cluster is. UsageError for a size that it cannot have."""

    etcd: int = 3
    apiservers: int = 2
    managers: int = 2
    schedulers: int = 2
    nodes: int = 3
    cpu: str = "4"
    memory: str = "8Gi"
    pods: int = 110
    requests_per_second: int = 10
    balanced: bool = False
    """Nodes reach the API servers through a balancer: whoever starts again begins with the next one. Their machines
    join when the control plane is up, whose components use the API server of their own machine alone."""

    def __attrs_post_init__(self) -> None:
        for name, (least, most) in SIZES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise UsageError(f"shape: {name}={value!r} must be from {least} to {most}")
        for name in ("cpu", "memory"):
            try:
                Quantity(getattr(self, name))
            except UsageError as problem:
                raise UsageError(f"shape: {name}: {problem}") from problem


class Cluster:
    """A whole cluster in a world, and the documents that were applied to it."""

    def __init__(
        self,
        world: World,
        shape: Shape,
        documents: Iterable[KubeObject] = (),
        operators: Iterable[Operator] = (),
        *,
        server_options: ServerOptions | None = None,
        etcd_options: ReplicaOptions | None = None,
    ) -> None:
        self.world = world
        self.shape = shape
        self.documents = tuple(documents)
        self.operators = tuple(operators)
        self._server_options = server_options or ServerOptions()
        self._etcd_options = etcd_options
        self.observer = Observer(world)
        self._applied = False
        self._apply_problem = ""
        self._waiting: dict[str, str] = {}
        """Operators that cannot begin, and why."""
        self._servers: tuple[Address, ...] = ()
        self._components: list[Process] = []
        self._build()

    # -- building

    def _build(self) -> None:
        self.world.journal.subscribe(OperatorWaits, self._operator_waits)
        self.world.journal.subscribe(OperatorWaitsNoMore, self._operator_waits_no_more)
        shape = self.shape
        controls = max(shape.etcd, shape.apiservers, shape.managers, shape.schedulers)
        for number in range(controls):
            self.world.add_host(f"control-{number}")
        self._build_control_plane()
        for number in range(1, shape.nodes + 1):
            self._build_node(f"node-{number}")
        for operator in self.operators:
            for number in range(operator.replicas):
                name, host = f"{operator.name}-{number}", f"control-{number % controls}"
                boot = partial(boot_operator, servers=_from(self._servers, number), operator=operator)
                self._component(name, host, boot)
        self.kubectl_process = self.world.process("kubectl", host="workstation", boot=self._boot_kubectl)
        for process in self._components:
            process.restart_after_ns = SUPERVISOR_RESTART
            if shape.balanced and process.host_name.startswith("node-"):
                self.world.call_later(JOIN_NS, process.start)
            else:
                process.start()
        self.kubectl_process.start()

    def _build_control_plane(self) -> None:
        shape, network = self.shape, self.world.network
        members = tuple(f"etcd-{number}" for number in range(shape.etcd))
        etcd = [Address(network.ip_of(f"control-{number}"), CLIENT_PORT) for number in range(shape.etcd)]
        self._servers = tuple(
            Address(network.ip_of(f"control-{number}"), API_PORT) for number in range(shape.apiservers)
        )

        def boot_etcd(process: Process, number: int) -> None:
            boot_member(process, process.name, members, options=self._etcd_options)

        def boot_api(process: Process, number: int) -> None:
            boot_apiserver(process, _from(etcd, number), API_PORT, self._server_options)

        def boot_manager(process: Process, number: int) -> None:
            boot_controller_manager(process, self._near(number), process.name)

        def boot_sched(process: Process, number: int) -> None:
            boot_scheduler(process, self._near(number), process.name)

        for prefix, count, boot in (
            ("etcd", shape.etcd, boot_etcd),
            ("apiserver", shape.apiservers, boot_api),
            ("controller-manager", shape.managers, boot_manager),
            ("scheduler", shape.schedulers, boot_sched),
        ):
            for number in range(count):
                self._component(f"{prefix}-{number}", f"control-{number}", partial(boot, number=number))

    def _build_node(self, name: str) -> None:
        shape = self.shape
        number = int(name.removeprefix("node-"))
        node = NodeShape(name=name, cpu=shape.cpu, memory=shape.memory, pods=shape.pods)
        services = [document for document in self.documents if isinstance(document, Service)]
        program = web(targets_of(services))
        self._component(
            f"kubelet@{name}", name, lambda p: boot_kubelet(p, self._servers_of(p, number), node, program)
        )
        self._component(f"proxy@{name}", name, lambda p: boot_proxy(p, self._servers_of(p, number)))
        rate = self.shape.requests_per_second
        if rate and services:
            gap_ns = SECOND * shape.nodes // rate
            phase_ns = gap_ns * (number - 1) // shape.nodes
            self._component(
                f"traffic@{name}", name, lambda p: boot_traffic(p, services, gap_ns=gap_ns, phase_ns=phase_ns)
            )

    def _near(self, number: int) -> tuple[Address, ...]:
        """The API servers of a control plane's component, the one on its own machine first, or alone."""
        servers = _from(self._servers, number)
        return servers[:1] if self.shape.balanced else servers

    def _servers_of(self, process: Process, number: int) -> tuple[Address, ...]:
        """The API servers of a node's component, in the order in which it goes through them."""
        return _from(self._servers, self._first_server(process.life, number))

    def _first_server(self, life: int, number: int) -> int:
        """Which API server the `number`th node asks first in this life of its own."""
        return (life - 1 if self.shape.balanced else number) % len(self._servers)

    def _component(self, name: str, host: str, boot: Callable[[Process], object]) -> None:
        self._components.append(self.world.process(name, host=host, boot=boot))

    def _operator_waits(self, entry: Entry) -> None:
        assert isinstance(entry.event, OperatorWaits), "subscribed to it"
        self._waiting[entry.by] = entry.event.why

    def _operator_waits_no_more(self, entry: Entry) -> None:
        self._waiting.pop(entry.by, None)

    # -- kubectl

    def _boot_kubectl(self, process: Process) -> None:
        self.kubectl = Kubectl(process, ApiClient(process, self._servers, user="admin", groups=(MASTERS,)))
        if not self._applied:
            process.spawn(self._apply_documents)

    async def _apply_documents(self) -> None:
        """Apply the documents, namespaces first, again and again until the control plane takes them."""
        rank = {"Namespace": 0, "CustomResourceDefinition": 1}
        for document in sorted(self.documents, key=lambda one: rank.get(one.kind, 2)):
            while True:
                try:
                    await self.kubectl.client.resource_of(document)  # kubectl looks up what it doesn't know
                    await apply(self.kubectl, document)
                    break
                except Refused as refused:
                    self._apply_problem = f"{document.kind} {document.key}: {refused}"
                except Unsure as unsure:
                    self._apply_problem = f"{document.kind} {document.key}: {unsure}"
                await self.kubectl.process.sleep(APPLY_RETRY_NS)
        self._applied = True

    def run_kubectl(
        self, command: Callable[[Kubectl], Awaitable[object]], then: Callable[[], object]
    ) -> None:
        """Let kubectl carry out a command; `then` is called when it returns, whatever the API said."""

        async def run() -> None:
            try:
                await command(self.kubectl)
            except (Refused, Unsure) as answer:
                self.kubectl.process.record(KubectlFailed(message=str(answer)))
            then()

        self.kubectl_process.spawn(run)

    def document(self, kind: str, key: str) -> KubeObject:
        """The document of this kind and key, as it was applied."""
        return next(one for one in self.documents if one.kind == kind and one.key == key)

    def custom_document(self, name: str) -> KubeObject:
        """The document of the custom object KIND/KEY, as it was applied."""
        return next(one for one in self.documents if is_custom(one) and f"{one.kind}/{one.key}" == name)

    # -- what the harness asks

    def targets(self, kind: str) -> tuple[str, ...]:
        """The names that an action's argument may take, simplest first."""
        if kind == "deployment":
            return tuple(one.key for one in self.documents if isinstance(one, Deployment))
        if kind == "statefulset":
            return tuple(one.key for one in self.documents if isinstance(one, StatefulSet))
        if kind == "clusterrolebinding":
            return tuple(one.name for one in self.documents if isinstance(one, ClusterRoleBinding))
        if kind == "custom":
            return tuple(f"{one.kind}/{one.key}" for one in self.documents if is_custom(one))
        if kind == "node":
            return tuple(host for host in self.world.hosts if host.startswith("node-"))
        if kind == "host":
            return tuple(host for host in self.world.hosts if host.startswith(("node-", "control-")))
        if kind == "process":
            return tuple(one.name for one in self._components if not one.name.startswith("traffic@"))
        if kind == "stream":
            return self._streams()
        if kind == "watch":
            return tuple(one for one in self._streams() if one.startswith(_WATCH))
        if kind == "question":
            return tuple(f"{label}@{process}>*" for label, process in self._opened(_REQUESTS))
        if kind == "server":
            return self._named("apiserver-")
        if kind.startswith(LEADING):
            return self._leading(kind.removeprefix(LEADING))
        return ()

    def _leading(self, kind: str) -> tuple[str, ...]:
        """What matters most now: where there are StatefulSets, what these depend on."""
        keys = self.targets("statefulset")
        if not keys:
            return ()
        seen = self.observer
        owners = [one.uid for key in keys if (one := seen.get(StatefulSet, key)) is not None]
        return leading(
            kind, pods=seen.all(Pod), nodes=seen.all(Node), owners=owners, next_server=self._next_server
        )

    def _next_server(self, node: str) -> str:
        """The API server that this node's kubelet asks first when it starts again."""
        life = self.world.processes[f"kubelet@{node}"].life + 1
        number = self._first_server(life, int(node.removeprefix("node-")))
        return self.targets("server")[number]

    def _streams(self) -> tuple[str, ...]:
        """What each client watches, and each API server's own watches: whatever was opened until now.

        The views that matter most come first, of clients before those of servers, then all others.
        """
        opened = [one for head in (_WATCH, _CACHE_WATCH) for one in self._opened(head)]
        last = len(_FIRST_VIEWS)
        ranks = {plural: place for place, plural in enumerate(_FIRST_VIEWS)}

        def rank(one: tuple[str, str]) -> tuple[bool, bool, int, str]:
            head, _, plural = one[0].partition("/")
            return plural not in ranks, f"{head}/" == _CACHE_WATCH, ranks.get(plural, last), plural

        return tuple(f"{label}@*>{process}" for label, process in sorted(opened, key=rank))

    def _opened(self, head: str) -> list[tuple[str, str]]:
        """Labels with such a head and the components that connected with them, whose views matter most first."""
        viewers = dict.fromkeys(name for prefix in (*_VIEWERS, "") for name in self._named(prefix))
        places = {name: place for place, name in enumerate(viewers)}
        found = [
            (label, process)
            for label, process in self.world.network.opened_streams
            if label.startswith(head) and process in places
        ]
        return sorted(found, key=lambda one: places[one[1]])

    def _named(self, prefix: str) -> tuple[str, ...]:
        return tuple(one.name for one in self._components if one.name.startswith(prefix))

    def warm(self) -> str | None:
        """None when every document is applied, every Deployment is whole, and things have calmed down."""
        seen = self.observer
        if not self._applied:
            return f"not all documents are applied yet ({self._apply_problem or 'no API server answers'})"
        nodes = [node.name for node in seen.all(Node) if _is_ready(node)]
        if len(nodes) < self.shape.nodes:
            return f"{len(nodes)} of {self.shape.nodes} nodes are ready"
        for key in self.targets("deployment"):
            deployment = seen.get(Deployment, key)
            if deployment is None or not seen.is_whole(deployment):
                return f"Deployment {key} is not rolled out: {_progress(seen, key)}"
        for key in self.targets("statefulset"):
            stateful = seen.get(StatefulSet, key)
            if stateful is None or not _is_up(stateful):
                return f"StatefulSet {key} is not up: {_members(seen, stateful)}"
        for document in self.documents:
            pod = seen.get(Pod, document.key) if isinstance(document, Pod) else None
            reason = _not_up(pod) if pod is not None else None
            if reason is not None:
                return f"pod {document.key} {reason}"
        for name, why in self._waiting.items():
            return f"operator {name} cannot begin: {why}"
        at, change = seen.last_change
        if self.world.now - at < WARM_QUIET_NS:
            return f"the last change was {(self.world.now - at) / SECOND:.1f} s ago: {change}"
        return None

    def unsettled(self) -> str | None:
        """None when nothing but heartbeats has been written for a while."""
        at, change = self.observer.last_change
        quiet = self.world.now - at
        if quiet < QUIET_NS:
            return f"the last change was {quiet / SECOND:.1f} s ago: {change}"
        return None

    def tell(self, entry: Entry) -> Line | None:
        """How an entry reads in a story."""
        if isinstance(entry.event, InformerSynced):
            names = dict(zip((one.ip for one in self._servers), self.targets("server"), strict=True))
            return tell_of_the_past(entry, self.observer, names.get(entry.event.server, entry.event.server))
        return tell(entry)

    def assumptions(self) -> Sequence[str]:
        """What a story takes for granted about the applications."""
        found: list[str] = []
        for document in self.documents:
            if isinstance(document, Deployment):
                found += assumptions_of(document.spec.template, document.key)
        return tuple(found)


def _from(addresses: Sequence[Address], number: int) -> tuple[Address, ...]:
    """All of them, beginning with the one that is nearest to the `number`th client."""
    start = number % len(addresses)
    return (*addresses[start:], *addresses[:start])


def is_custom(obj: KubeObject) -> bool:
    """Whether a definition added its kind."""
    return isinstance(obj, GenericObject) and not known(obj.api_version, obj.kind)


def _is_ready(node: Node) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in node.status.conditions)


def _is_up(one: StatefulSet) -> bool:
    status, wanted = one.status, one.spec.replicas or 0
    return status.observed_generation == one.metadata.generation and (status.ready_replicas or 0) == wanted


def _members(seen: Observer, one: StatefulSet | None) -> str:
    if one is None:
        return "it is not stored yet"
    ready = f"{one.status.ready_replicas or 0} of {one.spec.replicas} pods are ready"
    for pod in seen.all(Pod):
        owner, reason = pod.metadata.controller, _not_up(pod)
        if owner is not None and owner.uid == one.uid and reason is not None:
            return f"{ready}; pod {pod.name} {reason}"
    return ready


def _progress(seen: Observer, key: str) -> str:
    deployment = seen.get(Deployment, key)
    if deployment is None:
        return "it is not stored yet"
    pods = seen.pods_of_deployment(key)
    waiting = [(pod.name, reason) for pod in pods if (reason := _not_up(pod)) is not None]
    available = f"{deployment.status.available_replicas or 0} of {deployment.spec.replicas} available"
    failure = get_condition(deployment.status.conditions, "ReplicaFailure")
    if failure is not None and failure.status == "True":
        return f"{available}; no pod is made for it: {failure.message}"
    if not waiting:
        return f"{available}; it has {len(pods)} pods" if pods else f"{available}; it has no pods"
    name, reason = waiting[0]
    others = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    return f"{available}; pod {name}{others} {reason}"


def _not_up(pod: Pod) -> str | None:
    """Why a pod does not serve, in the words of its own status; None when it does."""
    if is_pod_ready(pod) or pod.status.phase == "Succeeded":
        return None
    scheduled = get_condition(pod.status.conditions, "PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return f"cannot be scheduled: {scheduled.message}"
    for status in pod.status.container_statuses or ():
        waiting = status.state.waiting if status.state is not None else None
        if waiting is not None and waiting.reason not in (None, "", "ContainerCreating", "PodInitializing"):
            return (
                f"waits with {waiting.reason} (container {status.name}, {status.restart_count or 0} restarts)"
            )
    if not pod.spec.node_name:
        return "is not scheduled yet"
    probed = [one.name for one in pod.spec.containers if one.readiness_probe is not None]
    if pod.status.phase == "Running" and probed:
        return (
            f"runs, but is not ready: the readiness probe of container {', '.join(probed)} does not succeed"
        )
    return f"is {pod.status.phase or 'Pending'} on {pod.spec.node_name}, not ready"
