"""The writes of a StatefulSet's controller: pods with their claims, each told as an event of the set.

Claims come before the pod that uses them, and are never deleted here. What is decided stands in statefulset_core.py
and statefulset_claims.py.

Source: pkg/controller/statefulset/stateful_pod_control.go.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.client.api import ApiClient, is_already_exists, is_conflict, is_not_found, status_of
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.recorder import NORMAL, WARNING, EventRecorder
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.events import StatefulPodDecided
from chaoskube.models.controllers.statefulset_claims import (
    has_other_controller,
    is_stale,
    owners_fit,
    with_owners,
)
from chaoskube.models.controllers.statefulset_core import Step
from chaoskube.models.controllers.statefulset_identity import (
    claims_for,
    has_identity,
    has_storage,
    ordinal_of,
    with_identity,
    with_storage,
)
from chaoskube.models.objects import KubeObject, PersistentVolumeClaim, Pod, StatefulSet
from chaoskube.sim import Refused, Unsure

UPDATE_TRIES = 5
CLAIMS = "persistentvolumeclaims"
Wrote = Callable[[StatefulSet, KubeObject], None]


class StatefulPods:
    """Creates, repairs and deletes the pods of StatefulSets."""

    def __init__(
        self, client: ApiClient, recorder: EventRecorder, pods: Informer, claims: Informer, wrote: Wrote
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._pods = pods
        self._claims = claims
        self._wrote = wrote

    # -- pods

    async def create(self, statefulset: StatefulSet, pod: Pod) -> None:
        """Create the pod, and before it the claims that it lacks."""
        self._decided(statefulset, pod, Step.CREATE)
        try:
            await self.create_missing_claims(statefulset, pod)
            created = await self._client.create(pod)
        except (Refused, Unsure, Retry) as error:
            if not is_already_exists(error):
                self._tell(statefulset, "create", pod, error)
            raise
        assert isinstance(created, Pod), f"what was created is a pod, not a {created.kind}"
        self._wrote(statefulset, created)
        try:
            await self.update_claim_owners(statefulset, created)
        except (Refused, Unsure) as error:
            self._tell(statefulset, "update", pod, error)
            raise
        self._tell(statefulset, "create", pod)

    async def delete(self, statefulset: StatefulSet, pod: Pod, why: Step) -> None:
        """Ask for the pod to be deleted, with its own grace."""
        self._decided(statefulset, pod, why)
        try:
            answer = await self._client.delete("pods", pod.namespace, pod.name)
        except (Refused, Unsure) as error:
            self._tell(statefulset, "delete", pod, error)
            raise
        if isinstance(answer, Pod):
            self._wrote(statefulset, answer)
        self._tell(statefulset, "delete", pod)

    async def repair(self, statefulset: StatefulSet, pod: Pod) -> None:
        """Put name, labels, volumes and the claims' owners back as they should be."""
        is_whole = has_identity(statefulset, pod) and has_storage(statefulset, pod)
        if is_whole and self.claims_fit(statefulset, pod):
            return
        error: Exception | None = None
        for _ in range(UPDATE_TRIES):
            error = await self._repair_once(statefulset, pod)
            if error is None or not is_conflict(error):
                break
            fresh = self._pods.get_by_key(pod.key)
            pod = fresh if isinstance(fresh, Pod) else pod
        self._tell(statefulset, "update", pod, error)
        if error is not None:
            raise error

    async def _repair_once(self, statefulset: StatefulSet, pod: Pod) -> Exception | None:
        wanted = pod
        try:
            if not has_identity(statefulset, wanted):
                wanted = with_identity(statefulset, wanted, ordinal_of(wanted))
            if not has_storage(statefulset, wanted):
                wanted = with_storage(statefulset, wanted)
                await self.create_missing_claims(statefulset, wanted)
            await self.update_claim_owners(statefulset, wanted)
            self._wrote(statefulset, await self._client.update(wanted))
        except (Refused, Unsure, Retry) as error:
            return error
        return None

    # -- claims

    def claims_of(self, statefulset: StatefulSet, pod: Pod) -> tuple[PersistentVolumeClaim, ...]:
        """The claims of the pod that are known here."""
        wanted = claims_for(statefulset, ordinal_of(pod))
        known = [self._claims.get_by_key(claim.key) for claim in wanted]
        return tuple([claim for claim in known if isinstance(claim, PersistentVolumeClaim)])

    def claims_fit(self, statefulset: StatefulSet, pod: Pod) -> bool:
        """Whether the claims that are known have the owners that the policy wants."""
        return all(owners_fit(statefulset, pod, claim) for claim in self.claims_of(statefulset, pod))

    def has_stale_claim(self, statefulset: StatefulSet, pod: Pod) -> bool:
        """Whether a claim still goes with an earlier pod of this name: then the new one has to wait."""
        return any(is_stale(statefulset, pod, claim) for claim in self.claims_of(statefulset, pod))

    async def create_missing_claims(self, statefulset: StatefulSet, pod: Pod) -> None:
        """Create the claims that aren't known here. Raises Retry while one is being deleted."""
        failure: Exception | None = None
        for claim in claims_for(statefulset, ordinal_of(pod)):
            known = self._claims.get_by_key(claim.key)
            if known is not None:
                if known.metadata.deletion_timestamp is not None:
                    failure = Retry(f"pvc {claim.name} is being deleted")
                continue
            try:
                await self._client.create(claim)
            except (Refused, Unsure) as error:
                if is_already_exists(error):
                    continue
                failure = error
                self._tell_claim(statefulset, pod, claim, error)
            else:
                self._tell_claim(statefulset, pod, claim)
        if failure is not None:
            raise failure

    async def update_claim_owners(self, statefulset: StatefulSet, pod: Pod) -> None:
        """Give the claims the owners that the policy wants."""
        for claim in self.claims_of(statefulset, pod):
            if has_other_controller(statefulset, pod, claim):
                said = (
                    f"PersistentVolumeClaim {claim.namespace}/{claim.name} has a conflicting OwnerReference that acts "
                    "as a managing controller, the retention policy is ignored for this claim"
                )
                self._recorder.event(statefulset, WARNING, "ConflictingController", said)
            if not owners_fit(statefulset, pod, claim):
                await self._client.update(with_owners(statefulset, pod, claim))

    # -- what is told

    def _decided(self, statefulset: StatefulSet, pod: Pod, step: Step) -> None:
        self._client.process.record(
            StatefulPodDecided(
                statefulset=statefulset.key,
                uid=statefulset.uid,
                pod=pod.key,
                pod_uid=pod.uid,
                step=step.value,
                pods_revision=self._pods.revision,
            )
        )

    def _tell(self, statefulset: StatefulSet, verb: str, pod: Pod, error: Exception | None = None) -> None:
        what = f"{verb.capitalize()} Pod {pod.name} in StatefulSet {statefulset.name}"
        self._say(statefulset, verb, f"{what} successful", what, error)

    def _tell_claim(
        self,
        statefulset: StatefulSet,
        pod: Pod,
        claim: PersistentVolumeClaim,
        error: Exception | None = None,
    ) -> None:
        what = f"Create Claim {claim.name} Pod {pod.name} in StatefulSet {statefulset.name}"
        self._say(statefulset, "create", f"{what} success", what, error)

    def _say(
        self, statefulset: StatefulSet, verb: str, good: str, what: str, error: Exception | None
    ) -> None:
        if error is None:
            self._recorder.event(statefulset, NORMAL, f"Successful{verb.capitalize()}", good)
            return
        said = status_of(error).message if isinstance(error, Refused) else str(error)
        self._recorder.event(
            statefulset, WARNING, f"Failed{verb.capitalize()}", f"{what} failed error: {said}"
        )


def ignore_gone(error: Exception) -> None:
    """Raise what is no "not found"."""
    if not is_not_found(error):
        raise error
