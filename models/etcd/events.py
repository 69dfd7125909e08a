"""What etcd writes to the journal: entries applied, writes acknowledged, members' lives, watches, calls.

Recorded by members (down to `Restored`), by the process that watches (`Watch...`, `KeepAliveAnswered`) and by
clients that keep a history (`Call...`). Members go by the names of their processes. Read by `view.py` for
invariants, and by reports.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.etcd.messages import Event


@frozen(kw_only=True)
class Applied:
    """This member applied the request of the log entry at `index`; `revision` is its store's afterwards.

    `events` are the changes, none for a request that changes no key; `failed`: it was refused.
    """

    index: int
    term: int
    revision: int
    request_id: int
    events: tuple[Event, ...] = ()
    failed: bool = False

    def digest_text(self) -> str:
        """Short: the values went through the digest with the messages that carried them."""
        outcome = " failed" if self.failed else ""
        return f"applied {self.index}/{self.term} r{self.revision} #{self.request_id} {len(self.events)}{outcome}"


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


# -- a member's life


@frozen(kw_only=True)
class Recovered:
    """What a member that boots found on its disk, before it applies anything again."""

    term: int
    vote: str
    """Empty for nobody."""
    commit: int
    last_index: int
    last_term: int = 0
    snapshot_index: int
    consistent_index: int
    """The last entry whose effect is in the database that it loaded."""
    revision: int


@frozen
class MemberStopped:
    """The member will not start, or not run on; its last words."""

    reason: str


@frozen(kw_only=True)
class SnapshotSaved:
    """The member's state up to `index` is on its disk; entries before may leave the log."""

    index: int
    term: int


@frozen(kw_only=True)
class SnapshotInstalled:
    """The member took a leader's whole state instead of the entries up to `index`.

    The state may be that of a later entry: `consistent_index`, when it is higher.
    """

    index: int
    term: int
    revision: int
    consistent_index: int = 0


@frozen(kw_only=True)
class MemberListChanged:
    """This member applied a change of the cluster's configuration; the lists are the new one."""

    index: int
    voters: tuple[str, ...]
    voters_outgoing: tuple[str, ...] = ()
    learners: tuple[str, ...] = ()


@frozen(kw_only=True)
class LeaseGranted:
    """This member applied the grant of a lease; `ttl` in seconds."""

    id: int
    ttl: int


@frozen(kw_only=True)
class LeaseEnded:
    """This member applied the end of a lease; `reason` is "revoked" or "expired"."""

    id: int
    reason: str


@frozen(kw_only=True)
class AlarmRaised:
    """This member learned of an alarm, "NOSPACE" or "CORRUPT", raised for `member`."""

    member: str
    kind: str


@frozen(kw_only=True)
class AlarmCleared:
    """This member learned that somebody disarmed an alarm."""

    member: str
    kind: str


@frozen(kw_only=True)
class Restored:
    """A member's disk was made anew from a saved snapshot: another cluster, and maybe older revisions."""

    revision: int
    cluster: int
    bumped_by: int = 0
    """How much `revision` is above the snapshot's."""


# -- who watches, who holds a lease


@frozen(kw_only=True)
class WatchOpened:
    """A watch exists: it will deliver every event in its range from `next_revision` on."""

    watch: str
    """Unique: stream and id."""
    member: str
    key: str
    range_end: str
    next_revision: int
    start_revision: int = 0
    """As it was asked for; 0 for from now on."""
    filters: tuple[str, ...] = ()
    prev_kv: bool = False
    progress_notify: bool = False


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


@frozen(kw_only=True)
class KeepAliveAnswered:
    """A client heard that its lease has `ttl` seconds, 0 for no more; it asked at `asked_at` (virtual ns)."""

    id: int
    ttl: int
    asked_at: int


# -- the history of a client


@frozen(kw_only=True)
class CallMade:
    """A client sent a request; `number` pairs it with its answer, within the client."""

    number: int
    request: object


@frozen(kw_only=True)
class CallAnswered:
    """What became of a call: a response, an error of etcd, or nothing that is sure."""

    number: int
    response: object = None
    error: str = ""
    """etcd's message; the request was refused."""
    unsure: str = ""
    """Why nobody knows whether the request took effect."""
