"""The write-ahead log of a member: what it saved at each Ready, and what is left of it after a crash.

Three kinds of record (server/storage/wal, walpb/record.proto): the head says whose log it is; a saved one has the
hard state and entries of one Ready, where later entries replace those at their indexes and after; a snapshot says
up to where entries are not needed. Each carries a checksum that goes on from the one before it, so that a record that
is changed, missing or out of place is seen.

A record that a crash has torn ends the log and is cut off: nobody was told of it. Anything else that doesn't fit means
that the disk lost what it had promised to keep; the member must not start (wal.go ReadAll, repair.go).

Called by the member. Not modelled: segments and their release (the log only grows), the file's bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final, TypeAlias

from attrs import define, field, frozen

from chaoskube.models.raft.messages import Entry, HardState, SnapshotMetadata
from chaoskube.sim import Disk, Torn, canonical

FILE: Final = "wal"
CRC_MISMATCH: Final = "wal: crc mismatch"
OUT_OF_RANGE: Final = "wal: slice bounds out of range"


class WalError(Exception):
    """The log can't be trusted; etcd's own words."""


@frozen(kw_only=True)
class Head:
    """Whose log this is."""

    member: int
    cluster: int

    def digest_text(self) -> str:
        """Deterministic text, which the checksum covers."""
        return f"head {self.member} of {self.cluster:x}"


@frozen(kw_only=True)
class Saved:
    """What one Ready wanted saved."""

    hard_state: HardState | None
    entries: tuple[Entry, ...]

    def digest_text(self) -> str:
        """Deterministic text; an entry's own text is made once for disks and messages."""
        state = "" if self.hard_state is None else self.hard_state.digest_text()
        return f"saved {state} {len(self.entries)}" + "".join([entry.digest_text() for entry in self.entries])


@frozen
class SnapshotMark:
    """The state up to `metadata.index` is in the database file, or in the one received with the snapshot."""

    metadata: SnapshotMetadata

    def digest_text(self) -> str:
        """Deterministic text, which the checksum covers."""
        return f"snapshot {canonical(self.metadata)}"


Content: TypeAlias = Head | Saved | SnapshotMark


@frozen
class Record:
    """One record with its checksum; the text is made once, for the checksum and for the journal."""

    content: Content
    crc: int
    _text: str = field(eq=False, repr=False)

    def digest_text(self) -> str:
        """Deterministic text."""
        return self._text


@define
class WriteAheadLog:
    """The end of the log, where records are added. They are safe once the disk is synced."""

    disk: Disk
    crc: int = 0

    def append(self, content: Content) -> None:
        """Write one record."""
        text = content.digest_text()
        self.crc = zlib.crc32(text.encode(), self.crc)
        self.disk.append(FILE, Record(content, self.crc, text))


def save(log: WriteAheadLog, hard_state: HardState | None, entries: tuple[Entry, ...]) -> None:
    """Write what a Ready wants saved."""
    log.append(Saved(hard_state=hard_state, entries=entries))


@frozen(kw_only=True)
class Found:
    """What a member finds in its log: entries follow the snapshot without a gap."""

    log: WriteAheadLog
    head: Head | None
    hard_state: HardState
    snapshot: SnapshotMetadata
    """The newest that can be relied on; index 0 for none."""
    entries: tuple[Entry, ...]


def read(disk: Disk) -> Found:
    """Read the log back, and cut off a torn end. Raises WalError."""
    log, contents = _verified(disk)
    heads = [content for content in contents if isinstance(content, Head)]
    states = [one.hard_state for one in contents if isinstance(one, Saved) and one.hard_state is not None]
    hard_state = states[-1] if states else HardState()
    snapshot, entries = _replayed(contents, hard_state.commit)
    return Found(
        log=log,
        head=heads[-1] if heads else None,
        hard_state=hard_state,
        snapshot=snapshot,
        entries=tuple(entries),
    )


def _verified(disk: Disk) -> tuple[WriteAheadLog, list[Content]]:
    records = disk.read(FILE)
    log = WriteAheadLog(disk)
    contents: list[Content] = []
    for place, record in enumerate(records):
        if isinstance(record, Torn) and place == len(records) - 1:
            disk.truncate(FILE, place)
            break
        if not isinstance(record, Record):
            raise WalError(CRC_MISMATCH)
        log.crc = zlib.crc32(record.content.digest_text().encode(), log.crc)
        if log.crc != record.crc:
            raise WalError(CRC_MISMATCH)
        contents.append(record.content)
    return log, contents


def _replayed(contents: Sequence[Content], commit: int) -> tuple[SnapshotMetadata, list[Entry]]:
    """The newest snapshot, and the entries after it.

    A snapshot beyond the saved commit index was not finished and doesn't count (wal.go ValidSnapshotEntries).
    """
    snapshot, entries = SnapshotMetadata(), list[Entry]()
    for content in contents:
        if isinstance(content, Saved):
            _put(entries, snapshot.index, content.entries)
        elif isinstance(content, SnapshotMark) and snapshot.index < content.metadata.index <= commit:
            del entries[: content.metadata.index - snapshot.index]
            snapshot = content.metadata
            if entries and entries[0].term < snapshot.term:
                # Left over from before the snapshot: the log that it came from has others in their places.
                entries.clear()
    return snapshot, entries


def _put(entries: list[Entry], start: int, more: tuple[Entry, ...]) -> None:
    for entry in more:
        place = entry.index - start - 1
        if place < 0:
            continue
        if place > len(entries):
            raise WalError(OUT_OF_RANGE)
        del entries[place:]
        entries.append(entry)
