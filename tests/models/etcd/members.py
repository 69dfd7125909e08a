"""Members without their doors in a world, for tests of what they keep: asked directly, crashed, restarted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from chaoskube.models.etcd.boot import ToldCluster, ask_cluster, is_new
from chaoskube.models.etcd.events import Acknowledged, Applied
from chaoskube.models.etcd.messages import EtcdError, Put, Request, Response
from chaoskube.models.etcd.replica import Replica, ReplicaOptions
from chaoskube.sim import MILLISECOND, SECOND, Process, World

SMALL = ReplicaOptions(snapshot_count=20, catch_up_entries=5)
"""Snapshots come often, and leave little for who is behind."""


class Members:
    """A cluster of replicas; `answers` holds what each request was answered, by its number."""

    def __init__(self, world: World, size: int = 3, options: ReplicaOptions = SMALL) -> None:
        self.world = world
        self.options = options
        self.replicas: dict[str, Replica] = {}
        self.answers: dict[int, Response | EtcdError] = {}
        self.processes: dict[str, Process] = {}
        self._number = 0
        names = [f"etcd-{place}" for place in range(size)]
        for name in names:
            self.add_process(name, names)
        for name in names:
            self.processes[name].start()

    def add_process(self, name: str, names: Sequence[str], *, joining: bool = False) -> Process:
        boot = partial(self._boot, names=tuple(names), joining=joining)
        process = self.world.process(name, host=f"host-{name}", boot=boot)
        self.processes[name] = process
        return process

    def _boot(self, process: Process, names: tuple[str, ...], joining: bool) -> None:
        self.replicas.pop(process.name, None)

        def begin(told: ToldCluster | None) -> None:
            replica = self.replicas[process.name] = Replica(process, names, self.options, told)
            replica.start()

        if joining and is_new(process.disk):
            ask_cluster(process, names, begin)
        else:
            begin(None)

    @property
    def alive(self) -> list[str]:
        return [name for name, one in self.processes.items() if one.is_running and name in self.replicas]

    @property
    def leader(self) -> Replica | None:
        leaders = [self.replicas[name] for name in self.alive if self.replicas[name].is_leader]
        return max(leaders, key=lambda one: one.raft.term) if leaders else None

    def wait_for_leader(self, limit_ns: int = 20 * SECOND) -> Replica:
        assert self.world.run_until(lambda: self.leader is not None, limit_ns, 10 * MILLISECOND)
        self.world.advance(SECOND)
        assert self.leader is not None
        return self.leader

    # -- asking

    def take(self) -> tuple[int, partial[None]]:
        """A number, and the answerer that keeps the answer under it."""
        self._number += 1
        return self._number, partial(self.answers.__setitem__, self._number)

    def send(self, name: str, request: Request) -> int:
        number, answer = self.take()
        self.replicas[name].write(request, answer)
        return number

    def wait(self, number: int, limit_ns: int = 20 * SECOND) -> Response | EtcdError:
        assert self.world.run_until(lambda: number in self.answers, limit_ns, MILLISECOND)
        return self.answers[number]

    def ask(self, name: str, request: Request) -> Response | EtcdError:
        return self.wait(self.send(name, request))

    def put_many(self, name: str, count: int, prefix: str = "/k") -> None:
        for number in range(count):
            self.ask(name, Put(key=f"{prefix}{number:04}", value="v"))

    # -- what happened

    def applied(self, name: str) -> list[Applied]:
        entries = self.world.journal.entries
        return [one.event for one in entries if one.by == name and isinstance(one.event, Applied)]

    def acknowledged(self) -> list[Acknowledged]:
        return [one.event for one in self.world.journal.entries if isinstance(one.event, Acknowledged)]

    def events(self, kind: type, by: str = "") -> list[object]:
        entries = self.world.journal.entries
        return [one.event for one in entries if isinstance(one.event, kind) and by in ("", one.by)]

    def keys(self, name: str) -> set[str]:
        return set(self.replicas[name].state.store.keys_in("/", "0"))

    def hashes(self) -> set[object]:
        """What the members' states look like; one when they are the same."""
        found: set[object] = set()
        for name in self.alive:
            replica = self.replicas[name]
            store = replica.state.store
            found.add((store.hash_kv(0), replica.membership.all, tuple(replica.alarms.on())))
        return found

    def settle(self, limit_ns: int = 30 * SECOND) -> None:
        """Everybody up, until all have applied the same."""
        for process in self.processes.values():
            process.start()

        def is_settled() -> bool:
            return (
                self.leader is not None and len({self.replicas[one].applier.index for one in self.alive}) == 1
            )

        assert self.world.run_until(is_settled, limit_ns, 100 * MILLISECOND)
        self.world.advance(2 * SECOND)
        assert is_settled()
