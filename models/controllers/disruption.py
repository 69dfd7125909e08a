"""The disruption controller: keeps the status of PodDisruptionBudgets, from which evictions are granted.

A budget is counted anew at every change of a pod that it selects; while it cannot be counted, nothing may go. A write
that comes too late is tried again with what the cache says then, and takes nothing back that an eviction has taken
meanwhile: the status carries the version it was computed from. What counts is in disruption_core.py.

Source: pkg/controller/disruption/disruption.go.

Not modelled: server-side apply for stale conditions (a patch of the one version that was seen).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from chaoskube.models.apiserver.api import GET, Request
from chaoskube.models.client.api import is_conflict, is_not_found, status_of
from chaoskube.models.client.recorder import NORMAL, WARNING
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.discovery import Discovery
from chaoskube.models.controllers.disruption_core import (
    DISRUPTION_TARGET,
    disrupted,
    expected,
    failed_status,
    healthy,
    needs_scale,
    new_status,
    selector_text,
    stale_disruption_after,
)
from chaoskube.models.objects import (
    Deployment,
    GenericObject,
    KubeObject,
    OwnerReference,
    Pod,
    PodDisruptionBudget,
    PodDisruptionBudgetStatus,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    matches,
    time_text,
)
from chaoskube.sim import Refused, reached

BUDGETS = "poddisruptionbudgets"
SCALED = {
    "ReplicationController": "replicationcontrollers",
    "Deployment": "deployments",
    "ReplicaSet": "replicasets",
    "StatefulSet": "statefulsets",
}


class CannotCount(Exception):
    """How many pods there should be cannot be told; the reason goes into the status."""


@controller("disruption", account="disruption-controller")
class DisruptionController:
    """Writes the status of PodDisruptionBudgets."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._recorder = manager.recorder("controllermanager")
        self._discovery = Discovery(manager)
        self._workers = manager.workers(self.reconcile, workers=1)
        self._stale = manager.workers(self.reset_stale, workers=1)
        self._budgets = manager.informer(BUDGETS)
        self._pods = manager.informer("pods")
        self._owners = {kind: manager.informer(resource) for kind, resource in SCALED.items()}
        self._budgets.add_handler(
            on_add=self._budget_changed, on_update=lambda old, new: self._budget_changed(new)
        )
        self._pods.add_handler(
            on_add=self._pod_changed,
            on_update=lambda old, new: self._pod_changed(new),
            on_delete=self._pod_gone,
        )

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()
        self._stale.start()

    # -- events

    def _budget_changed(self, budget: KubeObject) -> None:
        self._workers.add(budget.key)

    def _pod_changed(self, pod: KubeObject) -> None:
        assert isinstance(pod, Pod), "an informer of pods holds pods"
        self._pod_gone(pod)
        delay = stale_disruption_after(pod, self._manager.wall_ns())
        if delay is not None:
            self._stale.add_after(pod.key, delay)

    def _pod_gone(self, pod: KubeObject) -> None:
        if len(self._budgets):
            budget = self._budget_of(pod)
            if budget is not None:
                self._workers.add(budget.key)

    def _budget_of(self, pod: KubeObject) -> PodDisruptionBudget | None:
        """The budget that selects the pod; of several the first."""
        budgets = only(PodDisruptionBudget, self._budgets.list(pod.namespace))
        found = [one for one in budgets if matches(one.spec.selector, pod.labels)]
        if len(found) > 1:
            said = (
                f'Pod "{pod.namespace}"/"{pod.name}" matches multiple PodDisruptionBudgets.  '
                f'Chose "{found[0].name}" arbitrarily.'
            )
            self._recorder.event(pod, WARNING, "MultiplePodDisruptionBudgets", said)
        return found[0] if found else None

    # -- one budget

    async def reconcile(self, key: str) -> None:
        """Count one budget's pods and write what that means."""
        budget = self._budgets.get_by_key(key)
        if not isinstance(budget, PodDisruptionBudget):
            return
        try:
            await self._count(budget)
        except CannotCount as why:
            await self._fail(budget, str(why))
        except Refused as refusal:
            if is_conflict(refusal):
                raise
            await self._fail(budget, status_of(refusal).message)

    async def _count(self, budget: PodDisruptionBudget) -> None:
        pods = self.list_pods(budget)
        if not pods:
            self._recorder.event(budget, NORMAL, "NoPods", "No matching pods found")
        scale = await self._scale(budget, pods) if needs_scale(budget) else 0
        wanted = expected(budget, len(pods), scale)
        now = self._manager.wall_ns()
        evicted = disrupted(budget, pods, now)
        for pod in evicted.given_up:
            said = (
                f"Pod was expected by PDB {budget.namespace}/{budget.namespace} to be deleted but it wasn't"
            )
            self._recorder.event(pod, WARNING, "NotDeleted", said)
        current = healthy(pods, evicted.pods, now)
        status = new_status(budget, current, wanted, evicted.pods, self._manager.wall_second())
        await self.write_status(budget, status)
        if evicted.look_again_at is not None:
            self._workers.add_after(budget.key, evicted.look_again_at - now)

    def list_pods(self, budget: PodDisruptionBudget) -> tuple[Pod, ...]:
        """The pods that the budget selects, as cached now."""
        pods = only(Pod, self._pods.list(budget.namespace))
        return tuple([pod for pod in pods if matches(budget.spec.selector, pod.labels)])

    async def write_status(self, budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus) -> None:
        """Write the status over the version that it was computed from, if it says anything new."""
        if status is not budget.status:
            await self._client.update(evolve(budget, status=status), subresource="status")

    async def _fail(self, budget: PodDisruptionBudget, message: str) -> None:
        reached("disruption controller cannot count")
        status = failed_status(budget, message, self._manager.wall_second())
        if status != budget.status:
            await self._client.update(evolve(budget, status=status), subresource="status")

    # -- what controllers want

    async def _scale(self, budget: PodDisruptionBudget, pods: Sequence[Pod]) -> int:
        """The sum of what the controllers of these pods want; pods without one are told of, and not counted."""
        scales: dict[str, int] = {}
        asked: dict[str, None] = {}
        unmanaged = 0
        for pod in pods:
            owner = pod.metadata.controller
            if owner is None:
                unmanaged += 1
            elif owner.uid not in asked:
                asked[owner.uid] = None
                uid, scale = await self._scale_of(owner, pod)
                scales[uid] = scale
        if unmanaged:
            self._tell_unmanaged(budget)
        return sum(scales.values())

    async def _scale_of(self, owner: OwnerReference, pod: Pod) -> tuple[str, int]:
        """The controller that decides, by uid, and how many it wants."""
        known = self._known(owner, pod.namespace)
        if isinstance(known, ReplicaSet):
            above = known.metadata.controller
            if above is None or above.kind != "Deployment":
                return known.uid, _replicas(known)
            known = self._known(above, pod.namespace)
        if known is not None:
            return known.uid, _replicas(known)
        return await self._live_scale(owner, pod)

    def _known(self, owner: OwnerReference, namespace: str) -> KubeObject | None:
        informer = self._owners.get(owner.kind)
        found = informer.get(namespace, owner.name) if informer is not None else None
        return found if found is not None and found.uid == owner.uid else None

    async def _live_scale(self, owner: OwnerReference, pod: Pod) -> tuple[str, int]:
        self._discovery.refresh()
        resource = self._discovery.resource_for(owner.api_version, owner.kind)
        if resource is None:
            raise CannotCount(f'no matches for kind "{owner.kind}" in version "{owner.api_version}"')
        if not resource.has_scale:
            name = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
            raise CannotCount(f"{name} does not implement the scale subresource")
        request = Request(
            verb=GET, resource=resource.name, namespace=pod.namespace, name=owner.name, subresource="scale"
        )
        try:
            scale = (await self._client.call(request)).body
        except Refused as refusal:
            if not is_not_found(refusal):
                raise
            raise CannotCount(f'found no controllers for pod "{pod.name}"') from refusal
        assert isinstance(scale, GenericObject), f"a Scale was asked for, not {scale!r}"
        if scale.uid != owner.uid:
            raise CannotCount(f'found no controllers for pod "{pod.name}"')
        return scale.uid, int(scale.content.get("spec", {}).get("replicas", 0))

    def _tell_unmanaged(self, budget: PodDisruptionBudget) -> None:
        said = (
            f"Pods selected by this PodDisruptionBudget (selector: {selector_text(budget.spec.selector)}) were found "
            "to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in "
            'undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an '
            "integer value."
        )
        self._recorder.event(budget, WARNING, "UnmanagedPods", said)

    # -- conditions that nobody acted on

    async def reset_stale(self, key: str) -> None:
        """Take DisruptionTarget back from a pod that was not deleted for two minutes."""
        pod = self._pods.get_by_key(key)
        if not isinstance(pod, Pod):
            return
        delay = stale_disruption_after(pod, self._manager.wall_ns())
        if delay is None:
            return
        if delay > 0:
            self._stale.add_after(key, delay)
            return
        condition = {
            "type": DISRUPTION_TARGET,
            "status": "False",
            "reason": None,
            "message": None,
            "lastTransitionTime": time_text(self._manager.wall_second()),
        }
        patch = {
            "metadata": {"uid": pod.uid, "resourceVersion": pod.resource_version},
            "status": {"conditions": (condition,)},
        }
        await self._client.patch("pods", pod.namespace, pod.name, patch, subresource="status")


def _replicas(owner: KubeObject) -> int:
    if not isinstance(owner, (Deployment, ReplicaSet, ReplicationController, StatefulSet)):
        raise Retry(f"{owner.kind} {owner.key} has no replicas")
    return 1 if owner.spec.replicas is None else owner.spec.replicas
