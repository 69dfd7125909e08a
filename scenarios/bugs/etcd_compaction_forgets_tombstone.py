"""etcd-compaction-forgets-tombstone: a compaction takes out a deletion that was made exactly at its revision."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd import mvcc


@bug(
    "etcd-compaction-forgets-tombstone",
    cites="etcd-io/etcd#18089, PR#19406",
    invariants=("watch-resumable", "watch-reliable"),
    scenario="etcd-watch",
)
def etcd_compaction_forgets_tombstone() -> Iterator[None]:
    """A watch from the compacted revision, which may still be asked for, misses the deletion."""

    def keeps_none(deleted_at: int, compacted: int) -> bool:
        return False

    with patched(mvcc, "keeps_deletion", keeps_none):
        yield
