"""etcd-future-watch-gets-past-events: a watch that waits for the future is caught up after a snapshot like one that is behind."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.etcd.watch_stream import Watcher


@bug(
    "etcd-future-watch-gets-past-events",
    cites="etcd-io/etcd#20221; pull request 20286",
    invariants=("watch-resumable", "watch-ordered", "watch-bookmarkable", "watch-reliable"),
    scenario="etcd-watch",
    needs=("partition", "pause", "lose", "slow-link", "slow-disk"),
    setup={"members": 3, "snapshots": 5},
)
def etcd_future_watch_gets_past_events() -> Iterator[None]:
    """When a member takes a snapshot, a watch from a later revision goes on from the snapshot's, and gets what it never wanted."""

    def from_now_on(hub: WatchHub, _watcher: Watcher) -> int:
        return hub.revision + 1

    with patched(WatchHub, "_min_revision_when_synced", from_now_on):
        yield
