"""Mutants of the Deployment controller's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.controllers import deployment_rolling
from chaoskube.models.controllers.replicaset_core import wanted_replicas
from chaoskube.models.objects import Deployment, ReplicaSet
from tests.quality.mutant import mutant

Targets = tuple[tuple[ReplicaSet, int], ...]


@mutant("rollout-stays-within-surge", scenario="rolling-update")
def grows_without_a_ceiling() -> Iterator[None]:
    """The new ReplicaSet gets its full size at once."""

    def full_size(deployment: Deployment, total: int, own: int) -> int:
        return deployment_rolling.wanted(deployment)

    with patched(deployment_rolling, "new_size", full_size):
        yield


@mutant("rollout-stays-within-unavailable", scenario="rolling-update")
def asked_for_is_as_good_as_there() -> Iterator[None]:
    """New pods count as available as soon as they are asked for."""
    old_set_targets = deployment_rolling.old_set_targets

    def hopeful(deployment: Deployment, old_sets: Sequence[ReplicaSet], new: ReplicaSet | None) -> Targets:
        if new is not None:
            new = evolve(new, status=evolve(new.status, available_replicas=wanted_replicas(new)))
        return old_set_targets(deployment, old_sets, new)

    with patched(deployment_rolling, "old_set_targets", hopeful):
        yield


@mutant("deployments-roll-out", scenario="rolling-update")
def old_pods_stay() -> Iterator[None]:
    """A rollout never takes an old pod away."""
    with patched(deployment_rolling, "old_set_targets", lambda deployment, old_sets, new: ()):
        yield
