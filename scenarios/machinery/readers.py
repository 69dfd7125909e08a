"""Clients that read: they keep caches, and one binds pods to nodes as a scheduler of somebody's own would.

A `Viewer` only looks: at all pods and ConfigMaps, at those of one tier (objects come and go as their labels change), at
Secrets, to which nothing happens for a long time. A `Visitor` is a job: it fills its caches, looks around, ends, and is
started again soon. A `Binder` takes its time between seeing a pod and binding it.
"""

from __future__ import annotations

from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.workers import Workers
from chaoskube.models.objects import KubeObject, Pod
from chaoskube.sim import MILLISECOND, SECOND, Address, Process

DELIBERATION_NS = 800 * MILLISECOND
VISIT_NS = 4 * SECOND
NODES = ("node-a", "node-b")
VIEWS = (
    (("pods", ""), ("configmaps", ""), ("secrets", "")),
    (("pods", "tier=web"), ("configmaps", "tier=db")),
)
"""What viewers look at: resource and label selector."""


def view(process: Process, servers: tuple[Address, ...], number: int) -> None:
    """The life of a viewer."""
    client = ApiClient(process, servers, user=f"viewer-{number}", agent="viewer")
    for resource, selector in VIEWS[number % len(VIEWS)]:
        Informer(client, resource, label_selector=selector).start()


def visit(process: Process, servers: tuple[Address, ...], until: int) -> None:
    """The life of a job that comes again and again; when the work is over it stays, so that everything can fall silent."""
    client = ApiClient(process, servers, user="visitor", agent="visitor")
    for resource in ("pods", "configmaps"):
        Informer(client, resource).start()
    if process.now < until:
        process.call_later(SECOND + process.rng.randrange(VISIT_NS), process.exit)


class Binder:
    """Gives each pod that has no node one."""

    def __init__(self, process: Process, servers: tuple[Address, ...]) -> None:
        self._process = process
        self._client = ApiClient(process, servers, user="binder", agent="binder")
        self._pods = Informer(self._client, "pods", field_selector="spec.nodeName=")
        self._workers = Workers(process, self._bind)
        self._pods.add_handler(on_add=self._heard, on_update=lambda old, new: self._heard(new))

    def start(self) -> None:
        """Fill the cache, then work."""
        self._pods.start()
        self._pods.when_synced(self._workers.start)

    def _heard(self, pod: KubeObject) -> None:
        self._workers.add(pod.key)

    async def _bind(self, key: str) -> None:
        pod = self._pods.get_by_key(key)
        if not isinstance(pod, Pod) or pod.spec.node_name:
            return
        await self._process.sleep(self._process.rng.randrange(DELIBERATION_NS))
        await self._client.bind(pod, self._process.rng.choice(NODES))
