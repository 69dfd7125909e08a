"""The database file of a member: what it holds after a crash, and when it is written.

Changes gather in the backend and are committed together, 100 ms after the first or at 10,000 of them, as one record that
is there whole or not at all (server/storage/backend/backend.go). The index of the last entry applied is part of the
same record: after a crash, entries up to it are not applied again, and those after it are (server/etcdserver/cindex).

Made at each boot. `written` is called after entries were applied. A record that was torn by a crash is cut off: the
commit before it counts, as with bbolt's two root pages. Any other damage is final.

Not modelled: pages; the time that a commit keeps the applier waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaoskube.models.etcd.backend import CONSISTENT_INDEX, META, TERM, Backend, Commit, Database
from chaoskube.sim import MILLISECOND, Disk, DiskError, Process, Timer, Torn

FILE: Final = "db"
COMMIT_WRITES_MAX: Final = 10_000
"""server/storage/backend/backend.go defaultBatchLimit."""
DEFRAGMENT_NS: Final = 50 * MILLISECOND
"""Files are made, synced and renamed, whatever their size."""
DEFRAGMENT_NS_PER_BYTE: Final = 10
"""100 MB/s."""


def load(disk: Disk) -> Backend:
    """The database as the last whole commit left it. Raises DiskError."""
    records: list[Database | Commit] = []
    found = disk.read(FILE)
    for place, record in enumerate(found):
        if isinstance(record, Torn) and place == len(found) - 1:
            disk.truncate(FILE, place)
            break
        if not isinstance(record, Database | Commit):
            raise DiskError("failed to open database: invalid database")
        records.append(record)
    return Backend.load(records)


class DatabaseFile:
    """Where a backend is kept. `claim` says which entry, of which term, a commit made now may cover."""

    def __init__(
        self,
        process: Process,
        backend: Backend,
        *,
        claim: Callable[[], tuple[int, int]],
        commit_ns: int,
    ) -> None:
        self.backend = backend
        self._process = process
        self._claim = claim
        self._commit_ns = commit_ns
        self._timer: Timer | None = None

    def written(self) -> None:
        """Entries were applied: commit soon, or now when there is much or when it is urgent."""
        backend = self.backend
        pending = backend.uncommitted
        if pending >= COMMIT_WRITES_MAX or backend.is_urgent:
            self.commit()
        elif pending and self._timer is None:
            self._timer = self._process.call_later(self._commit_ns, self.commit)

    def commit(self, then: Callable[[], object] | None = None) -> None:
        """Write everything since the last commit, with the index that it covers; `then` when it is on the disk.

        The index is written even if nothing else is: entries that changed nothing are covered as well.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._cover()
        if self.backend.uncommitted:
            self._write()
        elif then is None:
            return
        self._process.disk.sync(then if then is not None else _nothing)

    def commit_before_defragment(self, then: Callable[[], object]) -> None:
        """The commit that a defragmentation begins with (backend.go defrag, issue 14685)."""
        self.commit(then)

    def replace(self, database: Database) -> None:
        """Let the file hold this database and nothing else, at one stroke: a file is renamed over it."""
        self._process.disk.replace(FILE, database)

    def _cover(self) -> None:
        index, term = self._claim()
        if index > self.backend.meta(CONSISTENT_INDEX):
            self.backend.put(META, CONSISTENT_INDEX, index)
            self.backend.put(META, TERM, term)

    def _write(self) -> None:
        commit = self.backend.take()
        assert commit is not None, "a commit holds something"
        self._process.disk.append(FILE, commit)


def _nothing() -> None:
    """Nobody waits for this commit."""
