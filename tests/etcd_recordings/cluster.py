"""The simulated etcd that recordings are played against, and which of its members plays which recorded one's part.

Members are the processes etcd-0, etcd-1, ... Recorded members are known by their places; the one that led must be
played by ours that leads, so places are swapped once ours have elected.
"""

from __future__ import annotations

from functools import partial

from attrs import evolve

from chaoskube.models.etcd.member import boot_member
from chaoskube.models.etcd.replica import Replica, ReplicaOptions
from chaoskube.models.raft.events import BecameLeader
from chaoskube.sim import Process, UsageError, World
from chaoskube.sim.journal import Entry
from tests.golden.recording import Recording
from tests.golden.trees import Tree

from .scenario import leader_of


def options_of(config: Tree) -> ReplicaOptions:
    """The flags that the recorded members were started with."""
    options = ReplicaOptions()
    for flag, value in config.items():
        if flag == "quota-backend-bytes" and isinstance(value, int):
            options = evolve(options, quota_bytes=value)
        elif flag == "watch-progress-notify-interval" and isinstance(value, int):
            options = evolve(options, progress_notify_ns=value)
        else:
            raise UsageError(
                f"the recorded etcd was started with {flag}={value!r}, which ours has no option for"
            )
    return options


class Members:
    """The members' processes, their replicas of this life, and the order in which they play."""

    def __init__(self, world: World, recording: Recording) -> None:
        names = [f"etcd-{place}" for place in range(recording.meta.members)]
        options = options_of(recording.meta.config)
        self.replicas: dict[str, Replica] = {}
        self._processes = [
            world.process(
                name, host=f"machine-{place}", boot=partial(self._boot, members=names, options=options)
            )
            for place, name in enumerate(names)
        ]
        self._leads = leader_of(recording)
        self._leader = ""
        world.journal.subscribe(BecameLeader, self._note)
        for process in self._processes:
            process.start()

    def _boot(self, process: Process, members: list[str], options: ReplicaOptions) -> None:
        replica = boot_member(process, process.name, members, options=options)
        assert replica is not None, "only a member that joins asks before it begins"
        self.replicas[process.name] = replica

    def _note(self, entry: Entry) -> None:
        self._leader = entry.by

    def elected(self) -> list[Process]:
        """The members by the place of the recorded one that they play."""
        if not self._leader:
            raise UsageError("no member was elected while the cluster warmed up")
        processes = list(self._processes)
        led = next(place for place, one in enumerate(processes) if one.name == self._leader)
        processes[self._leads], processes[led] = processes[led], processes[self._leads]
        return processes
