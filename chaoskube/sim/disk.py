"""A process's disk: named files of records; what is written is not safe until it is synced.

A crash loses, tears or keeps what was written after the last sync that completed. Records are frozen
values and are never copied. Times are those of `DiskTimes`.

Not modelled: capacity, slow and failing devices, bit rot; a crash is the only thing that goes wrong.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from .calm import DISK_SYNC, DISK_WRITE
from .journal import canonical

if TYPE_CHECKING:
    from .process import Process


@frozen(kw_only=True)
class DiskTimes:
    """How long a write and a sync take, in virtual ns."""

    write_ns: int = DISK_WRITE
    sync_ns: int = DISK_SYNC


class Unsynced(enum.Enum):
    """What a crash does to records that were written and not synced."""

    LOST = "lost"
    TORN = "torn"
    KEPT = "kept"


@frozen
class Torn:
    """What stands in a file where a write was cut in half: its checksum doesn't match."""


@frozen
class _Write:
    file: str
    keep: int | None
    """Records to keep before `record` is added; None keeps all."""
    records: tuple[object, ...]


class Disk:
    """Files by name, each a list of records."""

    def __init__(self, process: Process, times: DiskTimes) -> None:
        self._process = process
        self._times = times
        self._files: dict[str, list[object]] = {}
        self._durable: dict[str, list[object]] = {}
        self._pending: list[_Write] = []
        self._unpaid_ns = 0
        self._last_sync_end = 0
        self._synced_count = 0

    def append(self, file: str, record: object) -> None:
        """Write `record` at the end of `file`."""
        self._write(_Write(file, None, (record,)))

    def replace(self, file: str, record: object) -> None:
        """Make `file` hold just this record; after a crash it holds the old content or the new."""
        self._write(_Write(file, 0, (record,)))

    def truncate(self, file: str, keep: int) -> None:
        """Drop all but the first `keep` records."""
        self._write(_Write(file, keep, ()))

    def read(self, file: str) -> tuple[object, ...]:
        """What the file holds now, synced or not; after a crash: what survived."""
        return tuple(self._files.get(file, ()))

    def sync(self, then: Callable[[], object]) -> None:
        """Call `then` when everything written so far is durable. Lost with the process's life."""
        clock = self._process.world.clock
        end = max(clock.now + self._unpaid_ns + self._times.sync_ns, self._last_sync_end)
        self._unpaid_ns = 0
        self._last_sync_end = end
        self._process.call_at(end, self._synced, self._synced_count + len(self._pending), then)

    def lose_power(self, unsynced: Unsynced, luck: random.Random) -> None:
        """The process crashed: settle what became of unsynced writes."""
        survivors: list[_Write] = []
        if unsynced is Unsynced.KEPT:
            survivors = self._pending
        elif unsynced is Unsynced.TORN and self._pending:
            whole = luck.randrange(len(self._pending))
            survivors = self._pending[:whole]
            torn = self._pending[whole]
            if torn.records and torn.keep is None:
                survivors = [*survivors, _Write(torn.file, None, (Torn(),))]
        for write in survivors:
            _apply(self._durable, write)
        self._pending = []
        self._unpaid_ns = 0
        self._files = {file: list(records) for file, records in self._durable.items()}

    def _write(self, write: _Write) -> None:
        _apply(self._files, write)
        self._pending.append(write)
        self._unpaid_ns += self._times.write_ns
        world = self._process.world
        world.journal.trace(f"{world.clock.now} {self._process.name} disk {canonical(write)}")

    def _synced(self, target: int, then: Callable[[], object]) -> None:
        fresh = max(0, target - self._synced_count)
        for write in self._pending[:fresh]:
            _apply(self._durable, write)
        del self._pending[:fresh]
        self._synced_count += fresh
        then()


def _apply(files: dict[str, list[object]], write: _Write) -> None:
    records = files.setdefault(write.file, [])
    if write.keep is not None:
        del records[write.keep :]
    records.extend(write.records)
