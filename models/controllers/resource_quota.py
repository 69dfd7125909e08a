"""The quota controller: gives back what is gone, and counts everything anew every five minutes.

Deletions, and pods that end, make it count the quotas of their namespace from its caches; the write carries the version
of the quota that it saw, so what the API server charged meanwhile is not lost. A quota whose status says nothing yet is
counted before the others. What is counted is in resource_quota_core.py.

Sources: pkg/controller/resourcequota/{resource_quota_controller,resource_quota_monitor}.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from chaoskube.models.apiserver.admission.amounts import same_amounts
from chaoskube.models.client.informer import Informer
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.discovery import Discovery, preferred
from chaoskube.models.controllers.resource_quota_core import counted, frees, is_of_quota, is_urgent
from chaoskube.models.objects import KubeObject, ResourceQuota
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND

FULL_PERIOD = 300 * SECOND
RESYNC = 30 * SECOND
NEEDED = ("create", "list", "watch", "delete")
IGNORED = ("events",)


@controller("resource-quota", account="resourcequota-controller")
class ResourceQuotaController:
    """Writes the status of ResourceQuotas."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._process = manager.process
        self._discovery = Discovery(manager)
        self._workers = manager.workers(self.reconcile)
        self._urgent = manager.workers(self.reconcile)
        self._monitors: dict[str, Informer] = {}
        self._resources: list[Resource] = []
        self._quotas = manager.informer("resourcequotas")
        self._quotas.add_handler(on_add=self._enqueue, on_update=self._updated, on_delete=self._gone)
        self._add_monitors()

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()
        self._urgent.start()
        self._process.call_later(RESYNC, self._resync)
        self._count_all()

    # -- quotas

    def _enqueue(self, quota: KubeObject) -> None:
        assert isinstance(quota, ResourceQuota), f"a quota, not a {quota.kind}"
        workers = self._urgent if is_urgent(quota, self._resources) else self._workers
        workers.add(quota.key)

    def _updated(self, old: KubeObject, new: KubeObject) -> None:
        """Only what is wanted counts; the status is written here and by the server."""
        assert isinstance(old, ResourceQuota) and isinstance(new, ResourceQuota), "an informer of quotas"
        if not same_amounts(old.spec.hard, new.spec.hard):
            self._enqueue(new)

    def _gone(self, quota: KubeObject) -> None:
        self._workers.add(quota.key)

    def _count_all(self) -> None:
        for quota in self._quotas.list():
            self._workers.add(quota.key)
        self._process.call_later(FULL_PERIOD, self._count_all)

    # -- what is counted

    def _resync(self) -> None:
        if self._discovery.refresh():
            self._add_monitors()
        self._process.call_later(RESYNC, self._resync)

    def _add_monitors(self) -> None:
        for resource in preferred(self._discovery.all(), NEEDED):
            if not resource.namespaced or resource.plural in IGNORED or resource.name in self._monitors:
                continue
            informer = self._monitors[resource.name] = self._manager.monitor(resource.name)
            self._resources.append(resource)
            informer.add_handler(
                on_update=partial(self._object_updated, resource),
                on_delete=partial(self._replenish, resource),
            )

    def _object_updated(self, resource: Resource, old: KubeObject, new: KubeObject) -> None:
        if len(self._quotas) and frees(resource, old, new, self._manager.wall_ns()):
            self._replenish(resource, new)

    def _replenish(self, resource: Resource, obj: KubeObject) -> None:
        if not len(self._quotas):
            return
        for quota in only(ResourceQuota, self._quotas.list(obj.namespace)):
            if is_of_quota(quota, resource):
                self._workers.add(quota.key)

    # -- one quota

    async def reconcile(self, key: str) -> None:
        """Count one quota and write what changed."""
        quota = self._quotas.get_by_key(key)
        if not isinstance(quota, ResourceQuota):
            return

        def listed(resource: Resource) -> Iterable[KubeObject]:
            return self._monitors[resource.name].list(quota.namespace)

        new = counted(quota, self._resources, listed, self._manager.wall_ns())
        if new is not quota:
            await self._client.update(new, subresource="status")
