"""The subject of `api-machinery`: etcd, API servers, and clients on machines of their own; no controllers, no nodes.

Clients are at work until `BUSY_NS`; then only the clock ticks on until `WORK_NS`, so that quiet watches live for some time.
Called by `scenarios/api_machinery.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from chaoskube.models.client.events import InformerSynced
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.objects import ConfigMap, Namespace, Pod
from chaoskube.scenario import Setup
from chaoskube.scenarios.etcd.compactor import Compactor
from chaoskube.scenarios.machinery.readers import Binder, view, visit
from chaoskube.scenarios.machinery.shape import shape_of
from chaoskube.scenarios.machinery.telling import tell
from chaoskube.scenarios.machinery.writers import Labeller, Ticker, Writer
from chaoskube.sim import MILLISECOND, SECOND, Address, Entry, Line, Process, World

NAME = "api-machinery"
BUSY_NS = 40 * SECOND
WORK_NS = 85 * SECOND
QUIET_NS = 6 * SECOND
RESTART_NS = SECOND
WRITERS = ("alice", "bob")
VIEWERS = 2
VISITOR = "visitor"
LEADING = "leading-"
OF_SERVERS = "etcd-"
"""Before the label of a client's watch: the same of an API server's own."""
STREAMED = ("pods", "configmaps", "secrets")
"""Whose streams can be disturbed: of everything else there is nothing to see."""


class Machinery(Cluster):
    """A control plane without controllers, and its clients."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.drawn = shape_of(setup, world, NAME)
        self._clients: list[Process] = []
        shape = Shape(
            etcd=self.drawn.members,
            apiservers=self.drawn.servers,
            managers=0,
            schedulers=0,
            nodes=0,
            requests_per_second=0,
        )
        super().__init__(
            world, shape, server_options=self.drawn.server_options, etcd_options=self.drawn.etcd_options
        )
        self._add_clients()

    def _add_clients(self) -> None:
        pace_ns = self.drawn.pace * MILLISECOND

        def boot_writer(process: Process, servers: tuple[Address, ...]) -> None:
            Writer(process, servers, user=process.name, pace_ns=pace_ns, until=BUSY_NS).start()

        for name in WRITERS:
            self._add(name, boot_writer)
        for number in range(VIEWERS):
            self._add(f"viewer-{number}", partial(view, number=number))
        self._add(VISITOR, partial(visit, until=BUSY_NS))
        self._add("binder", lambda process, servers: Binder(process, servers).start())
        self._add("labeller", lambda process, servers: Labeller(process, servers).start())
        self._add("clock", lambda process, servers: Ticker(process, servers, WORK_NS).start())
        if self.drawn.compact_ms:
            self._add_compactor()

    def _add(self, name: str, boot: Callable[[Process, tuple[Address, ...]], None]) -> None:
        """A client on its own machine, nearest to a server of its own."""
        nearest = len(self._clients) % len(self._servers)
        servers = self._servers[nearest:] + self._servers[:nearest]
        process = self.world.process(name, host=f"at-{name}", boot=lambda process: boot(process, servers))
        process.restart_after_ns = RESTART_NS
        self._clients.append(process)
        process.start()

    def _add_compactor(self) -> None:
        places = [f"control-{number}" for number in range(self.drawn.members)]
        servers = tuple(Address(self.world.network.ip_of(place), CLIENT_PORT) for place in places)
        every_ns = self.drawn.compact_ms * MILLISECOND

        def boot(process: Process) -> None:
            Compactor(process, servers, BUSY_NS, think_ns=every_ns).start()

        self.world.process("compactor", host="workstation", boot=boot).start()

    # -- what the harness asks

    def targets(self, kind: str) -> tuple[str, ...]:
        """Servers, clients, members; the machines of all; streams of what the clients are about; what leads."""
        if kind.startswith(LEADING):
            return self._leading(kind.removeprefix(LEADING))
        clients = tuple(one.name for one in self._clients)
        if kind == "process":
            return (*self._named("apiserver-"), *clients, *self._named("etcd-"))
        if kind == "host":
            return tuple(host for host in self.world.hosts if host.startswith(("control-", "at-")))
        return super().targets(kind)

    def _leading(self, kind: str) -> tuple[str, ...]:
        """While a server's own watch is held back: that server, and who watches the same as it.

        What was seen at another server is the future to this one, for whoever comes to it now.
        """
        rules = self.world.network.stream_rules
        late = [rule.stream for rule in rules if rule.stream.label.startswith(f"{OF_SERVERS}watch/")]
        if kind == "server":
            return tuple(dict.fromkeys(stream.receiver for stream in late))
        labels = tuple(f"{stream.label.removeprefix(OF_SERVERS)}@" for stream in late)
        watches = tuple(one for one in self.targets("watch") if labels and one.startswith(labels))
        if kind == "process":
            return tuple(dict.fromkeys(one.partition(">")[2] for one in watches))
        return watches if kind == "watch" else ()

    def _opened(self, head: str) -> list[tuple[str, str]]:
        """Of the visitor, who opens his again and again, then of other clients, then of servers."""
        clients = sorted(self._clients, key=lambda one: one.name != VISITOR)
        viewers = {one.name: place for place, one in enumerate(clients)}
        places = {**viewers, **{name: len(viewers) for name in self._named("apiserver-")}}
        found = [
            (label, process)
            for label, process in self.world.network.opened_streams
            if label.startswith(head)
            and process in places
            and (label.partition("/")[2] in STREAMED or "/" not in head)
        ]
        return sorted(found, key=lambda one: places[one[1]])

    def warm(self) -> str | None:
        """None when clients have begun to write and to see."""
        seen = self.observer
        if seen.get(Namespace, "default") is None:
            return "there is no namespace yet"
        if not any(seen.all(Pod)) or not any(seen.all(ConfigMap)):
            return "nothing has been written yet"
        synced = [one.by for one in self.world.journal.entries if isinstance(one.event, InformerSynced)]
        waiting = [f"viewer-{number}" for number in range(VIEWERS) if f"viewer-{number}" not in synced]
        return f"{waiting[0]} sees nothing yet" if waiting else None

    def unsettled(self) -> str | None:
        """None when the clients have done their work, and nothing was written for a while."""
        if self.world.now < WORK_NS:
            return "the clients are still at work"
        at, change = self.observer.last_change
        quiet = self.world.now - at
        return f"the last change was {quiet / SECOND:.1f} s ago: {change}" if quiet < QUIET_NS else None

    def tell(self, entry: Entry) -> Line | None:
        """How an entry reads in a story."""
        return tell(entry)

    def assumptions(self) -> Sequence[str]:
        """How it is configured."""
        return self.drawn.assumptions()
