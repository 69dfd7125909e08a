"""informer-tombstone-unhandled: the scheduler counts a pod for ever whose deletion it learns of by a list alone."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.client.deltas import DeletedFinalStateUnknown
from chaoskube.models.client.handlers import Handler
from chaoskube.models.objects import Pod

SCHEDULER = "scheduler-"
_lost = Handler.lost


def _is_no_pod(self: Handler, tombstone: DeletedFinalStateUnknown) -> None:
    """Who asks what it is given whether it is a pod, and returns where it isn't."""
    if not self.component.startswith(SCHEDULER) or not isinstance(tombstone.obj, Pod):
        _lost(self, tombstone)


@bug(
    "informer-tombstone-unhandled",
    cites="kubernetes/kubernetes issue 69926 and pull request 83951; kubernetes/client-go pull request 97255",
    invariants=("a-pod-that-fits-is-bound",),
    scenario="cascading-delete",
    needs=("expire-watch",),
)
def informer_tombstone_unhandled() -> Iterator[None]:
    """A deletion that nobody saw comes as a tombstone, which the scheduler's handler takes for nothing: the node looks full."""
    with patched(Handler, "lost", _is_no_pod):
        yield
