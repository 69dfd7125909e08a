"""A control plane for tests: etcd, two API servers, controller managers, and a stand-in for scheduler and kubelets.

The stand-in binds pods round robin, makes them run 0.4 s later and ready 0.2 s after that, and renews its nodes'
leases each 10 s; a node in `silent` says nothing, a pod of the image `BROKEN` never gets ready. Everything that was written is in `written`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import evolve

from chaoskube.models.apiserver.events import Written
from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.informer import Informer
from chaoskube.models.controllers.manager import boot_controller_manager
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.objects import (
    EndpointSlice,
    FrozenDict,
    KubeObject,
    Lease,
    LeaseSpec,
    Node,
    NodeCondition,
    NodeStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    Quantity,
    decode,
)
from chaoskube.sim import SECOND, Address, Entry, Process, Refused, Unsure, World, seconds

BROKEN = "broken"
ROOM = FrozenDict({"cpu": Quantity("4"), "memory": Quantity("8Gi"), "pods": Quantity("110")})


class Plane:
    """The whole, started; `at` runs until a time, `do` runs a user's request."""

    def __init__(self, *, nodes: int = 3, managers: int = 1, seed: int = 1) -> None:
        self.world = World(seed=seed)
        for name in ("control-0", "control-1", "nodes", "user"):
            self.world.add_host(name)
        network = self.world.network
        etcd = (Address(network.ip_of("control-0"), CLIENT_PORT),)
        self.servers = tuple(Address(network.ip_of(f"control-{each}"), 6443) for each in range(2))
        self.nodes = tuple(f"node-{number}" for number in range(1, nodes + 1))
        self.silent: set[str] = set()
        self.written: list[Written] = []
        self.world.journal.subscribe(Written, self._saw)
        elect = managers > 1
        self._start("etcd-0", "control-0", lambda p: boot_member(p, p.name, ("etcd-0",)))
        for number in range(2):
            host = f"control-{number}"
            self._start(f"apiserver-{number}", host, lambda p: boot_apiserver(p, etcd))
        for number in range(managers):
            self._start(
                f"controller-manager-{number}",
                f"control-{number}",
                lambda p: boot_controller_manager(p, self.servers, p.name, leader_elect=elect),
            ).restart_after_ns = SECOND
        self._start("nodes", "nodes", StandIn(self).boot)
        self.user = self._start("user", "user", lambda p: None)
        self.client = ApiClient(self.user, self.servers, user="user")
        self.world.advance(seconds(5))

    def _start(self, name: str, host: str, boot: Callable[[Process], object]) -> Process:
        process = self.world.process(name, host=host, boot=boot)
        process.start()
        return process

    def _saw(self, entry: Entry) -> None:
        assert isinstance(entry.event, Written)
        self.written.append(entry.event)

    def run(self, for_seconds: float) -> None:
        """Let time pass."""
        self.world.advance(seconds(for_seconds))

    def do(self, work: Callable[[ApiClient], Awaitable[object]]) -> None:
        """Carry out a user's requests."""

        async def task() -> None:
            await work(self.client)

        self.user.spawn(task)
        self.world.advance(seconds(0.05))

    def create(self, tree: dict[str, object]) -> None:
        """Create an object from its JSON."""
        self.do(lambda client: client.create(decode(tree)))

    def now(self, kind: str) -> dict[str, KubeObject]:
        """The objects of a kind as they are stored, by name."""
        found: dict[str, KubeObject] = {}
        for event in self.written:
            stored = event.obj or event.prev
            if stored is None or stored.kind != kind:
                continue
            if event.obj is None:
                found.pop(stored.name, None)
            else:
                found[stored.name] = stored
        return found


class StandIn:
    """Scheduler and kubelets in one."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    def boot(self, process: Process) -> None:
        """Begin."""
        self._process = process
        self._client = ApiClient(process, self._plane.servers, user="nodes")
        self._count = 0
        self._addresses = 0
        pods = Informer(self._client, "pods")
        pods.add_handler(on_add=self._added, on_update=self._updated)
        pods.start()
        process.spawn(self._live)

    def _added(self, pod: KubeObject) -> None:
        self._process.spawn(self._run, pod)

    def _updated(self, old: KubeObject, new: KubeObject) -> None:
        if new.metadata.deletion_timestamp is not None and old.metadata.deletion_timestamp is None:
            self._process.spawn(self._stop, new)

    async def _run(self, pod: Pod) -> None:
        up = [name for name in self._plane.nodes if name not in self._plane.silent]
        node = up[self._count % len(up)]
        self._count += 1
        try:
            await self._client.bind(pod, node)
        except (Refused, Unsure):
            return
        for delay, ready in ((0.4, False), (0.2, True)):
            await self._process.sleep(seconds(delay))
            await self._status(pod, "Running", ready and pod.spec.containers[0].image != BROKEN)

    async def _stop(self, pod: Pod) -> None:
        if pod.spec.node_name in self._plane.silent:
            return
        await self._process.sleep(seconds(0.3))
        await self._status(pod, "Succeeded", False)
        try:
            await self._client.delete("pods", pod.namespace, pod.name, grace_period_seconds=0)
        except (Refused, Unsure):
            return

    async def _status(self, pod: Pod, phase: str, ready: bool) -> None:
        try:
            now = await self._client.get("pods", pod.namespace, pod.name)
            assert isinstance(now, Pod)
            if now.status.pod_ip is None:
                self._addresses += 1
            condition = PodCondition(
                type="Ready",
                status="True" if ready else "False",
                last_transition_time=self._process.wall_ns() // SECOND * SECOND,
            )
            status = evolve(
                now.status,
                phase=phase,
                pod_ip=now.status.pod_ip or f"10.244.0.{self._addresses}",
                conditions=(condition,),
            )
            await self._client.update(evolve(now, status=status), subresource="status")
        except (Refused, Unsure):
            return

    async def _live(self) -> None:
        await self._process.sleep(seconds(2.5))
        for name in self._plane.nodes:
            await self._client.create(Node(metadata=ObjectMeta(name=name)))
        leases: dict[str, Lease] = {}
        while True:
            for name in self._plane.nodes:
                if name not in self._plane.silent:
                    await self._beat(name, leases)
            await self._process.sleep(seconds(10))

    async def _beat(self, name: str, leases: dict[str, Lease]) -> None:
        spec = LeaseSpec(holder_identity=name, renew_time=self._process.wall_ns() // 1000 * 1000)
        lease = leases.get(name)
        try:
            if lease is None:
                metadata = ObjectMeta(name=name, namespace="kube-node-lease")
                written = await self._client.create(Lease(metadata=metadata, spec=spec))
            else:
                written = await self._client.update(evolve(lease, spec=spec))
            assert isinstance(written, Lease)
            leases[name] = written
            node = await self._client.get("nodes", "", name)
            assert isinstance(node, Node)
            if any(each.type == "Ready" and each.status == "True" for each in node.status.conditions):
                return
            now = self._process.wall_ns() // SECOND * SECOND
            ready = NodeCondition(
                type="Ready", status="True", last_heartbeat_time=now, last_transition_time=now
            )
            status = NodeStatus(capacity=ROOM, allocatable=ROOM, conditions=(ready,))
            await self._client.update(evolve(node, status=status), subresource="status")
        except (Refused, Unsure):
            return


def deployment_tree(replicas: int = 3, image: str = "v1") -> dict[str, object]:
    """A Deployment as kubectl sends it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    }


def image_patch(image: str) -> dict[str, object]:
    """A new image."""
    return {"spec": {"template": {"spec": {"containers": ({"name": "app", "image": image},)}}}}


def ends(each: EndpointSlice) -> str:
    """A slice's endpoints as a story prints them: ready, serving, terminating."""
    letters = (
        ("R" if end.conditions.ready else "-")
        + ("S" if end.conditions.serving else "-")
        + ("T" if end.conditions.terminating else "-")
        for end in each.endpoints
    )
    return " ".join(letters)
