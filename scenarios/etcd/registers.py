"""Clients that read and write a few registers, and one of them watches: for every scenario where the use is beside the point.

They put unique values, compare-and-swap, delete, write two registers at once and read the past with it, read linearizably
and serializably, now and in the past. Every answer is noted, and held against the known order of commits (`models/etcd/view/calls.py`).
How much of each, and if another client compacts all the time, is the setup's (`shape.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import (
    Compare,
    CompareTarget,
    DeleteRange,
    Event,
    Put,
    Range,
    RangeResponse,
    Txn,
    WatchCreate,
    prefix_end,
)
from chaoskube.scenarios.etcd.client import THINK_NS, Worker
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.scenarios.etcd.compactor import add_compactor
from chaoskube.scenarios.etcd.shape import DELETES, MIXED, PUTS, READS
from chaoskube.sim import MILLISECOND, Process

PREFIX = "/register/"
REGISTERS = 2
CLIENTS = 3
WRITE_NS = 300 * MILLISECOND
"""Between the operations of clients that only write."""
PAST = 20
"""How far back reads of the past go, in revisions."""


class RegisterClient(Worker):
    """One client: an operation, a pause, another operation."""

    _seen: dict[str, int]
    _revision = 1
    _next_revision = 0

    _traffic = MIXED

    def start_with(self, traffic: str, *, watches: bool) -> None:
        """Begin."""
        self._seen = {}
        self._traffic = traffic
        if watches:
            self._watch()
        self.start()

    def act(self) -> None:
        """Mixed: reads more often than writes."""
        key = f"{PREFIX}{self.luck.randrange(REGISTERS)}"
        if self._traffic == PUTS or (self._traffic != MIXED and self.luck.randrange(2)):
            self._put(key)
            return
        if self._traffic == READS:
            self._read(key)
            return
        if self._traffic == DELETES:
            self.ask(DeleteRange(key=key), self.rest)
            return
        kinds: tuple[Callable[[str], None], ...] = (self._read, self._put, self._swap, self._other)
        kinds[self.luck.choice((0, 0, 1, 1, 2, 2, 3, 3))](key)

    def _read(self, key: str) -> None:
        self.ask(Range(key=key), self._on_read)

    def _put(self, key: str) -> None:
        self.ask(Put(key=key, value=self.value()), self.rest)

    def _swap(self, key: str) -> None:
        unchanged = Compare(key=key, target=CompareTarget.MOD, value=self._seen.get(key, 0))
        write = Put(key=key, value=self.value())
        self.ask(Txn(compare=(unchanged,), success=(write,), failure=(Range(key=key),)), self.rest)

    def _other(self, key: str) -> None:
        everything = prefix_end(PREFIX)
        kind = self.luck.randrange(5)
        if kind == 0:
            self.ask(DeleteRange(key=key), self.rest)
        elif kind == 1:
            writes = tuple(Put(key=f"{PREFIX}{one}", value=self.value()) for one in range(REGISTERS))
            self.ask(Txn(success=(*writes, self._range_of_past())), self.rest)
        elif kind == 2:
            self.ask(Range(key=PREFIX, range_end=everything, serializable=True), self.rest)
        elif kind == 3:
            self.ask(Range(key=PREFIX, range_end=everything), self.rest)
        else:
            self.ask(self._range_of_past(), self.rest)

    def _range_of_past(self) -> Range:
        """Of all registers; refused where that is compacted, and then whatever else is in the transaction."""
        past = max(self._revision - self.luck.randrange(PAST), 1)
        return Range(key=PREFIX, range_end=prefix_end(PREFIX), revision=past)

    def _on_read(self, outcome: Outcome) -> None:
        if isinstance(outcome, RangeResponse):
            self._revision = outcome.revision
            for kv in outcome.kvs:
                self._seen[kv.key] = kv.mod_revision
        self.rest()

    def _watch(self) -> None:
        self.client.watch(
            WatchCreate(
                key=PREFIX,
                range_end=prefix_end(PREFIX),
                start_revision=self._next_revision,
                prev_kv=True,
                require_leader=True,
            ),
            on_events=self._on_events,
            on_end=self._again,
        )

    def _on_events(self, events: tuple[Event, ...], _revision: int) -> None:
        self._next_revision = events[-1].kv.mod_revision + 1

    def _again(self, reason: str) -> None:
        """From where it ended; from now on where that is compacted."""
        if "compacted" in reason:
            self._next_revision = 0
        if self.is_at_work:
            self.process.call_later(THINK_NS, self._watch)


def add_register_clients(cluster: EtcdCluster) -> None:
    """Three clients, each with its own member first; and one that compacts, where the setup wants it."""
    traffic = cluster.shape.traffic
    think_ns = THINK_NS if traffic == MIXED else WRITE_NS

    def boot(place: int) -> Callable[[Process], None]:
        return lambda process: RegisterClient(
            process, cluster.servers_from(place), cluster.work_ns, think_ns=think_ns
        ).start_with(traffic, watches=place == 0)

    for place in range(CLIENTS):
        cluster.add_client(f"client-{place}", boot(place))
    add_compactor(cluster)
