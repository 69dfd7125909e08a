"""etcd-restore-ignores-lone-tombstone: a restart forgets a deletion that is all that is left of its key."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd import mvcc
from chaoskube.models.etcd.key_values import KeyValue


@bug(
    "etcd-restore-ignores-lone-tombstone",
    cites="etcd-io/etcd#19179, PR#19188 (commit d8b419257)",
    invariants=("watch-resumable", "watch-reliable"),
    scenario="etcd-watch",
    needs=(
        "crash",
        "crash-host",
        "crash-renaming",
        "pause",
        "partition",
        "slow-link",
        "lose",
        "slow-disk",
        "bit-rot",
        "full-disk",
    ),
    setup={"members": 3, "snapshots": 20, "compact_ms": 2000},
)
def etcd_restore_ignores_lone_tombstone() -> Iterator[None]:
    """Rebuilding the index, at boot or of a received database, skips a deletion without a predecessor: who watches from there never hears of it."""

    def counts_with_predecessor(kv: KeyValue, is_known: bool) -> bool:
        return kv.version > 0 or is_known

    with patched(mvcc, "counts_at_restore", counts_with_predecessor):
        yield
