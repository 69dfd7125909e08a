"""The namespace controller: empties namespaces that are to go, and then lets them go.

Five seconds after a namespace was told to go its pods are deleted; when the last one is gone, everything else that
is namespaced, resource by resource; when a round leaves nothing, the finalizer `kubernetes` is taken away and the
server removes the namespace. A round reads the namespace from the server first and trusts no cache but its queue's.
What counts, and how long to wait, is in namespace_core.py.

Sources: pkg/controller/namespace/namespace_controller.go, pkg/controller/namespace/deletion/.

Not modelled: deleting one by one where a resource has no deletecollection (each has), finalizer tokens but `kubernetes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chaoskube.models.apiserver.api import BACKGROUND, DELETE_COLLECTION, DeleteOptions, Request
from chaoskube.models.client.api import is_conflict, is_not_found, status_of
from chaoskube.models.client.backoff import ItemBackoff
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.discovery import Discovery, preferred
from chaoskube.models.controllers.events import NamespaceEmptied
from chaoskube.models.controllers.namespace_core import (
    CONTENT_WAIT,
    RETRY_MAX,
    Remaining,
    in_order,
    pods_estimate_seconds,
    remaining_of,
    retry_after_ns,
    with_conditions,
    without_finalizer,
)
from chaoskube.models.objects import KubeObject, Namespace, Pod
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import Refused, Unsure, reached

WORKERS = 10


@controller("namespace", account="namespace-controller")
class NamespaceController:
    """Deletes what is in namespaces that go."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._process = manager.process
        self._discovery = Discovery(manager)
        backoff = ItemBackoff(max_ns=RETRY_MAX)
        self._workers = manager.workers(self.reconcile, workers=WORKERS, backoff=backoff)
        self._namespaces = manager.informer("namespaces")
        self._namespaces.add_handler(on_add=self._changed, on_update=lambda old, new: self._changed(new))

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    def _changed(self, namespace: KubeObject) -> None:
        """Not at once: other API servers have to hear of it first, and last objects be seen in etcd."""
        if namespace.metadata.deletion_timestamp is not None:
            self._workers.add_after(namespace.key, CONTENT_WAIT)

    # -- one round

    async def reconcile(self, name: str) -> None:
        """Delete what is in the namespace, and the namespace when there is nothing."""
        if self._namespaces.get_by_key(name) is None:
            return
        namespace = await self._live(name)
        if namespace is None or not namespace.spec.finalizers:
            return
        estimate = await self._delete_content(namespace)
        if estimate is None:
            return
        if estimate:
            reached("namespace waits for what remains in it")
            self._workers.add_after(name, retry_after_ns(estimate))
            return
        self._process.record(NamespaceEmptied(namespace=name, uid=namespace.uid))
        await self._retry_on_conflict(namespace, self._finalize)

    async def _live(self, name: str) -> Namespace | None:
        """The namespace as the server has it; None when it is gone or stays."""
        try:
            namespace = await self._client.get("namespaces", "", name)
        except Refused as refusal:
            if is_not_found(refusal):
                return None
            raise
        assert isinstance(namespace, Namespace), f"a namespace was asked for, not a {namespace.kind}"
        return namespace if namespace.metadata.deletion_timestamp is not None else None

    async def _delete_content(self, namespace: Namespace) -> int | None:
        """Ask for everything to be deleted; how many seconds what is left may need. Raises Retry when it is stuck."""
        self._discovery.refresh()
        remaining: list[Remaining] = []
        failures: list[str] = []
        for resource in in_order(preferred(self._discovery.all(), ("delete", "list"))):
            try:
                remaining.append(await self._delete_all(resource, namespace))
            except (Refused, Unsure) as error:
                failures.append(_said(error))
            if resource.plural == "pods" and any(one.count for one in remaining):
                await self._write_conditions(namespace, (), failures)
                return self._estimate(namespace, remaining, failures)
        await self._write_conditions(namespace, remaining, failures)
        return self._estimate(namespace, remaining, failures)

    def _estimate(self, namespace: Namespace, remaining: list[Remaining], failures: list[str]) -> int:
        stuck = [one for one in remaining if one.is_stuck]
        if failures or stuck:
            names = ", ".join([f"{one.count} {one.resource}" for one in stuck])
            raise Retry(
                f"namespace {namespace.name}: {'; '.join(failures) or f'unexpected items remain: {names}'}"
            )
        return max([one.estimate_seconds for one in remaining], default=0)

    async def _delete_all(self, resource: Resource, namespace: Namespace) -> Remaining:
        name = namespace.name
        estimate = 0
        if resource.plural == "pods":
            pods = only(Pod, (await self._client.list("pods", name)).items)
            deleted_at = namespace.metadata.deletion_timestamp or 0
            estimate = pods_estimate_seconds(pods, deleted_at, self._manager.wall_ns())
        await self._client.call(
            Request(
                verb=DELETE_COLLECTION,
                resource=resource.name,
                namespace=name,
                delete_options=DeleteOptions(propagation_policy=BACKGROUND),
            )
        )
        listed = await self._client.list(resource.name, name)
        return remaining_of(resource, listed.items, estimate)

    # -- writes to the namespace

    async def _write_conditions(
        self, namespace: Namespace, remaining: list[Remaining] | tuple[()], failures: list[str]
    ) -> None:
        changed = with_conditions(namespace, remaining, failures, self._manager.wall_second())
        if changed is not namespace:
            try:
                await self._client.update(changed, subresource="status")
            except (Refused, Unsure):
                reached("namespace conditions not written")  # the next round writes them

    async def _finalize(self, namespace: Namespace) -> None:
        await self._client.update(without_finalizer(namespace), subresource="finalize")

    async def _retry_on_conflict(
        self, namespace: Namespace, write: Callable[[Namespace], Awaitable[None]]
    ) -> None:
        """Until it is done or gone; somebody else may have written the namespace meanwhile."""
        while True:
            try:
                await write(namespace)
                return
            except Refused as refusal:
                if is_not_found(refusal):
                    return
                if not is_conflict(refusal):
                    raise
            fresh = await self._live(namespace.name)
            if fresh is None or fresh.uid != namespace.uid:
                return
            namespace = fresh


def _said(error: Refused | Unsure) -> str:
    return status_of(error).message if isinstance(error, Refused) else str(error)
