"""How a member begins: a new cluster, a cluster that it joins, or what its disk says.

From the disk: read the log back, load the database, take a received database instead if the log is ahead of ours
(`snapshot.py`), and give Raft the entries after the newest snapshot with the members that the database knows
(server/etcdserver/bootstrap.go). A disk that contradicts itself ends the process: DiskError.

A member that is to join has been added by the others before. It asks those that it was told of who is in the cluster
(cluster_util.go getClusterFromRemotePeers) and begins with an empty log; the leader sends it the rest. A new
cluster's first entries add its members, the same at each (etcd-io/raft bootstrap.go).

Called by `member.boot_member` and `replica.py`. Not modelled: discovery, forcing a new cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

from chaoskube.models.etcd import wal
from chaoskube.models.etcd.backend import CONSISTENT_INDEX, Backend
from chaoskube.models.etcd.database_file import load
from chaoskube.models.etcd.membership import Membership, NewMember, cluster_id
from chaoskube.models.etcd.messages import Member
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.snapshot import recovered_backend
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import Snapshot, SnapshotMetadata
from chaoskube.models.raft.ready import Config, ReadOnlyOption
from chaoskube.sim import SECOND, Disk, DiskError, Process

ASK_AGAIN_NS: Final = SECOND


@frozen
class AskCluster:
    """Who is in the cluster? Asked by a member that is to join."""


@frozen(kw_only=True)
class ToldCluster:
    """Its number and its members."""

    cluster: int
    members: tuple[Member, ...]


@frozen(kw_only=True)
class Begun:
    """What one life of a member begins with."""

    id: int
    cluster: int
    log: wal.WriteAheadLog
    backend: Backend
    raft: Raft
    snapshot: SnapshotMetadata
    covered: int
    """The database has everything up to this entry."""
    known: tuple[Member, ...] = ()
    """Members that the command line, or those who were asked, told of."""


def is_new(disk: Disk) -> bool:
    """Has this disk never held a member that saved anything? A broken log is for `begin` to refuse."""
    try:
        found = wal.read(disk)
    except wal.WalError:
        return False
    return found.head is None or not (found.entries or found.snapshot.index or found.hard_state.term)


def begin(process: Process, names: Sequence[str], options: ReplicaOptions, told: ToldCluster | None) -> Begun:
    """Begin with what the disk says; if it says nothing, with a new cluster or the one that we were told of."""
    try:
        found = wal.read(process.disk)
    except wal.WalError as error:
        raise DiskError(f"failed to read WAL, cannot be repaired: {error}") from error
    if found.head is not None and (found.entries or found.snapshot.index or found.hard_state.term):
        return _from_disk(process, options, found, found.head)
    if told is not None:
        own = next(one for one in told.members if one.name == process.name)
        number, cluster, raft = own.id, told.cluster, Raft(_config(process, own.id, options))
        known = told.members
    else:
        number, cluster = list(names).index(process.name) + 1, cluster_id(names)
        peers = {place: NewMember(name) for place, name in enumerate(names, start=1)}
        raft = Raft.bootstrap(_config(process, number, options), peers)
        known = tuple(Member(id=place, name=name) for place, name in enumerate(names, start=1))
    found.log.append(wal.Head(member=number, cluster=cluster))
    return Begun(
        id=number,
        cluster=cluster,
        log=found.log,
        backend=Backend(),
        raft=raft,
        snapshot=SnapshotMetadata(),
        covered=0,
        known=known,
    )


def _from_disk(process: Process, options: ReplicaOptions, found: wal.Found, head: wal.Head) -> Begun:
    backend = recovered_backend(process.disk, load(process.disk), found.snapshot.index)
    metadata = SnapshotMetadata(
        conf_state=Membership(backend).conf_state, index=found.snapshot.index, term=found.snapshot.term
    )
    raft = Raft(
        _config(process, head.member, options),
        hard_state=found.hard_state,
        snapshot=Snapshot(metadata=metadata),
        entries=found.entries,
    )
    return Begun(
        id=head.member,
        cluster=head.cluster,
        log=found.log,
        backend=backend,
        raft=raft,
        snapshot=metadata,
        covered=backend.meta(CONSISTENT_INDEX),
    )


def _config(process: Process, number: int, options: ReplicaOptions) -> Config:
    is_lease = options.read_only == "lease"
    return Config(
        id=number,
        seed=process.rng.getrandbits(64),
        pre_vote=options.pre_vote,
        max_size_per_msg=options.max_size_per_msg,
        read_only_option=ReadOnlyOption.LEASE_BASED if is_lease else ReadOnlyOption.SAFE,
    )


def ask_cluster(process: Process, names: Sequence[str], then: Callable[[ToldCluster], object]) -> None:
    """Ask the others who is in the cluster, until one says that we are; its answer goes to `then`."""
    others = [name for name in names if name != process.name]
    answered: list[ToldCluster] = []

    def ask() -> None:
        if not answered:
            for name in others:
                process.send(name, AskCluster())
            process.call_later(ASK_AGAIN_NS, ask)

    def on_datagram(_sender: str, message: object) -> None:
        if not isinstance(message, ToldCluster) or answered:
            return
        if any(one.name == process.name for one in message.members):
            answered.append(message)
            then(message)

    process.on_datagram = on_datagram
    ask()
