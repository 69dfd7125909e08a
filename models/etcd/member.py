"""An etcd member as a process: its replica, its lease keeper, and its doors.

`boot_member` builds a whole member on a process; `add_members` puts a cluster into a world, and `endpoints` says
where its clients find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from chaoskube.models.etcd.boot import ToldCluster, ask_cluster, is_new
from chaoskube.models.etcd.calls import Calls
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.lease_keeper import LeaseKeeper
from chaoskube.models.etcd.lock_service import LockService
from chaoskube.models.etcd.membership import check_cluster
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.etcd.server import Server
from chaoskube.sim import Address, ModelBug, Process, World


def boot_member(
    process: Process,
    name: str,
    members: Sequence[str],
    client_port: int = CLIENT_PORT,
    options: ReplicaOptions | None = None,
    *,
    joining: bool = False,
) -> Replica | None:
    """Start a member's life on its process; `members` are the names of all members' processes.

    `joining`: the cluster runs, and has added this member; what it needs to begin it asks the others. Once its disk
    says who it is, that rules. The answer is the replica, for whoever wants to stop it in order; None while it
    still asks.
    """
    check_cluster(members)
    if name != process.name or name not in members:
        raise ModelBug(f"member {name!r} of {', '.join(members)} boots on the process {process.name!r}")
    start = partial(_start, process, tuple(members), client_port, options or ReplicaOptions())
    if joining and is_new(process.disk):
        ask_cluster(process, members, start)
        return None
    return start(None)


def _start(
    process: Process,
    members: tuple[str, ...],
    client_port: int,
    options: ReplicaOptions,
    told: ToldCluster | None,
) -> Replica:
    replica = Replica(process, members, options, told)
    calls = Calls(replica, LeaseKeeper(replica))
    Server(replica, calls, LockService(replica, calls), client_port)
    replica.start()
    return replica


def add_members(
    world: World, hosts: Sequence[str], options: ReplicaOptions | None = None
) -> tuple[Process, ...]:
    """Processes etcd-0, etcd-1, ... one on each host, not yet started."""
    names = tuple(f"etcd-{place}" for place in range(len(hosts)))
    check_cluster(names)
    return tuple(
        world.process(name, host=host, boot=partial(boot_member, name=name, members=names, options=options))
        for name, host in zip(names, hosts, strict=True)
    )


def endpoints(members: Sequence[Process], port: int = CLIENT_PORT) -> tuple[Address, ...]:
    """Where clients find the members."""
    return tuple(Address(one.world.network.ip_of(one.host), port) for one in members)
