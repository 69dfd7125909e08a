"""An etcd cluster with its clients, as the harness sees it: the subject of every etcd scenario.

Members stand on `control-0` ..., clients all on one machine that nothing happens to. Processes that are no
members yet (spares) can join; an operator asks for what people ask for: compaction, members, snapshots (`operations/`).

Clients are at work from the first moment until `WORK_NS`; then they stop, so that the cluster can fall silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations

from chaoskube.models.etcd.member import boot_member, endpoints
from chaoskube.models.etcd.membership import MEMBERS_MAX
from chaoskube.models.etcd.view import EtcdView
from chaoskube.scenario import Setup
from chaoskube.scenarios.etcd.operator import CLIENTS_HOST, Operator
from chaoskube.scenarios.etcd.shape import SYNC_MS_USUAL, EtcdShape, shape_of
from chaoskube.scenarios.etcd.stability import Stability
from chaoskube.scenarios.etcd.telling import Teller
from chaoskube.sim import MILLISECOND, SECOND, Address, Entry, Line, Process, World

WORK_NS = 26 * SECOND
"""How long clients work: the story's length and a little more."""
REST_NS = 3 * SECOND


class EtcdObserver:
    """What a god sees of these scenarios."""

    def __init__(self, world: World, shape: EtcdShape) -> None:
        self.etcd = EtcdView(world.journal)
        if shape.checkpoints:
            self.etcd.leases.checkpoint_ns = shape.checkpoints * SECOND
        self.etcd.calls.is_on_lease = shape.reads == "lease"
        self.stability = Stability(world, self.etcd.raft, has_pre_vote=shape.pre_vote)


class EtcdCluster:
    """The members and their clients."""

    def __init__(
        self,
        world: World,
        setup: Setup,
        scenario: str,
        *,
        spares: int = 0,
        work_ns: int = WORK_NS,
    ) -> None:
        self.world = world
        self.work_ns = work_ns
        """When clients stop."""
        self.shape = shape_of(setup, world, scenario)
        self.observer = EtcdObserver(world, self.shape)
        self.first_names = tuple(f"etcd-{place}" for place in range(self.shape.members))
        """The members that the cluster is made of."""
        count = min(self.shape.members + spares, MEMBERS_MAX)
        self.all = tuple(self._process(place) for place in range(count))
        """Whoever is, was or can become a member."""
        self._left: set[str] = set()
        self.leaving: set[str] = set()
        """Who is being taken out, as far as the operators know."""
        self._teller = Teller(world.journal)
        self.members: list[Process] = []
        """Whoever is a member, as far as the operator knows."""
        self.servers = endpoints(self.all)
        self.fragile_clients: list[Process] = []
        """Clients that may be harmed like members."""
        self.first_members = self.all[: self.shape.members]
        self.members.extend(self.first_members)
        self._lay_out()
        for member in self.members:
            member.start()
        self.operator = Operator(world, self.servers)

    def _lay_out(self) -> None:
        """How far apart they are, and what disks they have."""
        far = self.first_members[-1]
        for one, other in permutations(self.all, 2):
            apart_ms = self.shape.apart_ms + (self.shape.far_ms if far in (one, other) else 0)
            if apart_ms:
                self.world.network.link(one.host, other.host).latency_ns = apart_ms * MILLISECOND
        if self.shape.sync_ms != SYNC_MS_USUAL:
            for one in self.all:
                one.disk.slow(extra_ns=(self.shape.sync_ms - SYNC_MS_USUAL) * MILLISECOND)

    def _process(self, place: int) -> Process:
        name = f"etcd-{place}"
        return self.world.process(name, host=f"control-{place}", boot=self._boot)

    def _boot(self, process: Process) -> None:
        if process.name in self.first_names and process.name not in self._left:
            boot_member(process, process.name, self.first_names, options=self.shape.options)
        else:
            names = (*[member.name for member in self.members if member is not process], process.name)
            boot_member(process, process.name, names, options=self.shape.options, joining=True)

    def add_client(self, name: str, boot: Callable[[Process], None], *, is_fragile: bool = False) -> Process:
        """A process that uses the cluster, started at once."""
        process = self.world.process(name, host=CLIENTS_HOST, boot=boot)
        if is_fragile:
            self.fragile_clients.append(process)
        process.start()
        return process

    def begin_anew(self) -> None:
        """The members are those that it was made of first."""
        self._left.clear()
        self.leaving.clear()
        self.members[:] = self.first_members

    def others_leave(self, member: str) -> bool:
        """Is everybody else who votes being taken out, or may have been?"""
        voters = {one.name for one in self.members} - set(self.observer.etcd.raft.current_learners)
        others = voters - {member}
        return bool(others) and others <= self.leaving

    def joined(self, process: Process) -> None:
        """It was added."""
        self.leaving.discard(process.name)
        if process not in self.members:
            self.members.append(process)

    def left(self, process: Process) -> None:
        """It was taken out; should it come back, then as somebody new."""
        self._left.add(process.name)
        if process in self.members:
            self.members.remove(process)

    def servers_from(self, place: int) -> tuple[Address, ...]:
        """Every address, that of the process at `place` first."""
        first = place % len(self.servers)
        return self.servers[first:] + self.servers[:first]

    def server_of(self, member: str) -> Address:
        """Where this one listens for clients."""
        return self.servers[[one.name for one in self.all].index(member)]

    @property
    def spares(self) -> tuple[Process, ...]:
        """Whoever could join."""
        return tuple(one for one in self.all if one not in self.members)

    # -- what the harness asks

    def targets(self, kind: str) -> Sequence[str]:
        """Members and their hosts; of clients only those that may be harmed, and first, because there it is about them."""
        if kind == "process":
            return tuple(one.name for one in (*self.fragile_clients, *self.members))
        if kind == "host":
            return tuple(member.host for member in self.members)
        if kind == "leading-process":
            return tuple(one.name for one in self._leaders)
        if kind == "leading-host":
            return tuple(one.host for one in self._leaders)
        if kind == "etcd-member":
            return tuple(member.name for member in self.members)
        if kind == "etcd-learner":
            return self.observer.etcd.raft.current_learners
        if kind == "etcd-spare":
            return tuple(member.name for member in self.spares)
        return ()

    @property
    def _leaders(self) -> tuple[Process, ...]:
        """Who believes to lead, a leader of a later term first."""
        leading = self.observer.etcd.raft.leading
        return tuple(
            sorted((one for one in self.members if one.name in leading), key=lambda one: -leading[one.name])
        )

    def warm(self) -> str | None:
        """None when there is a leader and something has been written."""
        return None if self.observer.etcd.store.acknowledged else "nothing has been written yet"

    def unsettled(self) -> str | None:
        """None when the clients have stopped and every member has every revision."""
        view = self.observer.etcd
        if self.world.now < self.work_ns + REST_NS:
            return "the clients are still at work"
        known = view.raft.current_members
        behind = [
            member.name
            for member in self.members
            if member.name in known
            and view.applied.get(member.name, 1) < view.revision
            and not view.raft.is_stranded(member.name)
        ]
        return f"{', '.join(behind)} lag behind revision {view.revision}" if behind else None

    def tell(self, entry: Entry) -> Line | None:
        """The decisive events in words."""
        return self._teller.tell(entry)

    def assumptions(self) -> Sequence[str]:
        """How the members are configured."""
        return self.shape.assumptions()
