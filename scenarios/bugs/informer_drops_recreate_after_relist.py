"""informer-drops-recreate-after-relist: an informer's queue forgets that an object whose deletion still waits was made anew.

The queue is client-go's of then, which gathers the changes of each key. Once it is filled, its informer is so slow that changes
wait in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.client import informer
from chaoskube.models.client.deltas import DELETED, REPLACED, SETTLED, Delta, DeltaFifo, Queue
from chaoskube.models.client.store import Store
from chaoskube.sim import SECOND

HANDLING_NS = 2 * SECOND
"""How long the informer works on one key."""


class _Forgetful(DeltaFifo):
    def pop(self) -> tuple[Delta, ...]:
        deltas = super().pop()
        if any(delta.type == SETTLED for delta in deltas):
            self.handling_ns = HANDLING_NS
        return deltas

    def is_dropped(self, queued: tuple[Delta, ...], delta: Delta) -> bool:
        return delta.type == REPLACED and bool(queued) and queued[-1].type == DELETED


def _queue(store: Store) -> Queue:
    return _Forgetful(lambda: store.objects)


@bug(
    "informer-drops-recreate-after-relist",
    cites="kubernetes/kubernetes issue 83810, pull request 83911; kubernetes/client-go commit cc50c9b33",
    invariants=("what-a-cache-was-told-it-keeps", "caches-catch-up"),
    scenario="api-machinery",
    needs=(
        "expire-watch",
        "crash",
        "crash-host",
        "steer",
        "drop-stream",
        "partition",
        "pause",
        "cut-initial-list",
    ),
)
def informer_drops_recreate_after_relist() -> Iterator[None]:
    """What a list shows of an object whose deletion waits in the queue is dropped: the cache never gets the new one."""
    with patched(informer, "make_queue", _queue):
        yield
