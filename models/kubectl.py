"""What a person does with kubectl, as the real one does it: one function a command, over the API alone.

Each command is a coroutine for a process of its own (see `Cluster.kubectl`); it raises Refused or Unsure
as the API answers. Called by the operations in `scenarios/operations/`.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/{apply,scale,set,drain,delete}, pkg/drain.
Not modelled: `apply` is a create, or a merge of the document over the live object (no last-applied
annotation yet); `drain` waits without its own time-out.
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.apiserver.api import CREATE, MERGE, STRATEGIC, Request
from chaoskube.models.client.api import ApiClient, is_already_exists, is_not_found, status_of
from chaoskube.models.objects import KubeObject, Pod, encode, resource_for
from chaoskube.sim import SECOND, Process, Refused, Unsure

DRAIN_RETRY_NS = 5 * SECOND
"""pkg/drain: an eviction that a budget refuses (429) is tried again after 5 s."""
DRAIN_POLL_NS = 1 * SECOND
"""pkg/drain: how often it looks whether the evicted pods are gone."""
EVICTION_TRIES_MAX = 1_000


class Kubectl:
    """One person's kubectl."""

    def __init__(self, process: Process, client: ApiClient) -> None:
        self.process = process
        self.client = client

    async def apply(self, obj: KubeObject) -> KubeObject:
        """`kubectl apply -f`: create, or patch what the document says over what is there."""
        try:
            return await self.client.create(obj)
        except Refused as refused:
            if not is_already_exists(refused):
                raise
        resource = resource_for(obj.kind, obj.api_version).plural
        tree = encode(obj)
        return await self.client.patch(resource, obj.namespace, obj.name, tree, type=STRATEGIC)

    async def scale(self, namespace: str, name: str, replicas: int) -> None:
        """`kubectl scale deployment/NAME --replicas=N`: a merge patch of the scale subresource."""
        patch = {"spec": {"replicas": replicas}}
        await self.client.patch("deployments", namespace, name, patch, type=MERGE, subresource="scale")

    async def set_image(self, namespace: str, name: str, image: str) -> None:
        """`kubectl set image deployment/NAME *=IMAGE` for the first container: a rolling update."""
        deployment = await self.client.get("deployments", namespace, name)
        containers = encode(deployment)["spec"]["template"]["spec"]["containers"]
        patch = {
            "spec": {"template": {"spec": {"containers": [{"name": containers[0]["name"], "image": image}]}}}
        }
        await self.client.patch("deployments", namespace, name, patch, type=STRATEGIC)

    async def delete_pod(self, namespace: str, name: str) -> None:
        """`kubectl delete pod NAME --wait=false`."""
        await self.client.delete("pods", namespace, name, propagation_policy="Background")

    async def cordon(self, node: str, *, unschedulable: bool = True) -> None:
        """`kubectl cordon NODE`, or uncordon."""
        patch: Mapping[str, object] = {"spec": {"unschedulable": True if unschedulable else None}}
        await self.client.patch("nodes", "", node, patch, type=STRATEGIC)

    async def drain(self, node: str) -> None:
        """`kubectl drain NODE --ignore-daemonsets --delete-emptydir-data --force`: cordon, evict, wait."""
        await self.cordon(node)
        listed = await self.client.list("pods", field_selector=f"spec.nodeName={node}")
        pods = [pod for pod in listed.items if isinstance(pod, Pod) and not _is_daemon(pod)]
        for pod in pods:
            await self._evict(pod)
        for pod in pods:
            await self._wait_gone(pod)

    async def _evict(self, pod: Pod) -> None:
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
        }
        request = Request(
            verb=CREATE,
            resource="pods",
            namespace=pod.namespace,
            name=pod.name,
            subresource="eviction",
            body=body,
        )
        for _ in range(EVICTION_TRIES_MAX):
            try:
                await self.client.call(request)
                return
            except Refused as refused:
                if is_not_found(refused):
                    return
                if status_of(refused).code != 429:
                    raise
            await self.process.sleep(DRAIN_RETRY_NS)

    async def _wait_gone(self, pod: Pod) -> None:
        while True:
            try:
                now = await self.client.get("pods", pod.namespace, pod.name)
            except Refused as refused:
                if is_not_found(refused):
                    return
                raise
            except Unsure:
                now = pod
            if now.uid != pod.uid:
                return
            await self.process.sleep(DRAIN_POLL_NS)


def _is_daemon(pod: Pod) -> bool:
    owner = pod.metadata.controller
    return owner is not None and owner.kind == "DaemonSet"
