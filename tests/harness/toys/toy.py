"""A toy system for the harness's own tests: registers with a deliberately careless replication.

`reg-0` takes writes, acknowledges at once, and sends each value once to every replica, as a datagram. A
replica that is down or cut off misses it for good. A read from a replica later than 100 ms after the
write then shows an old value. The shortest story: a replica is away, a write, a read when it is back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attrs import frozen

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, integer, target
from chaoskube.bug import bug, patched
from chaoskube.faults.crash import Crash
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.invariant import always, eventually, sometimes
from chaoskube.scenario import Failure, Remedy, Scenario, Setup, scenario
from chaoskube.sim import MILLISECOND, SECOND, Entry, Line, Process, UsageError, World, seconds

REPLICATION_NS_MAX = 100 * MILLISECOND


@frozen(kw_only=True)
class Acknowledged:
    """The primary answered a write."""

    value: int


@frozen(kw_only=True)
class Served:
    """A server answered a read."""

    server: str
    value: int


class Observer:
    """What was acknowledged, and when."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acknowledged: list[tuple[int, int]] = []
        world.journal.subscribe(Acknowledged, self._on_acknowledged)

    def _on_acknowledged(self, entry: Entry) -> None:
        assert isinstance(entry.event, Acknowledged)
        self.acknowledged.append((entry.at, entry.event.value))

    def value_by(self, at: int) -> int:
        """The newest value acknowledged up to a time."""
        return max((value for when, value in self.acknowledged if when <= at), default=0)


class Registers:
    """The subject: one primary, some replicas."""

    def __init__(self, world: World, setup: Setup) -> None:
        self.world = world
        self.setup = setup
        self.observer = Observer(world)
        count = setup.get("servers", 2)
        assert isinstance(count, int)
        self.servers = tuple(f"reg-{number}" for number in range(count))
        for number, name in enumerate(self.servers):
            world.process(name, host=f"host-{number}", boot=self._boot).start()

    def _boot(self, process: Process) -> None:
        process.on_datagram = lambda _sender, value: self._store(process, value)
        trouble = self.setup.get("trouble")
        if process.name == "reg-0":
            self._beat(process)
        if trouble == "stillborn" or (trouble == "raises" and process.life > 1):
            raise ValueError("what a day")
        if trouble == "livelock" and process.life > 1:
            self._spin(process)

    def _beat(self, process: Process) -> None:
        if self.setup.get("trouble") != "stuck" or process.now < 5 * SECOND:
            process.call_later(SECOND, self._beat, process)

    def _spin(self, process: Process) -> None:
        process.call_later(0, self._spin, process)

    def _store(self, process: Process, value: object) -> None:
        process.disk.append("value", value)
        process.disk.sync(lambda: None)

    def write(self) -> None:
        """A client's write at the primary."""
        primary = self.world.processes["reg-0"]
        value = len(self.observer.acknowledged) + 1
        self._store(primary, value)
        primary.record(Acknowledged(value=value))
        for name in self.servers[1:]:
            if self.setup.get("reliable") or (self.setup.get("pen") and self.setup.get("paper")):
                self._store(self.world.processes[name], value)
            else:
                primary.send(name, value)

    def value(self, server: str) -> int:
        """What a server holds now."""
        records = self.world.processes[server].disk.read("value")
        return max((record for record in records if isinstance(record, int)), default=0)

    def targets(self, kind: str) -> Sequence[str]:
        if kind == "host":
            return tuple(f"host-{number}" for number in range(len(self.servers)))
        return {"process": self.servers, "server": self.servers}.get(kind, ())

    def warm(self) -> str | None:
        if self.setup.get("trouble") == "cold":
            return "the kettle is not on"
        return None if self.world.now >= SECOND else "it is early"

    def unsettled(self) -> str | None:
        return "it never rests" if self.setup.get("trouble") == "restless" else None

    def tell(self, entry: Entry) -> Line | None:
        if isinstance(entry.event, Acknowledged):
            return Line(entry.by, f"acknowledges the write of {entry.event.value}")
        if isinstance(entry.event, Served):
            return Line(entry.event.server, f"answers a read with {entry.event.value}")
        return None

    def assumptions(self) -> Sequence[str]:
        return ("a write is one whole number",)


@operation("toy-write", weight=2)
@frozen(kw_only=True)
class Write(Action):
    """Write the next number."""

    def do(self, stage: Stage) -> None:
        subject = stage.subject
        assert isinstance(subject, Registers)
        subject.write()

    def ready(self, stage: Stage) -> None:
        if not stage.world.processes["reg-0"].is_running:
            raise CannotApply("reg-0 is not running")


@operation("toy-read", weight=2)
@frozen(kw_only=True)
class Read(Action):
    """Read at one server."""

    server: str = target("server")
    times: int = integer(1, 5)

    def ready(self, stage: Stage) -> None:
        if not stage.world.processes[self.server].is_running:
            raise CannotApply(f"{self.server} is not running")

    def do(self, stage: Stage) -> None:
        subject = stage.subject
        assert isinstance(subject, Registers)
        for _ in range(self.times):
            value = subject.value(self.server)
            stage.world.processes[self.server].record(Served(server=self.server, value=value))


@always(on=[Served])
def reads_are_fresh(seen: Observer, event: Entry) -> None:
    """A read shows every write that was acknowledged 100 ms before.

    A client would miss its own write.
    """
    served = event.event
    assert isinstance(served, Served)
    wanted = seen.value_by(event.at - REPLICATION_NS_MAX)
    assert served.value >= wanted, f"{served.server} answers {served.value}, {wanted} was acknowledged"


@eventually(within="20s")
def replicas_agree(seen: Observer) -> None:
    """All servers hold the newest value in the end."""
    newest = seen.value_by(seen.world.now)
    for name, process in seen.world.processes.items():
        records = process.disk.read("value")
        assert (records[-1] if records else 0) == newest, f"{name} misses {newest}"


@sometimes(on=[Served])
def something_is_read(event: Entry) -> None:
    """Some read shows a written value."""
    assert isinstance(event.event, Served) and event.event.value > 0


def fewer_servers(setup: Setup) -> Iterable[Setup]:
    """One server less."""
    count = setup.get("servers", 2)
    assert isinstance(count, int)
    if count > 2:
        yield {**setup, "servers": count - 1}


def remedies(setup: Setup, failure: Failure) -> Iterable[Remedy]:
    """One that changes nothing, and those that the setup offers."""
    offered = setup.get("offers", ())
    assert isinstance(offered, Sequence)
    for name in ("colour", *offered):
        yield Remedy(text=f"a {name}", setup={**setup, name: True})


def toy_scenario(**setup: object) -> Scenario:
    """The toy with a setup."""
    return Scenario(
        name="toy",
        doc="Registers with a careless replication.",
        build=Registers,
        setup={"servers": 3, **setup},
        menu=(Write, Read, Crash, Pause, Partition),
        invariants=(reads_are_fresh, something_is_read),
        duration_ns=seconds("30s"),
        settle_ns=seconds("60s"),
        simpler=fewer_servers,
        remedies=remedies,
    )


@scenario("toy")
def toy() -> Scenario:
    """The toy as it is."""
    return toy_scenario()


@bug("toy-forgets", cites="nobody", invariants=("reads-are-fresh",), scenario="toy", needs=())
def toy_forgets() -> Iterator[None]:
    """Replicas store nothing at all."""
    with patched(Registers, "_store", lambda self, process, value: None):
        yield


def read(paths: tuple[str, ...], stdin: str | None) -> Scenario | None:
    """An input: files that end in `.toy` hold a number of servers."""
    if not all(path == "-" or path.endswith(".toy") for path in paths):
        return None
    texts = [stdin or "" if path == "-" else Path(path).read_text() for path in paths]
    if not texts[0].strip().isdigit():
        raise UsageError(f"{paths[0]}:1: {texts[0].strip()!r} is no number of servers")
    return toy_scenario(servers=int(texts[0]))
