"""watchcache-accepts-too-old-rv: a watch from before the events that are kept begins with a hole instead of 410."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver.watch_cache import WatchCache


@bug(
    "watchcache-accepts-too-old-rv",
    cites="kubernetes/kubernetes PR 91417",
    invariants=("list-and-watch-have-no-gap",),
    scenario="api-machinery",
    setup={"window": 5},
    needs=(
        "crash",
        "crash-host",
        "drop-stream",
        "steer",
        "cut-initial-list",
        "partition",
        "pause",
        "lose",
        "slow-disk",
    ),
)
def watchcache_accepts_too_old_rv() -> Iterator[None]:
    """The oldest event that can be served is told from the list that filled the cache, not from what is still kept."""

    def since_the_list(self: WatchCache) -> int:
        return self._list_revision + 1

    with patched(WatchCache, "oldest_servable", since_the_list):
        yield
