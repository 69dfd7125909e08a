"""The EndpointSlice controller: keeps each Service's slices as its pods are.

A Service is looked at when it changes, when a pod that it selects changes in a way that shows in an endpoint, and a
second after somebody else changed one of its slices. Before it counts on its cache of slices it compares
their generations with what it wrote. The decision is in endpointslice_core.py.

Source: pkg/controller/endpointslice/endpointslice_controller.go.

Not modelled: topology hints, Endpoints objects and their mirroring, batching of updates (off by default).
"""

from __future__ import annotations

from chaoskube.models.client.api import has_cause, is_not_found
from chaoskube.models.client.backoff import ItemBackoff
from chaoskube.models.client.recorder import WARNING
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.endpointslice_core import (
    MANAGED_BY,
    MANAGED_BY_LABEL,
    SERVICE_LABEL,
    Plan,
    SliceTracker,
    TriggerTimes,
    concerns_services,
    desired_endpoints,
    plan_slices,
)
from chaoskube.models.controllers.events import EndpointsDecided
from chaoskube.models.objects import EndpointSlice, KubeObject, Node, Pod, Service, matches, time_text
from chaoskube.sim import SECOND, Refused, Unsure

RETRIES_MAX = 15
SLICE_CHANGE_DELAY = 1 * SECOND
BACKOFF_BASE = 1 * SECOND
SERVICE = "service"


@controller("endpointslice", account="endpointslice-controller")
class EndpointSliceController:
    """Writes EndpointSlices."""

    def __init__(self, manager: ManagerContext) -> None:
        self._process = manager.process
        self._client = manager.client
        self._recorder = manager.recorder("endpoint-slice-controller")
        self._tracker = SliceTracker()
        self._triggers = TriggerTimes()
        self._workers = manager.workers(
            self.reconcile, retries_max=RETRIES_MAX, backoff=ItemBackoff(base_ns=BACKOFF_BASE)
        )
        self._services = manager.informer("services")
        self._slices = manager.informer("endpointslices", {SERVICE: _service_keys})
        self._pods = manager.informer("pods")
        self._nodes = manager.informer("nodes")
        self._services.add_handler(
            on_add=self._changed, on_update=lambda _, new: self._changed(new), on_delete=self._changed
        )
        self._pods.add_handler(
            on_add=self._pod_changed, on_update=self._pod_updated, on_delete=self._pod_changed
        )
        self._slices.add_handler(
            on_add=self._slice_seen, on_update=self._slice_updated, on_delete=self._slice_gone
        )

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    # -- events

    def _changed(self, service: KubeObject) -> None:
        self._workers.add(service.key)

    def _services_of(self, pod: KubeObject) -> tuple[Service, ...]:
        services = only(Service, self._services.list(pod.namespace))
        return tuple(
            [each for each in services if each.spec.selector and matches(each.spec.selector, pod.labels)]
        )

    def _pod_changed(self, pod: KubeObject) -> None:
        for service in self._services_of(pod):
            self._workers.add(service.key)

    def _pod_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Pod) and isinstance(new, Pod), "an informer of pods holds pods"
        relabelled = old.labels != new.labels
        if not relabelled and not concerns_services(old, new):
            return
        self._pod_changed(new)
        if relabelled:
            self._pod_changed(old)

    def _slice_seen(self, found: KubeObject) -> None:
        assert isinstance(found, EndpointSlice), "an informer of slices holds slices"
        key = _service_key(found)
        if _is_managed(found) and self._tracker.is_foreign(key, found):
            self._workers.add_after(key, SLICE_CHANGE_DELAY)

    def _slice_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(new, EndpointSlice), "an informer of slices holds slices"
        if _service_key(old) != _service_key(new) or _is_managed(old) != _is_managed(new):
            self._workers.add_after(_service_key(old), SLICE_CHANGE_DELAY)
            self._workers.add_after(_service_key(new), SLICE_CHANGE_DELAY)
        else:
            self._slice_seen(new)

    def _slice_gone(self, found: KubeObject) -> None:
        key = _service_key(found)
        if (
            _is_managed(found)
            and self._tracker.has(key, found.uid)
            and not self._tracker.saw_deletion(key, found.uid)
        ):
            self._workers.add_after(key, SLICE_CHANGE_DELAY)

    # -- one sync

    async def reconcile(self, key: str) -> None:
        """Bring one Service's slices up to date."""
        service = self._services.get_by_key(key)
        if not isinstance(service, Service):
            self._tracker.forget(key)
            self._triggers.forget(key)
            return
        if service.spec.type == "ExternalName" or not service.spec.selector:
            return
        standing = only(EndpointSlice, self._slices.by_index(SERVICE, key))
        standing = tuple([each for each in standing if each.metadata.deletion_timestamp is None])
        if self._tracker.is_stale(key, standing):
            raise Retry(f"{key}: the cache of endpoint slices is older than our own writes")
        pods = self._pods_of(service)
        trigger = self._triggers.since_last(key, service, pods)
        nodes = {node.name: node for node in only(Node, self._nodes.list())}
        desired = desired_endpoints(service, pods, nodes)
        plan = plan_slices(service, desired, standing, time_text(trigger) if trigger else "")
        try:
            await self._carry_out(service, plan)
            if desired.missing_nodes:
                raise Retry(f"{key}: the nodes of {', '.join(desired.missing_nodes)} aren't known")
        except (Refused, Unsure, Retry) as error:
            text = f"Error updating Endpoint Slices for Service {key}: {error}"
            self._recorder.event(service, WARNING, "FailedToUpdateEndpointSlices", text)
            raise

    def _pods_of(self, service: Service) -> tuple[Pod, ...]:
        pods = only(Pod, self._pods.list(service.namespace))
        return tuple([pod for pod in pods if matches(service.spec.selector, pod.labels)])

    async def _carry_out(self, service: Service, plan: Plan) -> None:
        key = service.key
        if plan.create or plan.update:
            self._record(key, plan)
        if service.metadata.deletion_timestamp is None:
            for each in plan.create:
                try:
                    self._wrote(key, await self._client.create(each))
                except Refused as refusal:
                    if has_cause(refusal, "NamespaceTerminating"):
                        return
                    raise
        for each in plan.update:
            self._wrote(key, await self._client.update(each))
        for each in plan.delete:
            try:
                await self._client.delete("endpointslices", each.namespace, each.name)
            except Refused as refusal:
                if not is_not_found(refusal):
                    raise
            else:
                self._tracker.deleted(key, each.uid)

    def _wrote(self, key: str, written: KubeObject) -> None:
        assert isinstance(written, EndpointSlice), "what was written is a slice"
        self._tracker.wrote(key, written)

    def _record(self, key: str, plan: Plan) -> None:
        endpoints = [endpoint for each in (*plan.update, *plan.create) for endpoint in each.endpoints]
        named = [
            (each.target_ref.name or "" if each.target_ref else "", each.conditions) for each in endpoints
        ]
        self._process.record(
            EndpointsDecided(
                service=key,
                ready=tuple([name for name, conditions in named if conditions.ready]),
                terminating=tuple([name for name, conditions in named if conditions.terminating]),
            )
        )


def _service_key(found: KubeObject) -> str:
    return f"{found.namespace}/{found.labels.get(SERVICE_LABEL, '')}"


def _service_keys(found: KubeObject) -> tuple[str, ...]:
    return (_service_key(found),) if _is_managed(found) else ()


def _is_managed(found: KubeObject) -> bool:
    return found.labels.get(MANAGED_BY_LABEL) == MANAGED_BY
