"""Binds claims to volumes, and lets go of volumes whose claims are gone.

Two queues with a worker each, as the real controller has them: one of volumes, one of claims. What it wrote itself it
knows at once (its store), whether or not its informers have caught up. Binding is four writes, each of which may be the
last of a life: the volume's claim, its phase, the claim's volume, its phase; whoever comes next goes on where they stand.
Everything is looked at again every 15 s. Where there is no volume there is nothing to do, and nothing is done.

Source: pkg/controller/volume/persistentvolume/{pv_controller,pv_controller_base}.go.

Not modelled: storage classes, so provisioning, and binding that waits for a pod; deleting and recycling (a volume that is
let go stays Released, whatever its policy); events.
"""

from __future__ import annotations

from chaoskube.models.controllers import persistent_volume_core as core
from chaoskube.models.controllers.base import ManagerContext, controller
from chaoskube.models.objects import KubeObject, PersistentVolume, PersistentVolumeClaim
from chaoskube.sim import SECOND, reached

RESYNC = 15 * SECOND
"""PVClaimBinderSyncPeriod."""


@controller("persistent-volume-binder", account="persistent-volume-binder")
class VolumeBinder:
    """Writes claims into volumes and volumes into claims."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._process = manager.process
        self._volumes: dict[str, PersistentVolume] = {}
        self._claims: dict[str, PersistentVolumeClaim] = {}
        self._volume_work = manager.workers(self._sync_volume, workers=1)
        self._claim_work = manager.workers(self._sync_claim, workers=1)
        self._is_resyncing = False
        manager.informer("persistentvolumes").add_handler(
            on_add=self._volume_seen,
            on_update=lambda old, new: self._volume_seen(new),
            on_delete=self._volume_gone,
        )
        manager.informer("persistentvolumeclaims").add_handler(
            on_add=self._claim_seen,
            on_update=lambda old, new: self._claim_seen(new),
            on_delete=self._claim_gone,
        )

    def start(self) -> None:
        """Begin to work."""
        self._volume_work.start()
        self._claim_work.start()

    # -- what is known

    def _volume_seen(self, obj: KubeObject) -> None:
        assert isinstance(obj, PersistentVolume), f"a volume, not a {obj.kind}"
        if _is_news(self._volumes.get(obj.name), obj):
            self._volumes[obj.name] = obj
            self._volume_work.add(obj.name)
        if not self._is_resyncing:
            self._is_resyncing = True
            self._process.call_later(RESYNC, self._resync)

    def _volume_gone(self, obj: KubeObject) -> None:
        known = self._volumes.pop(obj.name, None)
        if known is not None and core.claim_key(known):
            self._claim_work.add(core.claim_key(known))

    def _claim_seen(self, obj: KubeObject) -> None:
        assert isinstance(obj, PersistentVolumeClaim), f"a claim, not a {obj.kind}"
        if _is_news(self._claims.get(obj.key), obj):
            self._claims[obj.key] = obj
            if self._volumes:
                self._claim_work.add(obj.key)

    def _claim_gone(self, obj: KubeObject) -> None:
        known = self._claims.pop(obj.key, None)
        if known is not None and known.spec.volume_name:
            self._volume_work.add(known.spec.volume_name)

    def _resync(self) -> None:
        if not self._volumes:
            self._is_resyncing = False
            return
        for name in self._volumes:
            self._volume_work.add(name)
        for key in self._claims:
            self._claim_work.add(key)
        self._process.call_later(RESYNC, self._resync)

    # -- one volume

    async def _sync_volume(self, name: str) -> None:
        volume = self._volumes.get(name)
        if volume is None:
            return
        reference = volume.spec.claim_ref
        if reference is None or not reference.uid:
            await self._put_volume(volume, core.AVAILABLE)
            return
        claim = self._claims.get(core.claim_key(volume))
        if claim is None or claim.uid != reference.uid:
            reached("a volume's claim is gone")
            if volume.status.phase not in (core.RELEASED, core.FAILED):
                await self._put_volume(volume, core.RELEASED)
        elif not claim.spec.volume_name:
            self._claim_work.add(claim.key)
        elif claim.spec.volume_name == name:
            await self._put_volume(volume, core.BOUND)
        else:
            reached("a volume waits for a claim that went elsewhere")
            changed = await self._store_volume(core.unbound(volume))
            await self._put_volume(changed, core.AVAILABLE)

    # -- one claim

    async def _sync_claim(self, key: str) -> None:
        claim = self._claims.get(key)
        if claim is None:
            return
        if core.BIND_COMPLETED in claim.metadata.annotations:
            await self._sync_bound(claim)
        elif claim.spec.volume_name:
            await self._sync_wishing(claim, self._volumes.get(claim.spec.volume_name))
        else:
            equals = core.candidates(claim, self._volumes.values())
            if equals:
                await self._bind(equals[self._process.rng.randrange(len(equals))], claim)
            else:
                await self._put_claim(claim, core.PENDING, None)

    async def _sync_wishing(self, claim: PersistentVolumeClaim, volume: PersistentVolume | None) -> None:
        """A claim that asks for one volume by its name gets it, or waits."""
        fits = volume is not None and (
            core.satisfies(volume, claim) if volume.spec.claim_ref is None else core.names(volume, claim)
        )
        if volume is not None and fits:
            await self._bind(volume, claim)
        else:
            await self._put_claim(claim, core.PENDING, None)

    async def _sync_bound(self, claim: PersistentVolumeClaim) -> None:
        """A claim that was bound stays so, or is lost."""
        volume = self._volumes.get(claim.spec.volume_name or "")
        if volume is None:
            await self._put_claim(claim, core.LOST, None)
            return
        reference = volume.spec.claim_ref
        if reference is None or reference.uid == claim.uid:
            await self._bind(volume, claim)
        else:
            reached("two claims were bound to one volume")
            await self._put_claim(claim, core.LOST, None)

    async def _bind(self, volume: PersistentVolume, claim: PersistentVolumeClaim) -> None:
        wanted = core.volume_for(volume, claim)
        if wanted is not volume:
            volume = await self._store_volume(wanted)
        volume = await self._put_volume(volume, core.BOUND)
        bound = core.claim_for(claim, volume)
        if bound is not claim:
            claim = await self._store_claim(bound)
        await self._put_claim(claim, core.BOUND, volume)

    # -- writes

    async def _put_volume(self, volume: PersistentVolume, phase: str) -> PersistentVolume:
        wanted = core.volume_in(volume, phase, self._manager.wall_second())
        return volume if wanted is volume else await self._store_volume(wanted, "status")

    async def _put_claim(
        self, claim: PersistentVolumeClaim, phase: str, volume: PersistentVolume | None
    ) -> None:
        wanted = core.claim_in(claim, phase, volume)
        if wanted is not claim:
            await self._store_claim(wanted, "status")

    async def _store_volume(self, wanted: PersistentVolume, subresource: str = "") -> PersistentVolume:
        stored = await self._client.update(wanted, subresource=subresource)
        assert isinstance(stored, PersistentVolume), f"a volume, not a {stored.kind}"
        if _is_news(self._volumes.get(stored.name), stored):
            self._volumes[stored.name] = stored
        return stored

    async def _store_claim(
        self, wanted: PersistentVolumeClaim, subresource: str = ""
    ) -> PersistentVolumeClaim:
        stored = await self._client.update(wanted, subresource=subresource)
        assert isinstance(stored, PersistentVolumeClaim), f"a claim, not a {stored.kind}"
        if _is_news(self._claims.get(stored.key), stored):
            self._claims[stored.key] = stored
        return stored


def _is_news(known: KubeObject | None, obj: KubeObject) -> bool:
    """Whether this is no older than what is known. (storeObjectUpdate)"""
    return known is None or int(obj.resource_version or 0) >= int(known.resource_version or 0)
