"""etcd-slow-watcher-loses-events: a slow watch that compaction overtakes goes on behind the gap."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.etcd.watch_stream import Watcher


@bug(
    "etcd-slow-watcher-loses-events",
    cites="etcd-io/etcd#17529; pull request 17555",
    invariants=("watch-reliable", "watch-resumable"),
    scenario="etcd-watch",
    setup={"watch_buffer": 1},
)
def etcd_slow_watcher_loses_events() -> Iterator[None]:
    """A watch whose stream has no room for the word that its history is compacted gets what is left of it instead."""

    def never(_hub: WatchHub, _watcher: Watcher) -> bool:
        return False

    with patched(WatchHub, "_must_hear_of_compaction", never):
        yield
