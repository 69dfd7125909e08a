"""The StatefulSet controller: pods that have a number, a name that comes back, and claims that stay.

No expectations: a name can be taken once, so two creates of one pod end in AlreadyExists. A replacement is made only
when the old pod is gone from the API, as this controller's cache shows it; the cache must have reached what the
controller wrote itself. What to do next is in statefulset_core.py, how it is written in statefulset_pods.py.

Source: pkg/controller/statefulset/{stateful_set,stateful_set_control}.go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import evolve

from chaoskube.models.client.api import is_already_exists, is_conflict
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, by_owner, controller, only
from chaoskube.models.controllers.controller_ref import adopt, check_alive, claim
from chaoskube.models.controllers.expectations import ConsistencyGuard
from chaoskube.models.controllers.replicaset_core import slow_start_batches
from chaoskube.models.controllers.statefulset_core import (
    Layout,
    Revisions,
    Step,
    completed,
    condemned_step,
    is_monotonic,
    is_status_old,
    lay_out,
    needs_claims,
    new_status,
    replica_step,
    update_target,
)
from chaoskube.models.controllers.statefulset_identity import is_member, replicas_of
from chaoskube.models.controllers.statefulset_pods import CLAIMS, StatefulPods, ignore_gone
from chaoskube.models.controllers.statefulset_revisions import (
    choose,
    current_of,
    is_equal,
    new_revision,
    next_number,
    renumbered,
    sorted_revisions,
    surplus,
)
from chaoskube.models.objects import (
    ControllerRevision,
    KubeObject,
    Pod,
    StatefulSet,
    StatefulSetStatus,
    is_pod_ready,
    matches,
)
from chaoskube.models.objects.resources import resource_for
from chaoskube.sim import SECOND, Refused, Reply, Unsure, reached

STATUS_TRIES = 5
OWNER = "owner"
REVISIONS = "controllerrevisions"
One = Callable[[Pod], Awaitable[bool]]


@controller("statefulset", account="statefulset-controller")
class StatefulSetController:
    """Creates, updates and deletes the pods of StatefulSets, and writes their status."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._process = manager.process
        self._guard = ConsistencyGuard()
        self._workers = manager.workers(self.reconcile)
        self._statefulsets = manager.informer("statefulsets")
        self._pods = manager.informer("pods", {OWNER: by_owner})
        self._revisions = manager.informer(REVISIONS, {OWNER: by_owner})
        self._control = StatefulPods(
            self._client, manager.recorder(), self._pods, manager.informer(CLAIMS), self._wrote
        )
        self._statefulsets.add_handler(
            on_add=self._enqueue, on_update=lambda old, new: self._enqueue(new), on_delete=self._gone
        )
        self._pods.add_handler(on_add=self._pod_added, on_update=self._pod_updated, on_delete=self._pod_gone)

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    # -- events

    def _enqueue(self, statefulset: KubeObject) -> None:
        self._workers.add(statefulset.key)

    def _gone(self, statefulset: KubeObject) -> None:
        self._guard.forget(statefulset.key)
        self._workers.add(statefulset.key)

    def _wrote(self, statefulset: StatefulSet, written: KubeObject) -> None:
        resource = resource_for(written.kind, written.api_version).plural
        self._guard.wrote(statefulset.key, resource, written.resource_version)

    def _owner(self, pod: KubeObject) -> StatefulSet | None:
        reference = pod.metadata.controller
        if reference is None or reference.kind != "StatefulSet":
            return None
        owner = self._statefulsets.get(pod.namespace, reference.name)
        return owner if isinstance(owner, StatefulSet) and owner.uid == reference.uid else None

    def _matching(self, pod: KubeObject) -> tuple[StatefulSet, ...]:
        found = only(StatefulSet, self._statefulsets.list(pod.namespace))
        return tuple([each for each in found if matches(each.spec.selector, pod.labels)])

    def _pod_added(self, pod: KubeObject) -> None:
        if pod.metadata.controller is not None or pod.metadata.deletion_timestamp is not None:
            self._pod_gone(pod)
            return
        for statefulset in self._matching(pod):
            self._enqueue(statefulset)

    def _pod_gone(self, pod: KubeObject) -> None:
        owner = self._owner(pod)
        if owner is not None:
            self._enqueue(owner)

    def _pod_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Pod) and isinstance(new, Pod), "an informer of pods holds pods"
        if old.resource_version == new.resource_version:
            return
        is_reowned = old.metadata.controller != new.metadata.controller
        if is_reowned:
            self._pod_gone(old)
        if new.metadata.controller is not None:
            owner = self._owner(new)
            if owner is None:
                return
            self._enqueue(owner)
            seconds = owner.spec.min_ready_seconds
            if seconds and not is_pod_ready(old) and is_pod_ready(new):
                self._workers.add_after(owner.key, (seconds + 1) * SECOND)
        elif is_reowned or old.labels != new.labels:
            for statefulset in self._matching(new):
                self._enqueue(statefulset)

    # -- one round

    async def reconcile(self, key: str) -> None:
        """Take one step towards what a StatefulSet wants."""
        self.require_own_writes(key)
        statefulset = self._statefulsets.get_by_key(key)
        if not isinstance(statefulset, StatefulSet):
            self._guard.forget(key)
            return
        await self._adopt_revisions(statefulset)
        pods = await claim(
            self._client,
            statefulset,
            statefulset.spec.selector,
            self.list_pods(statefulset),
            also=lambda pod: is_member(statefulset, pod),
        )
        status = await self._update(statefulset, pods)
        seconds = statefulset.spec.min_ready_seconds
        if seconds and status.available_replicas != replicas_of(statefulset):
            self._workers.add_after(key, seconds * SECOND)

    def require_own_writes(self, key: str) -> None:
        """Come back later unless the caches have reached what this controller itself wrote."""
        revisions = {"pods": self._pods.revision, "statefulsets": self._statefulsets.revision}
        behind = self._guard.behind(key, revisions)
        if behind:
            raise Retry(f"{key}: the cache of {behind} is older than our own writes")

    def list_pods(self, statefulset: StatefulSet) -> tuple[Pod, ...]:
        """Its pods and the orphans of its namespace that have a name of its, as cached now."""
        owned = self._pods.by_index(OWNER, statefulset.uid)
        orphans = self._pods.by_index(OWNER, f"orphan/{statefulset.namespace}")
        return only(Pod, (*owned, *[one for one in orphans if is_member(statefulset, one)]))

    async def _update(self, statefulset: StatefulSet, pods: Sequence[Pod]) -> StatefulSetStatus:
        known = sorted_revisions(self._list_revisions(statefulset))
        revisions = await self._find_revisions(statefulset, known)
        now = self._manager.wall_ns()
        status = new_status(statefulset, pods, revisions, now)
        failure: Exception | None = None
        if statefulset.metadata.deletion_timestamp is None:
            layout = lay_out(statefulset, pods, revisions, now)
            status = new_status(statefulset, (*layout.replicas, *layout.condemned), revisions, now)
            try:
                updating = await self._work(statefulset, layout, revisions)
            except (Refused, Unsure, Retry) as error:
                failure = error
            else:
                status = evolve(status, current_replicas=status.current_replicas - updating)
        await self._write_status(statefulset, completed(statefulset, status))
        if failure is not None:
            raise failure
        for revision in surplus(statefulset, pods, known, (revisions.current, revisions.update)):
            await self._delete_revision(revision)
        return status

    async def _work(self, statefulset: StatefulSet, layout: Layout, revisions: Revisions) -> int:
        """Replicas, then the condemned, then an update; how many pods were deleted to be updated."""

        async def replica(pod: Pod) -> bool:
            return await self._process_replica(statefulset, pod)

        async def claims(pod: Pod) -> bool:
            if not self._control.claims_fit(statefulset, pod):
                await self._control.update_claim_owners(statefulset, pod)
            return False

        async def condemned(pod: Pod) -> bool:
            return await self._process_condemned(statefulset, pod, layout.first_unavailable)

        for work, pods in (
            (replica, layout.replicas),
            (claims, layout.condemned),
            (condemned, layout.condemned),
        ):
            if await self._for_all(statefulset, pods, work):
                return 0
        target = update_target(statefulset, layout.replicas, revisions, self._manager.wall_ns())
        if target is None:
            return 0
        try:
            await self._control.delete(statefulset, target, Step.DELETE)
        except Refused as refusal:
            ignore_gone(refusal)
        return 1

    async def _process_replica(self, statefulset: StatefulSet, pod: Pod) -> bool:
        """One wanted pod; True: the round ends here."""
        step = replica_step(statefulset, pod, self._manager.wall_ns())
        if step is Step.REPLACE:
            await self._control.delete(statefulset, pod, step)
            return True
        if step is Step.CREATE:
            if self._control.has_stale_claim(statefulset, pod):
                reached("statefulset waits for a stale claim")
                return True
            await self._control.create(statefulset, pod)
            return is_monotonic(statefulset)
        if needs_claims(pod):
            await self._control.create_missing_claims(statefulset, pod)
        if step is Step.CHECK:
            await self._control.repair(statefulset, pod)
        return step is Step.WAIT

    async def _process_condemned(self, statefulset: StatefulSet, pod: Pod, first: Pod | None) -> bool:
        """One pod too many; True: the round ends here."""
        step = condemned_step(statefulset, pod, first, self._manager.wall_ns())
        if step is Step.DELETE:
            await self._control.delete(statefulset, pod, step)
        return step is not Step.PASS

    async def _for_all(self, statefulset: StatefulSet, pods: Sequence[Pod], work: One) -> bool:
        """Pod after pod until one ends the round, or all in growing batches; True: the round ends."""
        if is_monotonic(statefulset):
            for pod in pods:
                if await work(pod):
                    return True
            return False
        begin = 0
        for size in slow_start_batches(len(pods)):
            failure = await self._batch(pods[begin : begin + size], work)
            if failure is not None:
                raise failure
            begin += size
        return False

    async def _batch(self, pods: Sequence[Pod], work: One) -> Exception | None:
        replies: list[Reply[Exception | None]] = []

        async def one(pod: Pod, reply: Reply[Exception | None]) -> None:
            try:
                await work(pod)
            except (Refused, Unsure, Retry) as error:
                reply.set(error)
            else:
                reply.set(None)

        for pod in pods:
            reply: Reply[Exception | None] = self._process.reply()
            replies.append(reply)
            self._process.spawn(one, pod, reply)
        failures = [await reply.wait() for reply in replies]
        return next((failure for failure in failures if failure is not None), None)

    # -- revisions

    def _list_revisions(self, statefulset: StatefulSet) -> tuple[ControllerRevision, ...]:
        owned = self._revisions.by_index(OWNER, statefulset.uid)
        orphans = self._revisions.by_index(OWNER, f"orphan/{statefulset.namespace}")
        found = only(ControllerRevision, (*owned, *orphans))
        return tuple([one for one in found if matches(statefulset.spec.selector, one.labels)])

    async def _adopt_revisions(self, statefulset: StatefulSet) -> None:
        orphans = [one for one in self._list_revisions(statefulset) if one.metadata.controller is None]
        if orphans:
            await check_alive(self._client, statefulset)
        for orphan in orphans:
            await adopt(self._client, statefulset, orphan)

    async def _find_revisions(
        self, statefulset: StatefulSet, known: Sequence[ControllerRevision]
    ) -> Revisions:
        collisions = statefulset.status.collision_count or 0
        chosen = choose(statefulset, known, collisions)
        update = chosen.update
        if chosen.create:
            update, collisions = await self._create_revision(statefulset, known, collisions)
        elif chosen.renumber is not None and chosen.renumber != update.revision:
            written = await self._client.update(renumbered(update, chosen.renumber))
            assert isinstance(written, ControllerRevision), f"a revision, not {written!r}"
            update = written
        return Revisions(current=current_of(statefulset, known, update), update=update, collisions=collisions)

    async def _create_revision(
        self, statefulset: StatefulSet, known: Sequence[ControllerRevision], collisions: int
    ) -> tuple[ControllerRevision, int]:
        """The new revision, under a name that is free or was taken by the same template."""
        while True:
            revision = new_revision(statefulset, next_number(known), collisions)
            try:
                stored = await self._client.create(revision)
            except Refused as refusal:
                if not is_already_exists(refusal):
                    raise
                stored = await self._client.get(REVISIONS, revision.namespace, revision.name)
            assert isinstance(stored, ControllerRevision), f"a revision, not {stored!r}"
            if is_equal(stored, revision):
                return stored, collisions
            reached("statefulset revision's name was taken")
            collisions += 1

    async def _delete_revision(self, revision: ControllerRevision) -> None:
        try:
            await self._client.delete(REVISIONS, revision.namespace, revision.name)
        except Refused as refusal:
            ignore_gone(refusal)

    # -- status

    async def _write_status(self, statefulset: StatefulSet, status: StatefulSetStatus) -> None:
        if not is_status_old(statefulset, status):
            return
        for tries_left in reversed(range(STATUS_TRIES)):
            try:
                written = await self._client.update(evolve(statefulset, status=status), subresource="status")
            except Refused as refusal:
                if not is_conflict(refusal) or not tries_left:
                    raise
                fresh = self._statefulsets.get_by_key(statefulset.key)
                if isinstance(fresh, StatefulSet):
                    statefulset = fresh
            else:
                self._wrote(statefulset, written)
                return
