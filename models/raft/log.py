"""The log of one member: entries, what is stable on disk, committed, applied.

Etcd-io/raft log.go and log_unstable.go in one. Entries from `stable + 1` on have not been handed to the
disk; everything before is there or on its way. Called by the core only.

Not modelled: compaction and snapshots; `offset` is where they will be: the index before the first entry held.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from chaoskube.models.raft.messages import Entry
from chaoskube.sim import ModelBug


@define(kw_only=True)
class RaftLog:
    """Entries with indexes from `offset + 1` on, and four marks along them."""

    entries: list[Entry] = field(factory=list)
    offset: int = 0
    stable: int = 0
    committed: int = 0
    applied: int = 0

    @property
    def last_index(self) -> int:
        """The index of the newest entry, 0 in an empty log."""
        return self.offset + len(self.entries)

    @property
    def last_term(self) -> int:
        """The term of the newest entry, 0 in an empty log."""
        return self.entries[-1].term if self.entries else 0

    def term(self, index: int) -> int | None:
        """The term of the entry at `index`; 0 before the first, None where there is none."""
        place = index - self.offset - 1
        if place == -1:
            return 0
        if 0 <= place < len(self.entries):
            return self.entries[place].term
        return None

    def matches(self, index: int, term: int) -> bool:
        """Is the entry at `index` of that `term`?"""
        return self.term(index) == term

    def slice(self, start: int, end: int) -> tuple[Entry, ...]:
        """The entries with indexes from `start` up to and without `end`."""
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

    def commit_to(self, index: int) -> None:
        """Everything up to `index` is committed; never goes back."""
        if index <= self.committed:
            return
        if index > self.last_index:
            raise ModelBug(f"commit {index} is beyond the last index {self.last_index}: was the log lost?")
        self.committed = index

    def unstable_entries(self) -> tuple[Entry, ...]:
        """The entries that the disk hasn't been given yet."""
        return tuple(self.entries[self.stable - self.offset :])

    def next_committed(self) -> tuple[Entry, ...]:
        """The entries that are committed and not applied yet."""
        return tuple(self.entries[self.applied - self.offset : self.committed - self.offset])
