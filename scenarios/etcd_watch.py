"""Watches of every kind on every member of an etcd cluster, while its members, and the watchers, suffer.

Writers put, delete and write several keys at once. Each watcher stays with one member, however far behind that is,
and keeps a few watches on one stream: of one key or all, from the past, from now and from the future, with filters,
with previous versions, with notices; it asks for progress, ends watches, and takes those that broke up again where they
ended. History is compacted meanwhile, members fall back to snapshots, and a watcher that is paused is slow.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from chaoskube.faults.bit_rot import BitRot
from chaoskube.faults.clock_drift import ClockDrift
from chaoskube.faults.clock_jump import ClockJump
from chaoskube.models.etcd.client import WatchHandle
from chaoskube.models.etcd.messages import (
    DeleteRange,
    Event,
    Put,
    Range,
    RequestOp,
    Txn,
    WatchCreate,
    WatchFilter,
    prefix_end,
)
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.etcd.client import Worker
from chaoskube.scenarios.etcd.cluster import WORK_NS, EtcdCluster
from chaoskube.scenarios.etcd.compactor import add_compactor
from chaoskube.scenarios.etcd.menus import FAULTS, INVARIANTS
from chaoskube.scenarios.etcd.operations.compact import Compact
from chaoskube.scenarios.etcd.operations.defrag import Defrag
from chaoskube.scenarios.etcd.shape import EITHER, SETUP, simpler
from chaoskube.sim import MILLISECOND, SECOND, Process, World

PREFIX = "/watched/"
KEYS = 4
WRITERS = 2
WATCHES_MAX = 4
"""Of one watcher, at a time."""
BEHIND = 15
"""How many revisions before the newest that it knows a watch may begin."""
AHEAD = 60
"""And how many after it: what a member that is far behind still has to get."""
BESIDE_THE_POINT = (BitRot, ClockDrift, ClockJump)
"""No watch is about clocks, and a member that stops at a bad record is a crashed one."""
WRITE_NS = 300 * MILLISECOND
TURN_NS = 700 * MILLISECOND


class Writer(Worker):
    """Puts twice as often as it deletes; sometimes several keys at once."""

    def act(self) -> None:
        """One write."""
        kind = self.luck.randrange(6)
        if kind < 3:
            self.ask(self._put(), self.rest)
        elif kind == 3:
            self.ask(DeleteRange(key=self._key()), self.rest)
        elif kind == 4:
            self.ask(Txn(success=self._several()), self.rest)
        else:
            first = self._key()
            self.ask(DeleteRange(key=first, range_end=prefix_end(PREFIX)), self.rest)

    def _key(self) -> str:
        return f"{PREFIX}{self.luck.randrange(KEYS)}"

    def _put(self) -> Put:
        return Put(key=self._key(), value=self.value())

    def _several(self) -> tuple[RequestOp, ...]:
        """Each key once: a put or a deletion, and a read in between."""
        writes: list[RequestOp] = []
        for number in range(KEYS):
            key = f"{PREFIX}{number}"
            writes.append(
                Put(key=key, value=self.value()) if self.luck.randrange(3) else DeleteRange(key=key)
            )
        return (*writes[:2], Range(key=PREFIX), *writes[2:])


@define(eq=False)
class Watching:
    """One watch of a watcher, over all the times that it was taken up again."""

    create: WatchCreate
    next_revision: int
    handle: WatchHandle | None = None


class Watcher(Worker):
    """Opens, ends and takes up watches at one member."""

    _watches: list[Watching]
    _newest = 1
    _wants_leader = False

    def begin(self) -> None:
        """Begin; in one life of three all watches end when their member has no leader."""
        self._watches = []
        self._wants_leader = self.luck.randrange(3) == 0
        self.start()

    def act(self) -> None:
        """One more watch, a question, or, seldom, one less: what happens to a watch happens after a while."""
        kind = self.luck.randrange(10)
        if kind < 5 and len(self._watches) < WATCHES_MAX:
            self._open_another()
        elif kind == 5 and self._watches:
            self._end(self.luck.choice(self._watches))
        else:
            for watching in self._watches[:1]:
                if watching.handle is not None:
                    watching.handle.request_progress()
        self.rest()

    def _open_another(self) -> None:
        luck = self.luck
        is_one = luck.randrange(3) == 0
        start = luck.choice(
            (0, max(self._newest - luck.randint(0, BEHIND), 1), self._newest + luck.randint(1, AHEAD))
        )
        create = WatchCreate(
            key=f"{PREFIX}{luck.randrange(KEYS)}" if is_one else PREFIX,
            range_end="" if is_one else prefix_end(PREFIX),
            prev_kv=luck.randrange(2) == 0,
            progress_notify=luck.randrange(2) == 0,
            require_leader=self._wants_leader,
            fragment=luck.randrange(4) == 0,
            filters=(luck.choice(tuple(WatchFilter)),) if luck.randrange(4) == 0 else (),
        )
        watching = Watching(create, start)
        self._watches.append(watching)
        self._open(watching)
        if watching.handle is not None and luck.randrange(2):
            watching.handle.request_progress()

    def _open(self, watching: Watching) -> None:
        if watching not in self._watches or not self.is_at_work:
            return
        create = WatchCreate(
            key=watching.create.key,
            range_end=watching.create.range_end,
            start_revision=watching.next_revision,
            prev_kv=watching.create.prev_kv,
            progress_notify=watching.create.progress_notify,
            require_leader=watching.create.require_leader,
            fragment=watching.create.fragment,
            filters=watching.create.filters,
        )

        def on_events(events: tuple[Event, ...], revision: int) -> None:
            self._newest = max(self._newest, revision)
            watching.next_revision = events[-1].kv.mod_revision + 1

        def on_progress(revision: int) -> None:
            self._newest = max(self._newest, revision)
            watching.next_revision = max(watching.next_revision, revision + 1)

        watching.handle = self.client.watch(
            create,
            on_events=on_events,
            on_progress=on_progress,
            on_end=lambda reason: self._ended(watching),
        )

    def _ended(self, watching: Watching) -> None:
        """Take it up where it ended; where that is compacted, from there."""
        handle, watching.handle = watching.handle, None
        if handle is not None and handle.compact_revision:
            watching.next_revision = handle.compact_revision
        self.process.call_later(TURN_NS, self._open, watching)

    def _end(self, watching: Watching) -> None:
        self._watches.remove(watching)
        if watching.handle is not None:
            watching.handle.cancel()


def build(world: World, setup: Setup) -> EtcdCluster:
    """The members, two writers, a watcher for each member, and a client that compacts, where the setup wants it."""
    cluster = EtcdCluster(world, setup, "etcd-watch")

    def boot_writer(place: int) -> Callable[[Process], None]:
        return lambda process: Writer(
            process, cluster.servers_from(place), WORK_NS, think_ns=WRITE_NS
        ).start()

    def boot_watcher(place: int) -> Callable[[Process], None]:
        return lambda process: Watcher(
            process, cluster.servers_from(place)[:1], WORK_NS, think_ns=TURN_NS, share_watches=True
        ).begin()

    for place in range(WRITERS):
        cluster.add_client(f"writer-{place}", boot_writer(place))
    for place in range(len(cluster.members)):
        cluster.add_client(f"watcher-{place}", boot_watcher(place), is_fragile=True)
    add_compactor(cluster)
    return cluster


@scenario("etcd-watch")
def etcd_watch() -> Scenario:
    """Watches on every member of an etcd cluster, from the past, from now and from the future."""
    return Scenario(
        name="etcd-watch",
        doc="Watches on every member of an etcd cluster while members and watchers suffer.",
        setup={**SETUP, "watch_buffer": EITHER, "compact_ms": EITHER},
        build=build,
        menu=(*[one for one in FAULTS if one not in BESIDE_THE_POINT], Compact, Defrag),
        invariants=INVARIANTS,
        duration_ns=20 * SECOND,
        warm_ns=30 * SECOND,
        settle_ns=120 * SECOND,
        actions_max=24,
        simpler=simpler,
    )
