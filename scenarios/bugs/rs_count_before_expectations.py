"""rs-count-before-expectations: pods are counted first, expectations are asked afterwards.

In between, the event of the last expected pod may arrive: it satisfies the expectations and is missing from the
count, so one pod too many is created.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.constants import RECONCILE_WORK
from chaoskube.models.controllers.replicaset import Observation, ReplicaSetController
from chaoskube.models.objects import ReplicaSet

BETWEEN_NS = 500 * RECONCILE_WORK
"""How long counting takes: the pods of the next writes are seen within it."""


async def _count_then_check(self: ReplicaSetController, key: str) -> Observation | None:
    replicaset = self._replicasets.get_by_key(key)
    pods = self.list_pods(replicaset) if isinstance(replicaset, ReplicaSet) else ()
    await self._process.sleep(BETWEEN_NS)
    self.require_own_writes(key)
    needs_sync = self.expectations_satisfied(key)
    if not isinstance(replicaset, ReplicaSet):
        return None
    return Observation(replicaset=replicaset, pods=pods, needs_sync=needs_sync)


@bug(
    "rs-count-before-expectations",
    cites="kubernetes/kubernetes PR 8138",
    invariants=("replicaset-creates-no-extra-pod",),
    scenario="scale-storm",
    needs=(
        "delay-stream",
        "freeze-stream",
        "hide-event",
        "drop-stream",
        "expire-watch",
        "lose-answer",
        "crash",
        "pause",
        "partition",
    ),
)
def rs_count_before_expectations() -> Iterator[None]:
    """The ReplicaSet controller counts pods before it asks whether its own creations have been seen."""
    with patched(ReplicaSetController, "observe", _count_then_check):
        yield
