"""Who owns a StatefulSet's claims: nobody, the set, or the pod that is to go. Pure.

By persistentVolumeClaimRetentionPolicy: where a claim is to be deleted with its set the set owns it, where it is to
be deleted when the set shrinks the condemned pod does, and the garbage collector does the rest.

Source: pkg/controller/statefulset/stateful_set_utils.go (isClaimOwnerUpToDate, updateClaimOwnerRefForSetAndPod).
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.statefulset_identity import controller_reference, is_in_range, ordinal_of
from chaoskube.models.objects import KubeObject, OwnerReference, PersistentVolumeClaim, Pod, StatefulSet

RETAIN = "Retain"
DELETE = "Delete"


def policy_of(statefulset: StatefulSet) -> tuple[str, str]:
    """whenDeleted and whenScaled, Retain where nothing is said."""
    policy = statefulset.spec.persistent_volume_claim_retention_policy
    if policy is None:
        return RETAIN, RETAIN
    return policy.when_deleted or RETAIN, policy.when_scaled or RETAIN


def is_stale(statefulset: StatefulSet, pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether the claim is still that of an earlier pod of this name, and about to go with it."""
    if policy_of(statefulset)[1] == RETAIN:
        return False
    return _is_of_an_earlier(claim, pod)


def has_other_controller(statefulset: StatefulSet, pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether somebody else manages the claim: then the policy is not applied."""
    return any(
        owner.controller and not _means(owner, statefulset) and not _means(owner, pod)
        for owner in claim.metadata.owner_references
    )


def owners_fit(statefulset: StatefulSet, pod: Pod, claim: PersistentVolumeClaim) -> bool:
    """Whether the claim's owners are as the policy wants them."""
    if _is_of_an_earlier(claim, statefulset) or _is_of_an_earlier(claim, pod):
        return False
    of_set, of_pod = _is_owned(claim, statefulset), _is_owned(claim, pod)
    if has_other_controller(statefulset, pod, claim):
        return not of_set and not of_pod
    if any(
        not owner.controller and (_means(owner, statefulset) or _means(owner, pod))
        for owner in claim.metadata.owner_references
    ):
        return False
    owner = _owner_wanted(statefulset, pod)
    return of_set == (owner is statefulset) and of_pod == (owner is pod)


def with_owners(statefulset: StatefulSet, pod: Pod, claim: PersistentVolumeClaim) -> PersistentVolumeClaim:
    """The claim with the owners that the policy wants."""
    kept = tuple(
        [
            owner
            for owner in claim.metadata.owner_references
            if not _has_name_of(owner, statefulset) and not _has_name_of(owner, pod)
        ]
    )
    owner = _owner_wanted(statefulset, pod)
    if owner is not None and not has_other_controller(statefulset, pod, claim):
        kept = (*kept, controller_reference(owner))
    return evolve(claim, metadata=evolve(claim.metadata, owner_references=kept))


def _owner_wanted(statefulset: StatefulSet, pod: Pod) -> KubeObject | None:
    when_deleted, when_scaled = policy_of(statefulset)
    is_scaled_down = not is_in_range(statefulset, ordinal_of(pod))
    if when_scaled == DELETE and is_scaled_down:
        return pod
    return statefulset if when_deleted == DELETE else None


def _has_name_of(owner: OwnerReference, obj: KubeObject) -> bool:
    return owner.api_version == obj.api_version and owner.kind == obj.kind and owner.name == obj.name


def _means(owner: OwnerReference, obj: KubeObject) -> bool:
    return _has_name_of(owner, obj) and owner.uid == obj.uid


def _is_owned(claim: PersistentVolumeClaim, obj: KubeObject) -> bool:
    return any(owner.uid == obj.uid for owner in claim.metadata.owner_references)


def _is_of_an_earlier(claim: PersistentVolumeClaim, obj: KubeObject) -> bool:
    return any(_has_name_of(one, obj) and one.uid != obj.uid for one in claim.metadata.owner_references)
