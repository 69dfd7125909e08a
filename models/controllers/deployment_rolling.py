"""The arithmetic of a rolling update: how far each ReplicaSet goes, in one direction a sync. Pure.

R is spec.replicas. maxSurge rounds up, maxUnavailable down; sizes are spec.replicas, availability is
status.availableReplicas of the ReplicaSets as they are cached. Terminating pods count nowhere.

Sources: pkg/controller/deployment/{rolling,recreate,sync}.go, pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaoskube.models.controllers.int_or_percent import scaled_value
from chaoskube.models.controllers.replicaset_core import wanted_replicas
from chaoskube.models.objects import Deployment, ReplicaSet
from chaoskube.sim import reached

RECREATE = "Recreate"
DESIRED_ANNOTATION = "deployment.kubernetes.io/desired-replicas"
MAX_ANNOTATION = "deployment.kubernetes.io/max-replicas"


def wanted(deployment: Deployment) -> int:
    """spec.replicas, 1 when it isn't set."""
    return 1 if deployment.spec.replicas is None else deployment.spec.replicas


def is_rolling(deployment: Deployment) -> bool:
    """Whether the strategy is RollingUpdate (the default)."""
    return deployment.spec.strategy.type != RECREATE


def bounds(deployment: Deployment) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as numbers of pods; both 0 would never move, so then 1 may be missing."""
    rolling = deployment.spec.strategy.rolling_update
    if not is_rolling(deployment) or rolling is None:
        return 0, 0
    total = wanted(deployment)
    surge = scaled_value(rolling.max_surge, total, round_up=True)
    unavailable = scaled_value(rolling.max_unavailable, total, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, unavailable


def max_surge(deployment: Deployment) -> int:
    """How many pods may stand above R in a rollout."""
    return bounds(deployment)[0]


def max_unavailable(deployment: Deployment) -> int:
    """How many of R may be missing in a rollout."""
    total = wanted(deployment)
    if not is_rolling(deployment) or total == 0:
        return 0
    return min(bounds(deployment)[1], total)


def total_size(replicasets: Iterable[ReplicaSet]) -> int:
    """The sum of spec.replicas."""
    return sum(wanted_replicas(replicaset) for replicaset in replicasets)


def total_available(replicasets: Iterable[ReplicaSet]) -> int:
    """The sum of status.availableReplicas."""
    return sum(replicaset.status.available_replicas for replicaset in replicasets)


def active_sets(replicasets: Iterable[ReplicaSet]) -> tuple[ReplicaSet, ...]:
    """Those with spec.replicas above 0."""
    return tuple([replicaset for replicaset in replicasets if wanted_replicas(replicaset) > 0])


def by_age(replicasets: Iterable[ReplicaSet]) -> tuple[ReplicaSet, ...]:
    """Oldest first, by name where that is equal."""
    return tuple(sorted(replicasets, key=lambda one: (one.metadata.creation_timestamp or 0, one.name)))


def new_size(deployment: Deployment, total: int, own: int) -> int:
    """How large the new ReplicaSet may be now (`total` of all, `own` of it)."""
    if not is_rolling(deployment):
        return wanted(deployment)
    ceiling = wanted(deployment) + max_surge(deployment)
    if total >= ceiling:
        return own
    return own + min(ceiling - total, wanted(deployment) - own)


def new_set_target(deployment: Deployment, replicasets: Sequence[ReplicaSet], new: ReplicaSet) -> int:
    """The size the new ReplicaSet gets in this sync (reconcileNewReplicaSet)."""
    own, target = wanted_replicas(new), wanted(deployment)
    if own >= target:
        return target
    return new_size(deployment, total_size(replicasets), own)


def old_set_targets(
    deployment: Deployment, old_sets: Sequence[ReplicaSet], new: ReplicaSet | None
) -> tuple[tuple[ReplicaSet, int], ...]:
    """The sizes that old ReplicaSets go down to in this sync, in the order of the writes.

    Unhealthy replicas go first, oldest ReplicaSet first, then as many as are available above the minimum.
    A ReplicaSet may stand twice: once for each of the two steps (reconcileOldReplicaSets). One that says to have
    more available than it wants has not yet counted its last cut: the real controller stops there with an error
    that it swallows (cleanupUnhealthyReplicas, "got invalid request to scale down"), so no pod is cut twice.
    """
    everything = [*old_sets, *([new] if new is not None else [])]
    minimum = wanted(deployment) - max_unavailable(deployment)
    new_unavailable = 0
    if new is not None:
        new_unavailable = wanted_replicas(new) - new.status.available_replicas
    room = total_size(everything) - minimum - new_unavailable
    if total_size(old_sets) == 0 or room <= 0:
        return ()
    ordered = by_age(old_sets)
    sizes = {replicaset.name: wanted_replicas(replicaset) for replicaset in ordered}
    steps: list[tuple[ReplicaSet, int]] = []
    for replicaset in ordered:
        if room <= 0:
            break
        unhealthy = sizes[replicaset.name] - replicaset.status.available_replicas
        if unhealthy < 0 and sizes[replicaset.name] > 0:
            reached("deployment: a cut waits until the last one was counted")
            return tuple(steps)
        cut = min(room, unhealthy)
        if cut > 0:
            room -= cut
            sizes[replicaset.name] -= cut
            steps.append((replicaset, sizes[replicaset.name]))
    surplus = total_available(everything) - minimum
    for replicaset in ordered:
        cut = min(sizes[replicaset.name], max(0, surplus))
        if cut > 0:
            surplus -= cut
            sizes[replicaset.name] -= cut
            steps.append((replicaset, sizes[replicaset.name]))
    return tuple(steps)


# -- scaling


def annotation_number(replicaset: ReplicaSet, name: str) -> int | None:
    """An annotation that holds a number, or None."""
    text = replicaset.metadata.annotations.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def is_scaling(deployment: Deployment, replicasets: Iterable[ReplicaSet]) -> bool:
    """Whether spec.replicas changed since the ReplicaSets were last sized (isScalingEvent)."""
    return any(
        annotation_number(replicaset, DESIRED_ANNOTATION) not in (None, wanted(deployment))
        for replicaset in active_sets(replicasets)
    )


def is_saturated(deployment: Deployment, new: ReplicaSet | None) -> bool:
    """Whether the new ReplicaSet has all that the Deployment wants, and all of it available."""
    if new is None:
        return False
    target = wanted(deployment)
    return (
        wanted_replicas(new) == target
        and annotation_number(new, DESIRED_ANNOTATION) == target
        and new.status.available_replicas == target
    )


def scale_targets(
    deployment: Deployment, old_sets: Sequence[ReplicaSet], new: ReplicaSet | None
) -> tuple[tuple[ReplicaSet, int], ...]:
    """The sizes after spec.replicas changed, in the order of the writes (sync.go: scale).

    A size that stays is named too when all share in proportion: the write renews the annotations.
    """
    everything = [*old_sets, *([new] if new is not None else [])]
    active = active_sets(everything)
    if len(active) <= 1:
        only = active[0] if active else (new or (by_age(old_sets)[-1] if old_sets else None))
        if only is None or wanted_replicas(only) == wanted(deployment):
            return ()
        return ((only, wanted(deployment)),)
    if is_saturated(deployment, new):
        return tuple([(replicaset, 0) for replicaset in by_age(active_sets(old_sets))])
    if not is_rolling(deployment):
        return ()
    return _proportional(deployment, active)


def _proportional(deployment: Deployment, active: Sequence[ReplicaSet]) -> tuple[tuple[ReplicaSet, int], ...]:
    target = wanted(deployment)
    allowed = target + max_surge(deployment) if target > 0 else 0
    to_add = allowed - total_size(active)
    ordered = list(by_age(active))
    if to_add > 0:
        ordered.reverse()  # of equal size the newer grows first
    if to_add != 0:
        ordered.sort(key=wanted_replicas, reverse=True)
    added = 0
    sizes: list[int] = []
    for replicaset in ordered:
        share = 0 if to_add == added else _share(deployment, replicaset)
        share = min(share, to_add - added) if to_add > 0 else max(share, to_add - added)
        if to_add == 0:
            share = 0
        added += share
        sizes.append(wanted_replicas(replicaset) + share)
    if to_add != 0:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return tuple(zip(ordered, sizes, strict=True))


def _share(deployment: Deployment, replicaset: ReplicaSet) -> int:
    size, target = wanted_replicas(replicaset), wanted(deployment)
    if target == 0:
        return -size
    before = annotation_number(replicaset, MAX_ANNOTATION) or deployment.status.replicas
    if before == 0:
        return 0
    after = target + max_surge(deployment)
    return (2 * size * after + before) // (2 * before) - size  # rounded half up
