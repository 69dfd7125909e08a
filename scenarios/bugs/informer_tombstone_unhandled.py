"""informer-tombstone-unhandled: a handler takes nothing but real deletions; one that nobody saw is lost on it."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.client.deltas import DeletedFinalStateUnknown
from chaoskube.models.client.handlers import Handler

COMPONENT = "database-operator-"
_lost = Handler.lost


def _ignore(self: Handler, tombstone: DeletedFinalStateUnknown) -> None:
    if not self.component.startswith(COMPONENT):
        _lost(self, tombstone)


@bug(
    "informer-tombstone-unhandled",
    cites="kubernetes/kubernetes issue 69926, pull request 83951; kubernetes/client-go pull request 97255",
    invariants=("databases-have-their-members", "no-claim-is-left-behind"),
    scenario="database-operator",
    needs=(),
)
def informer_tombstone_unhandled() -> Iterator[None]:
    """The operator doesn't know what to do with a tombstone, and is never woken for a member that is gone."""
    with patched(Handler, "lost", _ignore):
        yield
