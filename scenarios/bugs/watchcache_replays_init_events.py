"""watchcache-replays-init-events: a watch is shown what it began with once more, because it was still being dispatched.

Needs no fault: a watch that begins while something is written is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver import watcher
from chaoskube.models.apiserver.watcher import Change, Watcher


@bug(
    "watchcache-replays-init-events",
    cites="kubernetes/kubernetes PR 73845",
    invariants=("caches-only-go-forward",),
    scenario="api-machinery",
)
def watchcache_replays_init_events() -> Iterator[None]:
    """A cache doesn't ask whether a change is newer than what its watcher was told when it began."""

    def everything_is_news(watcher: Watcher, change: Change) -> bool:
        return True

    with patched(watcher, "is_news", everything_is_news):
        yield
