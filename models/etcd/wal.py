"""The write-ahead log of a member: what it saved at each Ready, and what is left of it after a crash.

One record a Ready, appended; entries of a later record replace those at their indexes and after (etcd
server/storage/wal). A record that was torn by a crash ends the log: nobody was told of it.

Called by the member. Not modelled: segments, checksums, snapshots (the log only grows).
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from chaoskube.models.raft.messages import Entry, HardState
from chaoskube.sim import Disk

FILE: Final = "wal"


@frozen(kw_only=True)
class WalRecord:
    """What one Ready wanted saved."""

    hard_state: HardState | None
    entries: tuple[Entry, ...]

    def digest_text(self) -> str:
        """Deterministic text; an entry's own text is made once for disks and messages."""
        state = "" if self.hard_state is None else self.hard_state.digest_text()
        return f"wal {state} {len(self.entries)}" + "".join([entry.digest_text() for entry in self.entries])


@frozen(kw_only=True)
class Recovered:
    """What a member finds on its disk."""

    hard_state: HardState
    entries: tuple[Entry, ...]


def save(disk: Disk, hard_state: HardState | None, entries: tuple[Entry, ...]) -> None:
    """Write one record; it is safe once the disk is synced."""
    disk.append(FILE, WalRecord(hard_state=hard_state, entries=entries))


def recover(disk: Disk) -> Recovered:
    """Read the log back."""
    hard_state = HardState()
    entries: list[Entry] = []
    records = disk.read(FILE)
    for place, record in enumerate(records):
        if not isinstance(record, WalRecord):
            disk.truncate(FILE, place)
            break
        if record.entries:
            del entries[record.entries[0].index - 1 :]
            entries.extend(record.entries)
        if record.hard_state is not None:
            hard_state = record.hard_state
    return Recovered(hard_state=hard_state, entries=tuple(entries))
