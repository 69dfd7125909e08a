"""A small etcd cluster in a world, with one client, for tests."""

from __future__ import annotations

from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.member import add_members, endpoints
from chaoskube.models.etcd.messages import Put, Range, Request
from chaoskube.models.etcd.replica import ReplicaOptions
from chaoskube.models.etcd.view import EtcdView
from chaoskube.sim import SECOND, Process, World


class Cluster:
    """Members on hosts control-0.., a client on its own host; every endpoint in turn is tried by `ask`."""

    def __init__(self, world: World, size: int = 3, options: ReplicaOptions | None = None) -> None:
        self.world = world
        self.view = EtcdView(world.journal)
        self.members = add_members(world, [f"control-{place}" for place in range(size)], options)
        self.endpoints = endpoints(self.members)
        self.clients: dict[int, EtcdClient] = {}
        self.client_process = world.process("client", host="client", boot=self._boot)
        for member in self.members:
            member.start()
        self.client_process.start()

    def _boot(self, process: Process) -> None:
        for place, endpoint in enumerate(self.endpoints):
            self.clients[place] = EtcdClient(process, (endpoint,))

    def ask(self, request: Request, at: int = 0, limit_ns: int = 20 * SECOND) -> Outcome:
        """Ask one member, once, and wait."""
        answers: list[Outcome] = []
        self.clients[at].send(request, answers.append, limit_ns, None)
        assert self.world.run_until(lambda: bool(answers), limit_ns + SECOND, SECOND // 100)
        return answers[0]

    def put(self, key: str, value: object, at: int = 0) -> Outcome:
        return self.ask(Put(key=key, value=value), at)

    def get(self, key: str, at: int = 0, *, serializable: bool = False) -> Outcome:
        return self.ask(Range(key=key, serializable=serializable), at)

    def leader(self) -> Process:
        """The newest leader."""
        term = max(self.view.raft.leaders_by_term)
        return self.world.processes[next(iter(self.view.raft.leaders_by_term[term]))]

    def wait_for_leader(self) -> Process:
        assert self.world.run_until(lambda: bool(self.view.raft.leaders_by_term), 10 * SECOND)
        self.world.advance(SECOND)
        return self.leader()
