"""The simulated control plane that recordings are played against: one of each, and no node of our own.

As the recordings' README says: one etcd member that doesn't wait for its disk (`unsafe-no-fsync`) or several that do
(`etcd_parts`), one API server, a controller manager and a scheduler without leader election. The nodes are the
stand-in kubelet's. Who calls it: `player`.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.controllers.manager import boot_controller_manager
from chaoskube.models.scheduler.shell import boot_scheduler
from chaoskube.sim import Address, Process, World

from .etcd_parts import EtcdParts

API_PORT = 6443
MACHINE = "control-0"


def build_control_plane(world: World, manager_starts_ns: int, parts: EtcdParts) -> tuple[Address, ...]:
    """Start everything, the controller manager at that virtual time; the address of the API server."""
    servers = (Address(world.add_host(MACHINE).ip, API_PORT),)
    parts.start(MACHINE)
    boots: dict[str, Callable[[Process], object]] = {
        "apiserver-0": lambda process: boot_apiserver(process, parts.endpoints(), API_PORT),
        "controller-manager-0": lambda process: boot_controller_manager(
            process, servers, process.name, leader_elect=False
        ),
        "scheduler-0": lambda process: boot_scheduler(process, servers, process.name),
    }
    for name, boot in boots.items():
        process = world.process(name, host=MACHINE, boot=boot)
        is_manager = name.startswith("controller-manager")
        world.call_later(manager_starts_ns if is_manager else parts.settles_ns, process.start)
    return servers
