"""What a DELETE does to an object before it is gone: grace, finalizers, propagation. Pure.

`decide` says whether the object is removed now, marked first, or already on its way. Only pods end gracefully.
A pod's repeated delete may only shorten its grace; one that isn't scheduled or has finished gets none. While
finalizers remain the object stays, and the update that removes the last one removes the object.
Sources: staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go (BeforeDelete), registry/generic/registry/store.go
(Delete, deletionFinalizersForGarbageCollection, markAsDeleting, ShouldDeleteDuringUpdate),
pkg/registry/core/pod/strategy.go (CheckGracefulDelete).

Not modelled: graceful deletion of kinds other than Pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from chaoskube.models.apiserver.api import (
    BACKGROUND,
    FOREGROUND,
    ORPHAN,
    DeleteOptions,
)
from chaoskube.models.objects import Namespace, Pod

if TYPE_CHECKING:
    from chaoskube.models.objects import KubeObject, ObjectMeta

SECOND_NS = 1_000_000_000
FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"
_FINISHED = ("Succeeded", "Failed")


@frozen(kw_only=True)
class Deletion:
    """What to do: write `mark` first (unless None), then remove the object if `remove`."""

    mark: KubeObject | None = None
    remove: bool = False


def decide(
    obj: KubeObject, options: DeleteOptions, now_ns: int, *, default_policy: str = BACKGROUND
) -> Deletion:
    """What a DELETE with `options` does to `obj` at wall-clock time `now_ns`."""
    metadata, is_pending = _graceful(obj, options, now_ns)
    if is_pending:
        return Deletion()
    is_graceful = metadata is not obj.metadata
    finalizers = _finalizers(metadata, options, default_policy)
    if finalizers != metadata.finalizers:
        metadata = evolve(metadata, finalizers=finalizers)
    if not is_graceful:
        if not finalizers:
            return Deletion(remove=True)
        metadata = _marked(metadata, now_ns)
        return Deletion(mark=_with(obj, metadata))
    remove = not finalizers and metadata.deletion_grace_period_seconds == 0
    return Deletion(mark=_with(obj, metadata), remove=remove)


def is_removed_by_update(old: KubeObject, new: KubeObject) -> bool:
    """Whether this update takes away the last thing that kept a deleted object here."""
    return (
        not new.metadata.finalizers
        and old.metadata.deletion_timestamp is not None
        and not old.metadata.deletion_grace_period_seconds
        and not (isinstance(new, Namespace) and new.spec.finalizers)
    )


def _with(obj: KubeObject, metadata: ObjectMeta) -> KubeObject:
    return obj if metadata is obj.metadata else evolve(obj, metadata=metadata)


def _graceful(obj: KubeObject, options: DeleteOptions, now_ns: int) -> tuple[ObjectMeta, bool]:
    """BeforeDelete: the metadata with its grace (the same metadata: not graceful), and "already pending"."""
    metadata = obj.metadata
    if not isinstance(obj, Pod):
        return metadata, False
    wanted = options.grace_period_seconds
    if metadata.deletion_timestamp is not None:
        return _shortened(metadata, wanted, now_ns)
    period = _pod_grace(obj, wanted)
    return evolve(
        metadata,
        deletion_timestamp=_whole(now_ns) + period * SECOND_NS,
        deletion_grace_period_seconds=period,
        generation=_next_generation(metadata),
    ), False


def _shortened(metadata: ObjectMeta, wanted: int | None, now_ns: int) -> tuple[ObjectMeta, bool]:
    stored = metadata.deletion_grace_period_seconds
    if not stored:
        return metadata, False
    if wanted is None:
        return metadata, True
    period = 1 if wanted < 0 else wanted
    if period >= stored:
        return metadata, True
    assert metadata.deletion_timestamp is not None
    moved = metadata.deletion_timestamp - (stored - period) * SECOND_NS
    return evolve(
        metadata,
        deletion_timestamp=max(moved, _whole(now_ns)),
        deletion_grace_period_seconds=period,
    ), False


def _pod_grace(pod: Pod, wanted: int | None) -> int:
    period = wanted
    if period is None:
        period = pod.spec.termination_grace_period_seconds or 0
    if not pod.spec.node_name or pod.status.phase in _FINISHED:
        return 0
    return 1 if period < 0 else period


def _finalizers(metadata: ObjectMeta, options: DeleteOptions, default_policy: str) -> tuple[str, ...]:
    """The finalizers after the propagation policy: option, else what is there, else the kind's default."""
    present = metadata.finalizers
    policy = options.propagation_policy
    if options.orphan_dependents is not None:
        policy = ORPHAN if options.orphan_dependents else BACKGROUND
    if policy is None:
        if ORPHAN_FINALIZER in present:
            policy = ORPHAN
        elif FOREGROUND_FINALIZER in present:
            policy = FOREGROUND
        else:
            policy = default_policy
    kept = tuple(f for f in present if f not in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER))
    if policy == ORPHAN:
        kept += (ORPHAN_FINALIZER,)
    elif policy == FOREGROUND:
        kept += (FOREGROUND_FINALIZER,)
    return present if sorted(kept) == sorted(present) else kept


def _marked(metadata: ObjectMeta, now_ns: int) -> ObjectMeta:
    """markAsDeleting: kept only by finalizers."""
    now = _whole(now_ns)
    stamp = metadata.deletion_timestamp
    is_new = stamp is None
    if is_new or (stamp is not None and stamp > now):
        stamp = now
    return evolve(
        metadata,
        deletion_timestamp=stamp,
        deletion_grace_period_seconds=0,
        generation=_next_generation(metadata) if is_new else metadata.generation,
    )


def _next_generation(metadata: ObjectMeta) -> int:
    return metadata.generation + 1 if metadata.generation else 0


def _whole(now_ns: int) -> int:
    return now_ns - now_ns % SECOND_NS
