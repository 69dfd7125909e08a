"""etcd-defrag-loses-consistent-index: a defragmentation commits what entries did, and not that they were applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.database_file import DatabaseFile


@bug(
    "etcd-defrag-loses-consistent-index",
    cites="etcd-io/etcd PR#14685 (commit 5a3ef953e), PR#14733",
    invariants=("members-have-one-state", "one-content-a-revision"),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "full-disk", "bit-rot"),
    setup={"members": 3, "commit_ms": 1000, "traffic": "puts"},
)
def etcd_defrag_loses_consistent_index() -> Iterator[None]:
    """After a crash in or soon after a defragmentation a member applies again what its database has already."""

    def commit_without_index(self: DatabaseFile, then: Callable[[], object]) -> None:
        if self.backend.uncommitted:
            self._write()
        self._process.disk.sync(then)

    with patched(DatabaseFile, "commit_before_defragment", commit_without_index):
        yield
