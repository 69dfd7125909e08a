"""What the scheduler knows of the claims that a pod names: whether a pod may have them yet.

A claim must be there, not be on its way out, and be bound. Volumes are bound by the controller manager alone, and only
those that somebody made: where there is no volume of a claim's class, its storage is taken as made and bound by a driver
that isn't part of the model.

Source: pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go (PreFilter, GetPodVolumeClaims),
pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go (a claim that isn't there).

Not modelled: claims that wait for a pod (WaitForFirstConsumer), node affinity of volumes, ReadWriteOncePod, ephemeral
volumes.
"""

from __future__ import annotations

from typing import Final

from chaoskube.models.client.informer import Informer
from chaoskube.models.objects import PersistentVolume, PersistentVolumeClaim, Pod

UNBOUND: Final = "pod has unbound immediate PersistentVolumeClaims"
_BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"


class InformedClaims:
    """Answers from informers of claims and volumes."""

    def __init__(self, claims: Informer, volumes: Informer) -> None:
        self._claims = claims
        self._volumes = volumes

    def missing_for(self, pod: Pod) -> str:
        """Why the pod can run nowhere yet, "" when its claims are as they should be."""
        unbound = False
        for name in claims_of(pod):
            claim = self._claims.get(pod.namespace, name)
            if not isinstance(claim, PersistentVolumeClaim):
                return f'persistentvolumeclaim "{name}" not found'
            if claim.metadata.deletion_timestamp is not None:
                return f'persistentvolumeclaim "{name}" is being deleted'
            unbound = unbound or self._waits_for_a_volume(claim)
        return UNBOUND if unbound else ""

    def _waits_for_a_volume(self, claim: PersistentVolumeClaim) -> bool:
        if claim.spec.volume_name and _BIND_COMPLETED in claim.metadata.annotations:
            return False
        wanted = claim.spec.storage_class_name or ""
        return any(
            isinstance(volume, PersistentVolume) and (volume.spec.storage_class_name or "") == wanted
            for volume in self._volumes.list()
        )


def claims_of(pod: Pod) -> tuple[str, ...]:
    """The names of the claims that a pod's volumes are."""
    sources = [volume.persistent_volume_claim for volume in pod.spec.volumes]
    return tuple([source.claim_name for source in sources if source is not None])
