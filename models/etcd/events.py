"""What etcd writes to the journal: revisions applied, writes acknowledged, watches and what they delivered.

Recorded by members (`Applied`, `Acknowledged`) and by the process that watches (`Watch...`, by the client).
Read by `view.py` for invariants, and by reports.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.etcd.messages import Event


@frozen(kw_only=True)
class Applied:
    """This member made `revision` of the log entry at `index`; `events` are its changes."""

    index: int
    term: int
    revision: int
    request_id: int
    events: tuple[Event, ...]

    def digest_text(self) -> str:
        """Short: the values went through the digest with the messages that carried them."""
        return f"applied {self.index}/{self.term} r{self.revision} #{self.request_id} {len(self.events)}"


@frozen(kw_only=True)
class Acknowledged:
    """This member tells its client that the write of entry `index` is done."""

    index: int
    term: int
    revision: int
    request_id: int

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return f"acknowledged {self.index}/{self.term} r{self.revision} #{self.request_id}"


@frozen(kw_only=True)
class Compacted:
    """This member forgot the history before `revision`."""

    revision: int


@frozen(kw_only=True)
class WatchOpened:
    """A watch exists: it will deliver every event in its range from `next_revision` on."""

    watch: str
    member: str
    key: str
    range_end: str
    next_revision: int


@frozen(kw_only=True)
class WatchDelivered:
    """Events arrived at the watching process."""

    watch: str
    events: tuple[Event, ...]

    def digest_text(self) -> str:
        """Short: the same message is hashed when it is sent."""
        revisions = ",".join([str(event.kv.mod_revision) for event in self.events])
        return f"delivered {self.watch} {revisions}"


@frozen(kw_only=True)
class WatchProgressed:
    """The watching process heard that everything up to `revision` has been delivered."""

    watch: str
    revision: int


@frozen(kw_only=True)
class WatchEnded:
    """The watch delivers no more."""

    watch: str
    reason: str
