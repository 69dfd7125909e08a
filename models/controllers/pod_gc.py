"""The pod garbage collector: every 20 s it removes pods that nobody else will.

A node that pods name and no cache knows is put in quarantine for 40 s, then asked for at the server; only if that
says 404 are its pods orphans. Pods are made Failed first, then deleted at once. The choice is in pod_gc_core.py.

Source: pkg/controller/podgc/gc_controller.go.
"""

from __future__ import annotations

from chaoskube.models.client.api import is_not_found
from chaoskube.models.constants import POD_GC_PERIOD
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.pod_gc_core import Collect, Quarantine, Why, choose
from chaoskube.models.controllers.taint_eviction import disruption_patch
from chaoskube.models.objects import Node, Pod, is_pod_terminal
from chaoskube.sim import Refused, Unsure, reached


@controller("pod-gc", account="pod-garbage-collector")
class PodGarbageCollector:
    """Deletes orphaned and surplus pods."""

    def __init__(self, manager: ManagerContext) -> None:
        self._process = manager.process
        self._client = manager.client
        self._wall_second = manager.wall_second
        self._quarantine = Quarantine()
        self._pods = manager.informer("pods")
        self._nodes = manager.informer("nodes")

    def start(self) -> None:
        """Begin to work."""
        self._process.spawn(self._run)

    async def _run(self) -> None:
        while True:
            await self._round()
            await self._process.sleep(POD_GC_PERIOD)

    async def _round(self) -> None:
        pods = only(Pod, self._pods.list())
        nodes = {node.name: node for node in only(Node, self._nodes.list())}
        missing = []
        for name in self._quarantine.look(pods, nodes, self._process.now):
            if await self._is_gone(name):
                missing.append(name)
        for collect in choose(pods, nodes, missing):
            try:
                await self._collect(collect)
            except (Refused, Unsure):
                reached("pod collected later")  # the next round finds it again

    async def _is_gone(self, node: str) -> bool:
        try:
            await self._client.get("nodes", "", node)
        except (Refused, Unsure) as error:
            return is_not_found(error)
        return False

    async def _collect(self, collect: Collect) -> None:
        pod = collect.pod
        if not is_pod_terminal(pod):
            await self._client.patch(
                "pods", pod.namespace, pod.name, self._failed(collect), subresource="status"
            )
        await self._client.delete("pods", pod.namespace, pod.name, grace_period_seconds=0)

    def _failed(self, collect: Collect) -> dict[str, object]:
        if collect.why is Why.ORPHANED:
            return disruption_patch(
                collect.pod,
                "DeletionByPodGC",
                "PodGC: node no longer exists",
                self._wall_second(),
                phase="Failed",
            )
        return {"metadata": {"uid": collect.pod.uid}, "status": {"phase": "Failed"}}
