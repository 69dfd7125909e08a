"""Clients that read and write a few registers in an etcd cluster, while its members suffer.

The smallest scenario: no Kubernetes in it. Three clients, each with its own member first, put unique values,
compare-and-swap, read linearizably, and one of them watches; a read must see what was acknowledged before it
began. The clients go on until the story ends, then stop, so that the cluster can fall silent.

Clusters run with pre-vote or without (etcd's flag `pre-vote`, on by default since 3.5): `either` lets each world
choose by its own luck (one in three has it), because pre-vote hides some mistakes in elections nearly always.
Not on the menu: doubled datagrams (etcd's peers talk over TCP).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from chaoskube.faults.crash import Crash
from chaoskube.faults.crash_host import CrashHost
from chaoskube.faults.lose import Lose
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.faults.reorder import Reorder
from chaoskube.faults.slow_link import SlowLink
from chaoskube.invariant import Invariant, always, collect
from chaoskube.invariants import etcd as etcd_invariants
from chaoskube.invariants import raft as raft_invariants
from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.member import add_members, endpoints
from chaoskube.models.etcd.messages import (
    Compare,
    CompareTarget,
    Event,
    Put,
    Range,
    RangeResponse,
    Txn,
    WatchCreate,
    prefix_end,
)
from chaoskube.models.etcd.replica import ReplicaOptions
from chaoskube.models.etcd.view import BecameLeader, EtcdView, SteppedDown, Voted
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.sim import (
    MILLISECOND,
    SECOND,
    Address,
    Entry,
    FaultEnded,
    FaultStarted,
    Line,
    Process,
    ProcessStarted,
    ProcessStopped,
    UsageError,
    World,
)

PREFIX = "/register/"
EITHER = "either"
REGISTERS = 2
CLIENTS = 3
THINK_NS = 900 * MILLISECOND
CALL_NS = 3 * SECOND
WORK_NS = 26 * SECOND
"""How long clients work: the story's length and a little more."""


@frozen(kw_only=True)
class RegisterRead:
    """A client's linearizable read was answered. `floor` is the newest revision acknowledged before it began."""

    key: str
    floor: int
    revision: int
    value: str
    mod_revision: int


class EtcdObserver:
    """What a god sees of this scenario."""

    def __init__(self, world: World) -> None:
        self.etcd = EtcdView(world.journal)


@always(on=[RegisterRead])
def a_read_sees_what_was_acknowledged(seen: EtcdObserver, event: Entry) -> None:
    """A linearizable read sees every write that was acknowledged before it began.

    It is what makes compare-and-swap, locks and leader election on etcd work. (etcd API guarantees: strict
    serializability.)
    """
    read = event.event
    assert isinstance(read, RegisterRead), "woken by its own event only"
    assert read.revision >= read.floor, (
        f"{event.by} reads {read.key} at revision {read.revision}; revision {read.floor} was acknowledged before"
    )


class RegisterClient:
    """One client: an operation, a pause, another operation."""

    def __init__(self, process: Process, servers: tuple[Address, ...], view: EtcdView, until: int) -> None:
        self._process = process
        self._view = view
        self._until = until
        self._client = EtcdClient(process, servers)
        self._count = 0
        self._seen: dict[str, int] = {}
        self._next_revision = 0

    def start(self, *, watches: bool) -> None:
        """Begin."""
        if watches:
            self._watch()
        self._later(self._process.rng.randrange(THINK_NS))

    def _later(self, delay_ns: int) -> None:
        if self._process.now < self._until:
            self._process.call_later(delay_ns, self._act)

    def _act(self) -> None:
        key = f"{PREFIX}{self._process.rng.randrange(REGISTERS)}"
        what = self._process.rng.randrange(3)
        self._count += 1
        value = f"{self._process.name}.{self._process.life}.{self._count}"
        if what == 0:
            floor = self._view.calls.floor
            self._client.request(Range(key=key), lambda outcome: self._on_read(key, floor, outcome), CALL_NS)
        elif what == 1:
            self._client.request(Put(key=key, value=value), self._on_written, CALL_NS)
        else:
            unchanged = Compare(key=key, target=CompareTarget.MOD, value=self._seen.get(key, 0))
            swap = Txn(compare=(unchanged,), success=(Put(key=key, value=value),), failure=(Range(key=key),))
            self._client.request(swap, self._on_written, CALL_NS)

    def _on_read(self, key: str, floor: int, outcome: Outcome) -> None:
        if isinstance(outcome, RangeResponse):
            kv = outcome.kvs[0] if outcome.kvs else None
            self._seen[key] = 0 if kv is None else kv.mod_revision
            self._process.record(
                RegisterRead(
                    key=key,
                    floor=floor,
                    revision=outcome.revision,
                    value="" if kv is None else str(kv.value),
                    mod_revision=self._seen[key],
                )
            )
        self._later(THINK_NS)

    def _on_written(self, _outcome: Outcome) -> None:
        self._later(THINK_NS)

    def _watch(self) -> None:
        self._client.watch(
            WatchCreate(
                key=PREFIX,
                range_end=prefix_end(PREFIX),
                start_revision=self._next_revision,
                prev_kv=True,
                require_leader=True,
            ),
            on_events=self._on_events,
            on_end=lambda reason: self._again(),
        )

    def _on_events(self, events: tuple[Event, ...], revision: int) -> None:
        self._next_revision = events[-1].kv.mod_revision + 1

    def _again(self) -> None:
        if self._process.now < self._until:
            self._process.call_later(THINK_NS, self._watch)


class RegisterCluster:
    """The members and their clients, as the harness sees them."""

    def __init__(self, world: World, setup: Setup) -> None:
        size, pre_vote = setup.get("members"), setup.get("pre_vote")
        if not isinstance(size, int) or not 1 <= size <= 7 or pre_vote not in (True, False, EITHER):
            raise UsageError(
                f"etcd-register wants members=1..7 and pre_vote=true, false or either, not {dict(setup)!r}"
            )
        if pre_vote == EITHER:
            pre_vote = world.stream("etcd-register/pre-vote").randrange(3) == 0
        self._pre_vote = bool(pre_vote)
        self.world = world
        self.observer = EtcdObserver(world)
        hosts = [f"control-{place}" for place in range(size)]
        self.members = add_members(world, hosts, ReplicaOptions(pre_vote=self._pre_vote))
        self._servers = endpoints(self.members)
        for member in self.members:
            member.start()
        self._clients = [
            world.process(f"client-{place}", host="clients", boot=self._boot(place))
            for place in range(CLIENTS)
        ]
        for client in self._clients:
            client.start()

    def _boot(self, place: int) -> Callable[[Process], None]:
        def boot(process: Process) -> None:
            first = place % len(self._servers)
            servers = self._servers[first:] + self._servers[:first]
            RegisterClient(process, servers, self.observer.etcd, WORK_NS).start(watches=place == 0)

        return boot

    def targets(self, kind: str) -> Sequence[str]:
        """Members and their hosts: clients are not harmed."""
        if kind == "process":
            return tuple(member.name for member in self.members)
        if kind == "host":
            return tuple(member.host for member in self.members)
        return ()

    def warm(self) -> str | None:
        """None when there is a leader and something has been written."""
        return None if self.observer.etcd.store.acknowledged else "nothing has been written yet"

    def unsettled(self) -> str | None:
        """None when the clients have stopped and every member has every revision."""
        view = self.observer.etcd
        if self.world.now < WORK_NS + 3 * SECOND:
            return "the clients are still at work"
        behind = [member.name for member in self.members if view.applied.get(member.name, 1) < view.revision]
        return f"{', '.join(behind)} lag behind revision {view.revision}" if behind else None

    def tell(self, entry: Entry) -> Line | None:
        """The decisive events in words."""
        event = entry.event
        if isinstance(event, BecameLeader):
            return Line(
                entry.by, f"becomes the leader of term {event.term}, from entry {event.first_index} on"
            )
        if isinstance(event, SteppedDown):
            return Line(entry.by, f"no longer leads term {event.led_term}")
        if isinstance(event, Voted):
            return Line(entry.by, f"votes for {event.candidate} in term {event.term}")
        if isinstance(event, ProcessStopped):
            return Line(entry.by, f"ends: {event.reason}")
        if isinstance(event, ProcessStarted) and event.life > 1:
            return Line(entry.by, f"starts again, life {event.life}")
        if isinstance(event, FaultStarted):
            return Line("fault", event.text)
        if isinstance(event, FaultEnded):
            return Line("fault", f"healed: {event.text}")
        return None

    def assumptions(self) -> Sequence[str]:
        """How the members are configured."""
        return (f"{len(self.members)} etcd members, pre-vote {'on' if self._pre_vote else 'off'}",)


def simpler(setup: Setup) -> Iterable[Setup]:
    """Fewer members, and a pre-vote that is said."""
    members = setup["members"]
    assert isinstance(members, int)
    if members > 3:
        yield {**setup, "members": members - 2}
    if setup["pre_vote"] == EITHER:
        yield {**setup, "pre_vote": True}
        yield {**setup, "pre_vote": False}


INVARIANTS: tuple[Invariant, ...] = collect(
    [raft_invariants, etcd_invariants, a_read_sees_what_was_acknowledged]
)


@scenario("etcd-register")
def etcd_register() -> Scenario:
    """Registers in an etcd of three members under every fault that a network, a disk and a machine know."""
    return Scenario(
        name="etcd-register",
        doc="Clients read and write registers in an etcd cluster while its members suffer.",
        setup={"members": 3, "pre_vote": EITHER},
        build=RegisterCluster,
        menu=(Crash, CrashHost, Pause, Partition, SlowLink, Lose, Reorder),
        invariants=INVARIANTS,
        duration_ns=20 * SECOND,
        warm_ns=30 * SECOND,
        settle_ns=120 * SECOND,
        actions_max=24,
        simpler=simpler,
    )
