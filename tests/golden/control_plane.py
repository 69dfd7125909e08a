"""The simulated control plane that recordings are played against: one of each, and no node of our own.

As the recordings' README says: one etcd member that doesn't wait for its disk (`unsafe-no-fsync`), one API
server, a controller manager and a scheduler without leader election. The nodes are the stand-in kubelet's. Who
calls it: `player`.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.controllers.manager import boot_controller_manager
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.member import boot_member
from chaoskube.models.scheduler.shell import boot_scheduler
from chaoskube.sim import Address, DiskTimes, Process, World

API_PORT = 6443
MACHINE = "control-0"
NO_FSYNC = DiskTimes(write_ns=0, sync_ns=0)


def build_control_plane(world: World, manager_starts_ns: int) -> tuple[Address, ...]:
    """Start everything, the controller manager at that virtual time; the address of the API server."""
    ip = world.add_host(MACHINE).ip
    etcd = (Address(ip, CLIENT_PORT),)
    servers = (Address(ip, API_PORT),)
    boots: dict[str, Callable[[Process], object]] = {
        "etcd-0": lambda process: boot_member(process, "etcd-0", ["etcd-0"]),
        "apiserver-0": lambda process: boot_apiserver(process, etcd, API_PORT),
        "controller-manager-0": lambda process: boot_controller_manager(
            process, servers, process.name, leader_elect=False
        ),
        "scheduler-0": lambda process: boot_scheduler(process, servers, process.name),
    }
    for name, boot in boots.items():
        process = world.process(name, host=MACHINE, boot=boot, disk=NO_FSYNC)
        world.call_later(manager_starts_ns if name.startswith("controller-manager") else 0, process.start)
    return servers
