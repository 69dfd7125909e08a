"""watchcache-delete-event-old-rv: a DELETED event carries the version of the last update, not that of the deletion.

Needs no fault: the first deletion shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver import watcher
from chaoskube.models.objects import KubeObject


@bug(
    "watchcache-delete-event-old-rv",
    cites="kubernetes/kubernetes PR 58547",
    invariants=("caches-only-go-forward", "what-a-cache-is-told-was-so"),
    scenario="api-machinery",
)
def watchcache_delete_event_old_rv() -> Iterator[None]:
    """The object of a deletion is shown as it was stored: whoever resumes from it goes back."""

    def as_stored(prev: KubeObject, revision: int) -> KubeObject:
        return prev

    with patched(watcher, "last_state", as_stored):
        yield
