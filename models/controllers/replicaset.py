"""The ReplicaSet controller: keeps as many active pods as spec.replicas says.

A sync asks first whether the cache shows everything this controller has done (`observe`), and only then counts.
The order matters: counted first and asked afterwards, a pod that appears in between is missing from the count and
one too many is created. Pods that are told to go count no longer, so their replacement starts at once.
Expectations and versions live in memory; a new life begins with what its first lists say.

Source: pkg/controller/replicaset/replica_set.go.

Not modelled: ReplicationControllers.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from chaoskube.models.client.api import create_request, delete_request, has_cause, is_not_found, status_of
from chaoskube.models.client.recorder import NORMAL, WARNING
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, by_owner, controller, only
from chaoskube.models.controllers.controller_ref import claim
from chaoskube.models.controllers.events import PodCreateAnswered, PodCreateDecided, PodDeleteDecided
from chaoskube.models.controllers.expectations import ConsistencyGuard, Expectations
from chaoskube.models.controllers.replicaset_core import (
    BURST_REPLICAS,
    active_pods,
    choose_victims,
    new_status,
    slow_start_batches,
    terminating_pods,
    wanted_replicas,
)
from chaoskube.models.objects import (
    KubeObject,
    ObjectMeta,
    OwnerReference,
    Pod,
    ReplicaSet,
    is_pod_ready,
    matches,
    ready_condition,
)
from chaoskube.sim import SECOND, Refused, Unsure

STATUS_TRIES = 2
OWNER = "owner"


@frozen(kw_only=True)
class Observation:
    """What a sync goes by: the ReplicaSet, its candidates, and whether the cache is good for counting."""

    replicaset: ReplicaSet
    pods: tuple[Pod, ...]
    needs_sync: bool


@controller("replicaset", account="replicaset-controller")
class ReplicaSetController:
    """Creates and deletes pods, and writes ReplicaSets' status."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._process = manager.process
        self._recorder = manager.recorder()
        self._expectations = Expectations()
        self._guard = ConsistencyGuard()
        self._workers = manager.workers(self.reconcile)
        self._replicasets = manager.informer("replicasets", {OWNER: by_owner})
        self._pods = manager.informer("pods", {OWNER: by_owner})
        self._replicasets.add_handler(
            on_add=self._replicaset_changed,
            on_update=self._replicaset_updated,
            on_delete=self._replicaset_gone,
        )
        self._pods.add_handler(on_add=self._pod_added, on_update=self._pod_updated, on_delete=self._pod_gone)

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    # -- events

    def _replicaset_changed(self, replicaset: KubeObject) -> None:
        self._workers.add(replicaset.key)

    def _replicaset_updated(self, old: KubeObject, new: KubeObject) -> None:
        if old.uid != new.uid:
            self._replicaset_gone(old)
        self._workers.add(new.key)

    def _replicaset_gone(self, replicaset: KubeObject) -> None:
        self._expectations.forget(replicaset.key)
        self._guard.forget(replicaset.key)
        self._workers.add(replicaset.key)

    def _owner(self, pod: KubeObject) -> ReplicaSet | None:
        reference = pod.metadata.controller
        if reference is None or reference.kind != "ReplicaSet":
            return None
        owner = self._replicasets.get(pod.namespace, reference.name)
        return owner if isinstance(owner, ReplicaSet) and owner.uid == reference.uid else None

    def _matching(self, pod: KubeObject) -> tuple[ReplicaSet, ...]:
        found = only(ReplicaSet, self._replicasets.list(pod.namespace))
        return tuple([each for each in found if matches(each.spec.selector, pod.labels)])

    def _pod_added(self, pod: KubeObject) -> None:
        if pod.metadata.deletion_timestamp is not None:
            self._pod_gone(pod)
        elif pod.metadata.controller is not None:
            owner = self._owner(pod)
            if owner is not None:
                self._expectations.creation_observed(owner.key)
                self._workers.add(owner.key)
        else:
            for replicaset in self._matching(pod):
                self._workers.add(replicaset.key)

    def _pod_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Pod) and isinstance(new, Pod), "an informer of pods holds pods"
        if old.resource_version == new.resource_version:
            return
        relabelled = old.labels != new.labels
        if new.metadata.deletion_timestamp is not None:
            self._pod_gone(new)
            if relabelled:
                self._pod_gone(old)
            return
        reowned = old.metadata.controller != new.metadata.controller
        if reowned and (former := self._owner(old)) is not None:
            self._workers.add(former.key)
        if new.metadata.controller is not None:
            self._owned_pod_updated(old, new)
        elif relabelled or reowned:
            for replicaset in self._matching(new):
                self._workers.add(replicaset.key)

    def _owned_pod_updated(self, old: Pod, new: Pod) -> None:
        owner = self._owner(new)
        if owner is None:
            return
        self._workers.add(owner.key)
        if not is_pod_ready(old) and is_pod_ready(new) and owner.spec.min_ready_seconds > 0:
            self._workers.add_after(owner.key, (owner.spec.min_ready_seconds + 1) * SECOND)

    def _pod_gone(self, pod: KubeObject) -> None:
        owner = self._owner(pod)
        if owner is not None:
            self._expectations.deletion_observed(owner.key, pod.key)
            self._workers.add(owner.key)

    # -- one sync

    async def reconcile(self, key: str) -> None:
        """Bring the number of active pods and the status of one ReplicaSet up to date."""
        seen = await self.observe(key)
        if seen is None:
            return
        replicaset = seen.replicaset
        pods = await claim(self._client, replicaset, replicaset.spec.selector, seen.pods)
        active = active_pods(pods)
        error: Exception | None = None
        if seen.needs_sync and replicaset.metadata.deletion_timestamp is None:
            error = await self._manage(replicaset, active)
        await self._write_status(replicaset, active, len(terminating_pods(pods)), error)
        if error is not None:
            raise error
        self._wake_when_available(replicaset, active)

    async def observe(self, key: str) -> Observation | None:
        """Look at the cache: first whether it may be counted on, then what it holds."""
        self.require_own_writes(key)
        needs_sync = self.expectations_satisfied(key)
        replicaset = self._replicasets.get_by_key(key)
        if not isinstance(replicaset, ReplicaSet):
            self._expectations.forget(key)
            self._guard.forget(key)
            return None
        return Observation(replicaset=replicaset, pods=self.list_pods(replicaset), needs_sync=needs_sync)

    def require_own_writes(self, key: str) -> None:
        """Come back later unless the caches have reached what this controller itself wrote."""
        revisions = {"pods": self._pods.revision, "replicasets": self._replicasets.revision}
        behind = self._guard.behind(key, revisions)
        if behind:
            raise Retry(f"{key}: the cache of {behind} is older than our own writes")

    def expectations_satisfied(self, key: str) -> bool:
        """Whether every creation and deletion asked for has been seen."""
        return self._expectations.is_satisfied(key, self._process.now)

    def list_pods(self, replicaset: ReplicaSet) -> tuple[Pod, ...]:
        """Its pods and the orphans of its namespace, as cached now."""
        owned = self._pods.by_index(OWNER, replicaset.uid)
        orphans = self._pods.by_index(OWNER, f"orphan/{replicaset.namespace}")
        return only(Pod, (*owned, *orphans))

    async def _manage(self, replicaset: ReplicaSet, active: Sequence[Pod]) -> Exception | None:
        surplus = len(active) - wanted_replicas(replicaset)
        if surplus < 0:
            return await self._create(replicaset, len(active), min(-surplus, BURST_REPLICAS))
        if surplus > 0:
            return await self._delete(replicaset, active, min(surplus, BURST_REPLICAS))
        return None

    # -- creating

    async def _create(self, replicaset: ReplicaSet, active: int, count: int) -> Exception | None:
        key = replicaset.key
        self._expectations.expect_creations(key, count, self._process.now)
        asked = 0
        pod = pod_from_template(replicaset)
        for batch in slow_start_batches(count):
            for _ in range(batch):
                asked += 1
                self._record_create(replicaset, active, asked)
            outcomes = await self._client.gather([create_request(pod)] * batch)
            failure: Exception | None = None
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    failure = self._create_failed(replicaset, outcome) or failure
                else:
                    assert isinstance(outcome.body, Pod), "what was created is a pod"
                    self._guard.wrote(key, "pods", outcome.body.resource_version)
                    self._process.record(
                        PodCreateAnswered(replicaset=key, uid=replicaset.uid, pod=outcome.body.key)
                    )
                    self._recorder.event(
                        replicaset, NORMAL, "SuccessfulCreate", f"Created pod: {outcome.body.name}"
                    )
            if failure is not None:
                self._expectations.creation_observed(key, count - asked)
                return failure
        return None

    def _record_create(self, replicaset: ReplicaSet, active: int, ordinal: int) -> None:
        cached = active_pods(only(Pod, self._pods.by_index(OWNER, replicaset.uid)))
        self._process.record(
            PodCreateDecided(
                replicaset=replicaset.key,
                uid=replicaset.uid,
                replicas=wanted_replicas(replicaset),
                active=active,
                ordinal=ordinal,
                cached_active=len(cached),
                expected_creations=self._expectations.creations_left(replicaset.key),
                pods_revision=self._pods.revision,
            )
        )

    def _create_failed(self, replicaset: ReplicaSet, error: Refused | Unsure) -> Exception | None:
        if has_cause(error, "NamespaceTerminating"):
            return None
        self._expectations.creation_observed(replicaset.key)
        self._recorder.event(replicaset, WARNING, "FailedCreate", f"Error creating: {_message(error)}")
        return error

    # -- deleting

    async def _delete(self, replicaset: ReplicaSet, active: Sequence[Pod], count: int) -> Exception | None:
        key = replicaset.key
        siblings = self._siblings_by_node(replicaset)
        victims = choose_victims(active, count, siblings, self._manager.wall_ns())
        self._expectations.expect_deletions(key, [pod.key for pod in victims], self._process.now)
        for pod in victims:
            self._process.record(
                PodDeleteDecided(
                    replicaset=key,
                    uid=replicaset.uid,
                    replicas=wanted_replicas(replicaset),
                    active=len(active),
                    pod=pod.key,
                )
            )
        outcomes = await self._client.gather(
            [delete_request("pods", pod.namespace, pod.name) for pod in victims]
        )
        failure: Exception | None = None
        for pod, outcome in zip(victims, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                if isinstance(outcome.body, Pod):
                    self._guard.wrote(key, "pods", outcome.body.resource_version)
                self._recorder.event(replicaset, NORMAL, "SuccessfulDelete", f"Deleted pod: {pod.name}")
                continue
            self._expectations.deletion_observed(key, pod.key)
            if not is_not_found(outcome):
                self._recorder.event(
                    replicaset, WARNING, "FailedDelete", f"Error deleting: {_message(outcome)}"
                )
                failure = outcome
        return failure

    def _siblings_by_node(self, replicaset: ReplicaSet) -> dict[str, int]:
        """Active pods by node, of all ReplicaSets with the same controller; none where there is no controller.

        (getReplicaSetsWithSameController: a bare ReplicaSet is not even related to itself.)
        """
        owner = replicaset.metadata.controller
        related = only(ReplicaSet, self._replicasets.by_index(OWNER, owner.uid)) if owner is not None else ()
        count: dict[str, int] = {}
        for each in related:
            for pod in active_pods(only(Pod, self._pods.by_index(OWNER, each.uid))):
                node = pod.spec.node_name or ""
                count[node] = count.get(node, 0) + 1
        return count

    # -- status

    async def _write_status(
        self,
        replicaset: ReplicaSet,
        active: Sequence[Pod],
        terminating: int,
        error: Exception | None,
    ) -> None:
        status = new_status(
            replicaset,
            active,
            terminating,
            _message(error) if error is not None else "",
            self._manager.wall_ns(),
            self._manager.wall_second(),
        )
        for tries_left in reversed(range(STATUS_TRIES)):
            if status == replicaset.status:
                return
            try:
                written = await self._client.update(evolve(replicaset, status=status), subresource="status")
            except (Refused, Unsure):
                if not tries_left:
                    raise
                fresh = await self._client.get("replicasets", replicaset.namespace, replicaset.name)
                assert isinstance(fresh, ReplicaSet), "a ReplicaSet was asked for"
                replicaset = fresh
            else:
                self._guard.wrote(replicaset.key, "replicasets", written.resource_version)
                return

    def _wake_when_available(self, replicaset: ReplicaSet, active: Sequence[Pod]) -> None:
        wait = replicaset.spec.min_ready_seconds * SECOND
        if not wait:
            return
        now = self._manager.wall_ns()
        left = [
            (ready.last_transition_time or 0) + wait - now
            for pod in active
            if (ready := ready_condition(pod)) is not None and ready.status == "True"
        ]
        due = [delay for delay in left if delay > 0]
        if due:
            self._workers.add_after(replicaset.key, min(due))


def pod_from_template(replicaset: ReplicaSet) -> Pod:
    """The pod that the template makes; the server gives it its name."""
    template = replicaset.spec.template
    return Pod(
        metadata=ObjectMeta(
            generate_name=f"{replicaset.name}-",
            namespace=replicaset.namespace,
            labels=template.metadata.labels,
            annotations=template.metadata.annotations,
            finalizers=template.metadata.finalizers,
            owner_references=(
                OwnerReference(
                    api_version=replicaset.api_version,
                    kind=replicaset.kind,
                    name=replicaset.name,
                    uid=replicaset.uid,
                    controller=True,
                    block_owner_deletion=True,
                ),
            ),
        ),
        spec=template.spec,
    )


def _message(error: Exception) -> str:
    return status_of(error).message if isinstance(error, Refused) else str(error)
