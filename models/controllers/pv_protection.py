"""Lets volumes go once no claim is bound to them: takes the finalizer away that admission has put on every volume.

Source: pkg/controller/volume/pvprotection/pv_protection_controller.go.
"""

from __future__ import annotations

from chaoskube.models.client.api import is_not_found
from chaoskube.models.controllers.base import ManagerContext, controller
from chaoskube.models.controllers.persistent_volume_core import BOUND
from chaoskube.models.objects import KubeObject, PersistentVolume, evolve
from chaoskube.sim import Refused

FINALIZER = "kubernetes.io/pv-protection"


@controller("pv-protection", account="pv-protection-controller")
class VolumeProtection:
    """Removes the finalizer of deleted volumes that aren't bound, and adds it where it is missing."""

    def __init__(self, manager: ManagerContext) -> None:
        self._client = manager.client
        self._workers = manager.workers(self._reconcile)
        self._volumes = manager.informer("persistentvolumes")
        self._volumes.add_handler(on_add=self._seen, on_update=lambda old, new: self._seen(new))

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    def _seen(self, obj: KubeObject) -> None:
        if finalizers_of(obj) is not None:
            self._workers.add(obj.key)

    async def _reconcile(self, key: str) -> None:
        volume = self._volumes.get_by_key(key)
        wanted = finalizers_of(volume) if volume is not None else None
        if volume is None or wanted is None:
            return
        try:
            await self._client.update(evolve(volume, **{"metadata.finalizers": wanted}))
        except Refused as refused:
            if not is_not_found(refused):
                raise


def finalizers_of(obj: KubeObject) -> tuple[str, ...] | None:
    """The finalizers that the volume should have; None when it has them."""
    held = obj.metadata.finalizers
    if obj.metadata.deletion_timestamp is None:
        return None if FINALIZER in held else (*held, FINALIZER)
    is_bound = isinstance(obj, PersistentVolume) and obj.status.phase == BOUND
    if is_bound or FINALIZER not in held:
        return None
    return tuple([one for one in held if one != FINALIZER])
