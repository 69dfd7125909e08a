"""The storage under a member in a script: a log in memory from a snapshot on, as etcd-io/raft storage.go has it.

The core keeps its own log. This one holds what was really handed to storage, which with asynchronous writes
comes later; it is what `raft-log` prints.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from chaoskube.models.raft.messages import Entry, HardState, Snapshot

OUT_OF_DATE = "requested index is older than the existing snapshot"
COMPACTED = "requested index is unavailable due to compaction"


class StorageError(Exception):
    """What storage refuses; the text is etcd's."""


@define
class MemoryStorage:
    """Entries after `offset`; everything up to there is in the snapshot or gone."""

    hard_state: HardState = field(factory=HardState)
    offset: int = 0
    entries: list[Entry] = field(factory=list)
    _snapshot_index: int = 0

    @property
    def first_index(self) -> int:
        """The index of the oldest entry that is still there, or would be."""
        return self.offset + 1

    @property
    def last_index(self) -> int:
        """The index of the newest entry."""
        return self.offset + len(self.entries)

    def save(self, hard_state: HardState | None, entries: Sequence[Entry], snapshot: Snapshot | None) -> None:
        """Write what a member wants written, all at once."""
        if hard_state is not None:
            self.hard_state = hard_state
        if snapshot is not None:
            if entries:
                raise StorageError("can't apply snapshot and entries at the same time")
            self.apply_snapshot(snapshot)
        self.append(entries)

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Forget the log: everything is in `snapshot`."""
        if snapshot.metadata.index <= self._snapshot_index:
            raise StorageError(OUT_OF_DATE)
        self._snapshot_index = self.offset = snapshot.metadata.index
        self.entries = []

    def append(self, entries: Sequence[Entry]) -> None:
        """Put entries at their places; what stood there and after is dropped."""
        kept = [entry for entry in entries if entry.index > self.offset]
        if kept:
            del self.entries[kept[0].index - self.first_index :]
            self.entries.extend(kept)

    def compact(self, index: int) -> None:
        """Forget entries up to `index`."""
        if index <= self.offset:
            raise StorageError(COMPACTED)
        del self.entries[: index - self.offset]
        self.offset = index
