"""The network: hosts with addresses, links between them, and who listens where.

Calm, every link has a constant latency and is FIFO, and nothing is lost. A disturbance is put in by a
fault and taken out through the handle it got: `partition`, `slow`, `refuse`, `rule`, `lose`, `duplicate`,
`reorder`. Datagrams meet all of them but the rules about streams (`stream_rules.py`); connections (`stream.py`) only
feel latency, partitions and those, because TCP repairs the rest.

Not modelled: bandwidth, packet sizes, name resolution.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from .calm import CONNECT_TIMEOUT, LINK_BETWEEN_HOSTS, LINK_SAME_HOST
from .disturbance import Disturbance
from .errors import ModelBug, UsageError
from .journal import canonical
from .stream import Connection
from .stream_rules import FrozenStream, LateStream, StreamName, StreamRule

if TYPE_CHECKING:
    from .process import Process
    from .world import World


COPIES_MAX = 3
"""Rules that duplicate would multiply, and so would the answers: no datagram arrives more often than this."""


@frozen
class Address:
    """Where a listener can be reached."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


@frozen(kw_only=True)
class LinkTimes:
    """One-way latency inside a host and between two hosts, in virtual ns."""

    same_host_ns: int = LINK_SAME_HOST
    between_hosts_ns: int = LINK_BETWEEN_HOSTS


class Link:
    """One direction between two hosts."""

    __slots__ = ("blocked", "datagram_rules", "extra_ns", "last_arrival", "latency_ns")

    def __init__(self, latency_ns: int) -> None:
        self.latency_ns = latency_ns
        self.extra_ns = 0
        self.blocked = 0
        self.last_arrival = 0
        self.datagram_rules: list[DatagramRule] = []


DatagramRule = Callable[[], Sequence[int]]
"""For one datagram: the extra delay of each copy that arrives; () loses it, (0,) leaves it alone."""


class Listener:
    """An open port."""

    __slots__ = ("_network", "address", "life", "on_connect", "process")

    def __init__(
        self, network: Network, process: Process, address: Address, on_connect: Callable[[Connection], None]
    ) -> None:
        self._network = network
        self.process = process
        self.life = process.life
        self.address = address
        self.on_connect = on_connect

    def close(self) -> None:
        """Accept no more connections; those that are open stay."""
        self._network.forget_listener(self)


class Network:
    """All links of one world."""

    def __init__(self, world: World, times: LinkTimes) -> None:
        self.world = world
        self.times = times
        self.stream_rules: list[StreamRule] = []
        self.refusals: list[tuple[str, str]] = []
        """Which client's connections to which server are refused."""
        self.opened_streams: dict[tuple[str, str], None] = {}
        """Every label that a process has connected with, in the order of the first time."""
        self._links: dict[tuple[str, str], Link] = {}
        self._owner_of_ip: dict[str, str] = {}
        self._listeners: dict[Address, Listener] = {}
        self._connections: dict[str, dict[Connection, None]] = {}
        self._ports: dict[str, int] = {}

    # -- addresses

    def ip_of(self, host: str) -> str:
        """The address of a host. Raises ModelBug for an unknown one."""
        try:
            return self.world.hosts[host].ip
        except KeyError:
            raise ModelBug(f"there is no host {host!r}") from None

    def assign_ip(self, ip: str, host: str) -> None:
        """A pod's address begins to exist on `host`."""
        if ip in self._owner_of_ip:
            raise ModelBug(f"{ip} is in use on {self._owner_of_ip[ip]}")
        self._owner_of_ip[ip] = host

    def release_ip(self, ip: str) -> None:
        """The address is gone: packets to it vanish, so that whoever knocks waits for its time-out."""
        self._owner_of_ip.pop(ip, None)
        for address in [address for address in self._listeners if address.ip == ip]:
            del self._listeners[address]

    def power_lost(self, host: str) -> None:
        """A host's memory is gone, and with it every address but its own."""
        own = self.ip_of(host)
        for ip in [ip for ip, owner in self._owner_of_ip.items() if owner == host and ip != own]:
            self.release_ip(ip)

    def host_of_ip(self, ip: str) -> str | None:
        """Which host has the address now."""
        return self._owner_of_ip.get(ip)

    def link(self, source: str, target: str) -> Link:
        """The link from one host to another (or within one)."""
        link = self._links.get((source, target))
        if link is None:
            latency = self.times.same_host_ns if source == target else self.times.between_hosts_ns
            link = self._links[source, target] = Link(latency)
        return link

    # -- connections

    def listen(
        self, process: Process, port: int, on_connect: Callable[[Connection], None], *, ip: str | None
    ) -> Listener:
        """Open a port. Raises ModelBug when somebody else listens there."""
        address = Address(ip if ip is not None else self.ip_of(process.host_name), port)
        if address in self._listeners:
            raise ModelBug(f"{self._listeners[address].process.name} listens at {address} already")
        listener = self._listeners[address] = Listener(self, process, address, on_connect)
        return listener

    def listener_at(self, address: Address) -> Listener | None:
        """Who listens at the address, if anybody."""
        return self._listeners.get(address)

    def forget_listener(self, listener: Listener) -> None:
        """The port is closed."""
        if self._listeners.get(listener.address) is listener:
            del self._listeners[listener.address]

    def connect(
        self,
        process: Process,
        to: Address,
        *,
        label: str,
        timeout_ns: int | None,
        on_open: Callable[[], None] | None,
        on_message: Callable[[object], None] | None,
        on_close: Callable[[str], None] | None,
        ip: str | None,
    ) -> Connection:
        """Begin to open a connection; see `Process.connect`."""
        source_ip = ip if ip is not None else self.ip_of(process.host_name)
        port = self._ports[source_ip] = self._ports.get(source_ip, 32768) + 1
        connection = Connection(self, process, Address(source_ip, port), to, label)
        connection.on_open = on_open
        connection.on_message = on_message
        connection.on_close = on_close
        self.opened_streams[label, process.name] = None
        connection.begin(timeout_ns if timeout_ns is not None else CONNECT_TIMEOUT)
        return connection

    def opened(self, connection: Connection) -> None:
        """Keep count of an end, so that it can be reset when its process dies."""
        self._connections.setdefault(connection.process.name, {})[connection] = None

    def closed(self, connection: Connection) -> None:
        """An end is done."""
        self._connections.get(connection.process.name, {}).pop(connection, None)

    def process_ended(self, process: Process, *, silent: bool) -> None:
        """Close what the process had open: with a reset to each peer, or (power loss) silently."""
        for listener in [one for one in self._listeners.values() if one.process is process]:
            self.forget_listener(listener)
        for connection in list(self._connections.pop(process.name, {})):
            connection.abandon(silent=silent)

    # -- datagrams

    def send(self, process: Process, to_process: str, message: object) -> None:
        """Carry a datagram from one process to another."""
        world = self.world
        target = world.processes.get(to_process)
        if target is None:
            raise ModelBug(f"{process.name} sends to {to_process!r}, which is no process")
        now = world.clock.now
        world.journal.trace(f"{now} {process.name}>{to_process} {canonical(message)}")
        source_host, target_host = process.host_name, target.host_name
        link = self._links.get((source_host, target_host)) or self.link(source_host, target_host)
        if link.blocked:
            return
        arrival = now + link.latency_ns + link.extra_ns
        if not link.datagram_rules:
            arrival = max(arrival, link.last_arrival)
            link.last_arrival = arrival
            world.clock.at(arrival, self._arrive, target, link, process.name, message)
            return
        for extra_ns in _fates(link.datagram_rules):
            world.clock.at(arrival + extra_ns, self._arrive, target, link, process.name, message)

    def _arrive(self, target: Process, link: Link, sender: str, message: object) -> None:
        if not link.blocked and target.on_datagram is not None:
            target.handle(target.life, target.on_datagram, (sender, message))

    # -- disturbances

    def partition(
        self, sources: Iterable[str], targets: Iterable[str], *, one_way: bool = False
    ) -> Disturbance:
        """Nothing passes from any of `sources` to any of `targets` (hosts), nor back unless `one_way`."""
        links = self._between(sources, targets, one_way)
        for link in links:
            link.blocked += 1

        def heal() -> None:
            for link in links:
                link.blocked -= 1

        return Disturbance(heal)

    def slow(
        self, sources: Iterable[str], targets: Iterable[str], extra_ns: int, *, one_way: bool = False
    ) -> Disturbance:
        """Everything between the hosts takes `extra_ns` longer."""
        links = self._between(sources, targets, one_way)
        for link in links:
            link.extra_ns += extra_ns

        def heal() -> None:
            for link in links:
                link.extra_ns -= extra_ns

        return Disturbance(heal)

    def lose(self, sources: Iterable[str], targets: Iterable[str], permille: int) -> Disturbance:
        """Each datagram is lost with a chance of `permille` in a thousand."""
        luck = self.world.stream("network/lose")
        return self._datagram_rule(sources, targets, lambda: () if _happens(luck, permille) else (0,))

    def duplicate(self, sources: Iterable[str], targets: Iterable[str], permille: int) -> Disturbance:
        """Each datagram arrives twice with a chance of `permille` in a thousand."""
        luck = self.world.stream("network/duplicate")
        return self._datagram_rule(sources, targets, lambda: (0, 0) if _happens(luck, permille) else (0,))

    def reorder(self, sources: Iterable[str], targets: Iterable[str], window_ns: int) -> Disturbance:
        """Each datagram takes up to `window_ns` longer, so that it may be overtaken."""
        luck = self.world.stream("network/reorder")
        return self._datagram_rule(sources, targets, lambda: (luck.randrange(window_ns + 1),))

    def rule(self, rule: StreamRule) -> Disturbance:
        """Ask `rule` about each message on its streams."""
        self.stream_rules.append(rule)
        return Disturbance(lambda: self.stream_rules.remove(rule))

    def delay_stream(self, sender: str, receiver: str, label: str, extra_ns: int) -> Disturbance:
        """Messages from process `sender` to process `receiver` on connections labelled `label` are late.

        "*" stands for every process. Order within a connection is kept, also when the delay ends.
        """
        return self.rule(LateStream(StreamName(label=label, sender=sender, receiver=receiver), extra_ns))

    def freeze_stream(self, rule: FrozenStream) -> Disturbance:
        """Hold back what the rule says; healed, all of it goes on its way."""
        frozen_stream = self.rule(rule)

        def heal() -> None:
            frozen_stream.heal()
            rule.thaw()

        return Disturbance(heal)

    def refuse(self, client: str, servers: Sequence[str]) -> Disturbance:
        """Reset the connections of process `client` to these processes, and refuse new ones."""
        pairs = [(client, server) for server in servers]
        self.refusals += pairs
        for end in list(self._connections.get(client, {})):
            if end.peer_name in servers:
                end.cut()

        def heal() -> None:
            for pair in pairs:
                self.refusals.remove(pair)

        return Disturbance(heal)

    def open_ends(self, stream: StreamName) -> tuple[Connection, ...]:
        """The sending ends of the open connections of a stream."""
        return tuple(
            end
            for ends in self._connections.values()
            for end in ends
            if end.is_open and stream.fits(end.label, end.process.name, end.peer_name)
        )

    def carried(self, label: str, process: str) -> int:
        """How many messages a process has taken from its open connections with a label."""
        return sum([end.delivered for end in self._connections.get(process, ()) if end.label == label])

    def rules_about(self, label: str, sender: str, receiver: str) -> list[StreamRule]:
        """The rules that care for a message."""
        return [rule for rule in self.stream_rules if rule.stream.fits(label, sender, receiver)]

    def _between(self, sources: Iterable[str], targets: Iterable[str], one_way: bool) -> list[Link]:
        ones, others = list(dict.fromkeys(sources)), list(dict.fromkeys(targets))
        for host in [*ones, *others]:
            if host not in self.world.hosts:
                raise UsageError(f"there is no host {host!r}; hosts: {', '.join(self.world.hosts)}")
        links = [self.link(one, other) for one in ones for other in others if one != other]
        if not one_way:
            links += [self.link(other, one) for one in ones for other in others if one != other]
        return links

    def _datagram_rule(
        self, sources: Iterable[str], targets: Iterable[str], rule: DatagramRule
    ) -> Disturbance:
        links = self._between(sources, targets, one_way=False)
        for link in links:
            link.datagram_rules.append(rule)

        def heal() -> None:
            for link in links:
                link.datagram_rules.remove(rule)

        return Disturbance(heal)


def _fates(rules: Sequence[DatagramRule]) -> list[int]:
    copies = [0]
    for rule in rules:
        copies = [before + after for before in copies for after in rule()][:COPIES_MAX]
    return copies


def _happens(luck: random.Random, permille: int) -> bool:
    return luck.randrange(1000) < permille
