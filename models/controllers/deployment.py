"""The Deployment controller: which Deployment needs a sync, and what a sync starts from.

It watches Deployments, ReplicaSets and pods, and writes ReplicaSets and Deployments' status; pods it never
touches. It keeps no expectations: names made from the template's hash and version conflicts keep it from doing a
thing twice. The sync itself is in deployment_sync.py. A key is dropped after 15 failures until something changes.

Source: pkg/controller/deployment/deployment_controller.go.
"""

from __future__ import annotations

from chaoskube.models.controllers.base import ManagerContext, by_owner, controller, only
from chaoskube.models.controllers.controller_ref import claim
from chaoskube.models.controllers.deployment_rolling import RECREATE
from chaoskube.models.controllers.deployment_sync import DeploymentSync
from chaoskube.models.objects import Deployment, KubeObject, Pod, ReplicaSet, matches

RETRIES_MAX = 15
OWNER = "owner"


@controller("deployment", account="deployment-controller")
class DeploymentController:
    """Moves Deployments from one template to the next."""

    def __init__(self, manager: ManagerContext) -> None:
        self.client = manager.client
        self.process = manager.process
        self.recorder = manager.recorder()
        self._workers = manager.workers(self.reconcile, retries_max=RETRIES_MAX)
        self._deployments = manager.informer("deployments")
        self._replicasets = manager.informer("replicasets", {OWNER: by_owner})
        self._pods = manager.informer("pods", {OWNER: by_owner})
        self._deployments.add_handler(
            on_add=self._changed, on_update=lambda _, new: self._changed(new), on_delete=self._changed
        )
        self._replicasets.add_handler(
            on_add=self._replicaset_changed,
            on_update=self._replicaset_updated,
            on_delete=self._replicaset_gone,
        )
        self._pods.add_handler(on_delete=self._pod_gone)

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    # -- events

    def _changed(self, deployment: KubeObject) -> None:
        self._workers.add(deployment.key)

    def _owner(self, replicaset: KubeObject) -> Deployment | None:
        reference = replicaset.metadata.controller
        if reference is None or reference.kind != "Deployment":
            return None
        owner = self._deployments.get(replicaset.namespace, reference.name)
        return owner if isinstance(owner, Deployment) and owner.uid == reference.uid else None

    def _wake_owner(self, replicaset: KubeObject) -> None:
        owner = self._owner(replicaset)
        if owner is not None:
            self._workers.add(owner.key)

    def _wake_matching(self, replicaset: KubeObject) -> None:
        for deployment in only(Deployment, self._deployments.list(replicaset.namespace)):
            if matches(deployment.spec.selector, replicaset.labels):
                self._workers.add(deployment.key)

    def _replicaset_changed(self, replicaset: KubeObject) -> None:
        if replicaset.metadata.controller is not None:
            self._wake_owner(replicaset)
        elif replicaset.metadata.deletion_timestamp is None:
            self._wake_matching(replicaset)

    def _replicaset_updated(self, old: KubeObject, new: KubeObject) -> None:
        if old.resource_version == new.resource_version:
            return
        reowned = old.metadata.controller != new.metadata.controller
        if reowned:
            self._wake_owner(old)
        if new.metadata.controller is not None:
            self._wake_owner(new)
        elif reowned or old.labels != new.labels:
            self._wake_matching(new)

    def _replicaset_gone(self, replicaset: KubeObject) -> None:
        self._wake_owner(replicaset)

    def _pod_gone(self, pod: KubeObject) -> None:
        reference = pod.metadata.controller
        if reference is None or reference.kind != "ReplicaSet":
            return
        replicaset = self._replicasets.get(pod.namespace, reference.name)
        owner = self._owner(replicaset) if replicaset is not None else None
        if owner is None or owner.spec.strategy.type != RECREATE:
            return
        sets = only(ReplicaSet, self._replicasets.by_index(OWNER, owner.uid))
        if not any(self._pods.by_index(OWNER, each.uid) for each in sets):
            self._workers.add(owner.key)

    # -- one sync

    async def reconcile(self, key: str) -> None:
        """Carry one Deployment one step further."""
        deployment = self._deployments.get_by_key(key)
        if not isinstance(deployment, Deployment):
            return
        owned = self._replicasets.by_index(OWNER, deployment.uid)
        orphans = self._replicasets.by_index(OWNER, f"orphan/{deployment.namespace}")
        replicasets = await claim(
            self.client,
            deployment,
            deployment.spec.selector,
            only(ReplicaSet, (*owned, *orphans)),
        )
        pods = {each.uid: only(Pod, self._pods.by_index(OWNER, each.uid)) for each in replicasets}
        await DeploymentSync(self, deployment, replicasets, pods).run()

    def cached_replicaset(self, namespace: str, name: str) -> ReplicaSet | None:
        """A ReplicaSet by name, as cached now."""
        found = self._replicasets.get(namespace, name)
        return found if isinstance(found, ReplicaSet) else None

    def check_progress(self, key: str, delay_ns: int) -> None:
        """Look again when the deadline for progress may have passed."""
        if delay_ns:
            self._workers.add_after(key, delay_ns)
        else:
            self._workers.add_rate_limited(key)
