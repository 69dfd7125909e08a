"""watchcache-bookmark-timer-drops-watchers: who is due a bookmark before anything has happened never gets one.

Needs no fault: a watch of a kind that nothing happens to for a minute is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver.watch_cache import WatchCache

NEVER = 1 << 62


@bug(
    "watchcache-bookmark-timer-drops-watchers",
    cites="k8s.io/apiserver commit 0df626818",
    invariants=("watches-get-bookmarks",),
    scenario="api-machinery",
)
def watchcache_bookmark_timer_drops_watchers() -> Iterator[None]:
    """As long as a cache has shown no event, watchers are taken from the queue of bookmarks and not put back."""
    due_bookmarks = WatchCache.due_bookmarks

    def drop_while_quiet(self: WatchCache, now: int) -> list[int]:
        if self._ring:
            return due_bookmarks(self, now)
        for watcher in self._watchers.values():
            if watcher.bookmark_at <= now:
                watcher.bookmark_at = NEVER
        return []

    with patched(WatchCache, "due_bookmarks", drop_while_quiet):
        yield
