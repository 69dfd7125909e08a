"""ResourceQuota: what a namespace may hold. The last plug-in, so that only what is admitted otherwise is charged.

The quotas come from this server's cache, or from what this server itself wrote last if that is newer; the new usage is
written to them by compare-and-swap, three times over when others are faster, before the object is stored. If that
fails afterwards the quota controller puts the usage right. In one namespace a server checks one object after the other.
Sources: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/{admission,controller,resource_access}.go.

Not modelled: batches (the real plug-in charges those who wait in a namespace in one write).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from chaoskube.models.apiserver.admission.amounts import same_amounts
from chaoskube.models.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin, synced
from chaoskube.models.apiserver.admission.quota_check import charged
from chaoskube.models.apiserver.admission.quota_usage import IGNORED, is_terminating
from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.authentication import LOOPBACK
from chaoskube.models.apiserver.errors import ApiError, conflict, not_found
from chaoskube.models.apiserver.flow import Context, Flow, Outcome, Pause, Until
from chaoskube.models.apiserver.storage import guaranteed_update
from chaoskube.models.objects import KubeObject, Pod, ResourceQuota
from chaoskube.models.objects.resources import resource_of
from chaoskube.sim import reached

RETRIES = 3
_CHANGING = ("services", "persistentvolumeclaims", "pods")
"""Objects whose usage an update can change."""


class ResourceQuotaPlugin(Plugin):
    """Charges quotas for what is new."""

    name = "ResourceQuota"

    def __init__(self) -> None:
        self._written: dict[str, ResourceQuota] = {}
        """Quotas as this server wrote them, until its cache has caught up."""
        self._waiting: dict[str, deque[Callable[[Outcome], None]]] = {}
        """By namespace that is being checked: who is next."""

    def validates(self, target: Target) -> bool:
        """Everything new in a namespace, and what can grow."""
        if target.subresource or target.resource in IGNORED:
            return False
        return target.operation == CREATE or (target.operation == UPDATE and target.resource in _CHANGING)

    def validate(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        """Refuses what is too much, charges for what isn't."""
        if not attributes.namespace or not _changes_usage(attributes):
            return
        cache = yield from synced(ctx, attributes, "resourcequotas")
        if not cache.select(_prefix(attributes.namespace)):
            return
        yield from self._turn(attributes.namespace)
        try:
            yield from self._charge(ctx, attributes)
        except ApiError:
            self._next(attributes.namespace)
            raise
        self._next(attributes.namespace)

    # ---- one after the other

    def _turn(self, namespace: str) -> Flow[None]:
        queue = self._waiting.get(namespace)
        if queue is None:
            self._waiting[namespace] = deque()
            return
        reached("apiserver: a quota check waits for another")
        yield Until(queue.append)
        yield Pause(0)  # whoever was before us is still being handled

    def _next(self, namespace: str) -> None:
        queue = self._waiting[namespace]
        if queue:
            queue.popleft()(None)
        else:
            del self._waiting[namespace]

    # ---- charging

    def _charge(self, ctx: Context, attributes: Attributes) -> Flow[None]:
        quotas = self._quotas(ctx, attributes.namespace)
        for attempt in range(RETRIES + 1):
            wanted = charged(quotas, attributes, ctx.wall_ns())
            if attributes.dry_run:
                return
            failed: dict[str, ApiError] = {}
            for old, new in zip(quotas, wanted, strict=True):
                if same_amounts(old.status.used, new.status.used):
                    continue
                try:
                    yield from self._write(ctx, new)
                except ApiError as error:
                    failed[new.name] = error
            if not failed:
                return
            if attempt == RETRIES:
                raise next(iter(failed.values()))
            reached("apiserver: a quota moved while it was charged")
            quotas = tuple([one for one in self._quotas(ctx, attributes.namespace) if one.name in failed])

    def _quotas(self, ctx: Context, namespace: str) -> tuple[ResourceQuota, ...]:
        found = []
        for key, obj in ctx.cache("resourcequotas").select(_prefix(namespace)):
            assert isinstance(obj, ResourceQuota), f"{key} holds {obj!r}"
            found.append(self._newer(key, obj))
        return tuple(found)

    def _newer(self, key: str, cached: ResourceQuota) -> ResourceQuota:
        """Of the cached quota and the one that this server wrote, the newer."""
        own = self._written.get(key)
        if own is None:
            return cached
        if int(cached.resource_version) >= int(own.resource_version):
            del self._written[key]
            return cached
        return own

    def _write(self, ctx: Context, quota: ResourceQuota) -> Flow[None]:
        resource = resource_of("resourcequotas")
        key = f"{_prefix(quota.namespace)}{quota.name}"

        def change(newest: KubeObject | None) -> Flow[KubeObject]:
            yield from ()
            if newest is None:
                raise not_found("resourcequotas", "", quota.name)
            if newest.resource_version != quota.resource_version:
                raise conflict("resourcequotas", "", quota.name)
            return quota

        cached = ctx.cache("resourcequotas").get(key)
        saved = yield from guaranteed_update(
            key, self._newer(key, cached) if isinstance(cached, ResourceQuota) else None, change
        )
        assert isinstance(saved.obj, ResourceQuota), f"{key} holds {saved.obj!r}"
        self._written[key] = saved.obj
        if saved.wrote:
            request = Request(
                verb="update",
                resource="resourcequotas",
                subresource="status",
                namespace=quota.namespace,
                name=quota.name,
                user=LOOPBACK,
            )
            write_recorded(ctx, request, resource, saved)


def _prefix(namespace: str) -> str:
    return f"/registry/resourcequotas/{namespace}/"


def _changes_usage(attributes: Attributes) -> bool:
    """A pod that changes counts for something else only when it begins or ceases to end by itself."""
    if attributes.operation == CREATE or attributes.resource.name != "pods":
        return True
    old, new = attributes.old, attributes.obj
    return isinstance(old, Pod) and isinstance(new, Pod) and is_terminating(old) != is_terminating(new)
