"""Which volume a claim gets, and what binding writes into both. Pure.

A claim gets the smallest volume that has room for it, of its class, mode and labels, and of the access modes that say
least beyond what it asks for; a volume that already names the claim comes before all others. Between equals luck
decides: the real index gives volumes of one size in no order.

Source: staging/src/k8s.io/component-helpers/storage/volume/{helpers,pv_helpers}.go (FindMatchingVolume,
GetBindVolumeToClaim), pkg/controller/volume/persistentvolume/{index,pv_controller}.go.

Not modelled: node affinity (it counts only where binding waits for a pod), volume attributes classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from attrs import evolve

from chaoskube.models.objects import PersistentVolume, PersistentVolumeClaim
from chaoskube.models.objects.selectors import matches
from chaoskube.models.objects.service import ObjectReference

Claimed = TypeVar("Claimed", PersistentVolume, PersistentVolumeClaim)
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
CLASS_BEFORE = "volume.beta.kubernetes.io/storage-class"
AVAILABLE, BOUND, RELEASED, FAILED = "Available", "Bound", "Released", "Failed"
PENDING, LOST = "Pending", "Lost"


def class_of(obj: PersistentVolume | PersistentVolumeClaim) -> str:
    """The storage class; an annotation of old comes before the field."""
    return obj.metadata.annotations.get(CLASS_BEFORE, obj.spec.storage_class_name) or ""


def candidates(
    claim: PersistentVolumeClaim, volumes: Iterable[PersistentVolume]
) -> tuple[PersistentVolume, ...]:
    """The volumes that are as good as each other for this claim, by name; () when there is none."""
    known = sorted(volumes, key=lambda volume: volume.name)
    fitting = [volume for volume in known if _has_modes(volume, claim) and _has_room(volume, claim)]
    named = [volume for volume in fitting if names(volume, claim) and _has_mode(volume, claim)]
    if named:
        return (named[0],)
    free = [volume for volume in fitting if _is_free(volume, claim)]
    if not free:
        return ()
    best = min(_rank(volume) for volume in free)
    return tuple([volume for volume in free if _rank(volume) == best])


def _rank(volume: PersistentVolume) -> tuple[int, int]:
    return len(volume.spec.access_modes), _storage(volume)


def _is_free(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    selector = claim.spec.selector
    return (
        volume.spec.claim_ref is None
        and volume.metadata.deletion_timestamp is None
        and volume.status.phase == AVAILABLE
        and _has_mode(volume, claim)
        and class_of(volume) == class_of(claim)
        and (selector is None or matches(selector, volume.metadata.labels))
    )


def _has_mode(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    return (volume.spec.volume_mode or "Filesystem") == (claim.spec.volume_mode or "Filesystem")


def _has_modes(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    return all(mode in volume.spec.access_modes for mode in claim.spec.access_modes)


def _has_room(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    wanted = claim.spec.resources.requests.get("storage")
    return wanted is None or _storage(volume) >= wanted.milli


def _storage(volume: PersistentVolume) -> int:
    amount = volume.spec.capacity.get("storage")
    return 0 if amount is None else amount.milli


def satisfies(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether a volume that a claim asks for by name will do. (checkVolumeSatisfyClaim)"""
    return (
        _has_modes(volume, claim)
        and _has_room(volume, claim)
        and _has_mode(volume, claim)
        and class_of(volume) == class_of(claim)
    )


def names(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume is this claim's, or meant for it. (IsVolumeBoundToClaim)"""
    reference = volume.spec.claim_ref
    if reference is None or (reference.namespace, reference.name) != (claim.namespace, claim.name):
        return False
    return not reference.uid or reference.uid == claim.uid


def is_owned_by(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume is this very claim's."""
    reference = volume.spec.claim_ref
    return reference is not None and names(volume, claim) and bool(reference.uid)


def claim_key(volume: PersistentVolume) -> str:
    """The claim that a volume names, "" for none."""
    reference = volume.spec.claim_ref
    return f"{reference.namespace}/{reference.name}" if reference is not None else ""


# ---- what binding writes, one after the other


def volume_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    """The volume with the claim in it; itself when nothing changes. (GetBindVolumeToClaim)"""
    result = volume
    if not is_owned_by(volume, claim):
        reference = ObjectReference(
            kind="PersistentVolumeClaim",
            namespace=claim.namespace,
            name=claim.name,
            uid=claim.uid,
            api_version="v1",
            resource_version=claim.resource_version,
        )
        result = evolve(volume, spec=evolve(volume.spec, claim_ref=reference))
    return result if names(volume, claim) else _annotated(result, BOUND_BY_CONTROLLER)


def claim_for(claim: PersistentVolumeClaim, volume: PersistentVolume) -> PersistentVolumeClaim:
    """The claim with the volume in it; itself when nothing changes. (bindClaimToVolume)"""
    result = claim
    if claim.spec.volume_name != volume.name:
        result = _annotated(
            evolve(claim, spec=evolve(claim.spec, volume_name=volume.name)), BOUND_BY_CONTROLLER
        )
    return _annotated(result, BIND_COMPLETED)


def claim_in(
    claim: PersistentVolumeClaim, phase: str, volume: PersistentVolume | None
) -> PersistentVolumeClaim:
    """The claim in this phase, with what it got; itself when nothing changes. (updateClaimStatus)"""
    status = evolve(claim.status, phase=phase)
    if volume is None:
        status = evolve(status, access_modes=(), capacity=type(status)().capacity)
    else:
        status = evolve(status, access_modes=volume.spec.access_modes)
        if claim.status.phase != BOUND:
            status = evolve(status, capacity=volume.spec.capacity)
    return claim if status == claim.status else evolve(claim, status=status)


def volume_in(volume: PersistentVolume, phase: str, now_ns: int) -> PersistentVolume:
    """The volume in this phase, which begins now; itself when it is in it. (updateVolumePhase)"""
    if volume.status.phase == phase:
        return volume
    return evolve(
        volume, status=evolve(volume.status, phase=phase, message=None, last_phase_transition_time=now_ns)
    )


def unbound(volume: PersistentVolume) -> PersistentVolume:
    """The volume without its claim, or, where a user put that there, without its uid. (unbindVolume)"""
    reference = volume.spec.claim_ref
    assert reference is not None, f"{volume.name} has no claim"
    if BOUND_BY_CONTROLLER not in volume.metadata.annotations:
        return evolve(volume, spec=evolve(volume.spec, claim_ref=evolve(reference, uid=None)))
    metadata = evolve(volume.metadata, annotations=volume.metadata.annotations.minus(BOUND_BY_CONTROLLER))
    return evolve(volume, metadata=metadata, spec=evolve(volume.spec, claim_ref=None))


def is_completely_bound(claim: PersistentVolumeClaim) -> bool:
    """Whether a pod may use the claim. (volumebinding/binder.go, isPVCFullyBound)"""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in claim.metadata.annotations


def _annotated(obj: Claimed, name: str) -> Claimed:
    metadata = obj.metadata
    if name in metadata.annotations:
        return obj
    return evolve(obj, metadata=evolve(metadata, annotations=metadata.annotations.plus({name: "yes"})))
