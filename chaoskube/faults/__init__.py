"""Faults that any distributed system has; one file each, found by `discovery.load`."""

from __future__ import annotations

from chaoskube.action import Stage
from chaoskube.arguments import CannotApply
from chaoskube.sim import Disk, Process, ProcessState, StreamName, UsageError


def against_the_rest(hosts: tuple[str, ...], stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """These machines and all others; CannotApply when there are no others."""
    others = tuple(host for host in stage.subject.targets("host") if host not in hosts)
    if not others:
        raise CannotApply("there must be hosts on the other side")
    return hosts, others


def disk_of(process: str, stage: Stage) -> Disk:
    """The disk of this process; CannotApply when it keeps nothing there."""
    disk = stage.world.processes[process].disk
    if not disk.files:
        raise CannotApply(f"{process} keeps nothing on a disk")
    return disk


def start_if_it_ended(process: Process) -> None:
    """Start a process that has ended itself (nobody has killed it): its disk is in order again."""
    if process.state is ProcessState.STOPPED:
        process.start()


def stream_of(text: str) -> StreamName:
    """The stream of this name (`watch/pods@*>kubelet@node-1`); CannotApply when it is none."""
    try:
        return StreamName.parse(text)
    except UsageError as problem:
        raise CannotApply(str(problem)) from problem
