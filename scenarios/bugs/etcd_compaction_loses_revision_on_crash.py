"""etcd-compaction-loses-revision-on-crash: a restart takes the newest record that is left for the newest revision."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd import mvcc


@bug(
    "etcd-compaction-loses-revision-on-crash",
    cites="etcd-io/etcd#17780, PR#17815",
    invariants=("members-have-one-state", "one-content-a-revision"),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "full-disk", "bit-rot"),
    setup={"members": 3, "snapshots": 10_000, "commit_ms": 1000, "compact_ms": 300, "traffic": "deletes"},
)
def etcd_compaction_loses_revision_on_crash() -> Iterator[None]:
    """A member that compacted the newest revision away gives its number again after a crash.

    At that time (3.5.13) compactions took deletions at their own revision out as well (#18089); without that the
    newest record always stays.
    """

    def newest_record(newest: int, finished: int, scheduled: int) -> int:
        return newest

    def keeps_none(deleted_at: int, compacted: int) -> bool:
        return False

    with patched(mvcc, "revision_at_restore", newest_record), patched(mvcc, "keeps_deletion", keeps_none):
        yield
