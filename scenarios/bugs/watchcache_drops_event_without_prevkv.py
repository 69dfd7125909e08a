"""watchcache-drops-event-without-prevkv: a change that comes without the state before it is left out, silently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver.cache_feed import CacheFeed, is_whole
from chaoskube.models.etcd.messages import Event


@bug(
    "watchcache-drops-event-without-prevkv",
    cites="kubernetes/kubernetes#76624, PR 76675",
    invariants=("list-and-watch-have-no-gap", "caches-catch-up", "what-a-cache-is-told-was-so"),
    scenario="api-machinery",
    setup={"members": 1, "servers": 2, "pace": 1000, "compact_ms": 300, "watch_buffer": 1},
    needs=(
        "slow-link",
        "delay-stream",
        "freeze-stream",
        "hide-event",
        "pause",
        "partition",
        "lose",
        "crash",
        "crash-host",
        "drop-stream",
        "cut-initial-list",
    ),
)
def watchcache_drops_event_without_prevkv() -> Iterator[None]:
    """Where compaction was faster than the event, a server takes the change for one that concerns nobody."""
    on_events = CacheFeed._on_events

    def on_whole_events(self: CacheFeed, events: Sequence[Event], revision: int) -> None:
        on_events(self, [event for event in events if is_whole(event)], revision)

    with patched(CacheFeed, "_on_events", on_whole_events):
        yield
