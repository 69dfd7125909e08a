"""The simulated control plane that recordings are played against: one of each, and no node of our own.

As the recordings' README says: one etcd member that doesn't wait for its disk (`unsafe-no-fsync`) or several that do
(`etcd_parts`), one API server, a controller manager and a scheduler without leader election. The nodes are the
stand-in kubelet's. What a recording does to these programs, or starts beside them, is done here (`inflict`). Who
calls it: `player`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from chaoskube.models.apiserver.server import boot_apiserver
from chaoskube.models.controllers.manager import boot_controller_manager
from chaoskube.models.scheduler.shell import boot_scheduler
from chaoskube.sim import Address, Process, Unsynced, World, seconds

from .etcd_parts import EtcdParts
from .recording import Control, Record, Recording, Watched, WatchError

API_PORT = 6443
MACHINE = "control-0"
APISERVER, MANAGER, SCHEDULER = "kube-apiserver", "kube-controller-manager", "kube-scheduler"
PROCESS_OF: Final = {
    APISERVER: "apiserver-0",
    MANAGER: "controller-manager-0",
    SCHEDULER: "scheduler-0",
    f"second {MANAGER}": "controller-manager-1",
    f"second {SCHEDULER}": "scheduler-1",
    "kcm-a": "controller-manager-a",
    "kcm-b": "controller-manager-b",
}
"""Ours for each program that a recording names; kcm-a and kcm-b elect a leader."""
LISTENS_AFTER: Final = 0.95
"""How long a real API server takes from its start to its first answer (seconds), where a recording doesn't show it."""


def is_known(control: Control) -> bool:
    """Whether this fault can be played."""
    is_ours = control.component == "etcd" or control.component in PROCESS_OF
    return is_ours and control.op in ("kill", "term", "start", "ready", "pause", "continue")


class ControlPlane:
    """The programs, by the names that recordings have for them."""

    def __init__(self, world: World, manager_starts_ns: int, parts: EtcdParts) -> None:
        self._world = world
        self._parts = parts
        self.servers = (Address(world.add_host(MACHINE).ip, API_PORT),)
        parts.start(MACHINE)
        boots: dict[str, Callable[[Process], object]] = {
            APISERVER: lambda process: boot_apiserver(process, parts.endpoints(), API_PORT),
            MANAGER: self._manager(leader_elect=False),
            SCHEDULER: self._scheduler,
        }
        for component, boot in boots.items():
            process = world.process(PROCESS_OF[component], host=MACHINE, boot=boot)
            starts_ns = manager_starts_ns if component == MANAGER else parts.settles_ns
            world.call_later(starts_ns, process.start)

    def _manager(self, *, leader_elect: bool) -> Callable[[Process], object]:
        return partial(self._boot_manager, leader_elect)

    def _boot_manager(self, leader_elect: bool, process: Process) -> None:
        boot_controller_manager(process, self.servers, process.name, leader_elect=leader_elect)

    def _scheduler(self, process: Process) -> object:
        return boot_scheduler(process, self.servers, process.name, leader_elect=False)

    def inflict(self, control: Control, recording: Recording) -> None:
        """Do to ours what was done to the recorded one."""
        if control.component == "etcd":
            self._parts.inflict(control)
            return
        if control.op == "ready":
            return
        process = self._process(control.component)
        if control.op == "start":
            wait = _silence_after(control, recording) if control.component == APISERVER else 0.0
            self._world.call_later(seconds(wait), process.start)
        elif control.op == "pause":
            process.pause()
        elif control.op == "continue":
            process.resume()
        else:
            # on SIGTERM, too, a controller manager goes without a word: it doesn't give its lease back
            process.crash(unsynced=Unsynced.KEPT)

    def _process(self, component: str) -> Process:
        name = PROCESS_OF[component]
        found = self._world.processes.get(name)
        if found is None:
            boot: Callable[[Process], object] = self._scheduler
            if "scheduler" not in component:
                boot = self._manager(leader_elect=component.startswith("kcm"))
            found = self._world.process(name, host=MACHINE, boot=boot)
        return found


def build_control_plane(world: World, manager_starts_ns: int, parts: EtcdParts) -> ControlPlane:
    """Start everything, the controller manager at that virtual time."""
    return ControlPlane(world, manager_starts_ns, parts)


def _silence_after(control: Control, recording: Recording) -> float:
    """How long the recorded API server needed until somebody heard from it."""

    def is_sign(record: Record) -> bool:
        return isinstance(record, (Watched, WatchError)) and record.t > control.t

    heard = next((record.t for record in recording.records if is_sign(record)), control.t + LISTENS_AFTER)
    return max(0.0, heard - control.t - 0.02)
