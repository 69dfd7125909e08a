"""etcd-consistent-index-ahead: the index of the last entry applied is stored before what the entry did."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.backend import CONSISTENT_INDEX, META, TERM, Commit
from chaoskube.models.etcd.database_file import FILE, DatabaseFile


@bug(
    "etcd-consistent-index-ahead",
    cites="etcd-io/etcd#13766, PR#13854; postmortem v3.5 data inconsistency",
    invariants=("members-have-one-state", "one-content-a-revision"),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "full-disk", "bit-rot"),
    setup={"members": 3, "commit_ms": 1000},
)
def etcd_consistent_index_ahead() -> Iterator[None]:
    """The index has a write of its own, ahead of the data: a crash in between, and the entry is never applied."""
    written = DatabaseFile.written

    def write_index_first(self: DatabaseFile) -> None:
        index, term = self._claim()
        if index > self.backend.meta(CONSISTENT_INDEX):
            alone = Commit(((META, CONSISTENT_INDEX, index), (META, TERM, term)))
            self._process.disk.append(FILE, alone)
            self._process.disk.sync(lambda: None)
        written(self)

    with patched(DatabaseFile, "written", write_index_first):
        yield
