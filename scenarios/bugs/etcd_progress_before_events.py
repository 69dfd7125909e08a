"""etcd-progress-before-events: a requested notice of progress doesn't wait for watches that are behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.etcd.watch_stream import Watcher


@bug(
    "etcd-progress-before-events",
    cites="etcd-io/etcd#15220; pull request 15237",
    invariants=("watch-reliable", "watch-bookmarkable"),
    scenario="etcd-watch",
)
def etcd_progress_before_events() -> Iterator[None]:
    """A member says that everything up to its revision was sent, while some of it is still to be sent."""

    def always(_hub: WatchHub, _watchers: Iterable[Watcher]) -> bool:
        return True

    with patched(WatchHub, "_may_report", always):
        yield
