"""The etcd under a recorded control plane: one member, or three of which a recording hurts one.

A recording says which member was hurt, and its description whether that one led. Ours that leads plays the
leader's part, so the API server is told its endpoints only when the members have elected. It talks to one that is not
hurt: in all the recordings it goes on, or hears of a time-out, but no call of it hangs on a frozen member. Who calls
it: `control_plane` and `player`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from chaoskube.models.etcd.client import CLIENT_PORT, EtcdClient
from chaoskube.models.etcd.member import add_members, boot_member, endpoints
from chaoskube.models.etcd.messages import Compact, Range, RangeResponse
from chaoskube.models.raft.events import BecameLeader
from chaoskube.sim import SECOND, Address, DiskTimes, Process, Unsynced, World
from chaoskube.sim.journal import Entry

from .recording import Control, Recording

NO_FSYNC: Final = DiskTimes(write_ns=0, sync_ns=0)
HA_MEMBERS: Final = 3
LED_BY_DEFAULT: Final = 2
"""The recordings in which a follower is hurt end with the note that this member leads."""


class EtcdParts:
    """The members' processes, by the part they play."""

    def __init__(self, world: World, recording: Recording) -> None:
        self._world = world
        self._recording = recording
        self._is_ha = recording.meta.group == "ha"
        self.settles_ns = 5 * SECOND if self._is_ha else 0
        """How long the members take to elect; the API server starts then."""
        self._leader = ""
        self._members: list[Process] = []
        world.journal.subscribe(BecameLeader, self._note)

    def _note(self, entry: Entry) -> None:
        self._leader = entry.by

    def start(self, machine: str) -> None:
        """One member on `machine` that doesn't wait for its disk, or three on machines of their own that do."""
        if self._is_ha:
            self._members = list(
                add_members(self._world, [f"etcd-machine-{place}" for place in range(HA_MEMBERS)])
            )
        else:
            boot = partial(boot_member, name="etcd-0", members=["etcd-0"])
            self._members = [self._world.process("etcd-0", host=machine, boot=boot, disk=NO_FSYNC)]
        for member in self._members:
            member.start()

    def endpoints(self) -> tuple[Address, ...]:
        """Where the API server finds them, the one that will be hurt last."""
        if not self._is_ha:
            return endpoints(self._members, CLIENT_PORT)
        hurt = next((one.member for one in self._recording.records if isinstance(one, Control)), None) or 0
        led = next(place for place, one in enumerate(self._members) if one.name == self._leader)
        leads = hurt if "leading" in self._recording.meta.description else LED_BY_DEFAULT
        self._members[leads], self._members[led] = self._members[led], self._members[leads]
        rest = [member for place, member in enumerate(self._members) if place != hurt]
        return endpoints([*rest, self._members[hurt]], CLIENT_PORT)

    def compact(self, process: Process) -> None:
        """Have etcd forget everything before its present revision."""
        client = EtcdClient(process, endpoints(self._members, CLIENT_PORT))

        def told(outcome: object) -> None:
            assert isinstance(outcome, RangeResponse), outcome
            client.request(Compact(outcome.revision), lambda done: None)

        client.request(Range(key="\0"), told)

    def inflict(self, control: Control) -> None:
        """Do to our member what was done to the recorded one."""
        if control.op == "ready":
            return
        member = self._members[control.member or 0]
        if control.op == "kill":
            member.crash(unsynced=Unsynced.KEPT)
        elif control.op == "pause":
            member.pause()
        elif control.op == "continue":
            member.resume()
        else:
            assert control.op == "start", control.op
            member.start()
