"""A member's disk made anew from a saved snapshot, as `etcdutl snapshot restore` does it.

The keys, leases and alarms are the snapshot's; the log, the members and the cluster are new: whoever belongs to the old
cluster is not listened to. Revisions go back to the snapshot's, and what clients had seen after it comes again with
other content, unless they are raised by `bump_revision` (and everything before declared compacted, so that watchers
have to list again). Etcdutl/snapshot/v3_snapshot.go.

Called by operations and tests for processes that are down; each member of the new cluster is restored from the same
snapshot with the same names.
Not modelled: the checksum of the snapshot's file.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.etcd import wal
from chaoskube.models.etcd.backend import (
    CONSISTENT_INDEX,
    MEMBERS,
    META,
    SCHEDULED_COMPACTION,
    TERM,
    Backend,
    Database,
)
from chaoskube.models.etcd.database_file import FILE
from chaoskube.models.etcd.events import Restored
from chaoskube.models.etcd.key_values import KeyValue
from chaoskube.models.etcd.membership import MemberRecord, NewMember, check_cluster, cluster_id
from chaoskube.models.etcd.messages import Member
from chaoskube.models.raft.messages import (
    ConfChange,
    ConfChangeType,
    ConfState,
    Entry,
    EntryType,
    HardState,
    SnapshotMetadata,
)
from chaoskube.sim import Process, Unsynced, UsageError


def erase(process: Process) -> None:
    """Empty the disk of a member that is down, as for one that joins anew."""
    _check_is_down(process)
    for name in process.disk.files:
        process.disk.truncate(name, 0)
    _settle(process)


def restore(
    process: Process,
    database: Database,
    members: Sequence[str],
    *,
    token: str = "restored",
    bump_revision: int = 0,
    mark_compacted: bool = False,
) -> None:
    """Make the disk of a member that is down hold `database` and a new cluster of `members`."""
    _check_is_down(process)
    check_cluster(members)
    if process.name not in members:
        raise UsageError(f"{process.name} is not one of the members {', '.join(members)} to restore")
    if bump_revision < 0 or (mark_compacted and not bump_revision):
        raise UsageError("mark_compacted needs bump_revision, and bump_revision is at least 0")
    erase(process)
    backend = Backend.load([database])
    revision = _bump(backend, bump_revision, is_compacted=mark_compacted)
    ids = {number: name for number, name in enumerate(members, start=1)}
    _set_members(backend, ids)
    process.disk.replace(FILE, backend.database())
    cluster = cluster_id(members, token)
    _write_log(process, ids, cluster)
    _settle(process)
    process.record(Restored(revision=revision, cluster=cluster, bumped_by=bump_revision))


def _check_is_down(process: Process) -> None:
    if process.is_alive:
        raise UsageError(f"{process.name} is {process.state.value}: stop it before its disk is changed")


def _settle(process: Process) -> None:
    """The tool syncs what it wrote before it ends."""
    process.disk.lose_power(Unsynced.KEPT, process.rng)


def _bump(backend: Backend, by: int, *, is_compacted: bool) -> int:
    """Raise the newest revision by an empty record (v3_snapshot.go modifyLatestRevision)."""
    newest = max((main for main, _ in backend.versions), default=1)
    if not by:
        return newest
    newest += by
    empty = KeyValue(key="", value=None, create_revision=0, mod_revision=newest, version=0)
    backend.put_version((newest, 0), empty)
    if is_compacted:
        backend.put(META, SCHEDULED_COMPACTION, newest)
    return newest


def _set_members(backend: Backend, ids: dict[int, str]) -> None:
    for number, _ in list(backend.items(MEMBERS)):
        backend.delete(MEMBERS, number)
    for number, name in ids.items():
        backend.put(MEMBERS, number, MemberRecord(member=Member(id=number, name=name)))
    backend.put(META, CONSISTENT_INDEX, len(ids))
    backend.put(META, TERM, 1)


def _write_log(process: Process, ids: dict[int, str], cluster: int) -> None:
    """The log of a new cluster whose members are there already (v3_snapshot.go saveWALAndSnap)."""
    entries = tuple(
        Entry(
            term=1,
            index=number,
            type=EntryType.ENTRY_CONF_CHANGE,
            data=ConfChange(type=ConfChangeType.ADD_NODE, node_id=number, context=NewMember(name)),
        )
        for number, name in ids.items()
    )
    own = next(number for number, name in ids.items() if name == process.name)
    log = wal.read(process.disk).log
    log.append(wal.Head(member=own, cluster=cluster))
    wal.save(log, HardState(term=1, vote=min(ids), commit=len(ids)), entries)
    mark = SnapshotMetadata(conf_state=ConfState(voters=tuple(ids)), index=len(ids), term=1)
    log.append(wal.SnapshotMark(mark))
