"""etcd-watch-rewinds-after-snapshot: watches that were up to date get old events again after a snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.etcd.watch_stream import Watcher


@bug(
    "etcd-watch-rewinds-after-snapshot",
    cites="etcd-io/etcd#15271; pull request 15520",
    invariants=("watch-ordered", "watch-unique", "watch-atomic", "watch-bookmarkable", "watch-reliable"),
    scenario="etcd-watch",
    needs=("partition", "pause", "lose", "slow-link", "slow-disk"),
    setup={"members": 3, "snapshots": 5},
)
def etcd_watch_rewinds_after_snapshot() -> Iterator[None]:
    """How far a watch has got isn't noted while it is up to date: when a snapshot comes it begins anew from its start."""
    note = WatchHub._note_delivered

    def note_only_when_behind(hub: WatchHub, watcher: Watcher, revision: int) -> None:
        if watcher not in hub._synced:
            note(hub, watcher, revision)

    with patched(WatchHub, "_note_delivered", note_only_when_behind):
        yield
