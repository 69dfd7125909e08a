"""Snapshots of a member: saved for itself, sent to members that are too far behind, received from a leader.

*Saved* after `snapshot_count` applied entries: the database is committed, a mark goes into the log, and all but the last
`catch_up_entries` entries before it leave memory (server/etcdserver/server.go snapshot, compactRaftLog).

*Sent* when Raft wants a member to have a snapshot: with the whole database as it is now, not as it was at the mark
(snapshot_merge.go). While one is under way, and for 30 s after it arrived, no entries leave memory.

*Received* in an order that lets a crash fall anywhere (api/rafthttp/http.go, raft.go start, server.go applySnapshot): the
database goes into a file of its own; then Raft hears of it; then the mark is synced; then the hard state; then the file
takes the place of the member's own database. A member that boots in between finds a mark beyond its database and
takes the file first (server/storage/backend.go RecoverSnapshotBackend, issue 7628).

Made by `replica.py`. Not modelled: how long a database takes on the wire; the limit of 16 snapshots in flight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from chaoskube.models.etcd import wal
from chaoskube.models.etcd.backend import CONSISTENT_INDEX, Backend, Database
from chaoskube.models.etcd.database_file import FILE
from chaoskube.models.etcd.events import SnapshotInstalled, SnapshotSaved
from chaoskube.models.raft.messages import Message, Snapshot, SnapshotMetadata
from chaoskube.sim import SECOND, Disk, DiskError, Timer, reached

if TYPE_CHECKING:
    from chaoskube.models.etcd.replica import Replica

ARRIVAL_NS_MAX: Final = 5 * SECOND
"""No word of a snapshot that was sent: it is lost (api/rafthttp/transport.go ConnWriteTimeout)."""
RELEASE_DELAY_NS: Final = 30 * SECOND
"""server.go releaseDelayAfterSnapshot."""


@frozen
class SnapshotStored:
    """A member tells its leader that the database of the snapshot up to `index` has arrived."""

    index: int


def received_file(index: int) -> str:
    """Where the database of a received snapshot waits (api/snap/db.go dbFilePath)."""
    return f"{index:016x}.snap.db"


def recovered_backend(disk: Disk, backend: Backend, snapshot_index: int) -> Backend:
    """The database to boot with: the received one if the log's snapshot is beyond our own. Raises DiskError."""
    if snapshot_index <= backend.meta(CONSISTENT_INDEX):
        return backend
    reached("etcd: a member booted from a database that it had received and not installed")
    records = disk.read(received_file(snapshot_index))
    if len(records) != 1 or not isinstance(records[0], Database):
        raise DiskError(
            "failed to recover v3 backend from snapshot: failed to find database snapshot file "
            "(snap: snapshot file doesn't exist)"
        )
    install_file(disk, snapshot_index, records[0])
    return Backend.load([records[0]])


def install_file(disk: Disk, index: int, database: Database) -> None:
    """Rename the received file over the member's own, and drop older ones."""
    disk.replace(FILE, database)
    for name in disk.files:
        if name.endswith(".snap.db") and name <= received_file(index):
            disk.truncate(name, 0)


def may_drop_up_to(snapshot_index: int, catch_up_entries: int, stable: int) -> int:
    """The last entry that may leave memory after a snapshot.

    Never one after `stable`: entries whose write was overtaken by a newer leader's are written again, applied or not.
    """
    return min(max(1, snapshot_index - catch_up_entries), stable)


class Snapshots:
    """The snapshots of one life of a member; `index` is the newest saved."""

    def __init__(self, member: Replica, index: int) -> None:
        self._member = member
        self._process = member.process
        self.index = index
        self._is_saving = False
        self._sending: dict[int, Timer] = {}
        self._hold_until = 0
        member.on_peer[SnapshotStored] = self._on_stored

    # -- saved

    def save_if_due(self) -> None:
        """Begin to save one when enough entries were applied since the last."""
        member = self._member
        if member.applier.index - self.index <= member.options.snapshot_count or self._is_saving:
            return
        self._is_saving = True
        metadata = SnapshotMetadata(
            conf_state=member.membership.conf_state, index=member.applier.index, term=member.applier.term
        )
        member.database.commit(partial(self._mark, metadata))

    def _mark(self, metadata: SnapshotMetadata) -> None:
        self._member.wal.append(wal.SnapshotMark(metadata))
        self._process.disk.sync(partial(self._saved, metadata))

    def _saved(self, metadata: SnapshotMetadata) -> None:
        self._is_saving = False
        if metadata.index <= self.index:
            return
        self.index = metadata.index
        self._process.record(SnapshotSaved(index=metadata.index, term=metadata.term))
        raft = self._member.raft
        raft.create_snapshot(metadata.index, metadata.conf_state, None)
        if not self._sending and self._process.now >= self._hold_until:
            kept = self._member.options.catch_up_entries
            raft.compact(may_drop_up_to(metadata.index, kept, raft.log.stable))

    # -- sent

    def send(self, message: Message) -> None:
        """Send the database of this moment where Raft sends a snapshot."""
        member = self._member
        name = member.membership.names.get(message.to)
        if name is None or message.to in self._sending:
            return
        self._member.applier.run(partial(self._send, name, message))

    def _send(self, name: str, message: Message) -> None:
        member = self._member
        member.database.commit()
        metadata = SnapshotMetadata(
            conf_state=member.membership.conf_state, index=member.applier.index, term=member.applier.term
        )
        snapshot = Snapshot(metadata=metadata, data=member.backend.database())
        member.node.send_to(name, evolve(message, snapshot=snapshot))
        self._sending[message.to] = self._process.call_later(ARRIVAL_NS_MAX, self._report, message.to, False)

    def _on_stored(self, sender: str, message: object) -> None:
        """A member has the database that we sent."""
        assert isinstance(message, SnapshotStored)
        names = self._member.membership.names
        for number, timer in list(self._sending.items()):
            if names.get(number) == sender:
                timer.cancel()
                self._hold_until = self._process.now + RELEASE_DELAY_NS
                self._report(number, True)

    def _report(self, number: int, ok: bool) -> None:
        self._sending.pop(number, None)
        self._member.raft.report_snapshot(number, ok=ok)
        self._member.node.after_step()

    # -- received

    def receive(self, sender: str, message: Message) -> None:
        """Keep the database that came with the message; Raft hears of it when it is on the disk."""
        snapshot = message.snapshot
        assert snapshot is not None and isinstance(snapshot.data, Database), f"what is {message!r}?"
        try:
            self._process.disk.replace(received_file(snapshot.metadata.index), snapshot.data)
        except DiskError:
            reached("etcd: there was no space for a leader's snapshot")
            return
        self._process.disk.sync(partial(self._received, sender, message))

    def _received(self, sender: str, message: Message) -> None:
        assert message.snapshot is not None
        self._process.send(sender, SnapshotStored(message.snapshot.metadata.index))
        self._member.raft.step(message)
        self._member.node.after_step()

    def save_received(self, snapshot: Snapshot, then: Callable[[], object]) -> None:
        """Say in the log that a snapshot was received, before anything that builds on it."""
        self._member.wal.append(wal.SnapshotMark(snapshot.metadata))
        self._process.disk.sync(then)

    def install(self, snapshot: Snapshot) -> None:
        """Everything up to the snapshot is replaced by it, on the disk and in memory."""
        member, metadata = self._member, snapshot.metadata
        assert isinstance(snapshot.data, Database)
        install_file(self._process.disk, metadata.index, snapshot.data)
        self.index = max(self.index, metadata.index)
        member.install(Backend.load([snapshot.data]), metadata)
        self._process.record(
            SnapshotInstalled(
                index=metadata.index,
                term=metadata.term,
                revision=member.state.store.revision,
                consistent_index=member.applier.covered,
            )
        )
