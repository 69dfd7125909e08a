"""A real etcd member, a real API server, and nodes; no controllers and no scheduler: tests bind pods themselves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial

from chaoskube.models.apiserver.api import API_PORT
from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.apps.ports import targets_of
from chaoskube.models.apps.web import web
from chaoskube.models.client.api import ApiClient
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.network.proxy import boot_proxy
from chaoskube.models.node.kubelet import NodeShape, boot_kubelet
from chaoskube.models.node.runtime import ContainerRuntime, runtime_of
from chaoskube.models.objects import Node, Pod, decode
from chaoskube.sim import SECOND, Address, Process, Refused, World


class SmallCluster:
    """`control-0` with etcd and an API server, `node-1`.. with kubelet and proxy, and a user."""

    def __init__(self, world: World, *, nodes: int = 1, proxies: bool = False) -> None:
        self.world = world
        world.add_host("control-0")
        network = world.network
        etcd = (Address(network.ip_of("control-0"), CLIENT_PORT),)
        self._start("etcd-0", "control-0", lambda p: boot_member(p, "etcd-0", ("etcd-0",)))
        self._start("apiserver-0", "control-0", lambda p: boot_apiserver(p, etcd, API_PORT))
        servers = (Address(network.ip_of("control-0"), API_PORT),)
        self.clients: list[ApiClient] = []
        self._start("user", "workstation", lambda p: self.clients.append(ApiClient(p, servers, user="user")))
        program = web(targets_of(()))
        for number in range(1, nodes + 1):
            shape = NodeShape(name=f"node-{number}")
            self._start(
                f"kubelet@node-{number}",
                f"node-{number}",
                partial(boot_kubelet, servers=servers, shape=shape, program=program),
            )
            if proxies:
                self._start(f"proxy@node-{number}", f"node-{number}", lambda p: boot_proxy(p, servers))

    def _start(self, name: str, host: str, boot: Callable[[Process], object]) -> None:
        self.world.process(name, host=host, boot=boot).start()

    # -- what a test does

    def run(
        self, command: Callable[[ApiClient], Coroutine[object, object, object]], limit_s: int = 60
    ) -> object:
        """Let the user carry out a command; what it returns."""
        answers: list[object] = []

        async def carry_out() -> None:
            answers.append(await command(self.clients[-1]))

        self.world.processes["user"].spawn(carry_out)
        assert self.world.run_until(lambda: bool(answers), limit_s * SECOND), "the command has returned"
        return answers[0]

    def make_pod(self, name: str, *, node: str = "node-1", **spec: object) -> None:
        """Create a pod that is bound already; `annotations` and `containers` go where they belong."""
        annotations = spec.pop("annotations", {})
        container = {"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}
        container.update(spec.pop("container", {}))  # type: ignore[call-overload]  # JSON is built by hand
        tree = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "annotations": annotations},
            "spec": {"nodeName": node, "containers": [container], **spec},
        }
        self.run(lambda client: client.create(decode(tree)))

    def delete_pod(self, name: str, *, grace: int | None = None) -> None:
        """kubectl delete pod, without waiting."""
        self.run(lambda client: client.delete("pods", "default", name, grace_period_seconds=grace))

    # -- what a test sees

    def pod(self, name: str) -> Pod | None:
        """The pod as the API shows it; None when it is gone."""

        async def read(client: ApiClient) -> object:
            try:
                return await client.get("pods", "default", name)
            except Refused:
                return None

        found = self.run(read)
        assert found is None or isinstance(found, Pod), f"asked for a pod, got {found}"
        return found

    def node(self, name: str = "node-1") -> Node:
        """The node as the API shows it."""
        found = self.run(lambda client: client.get("nodes", "", name))
        assert isinstance(found, Node), f"asked for a node, got {found}"
        return found

    def runtime(self, node: str = "node-1") -> ContainerRuntime:
        """What really runs on the node."""
        runtime = runtime_of(self.world.host(node))
        assert runtime is not None, f"{node} has a runtime"
        return runtime

    def is_ready(self, name: str) -> bool:
        """Whether the API shows the pod as Ready."""
        pod = self.pod(name)
        return pod is not None and any(
            one.type == "Ready" and one.status == "True" for one in pod.status.conditions
        )

    def wait(self, condition: Callable[[], bool], limit_s: int = 120) -> float:
        """Let time pass until the condition holds; how many seconds that took."""
        began = self.world.now
        assert self.world.run_until(condition, limit_s * SECOND), "it has come to pass"
        return (self.world.now - began) / SECOND
