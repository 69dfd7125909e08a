"""One sync of one Deployment: the order of its steps, and the writes they lead to.

Each step decides by the pure arithmetic of its neighbours. The Deployment is changed in memory as the steps go
on, but keeps the version it had in the cache: a second status write in one sync is refused with a conflict
and the sync comes again, as it does in the real controller. ReplicaSets are taken from the cache and may be old;
a write on an old one is refused.

Source: pkg/controller/deployment/{deployment_controller,sync,rolling,recreate}.go.

Not modelled: the deprecated rollback annotation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import evolve

from chaoskube.models.client.api import (
    ApiClient,
    has_cause,
    is_already_exists,
    is_not_found,
    status_of,
)
from chaoskube.models.client.recorder import NORMAL, WARNING, EventRecorder
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers import deployment_revisions as revisions
from chaoskube.models.controllers import deployment_rolling as rolling
from chaoskube.models.controllers import deployment_status as statuses
from chaoskube.models.controllers.events import ReplicaSetScaleDecided
from chaoskube.models.controllers.replicaset_core import wanted_replicas
from chaoskube.models.objects import (
    Deployment,
    DeploymentStatus,
    LabelSelector,
    Pod,
    ReplicaSet,
    is_pod_terminal,
)
from chaoskube.sim import Process, Refused, Unsure, reached


class Home(Protocol):
    """What a sync needs of its controller."""

    client: ApiClient
    process: Process
    recorder: EventRecorder

    def cached_replicaset(self, namespace: str, name: str) -> ReplicaSet | None:
        """A ReplicaSet by name, whoever owns it."""

    def check_progress(self, key: str, delay_ns: int) -> None:
        """Look at this Deployment again after `delay_ns` (0: soon, rate-limited)."""


class DeploymentSync:
    """Carries one Deployment one step further."""

    def __init__(
        self,
        home: Home,
        deployment: Deployment,
        replicasets: Sequence[ReplicaSet],
        pods_by_set: Mapping[str, Sequence[Pod]],
    ) -> None:
        self._home = home
        self._client = home.client
        self._deployment = deployment
        self._replicasets = tuple(replicasets)
        self._pods_by_set = pods_by_set
        self._new: ReplicaSet | None = None
        self._old: tuple[ReplicaSet, ...] = ()
        self._rolling = False

    async def run(self) -> None:
        """The sync, from the top."""
        if self._deployment.spec.selector == LabelSelector():
            await self._selects_everything()
        elif self._deployment.metadata.deletion_timestamp is not None:
            await self._find_sets(create=False)
            await self._write_counted_status()
        else:
            await self._note_pause()
            if self._deployment.spec.paused or await self._is_scaling():
                await self._scale()
            elif rolling.is_rolling(self._deployment):
                await self._roll()
            else:
                await self._recreate()

    async def _selects_everything(self) -> None:
        deployment = self._deployment
        text = "This deployment is selecting all pods. A non-empty selector is required."
        self._home.recorder.event(deployment, WARNING, "SelectingAll", text)
        if deployment.status.observed_generation < deployment.metadata.generation:
            await self._write_status(
                evolve(deployment.status, observed_generation=deployment.metadata.generation)
            )

    async def _note_pause(self) -> None:
        condition = statuses.pause_condition(self._deployment, self._wall())
        if condition is not None:
            await self._write_status(statuses.with_condition(self._deployment.status, condition))

    async def _is_scaling(self) -> bool:
        await self._find_sets(create=False)
        return rolling.is_scaling(self._deployment, self._everything())

    # -- the three ways

    async def _scale(self) -> None:
        await self._find_sets(create=False)
        for replicaset, size in rolling.scale_targets(self._deployment, self._old, self._new):
            await self._resize(replicaset, size)
        if self._deployment.spec.paused:
            await self._clean_up()
        await self._write_counted_status()

    async def _roll(self) -> None:
        self._rolling = True
        await self._find_sets(create=True)
        new = self._new
        if new is None:
            return  # its namespace is being deleted
        moved = await self._grow_new(new) or await self._shrink_old(new)
        if not moved and statuses.is_complete(self._deployment, self._deployment.status):
            await self._clean_up()
        await self._write_rollout_status()

    async def _grow_new(self, new: ReplicaSet) -> bool:
        target = rolling.new_set_target(self._deployment, self._everything(), new)
        if target == wanted_replicas(new):
            return False
        await self._resize(new, target)
        return True

    async def _shrink_old(self, new: ReplicaSet) -> bool:
        active = rolling.active_sets(self._old)
        newest: dict[str, ReplicaSet] = {}
        steps = rolling.old_set_targets(self._deployment, active, new)
        try:
            for replicaset, size in steps:
                written = await self._resize(newest.get(replicaset.name, replicaset), size)
                newest[replicaset.name] = written
        except (Refused, Unsure):
            # reconcileOldReplicaSets swallows it: the status is written, and the next event brings the next sync
            reached("deployment: scaling down was refused, and is left to the next sync")
            return False
        return bool(steps)

    async def _recreate(self) -> None:
        await self._find_sets(create=False)
        active = rolling.active_sets(self._old)
        for replicaset in active:
            await self._resize(replicaset, 0)
        if not active and not self._old_pods_run():
            if self._new is None:
                await self._find_sets(create=True)
            if self._new is not None and wanted_replicas(self._new) != rolling.wanted(self._deployment):
                await self._resize(self._new, rolling.wanted(self._deployment))
            if statuses.is_complete(self._deployment, self._deployment.status):
                await self._clean_up()
        await self._write_rollout_status()

    def _old_pods_run(self) -> bool:
        if any(each.status.replicas > 0 for each in self._old):
            return True
        own = self._new.uid if self._new is not None else ""
        return any(
            not is_pod_terminal(pod) for uid, pods in self._pods_by_set.items() if uid != own for pod in pods
        )

    # -- the new ReplicaSet and the old ones

    async def _find_sets(self, *, create: bool) -> None:
        self._new = revisions.find_new(self._deployment, self._replicasets)
        new_uid = self._new.uid if self._new is not None else ""
        self._old = tuple([each for each in self._replicasets if each.uid != new_uid])
        revision = revisions.next_revision(self._old)
        if self._new is not None:
            self._new = await self._update_new(self._new, revision)
        elif create:
            self._new = await self._create_new(revision)

    async def _update_new(self, standing: ReplicaSet, revision: int) -> ReplicaSet:
        wanted = revisions.annotated(self._deployment, standing, revision, exists=True)
        ready_seconds = self._deployment.spec.min_ready_seconds
        if wanted != standing or standing.spec.min_ready_seconds != ready_seconds:
            changed = evolve(wanted, spec=evolve(wanted.spec, min_ready_seconds=ready_seconds))
            return await self._update_set(changed)
        revision = revisions.revision_of(standing)
        needs_write = self._set_revision(revision)
        status = self._deployment.status
        unseen = statuses.condition_of(status, statuses.PROGRESSING) is None
        if statuses.has_deadline(self._deployment) and unseen:
            text = f'Found new replica set "{standing.name}"'
            status = self._with_progressing("True", statuses.FOUND_NEW_SET, text)
            needs_write = True
        if needs_write:
            await self._write_status(status)
        return standing

    async def _create_new(self, revision: int) -> ReplicaSet | None:
        deployment = self._deployment
        wanted = revisions.make_new(deployment, revision)
        total = rolling.total_size(self._old)
        size = rolling.new_size(deployment, total, 0)
        wanted = revisions.sized(deployment, wanted, size)
        self._record_scale(wanted, 0, size, is_new_object=True)
        existed = False
        try:
            made = await self._client.create(wanted)
            assert isinstance(made, ReplicaSet), "what was created is a ReplicaSet"
        except Refused as refusal:
            if has_cause(refusal, "NamespaceTerminating"):
                return None
            if not is_already_exists(refusal):
                await self._creation_failed(wanted, refusal)
                raise
            made = await self._existing(wanted)
            existed = True
        if not existed and size > 0:
            self._say_scaled(made, 0, size)
        await self._note_new(made, revision, existed=existed)
        return made

    async def _note_new(self, made: ReplicaSet, revision: int, *, existed: bool) -> None:
        needs_write = self._set_revision(revision)
        status = self._deployment.status
        if not existed and statuses.has_deadline(self._deployment):
            text = f'Created new replica set "{made.name}"'
            status = self._with_progressing("True", statuses.NEW_SET_CREATED, text)
            needs_write = True
        if needs_write:
            await self._write_status(status)

    async def _existing(self, wanted: ReplicaSet) -> ReplicaSet:
        """The name is taken: by our own that the cache shows by now, or by a hash collision."""
        deployment = self._deployment
        standing = self._home.cached_replicaset(wanted.namespace, wanted.name)
        if standing is None:
            raise Retry(f"{wanted.key} exists, and the cache doesn't show it yet")
        owner = standing.metadata.controller
        if (
            owner is not None
            and owner.uid == deployment.uid
            and revisions.same_template(standing.spec.template, deployment.spec.template)
        ):
            return standing
        reached("template hash collision")
        count = deployment.status.collision_count or 0
        await self._write_status(evolve(deployment.status, collision_count=count + 1))
        raise Retry(f"{wanted.key} is somebody else's: another hash")

    async def _creation_failed(self, wanted: ReplicaSet, refusal: Refused) -> None:
        text = f'Failed to create new replica set "{wanted.name}": {status_of(refusal).message}'
        if statuses.has_deadline(self._deployment):
            await self._write_status(self._with_progressing("False", statuses.FAILED_CREATE, text))
        self._home.recorder.event(self._deployment, WARNING, statuses.FAILED_CREATE, text)

    def _set_revision(self, revision: int) -> bool:
        deployment = self._deployment
        text = str(revision)
        if deployment.metadata.annotations.get(revisions.REVISION) == text:
            return False
        annotations = deployment.metadata.annotations.plus({revisions.REVISION: text})
        self._deployment = evolve(deployment, metadata=evolve(deployment.metadata, annotations=annotations))
        return True

    async def _clean_up(self) -> None:
        for replicaset in revisions.beyond_history(self._deployment, self._old):
            try:
                await self._client.delete("replicasets", replicaset.namespace, replicaset.name)
            except Refused as refusal:
                if not is_not_found(refusal):
                    raise

    # -- writes

    async def _resize(self, replicaset: ReplicaSet, size: int) -> ReplicaSet:
        if not revisions.needs_resize(self._deployment, replicaset, size):
            return replicaset
        before = wanted_replicas(replicaset)
        self._record_scale(replicaset, before, size, is_new_object=False)
        written = await self._update_set(revisions.sized(self._deployment, replicaset, size))
        if before != size:
            self._say_scaled(written, before, size)
        return written

    async def _update_set(self, replicaset: ReplicaSet) -> ReplicaSet:
        written = await self._client.update(replicaset)
        assert isinstance(written, ReplicaSet), "what was updated is a ReplicaSet"
        return written

    def _say_scaled(self, replicaset: ReplicaSet, before: int, size: int) -> None:
        direction = "up" if before < size else "down"
        text = f"Scaled {direction} replica set {replicaset.name} from {before} to {size}"
        self._home.recorder.event(self._deployment, NORMAL, "ScalingReplicaSet", text)

    def _record_scale(self, replicaset: ReplicaSet, old: int, new: int, *, is_new_object: bool) -> None:
        everything = self._everything()
        surge = rolling.max_surge(self._deployment)
        self._home.process.record(
            ReplicaSetScaleDecided(
                deployment=self._deployment.key,
                replicaset=replicaset.key,
                old=old,
                new=new,
                replicas=rolling.wanted(self._deployment),
                max_surge=surge,
                max_unavailable=rolling.max_unavailable(self._deployment),
                total=rolling.total_size(everything),
                available=rolling.total_available(everything),
                own_available=0 if is_new_object else replicaset.status.available_replicas,
                rolling=self._rolling,
                is_new_object=is_new_object,
            )
        )

    async def _write_counted_status(self) -> None:
        status = statuses.counted_status(self._deployment, self._everything(), self._new, self._wall())
        if status != self._deployment.status:
            await self._write_status(status)

    async def _write_rollout_status(self) -> None:
        deployment = self._deployment
        wall_ns = self._wall()
        status = statuses.rollout_status(deployment, self._everything(), self._new, wall_ns)
        if status != deployment.status:
            await self._write_status(status)
            return
        delay = statuses.progress_check_delay(deployment, status, wall_ns)
        if delay is not None:
            self._home.check_progress(deployment.key, delay)

    async def _write_status(self, status: DeploymentStatus) -> None:
        self._deployment = evolve(self._deployment, status=status)
        await self._client.update(self._deployment, subresource="status")

    def _with_progressing(self, status: str, reason: str, text: str) -> DeploymentStatus:
        condition = statuses.condition(statuses.PROGRESSING, status, reason, text, self._wall())
        return statuses.with_condition(self._deployment.status, condition)

    def _everything(self) -> tuple[ReplicaSet, ...]:
        return (*self._old, *((self._new,) if self._new is not None else ()))

    def _wall(self) -> int:
        return self._home.process.wall_ns()
