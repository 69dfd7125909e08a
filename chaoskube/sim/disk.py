"""A process's disk: named files of records; what is written is not safe until it is synced.

A crash loses, tears or keeps what was written after the last sync that completed. Records are frozen
values and are never copied; a checksum is the business of whoever defines a record. Times are those of
`DiskTimes`, plus what the device adds.

The device under it can fail, by five methods that faults call and `Disturbance.heal` takes back:

- `slow`: writes and syncs take longer by a factor, syncs by a constant too.
- `fill`: there is no space. `append` and `replace` raise DiskFull, with nothing written; what is there can
  be read, truncated and synced.
- `rot`: bits flip in a record that was stored. It reads back as `Rotten`.
- `lie`: syncs report that they are done, and nothing is safe: a crash loses it. An honest sync after the
  lie has ended makes all of it safe.
- a torn write needs no fault of its own: `Unsynced.TORN` at a crash. It reads back as `Torn`.

A component that can go on without the write catches DiskError. One that can't lets it pass, or calls
`Process.panic(why)`, as etcd does: a DiskError that leaves a handler or a task ends the process (not the
run), and the journal has the reason, `ProcessPanicked`. Where nobody restarts it, the fault's end does.

Not modelled: how much a disk holds (`fill` is yes or no), reads that take time or fail, errors of a sync.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from .calm import DISK_SYNC, DISK_WRITE
from .disturbance import Disturbance
from .errors import DiskFull, UsageError
from .events import BitRotted
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


@frozen(eq=False)
class Rotten:
    """What reads back where bits have flipped in a stored record: its checksum can't match.

    `was` is what had been stored, for reports and for repair; a component must not look at it.
    """

    was: object


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
        self._write_ns = times.write_ns
        self._sync_ns = times.sync_ns
        self._files: dict[str, list[object]] = {}
        self._durable: dict[str, list[object]] = {}
        self._pending: list[_Write] = []
        self._unpaid_ns = 0
        self._last_sync_end = 0
        self._synced_count = 0
        self._slow: list[tuple[int, int]] = []
        self._full_count = 0
        self._lie_count = 0
        self._on_replaced: list[Callable[[], None]] = []

    # -- what components do

    def append(self, file: str, record: object) -> None:
        """Write `record` at the end of `file`. Raises DiskFull."""
        self._write(_Write(file, None, (record,)))

    def replace(self, file: str, record: object) -> None:
        """Make `file` hold just this record; after a crash it holds the old content or the new.

        Raises DiskFull: the old content stands.
        """
        self._write(_Write(file, 0, (record,)))
        for listener in tuple(self._on_replaced):
            listener()

    def truncate(self, file: str, keep: int) -> None:
        """Drop all but the first `keep` records."""
        self._write(_Write(file, keep, ()))

    def read(self, file: str) -> tuple[object, ...]:
        """What the file holds now, synced or not; after a crash: what survived."""
        return tuple(self._files.get(file, ()))

    def sync(self, then: Callable[[], object]) -> None:
        """Call `then` when everything written so far is durable. Lost with the process's life."""
        clock = self._process.world.clock
        end = max(clock.now + self._unpaid_ns + self._sync_ns, self._last_sync_end)
        self._unpaid_ns = 0
        self._last_sync_end = end
        self._process.call_at_world_time(end, self._synced, self._synced_count + len(self._pending), then)

    # -- what goes wrong

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that hold something now, sorted; () for a process that keeps nothing."""
        return tuple(sorted(name for name, records in self._files.items() if records))

    def stored_count(self, file: str) -> int:
        """How many records of the file are safe."""
        return len(self._durable.get(file, ()))

    @property
    def is_full(self) -> bool:
        """Is there no space left?"""
        return self._full_count > 0

    def slow(self, *, factor: int = 1, extra_ns: int = 0) -> Disturbance:
        """A write and a sync take `factor` times as long, and a sync `extra_ns` longer; of several the worst counts."""
        if factor < 1 or extra_ns < 0:
            raise UsageError(f"slow(factor={factor}, extra_ns={extra_ns}) must not make a disk faster")
        fault = (factor, extra_ns)
        self._slow.append(fault)
        self._reckon_times()
        return Disturbance(lambda: self._speed_up(fault))

    def fill(self) -> Disturbance:
        """There is no space for anything new."""
        self._full_count += 1
        return Disturbance(self._free)

    def lie(self) -> Disturbance:
        """Syncs report that they are done and do nothing."""
        self._lie_count += 1
        return Disturbance(self._be_honest)

    def when_replaced(self, listener: Callable[[], None]) -> Disturbance:
        """Call `listener` each time that a whole file has been replaced, before that is safe."""
        self._on_replaced.append(listener)
        return Disturbance(lambda: self._on_replaced.remove(listener))

    def rot(self, file: str, place: int) -> Disturbance:
        """Flip bits in the stored record at `place` of `file` (as of a list: -1 is the newest)."""
        records = self._durable.get(file, [])
        if not -len(records) <= place < len(records):
            raise UsageError(
                f"{self._process.name} has {len(records)} stored records in {file!r}; there is none at {place}"
            )
        place %= len(records)
        stored = records[place]
        rotten = Rotten(stored.was if isinstance(stored, Rotten) else stored)
        for files in (self._durable, self._files):
            _swap(files, file, place, stored, rotten)
        self._process.record(BitRotted(file=file, place=place))
        return Disturbance(lambda: self._repair(file, place, rotten))

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
        if self._full_count and write.records:
            raise DiskFull(f"{self._process.name} writes to {write.file!r}: no space left on device")
        _apply(self._files, write)
        self._pending.append(write)
        self._unpaid_ns += self._write_ns
        world = self._process.world
        world.journal.trace(f"{world.clock.now} {self._process.name} disk {canonical(write)}")

    def _synced(self, target: int, then: Callable[[], object]) -> None:
        if self._lie_count:
            then()
            return
        fresh = max(0, target - self._synced_count)
        for write in self._pending[:fresh]:
            _apply(self._durable, write)
        del self._pending[:fresh]
        self._synced_count += fresh
        then()

    def _reckon_times(self) -> None:
        factor = max((factor for factor, _ in self._slow), default=1)
        extra_ns = max((extra_ns for _, extra_ns in self._slow), default=0)
        self._write_ns = self._times.write_ns * factor
        self._sync_ns = self._times.sync_ns * factor + extra_ns

    def _speed_up(self, fault: tuple[int, int]) -> None:
        self._slow.remove(fault)
        self._reckon_times()

    def _free(self) -> None:
        self._full_count -= 1

    def _be_honest(self) -> None:
        self._lie_count -= 1

    def _repair(self, file: str, place: int, rotten: Rotten) -> None:
        """Put a good copy of the record back, if the rotten one is still there."""
        for files in (self._durable, self._files):
            _swap(files, file, place, rotten, rotten.was)


def _swap(files: dict[str, list[object]], file: str, place: int, old: object, new: object) -> None:
    records = files.get(file, [])
    if place < len(records) and records[place] is old:
        records[place] = new


def _apply(files: dict[str, list[object]], write: _Write) -> None:
    records = files.setdefault(write.file, [])
    if write.keep is not None:
        del records[write.keep :]
    records.extend(write.records)
