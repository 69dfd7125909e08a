"""The log of one member: entries, what is stable on disk, committed, being applied, applied.

Etcd-io/raft log.go, log_unstable.go and the in-memory storage of storage.go in one: all entries since the last
compaction stay here. Marks run along them; each only says how far something has come:

    offset < ... <= stable <= in_progress <= last_index      on disk; handed to the disk; known
    applied <= applying <= committed                         applied; handed out to be; a quorum has it

A snapshot that was received replaces everything; it is `pending_snapshot` until it is on disk. `snapshot` is the
newest one on disk, for followers whose next entry is compacted. Called by the core only; `entries` and the
marks are for anybody's reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import define, field

from chaoskube.models.raft.messages import ConfState, Entry, Snapshot, SnapshotMetadata
from chaoskube.sim import ModelBug

NO_LIMIT: Final = 2**64 - 1
"""Any number of bytes."""


def entries_size(entries: Iterable[Entry]) -> int:
    """The bytes of whole entries."""
    return sum(entry.encoded_size() for entry in entries)


def payloads_size(entries: Iterable[Entry]) -> int:
    """The bytes of what entries carry."""
    return sum(entry.payload_size() for entry in entries)


def limit_size(entries: tuple[Entry, ...], size_max: int) -> tuple[Entry, ...]:
    """As many entries from the front as fit into `size_max` bytes, but at least one."""
    if len(entries) < 2 or size_max >= NO_LIMIT:
        return entries
    size = 0
    for place, entry in enumerate(entries):
        size += entry.encoded_size()
        if place and size > size_max:
            return entries[:place]
    return entries


@define(kw_only=True)
class RaftLog:
    """Entries with indexes from `offset + 1` on, and the marks along them."""

    entries: list[Entry] = field(factory=list)
    offset: int = 0
    offset_term: int = 0
    stable: int = 0
    in_progress: int = 0
    committed: int = 0
    applying: int = 0
    applied: int = 0
    snapshot: Snapshot | None = None
    pending_snapshot: Snapshot | None = None
    is_snapshot_in_progress: bool = False
    applying_size_max: int = NO_LIMIT
    applying_size: int = 0
    is_applying_paused: bool = False

    def copy(self) -> RaftLog:
        """The same, sharing nothing that changes."""
        return RaftLog(
            entries=self.entries.copy(),
            offset=self.offset,
            offset_term=self.offset_term,
            stable=self.stable,
            in_progress=self.in_progress,
            committed=self.committed,
            applying=self.applying,
            applied=self.applied,
            snapshot=self.snapshot,
            pending_snapshot=self.pending_snapshot,
            is_snapshot_in_progress=self.is_snapshot_in_progress,
            applying_size_max=self.applying_size_max,
            applying_size=self.applying_size,
            is_applying_paused=self.is_applying_paused,
        )

    # -- entries

    @property
    def first_index(self) -> int:
        """The index of the oldest entry that is still here, or would be."""
        return self.offset + 1

    @property
    def last_index(self) -> int:
        """The index of the newest entry, 0 in an empty log."""
        return self.offset + len(self.entries)

    @property
    def last_term(self) -> int:
        """The term of the newest entry, 0 in an empty log."""
        return self.entries[-1].term if self.entries else self.offset_term

    def term(self, index: int) -> int | None:
        """The term of the entry at `index`; None where there is none, or none any more."""
        place = index - self.offset - 1
        if place == -1:
            return self.offset_term
        if 0 <= place < len(self.entries):
            return self.entries[place].term
        return None

    def matches(self, index: int, term: int) -> bool:
        """Is the entry at `index` of that `term`?"""
        return self.term(index) == term

    def slice(self, start: int, end: int) -> tuple[Entry, ...]:
        """The entries with indexes from `start` up to and without `end`."""
        if start <= self.offset:
            raise ModelBug(f"entry {start} is compacted: the log begins at {self.first_index}")
        return tuple(self.entries[start - self.offset - 1 : end - self.offset - 1])

    def append(self, entries: Sequence[Entry]) -> None:
        """Put `entries` at their indexes; what stood there and after is dropped."""
        if not entries:
            return
        after = entries[0].index - 1
        if after < self.committed:
            raise ModelBug(
                f"append at {after + 1} would replace committed entries (committed={self.committed})"
            )
        del self.entries[after - self.offset :]
        self.entries.extend(entries)
        self.stable = min(self.stable, after)
        self.in_progress = min(self.in_progress, after)

    def maybe_append(self, previous: int, previous_term: int, entries: Sequence[Entry]) -> int | None:
        """Append if the log matches at `previous`; the last index that now surely matches, else None."""
        if not self.matches(previous, previous_term):
            return None
        for place, entry in enumerate(entries):
            if self.term(entry.index) != entry.term:
                self.append(entries[place:])
                break
        return previous + len(entries)

    def find_conflict_by_term(self, index: int, term: int) -> tuple[int, int]:
        """The highest index up to `index` whose term is not above `term`, and its term.

        Both sides use it to skip whole terms of a log that doesn't match (etcd-io/raft log.go).
        """
        while index > 0:
            ours = self.term(index)
            if ours is None:
                return index, 0
            if ours <= term:
                return index, ours
            index -= 1
        return 0, 0

    def is_up_to_date(self, last_index: int, last_term: int) -> bool:
        """Is a log that ends with this entry at least as new as ours? (Raft paper, 5.4.1)"""
        our_term = self.last_term
        return last_term > our_term or (last_term == our_term and last_index >= self.last_index)

    # -- to the disk

    def unstable_entries(self) -> tuple[Entry, ...]:
        """The entries that the disk hasn't been given yet."""
        return tuple(self.entries[self.in_progress - self.offset :])

    def unstable_snapshot(self) -> Snapshot | None:
        """The received snapshot that the disk hasn't been given yet."""
        return None if self.is_snapshot_in_progress else self.pending_snapshot

    def accept_unstable(self) -> None:
        """The disk has been given everything there is."""
        self.in_progress = self.last_index
        self.is_snapshot_in_progress = self.pending_snapshot is not None

    def stable_to(self, index: int, term: int) -> None:
        """The disk has the entry at `index` and all before; no news if another stands there by now.

        The term is what tells: an entry may be replaced and its index written again before the disk
        answers for the first (etcd-io/raft log_unstable.go stableTo).
        """
        if index > self.stable and self.matches(index, term):
            self.stable = index
            self.in_progress = max(self.in_progress, index)

    def stable_snapshot_to(self, index: int) -> None:
        """The disk has the received snapshot."""
        if self.pending_snapshot is not None and self.pending_snapshot.metadata.index == index:
            self.snapshot = self.pending_snapshot
            self.pending_snapshot = None
            self.is_snapshot_in_progress = False

    # -- to the state machine

    def commit_to(self, index: int) -> None:
        """Everything up to `index` is committed; never goes back."""
        if index <= self.committed:
            return
        if index > self.last_index:
            raise ModelBug(f"commit {index} is beyond the last index {self.last_index}: was the log lost?")
        self.committed = index

    def has_next_committed(self, *, allow_unstable: bool) -> bool:
        """May anything be handed out to be applied?"""
        if self.is_applying_paused or self.pending_snapshot is not None:
            return False
        return self.applying < self._appliable(allow_unstable=allow_unstable)

    def next_committed(self, *, allow_unstable: bool) -> tuple[Entry, ...]:
        """The next page of entries that are committed and not handed out yet."""
        if not self.has_next_committed(allow_unstable=allow_unstable):
            return ()
        end = self._appliable(allow_unstable=allow_unstable) + 1
        return limit_size(self.slice(self.applying + 1, end), self.applying_size_max - self.applying_size)

    def _appliable(self, *, allow_unstable: bool) -> int:
        return self.committed if allow_unstable else min(self.committed, self.stable)

    def accept_applying(self, index: int, size: int, *, allow_unstable: bool) -> None:
        """A page up to `index` has been handed out; the next begins after it."""
        if index > self.committed:
            raise ModelBug(f"entry {index} was handed out to be applied, committed is {self.committed}")
        self.applying = index
        self.applying_size += size
        self.is_applying_paused = self.applying_size >= self.applying_size_max or index < self._appliable(
            allow_unstable=allow_unstable
        )

    def applied_to(self, index: int, size: int) -> None:
        """Everything up to `index` is applied; `size` bytes less are being applied."""
        if not self.applied <= index <= self.committed:
            raise ModelBug(
                f"applied {index} is outside of {self.applied} (applied) to {self.committed} (committed)"
            )
        self.applied = index
        self.applying = max(self.applying, index)
        self.applying_size = max(0, self.applying_size - size)
        self.is_applying_paused = self.applying_size >= self.applying_size_max

    # -- snapshots

    def latest_snapshot(self) -> Snapshot | None:
        """What to send to a follower that is too far behind."""
        return self.snapshot if self.pending_snapshot is None else self.pending_snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Begin anew after a snapshot that was received."""
        self.committed = snapshot.metadata.index
        self.entries.clear()
        self.offset = self.stable = self.in_progress = snapshot.metadata.index
        self.offset_term = snapshot.metadata.term
        self.pending_snapshot = snapshot
        self.is_snapshot_in_progress = False

    def create_snapshot(self, index: int, conf_state: ConfState, data: object) -> Snapshot | None:
        """Make the newest snapshot on disk one up to `index`; None when there is a newer one."""
        newest = self.latest_snapshot()
        if newest is not None and index <= newest.metadata.index:
            return None
        term = self.term(index)
        if term is None:
            raise ModelBug(
                f"no snapshot at {index}: the log goes from {self.first_index} to {self.last_index}"
            )
        metadata = SnapshotMetadata(conf_state=conf_state, index=index, term=term)
        self.snapshot = Snapshot(metadata=metadata, data=data)
        return self.snapshot

    def compact(self, index: int) -> bool:
        """Drop entries up to and with `index`; False when they are gone already."""
        if index <= self.offset:
            return False
        term = self.term(index)
        if term is None or index > self.stable:
            raise ModelBug(f"compact at {index}, but the disk has entries up to {self.stable} only")
        del self.entries[: index - self.offset]
        self.offset, self.offset_term = index, term
        return True
