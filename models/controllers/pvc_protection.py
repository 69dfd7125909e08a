"""Lets claims go once no pod uses them: takes the finalizer away that admission has put on every claim.

A claim that is being deleted is looked at whenever it, or a pod that names it, changes. First the cache is asked; where that
knows no pod, the server is, because a pod may be newer than the cache. A pod uses a claim once it is on a node, for as long as
it exists, whether it runs or not.

Source: pkg/controller/volume/pvcprotection/pvc_protection_controller.go.

Not modelled: ephemeral volumes; one live list for several claims of a namespace.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaoskube.models.client.api import is_not_found
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.objects import KubeObject, PersistentVolumeClaim, Pod, evolve
from chaoskube.sim import Refused, Unsure, reached

FINALIZER = "kubernetes.io/pvc-protection"
BY_CLAIM = "claim"


@controller("pvc-protection", account="pvc-protection-controller")
class ClaimProtection:
    """Removes the finalizer of deleted claims that no pod uses, and adds it where it is missing."""

    def __init__(self, manager: ManagerContext) -> None:
        self._client = manager.client
        self._workers = manager.workers(self._reconcile)
        self._claims = manager.informer("persistentvolumeclaims")
        self._pods = manager.informer("pods", {BY_CLAIM: claims_of})
        self._claims.add_handler(on_add=self._claim_seen, on_update=lambda old, new: self._claim_seen(new))
        self._pods.add_handler(
            on_add=self._pod_changed, on_update=self._pod_updated, on_delete=self._pod_gone
        )

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    def _claim_seen(self, obj: KubeObject) -> None:
        if is_wanting(obj) or is_deleted(obj):
            self._workers.add(obj.key)

    def _pod_changed(self, pod: KubeObject) -> None:
        if isinstance(pod, Pod) and (pod.status.phase in ("Succeeded", "Failed") or not pod.spec.node_name):
            self._pod_gone(pod)

    def _pod_updated(self, old: KubeObject, new: KubeObject) -> None:
        self._pod_changed(new)
        if old.uid != new.uid:
            self._pod_gone(old)

    def _pod_gone(self, pod: KubeObject) -> None:
        for key in claims_of(pod):
            self._workers.add(key)

    async def _reconcile(self, key: str) -> None:
        claim = self._claims.get_by_key(key)
        if not isinstance(claim, PersistentVolumeClaim):
            return
        if is_deleted(claim):
            if not await self._is_used(claim):
                finalizers = tuple([one for one in claim.metadata.finalizers if one != FINALIZER])
                await self._write(claim, finalizers)
        elif is_wanting(claim):
            await self._write(claim, (*claim.metadata.finalizers, FINALIZER))

    async def _is_used(self, claim: PersistentVolumeClaim) -> bool:
        if is_used(claim, only(Pod, self._pods.by_index(BY_CLAIM, claim.key))):
            return True
        try:
            listed = await self._client.list("pods", claim.namespace)
        except (Refused, Unsure) as problem:
            raise Retry(f"live list of pods failed: {problem}") from problem
        found = is_used(claim, only(Pod, listed.items))
        if found:
            reached("a claim is used by a pod that no cache knew")
        return found

    async def _write(self, claim: PersistentVolumeClaim, finalizers: tuple[str, ...]) -> None:
        try:
            await self._client.update(evolve(claim, **{"metadata.finalizers": finalizers}))
        except Refused as refused:
            if not is_not_found(refused):
                raise


def is_deleted(claim: KubeObject) -> bool:
    """Whether only the finalizer may still hold it."""
    return claim.metadata.deletion_timestamp is not None and FINALIZER in claim.metadata.finalizers


def is_wanting(claim: KubeObject) -> bool:
    """Whether it should have the finalizer."""
    return claim.metadata.deletion_timestamp is None and FINALIZER not in claim.metadata.finalizers


def claims_of(pod: KubeObject) -> tuple[str, ...]:
    """The keys of the claims that a pod names."""
    if not isinstance(pod, Pod):
        return ()
    sources = [volume.persistent_volume_claim for volume in pod.spec.volumes]
    return tuple([f"{pod.namespace}/{source.claim_name}" for source in sources if source is not None])


def is_used(claim: PersistentVolumeClaim, pods: Iterable[Pod]) -> bool:
    """Whether one of these pods, on a node, names the claim."""
    return any(pod.spec.node_name and claim.key in claims_of(pod) for pod in pods)
