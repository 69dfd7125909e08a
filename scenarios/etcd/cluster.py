"""An etcd cluster with its clients, as the harness sees it: the subject of every etcd scenario.

Members stand on `control-0` ..., clients all on one machine that nothing happens to. Processes that no member uses
yet (spares) can join; an operator asks for what people ask for: compaction, members, snapshots (`operations/`).

Clients are at work from the first moment until `WORK_NS`; then they stop, so that the cluster can fall silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.member import add_members, endpoints
from chaoskube.models.etcd.messages import Request
from chaoskube.models.etcd.view import EtcdView
from chaoskube.scenario import Setup
from chaoskube.scenarios.etcd.shape import EtcdShape, shape_of
from chaoskube.scenarios.etcd.stability import Stability
from chaoskube.scenarios.etcd.telling import tell
from chaoskube.sim import SECOND, Address, Entry, Line, Process, World

WORK_NS = 26 * SECOND
"""How long clients work: the story's length and a little more."""
REST_NS = 3 * SECOND
CLIENTS_HOST = "clients"


class EtcdObserver:
    """What a god sees of these scenarios."""

    def __init__(self, world: World, shape: EtcdShape) -> None:
        self.etcd = EtcdView(world.journal)
        if shape.checkpoints:
            self.etcd.leases.checkpoint_ns = shape.checkpoints * SECOND
        self.stability = Stability(world)


class EtcdCluster:
    """The members and their clients."""

    def __init__(self, world: World, setup: Setup, scenario: str) -> None:
        self.world = world
        self.shape = shape_of(setup, world, scenario)
        self.observer = EtcdObserver(world, self.shape)
        hosts = [f"control-{place}" for place in range(self.shape.members)]
        self.members = add_members(world, hosts, self.shape.options)
        self.servers = endpoints(self.members)
        self.fragile_clients: list[Process] = []
        """Clients that may be harmed like members."""
        for member in self.members:
            member.start()
        self.observer.stability.follow(self.members, has_pre_vote=self.shape.pre_vote)
        self._operator = world.process("operator", host=CLIENTS_HOST, boot=lambda process: None)
        self._operator.start()

    def add_client(self, name: str, boot: Callable[[Process], None], *, is_fragile: bool = False) -> Process:
        """A process that uses the cluster, started at once."""
        process = self.world.process(name, host=CLIENTS_HOST, boot=boot)
        if is_fragile:
            self.fragile_clients.append(process)
        process.start()
        return process

    def servers_from(self, place: int) -> tuple[Address, ...]:
        """Every member's address, that of the member at `place` first."""
        first = place % len(self.servers)
        return self.servers[first:] + self.servers[:first]

    def operate(self, request: Request, on_done: Callable[[Outcome], None], member: str = "") -> None:
        """Let the operator ask the cluster, or one member of it."""
        names = [one.name for one in self.members]
        servers = self.servers_from(names.index(member) if member else 0)
        client = EtcdClient(self._operator, servers[:1] if member else servers)
        client.request(request, on_done)

    # -- what the harness asks

    def targets(self, kind: str) -> Sequence[str]:
        """Members and their hosts; of clients only those that may be harmed."""
        if kind == "process":
            return tuple(one.name for one in (*self.members, *self.fragile_clients))
        if kind == "host":
            return tuple(member.host for member in self.members)
        if kind == "etcd-member":
            return tuple(member.name for member in self.members)
        return ()

    def warm(self) -> str | None:
        """None when there is a leader and something has been written."""
        return None if self.observer.etcd.store.acknowledged else "nothing has been written yet"

    def unsettled(self) -> str | None:
        """None when the clients have stopped and every member has every revision."""
        view = self.observer.etcd
        if self.world.now < WORK_NS + REST_NS:
            return "the clients are still at work"
        behind = [member.name for member in self.members if view.applied.get(member.name, 1) < view.revision]
        return f"{', '.join(behind)} lag behind revision {view.revision}" if behind else None

    def tell(self, entry: Entry) -> Line | None:
        """The decisive events in words."""
        return tell(entry)

    def assumptions(self) -> Sequence[str]:
        """How the members are configured."""
        return self.shape.assumptions()
