"""Mutants of the ReplicaSet controller."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.controllers.replicaset import Observation, ReplicaSetController
from chaoskube.models.objects import ReplicaSet
from tests.quality.mutant import mutant


@mutant("replicaset-creates-no-extra-pod", scenario="scale-storm")
def counts_whatever_is_there() -> Iterator[None]:
    """The controller counts its cache without asking whether the cache shows what it did itself."""

    async def observe(self: ReplicaSetController, key: str) -> Observation | None:
        replicaset = self._replicasets.get_by_key(key)
        if not isinstance(replicaset, ReplicaSet):
            return None
        return Observation(replicaset=replicaset, pods=self.list_pods(replicaset), needs_sync=True)

    with patched(ReplicaSetController, "observe", observe):
        yield


@mutant("replicasets-converge", scenario="scale-storm")
def departures_go_unnoticed() -> Iterator[None]:
    """The controller doesn't hear of pods that go."""
    with patched(ReplicaSetController, "_pod_gone", lambda self, pod: None):
        yield
