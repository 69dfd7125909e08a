"""A small real control plane for the scheduler's tests: one etcd member, one API server, schedulers, a user."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self

from chaoskube.models.apiserver.api import MERGE
from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.events import LeaderStarted
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.objects import Event, KubeObject, Pod, decode
from chaoskube.models.scheduler.shell import Scheduler, boot_scheduler
from chaoskube.sim import SECOND, Address, Process, World

ETCD_PORT = 2379
API_PORT = 6443
UNTAINTED = {"spec": {"taints": None}}


class ControlPlane:
    """Everything that is needed to bind a pod, and nothing that runs it."""

    def __init__(self, *, schedulers: int = 1, seed: int = 0) -> None:
        self.world = World(seed=seed)
        self.schedulers: dict[str, Scheduler] = {}
        for host in ("control-0", "control-1", "workstation"):
            if host not in self.world.hosts:
                self.world.add_host(host)
        network = self.world.network
        etcd = (Address(network.ip_of("control-0"), ETCD_PORT),)
        servers = (Address(network.ip_of("control-0"), API_PORT),)
        processes = [
            self._process("etcd-0", "control-0", lambda p: boot_member(p, "etcd-0", ["etcd-0"], ETCD_PORT)),
            self._process("apiserver-0", "control-0", lambda p: boot_apiserver(p, etcd, API_PORT)),
            self._process("user", "workstation", lambda p: None),
        ]
        for number in range(schedulers):
            name = f"scheduler-{number}"
            processes.append(
                self._process(name, f"control-{number % 2}", lambda p: self._boot_scheduler(p, servers))
            )
        for process in processes:
            process.start()
        self.user = ApiClient(self.world.processes["user"], servers, user="admin")

    def _process(self, name: str, host: str, boot: Callable[[Process], object]) -> Process:
        return self.world.process(name, host=host, boot=boot)

    def _boot_scheduler(self, process: Process, servers: tuple[Address, ...]) -> None:
        process.restart_after_ns = SECOND
        self.schedulers[process.name] = boot_scheduler(process, servers, process.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()

    def do(self, *steps: Callable[[], Awaitable[Any]], limit_ns: int = 60 * SECOND) -> list[Any]:
        """Let the user do these steps, one after the other, and wait for the last."""
        results: list[Any] = []

        async def run() -> None:
            for step in steps:
                results.append(await step())

        self.world.processes["user"].spawn(run)
        assert self.world.run_until(lambda: len(results) == len(steps), limit_ns), "the user waits in vain"
        return results

    def create(self, *objects: KubeObject) -> None:
        """Create these, in order; nodes become ready at once (admission taints them at first)."""
        for obj in objects:
            self.do(partial(self.user.create, obj))
            if obj.kind == "Node":
                self.do(partial(self.user.patch, "nodes", "", obj.name, UNTAINTED, type=MERGE))

    def pod(self, name: str) -> Pod:
        """The pod as the API server has it."""
        found = self.do(lambda: self.user.get("pods", "default", name))[0]
        assert isinstance(found, Pod), found
        return found

    def messages(self, reason: str) -> list[tuple[str, str]]:
        """Pod and message of each Event of that reason."""
        listed = self.do(lambda: self.user.list("events", "default"))[0]
        return [
            (event.involved_object.name or "", event.message or "")
            for event in sorted(listed.items, key=lambda each: int(each.resource_version))
            if isinstance(event, Event) and event.reason == reason
        ]

    def journal(self, kind: type) -> list[Any]:
        """The journal's events of one type."""
        return [entry.event for entry in self.world.journal.entries if isinstance(entry.event, kind)]

    def wait_until_leading(self) -> None:
        """Until a scheduler holds the lease."""
        assert self.world.run_until(lambda: bool(self.journal(LeaderStarted)), 60 * SECOND), "nobody leads"


def node(name: str, *, cpu: str = "1", memory: str = "1Gi", pods: str = "110", **spec: object) -> KubeObject:
    """A node of that size."""
    amounts = {"cpu": cpu, "memory": memory, "pods": pods}
    return decode(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "spec": spec,
            "status": {"capacity": amounts, "allocatable": amounts},
        }
    )


def pod(name: str, *, cpu: str = "600m", memory: str = "64Mi", **spec: object) -> KubeObject:
    """A pod that asks for that much."""
    requests = {"cpu": cpu, "memory": memory}
    return decode(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "containers": [{"name": "app", "image": "app:v1", "resources": {"requests": requests}}],
                **spec,
            },
        }
    )
