"""A client that compacts all the time, as etcd's robustness suite does (tests/robustness/traffic: RunCompactLoop).

It asks for the newest revision and compacts at a random one between where it compacted last and a few beyond the newest, so
that any revision is compacted sooner or later, the newest too, and both errors happen. Used by scenarios whose setup has
`compact_ms`.
"""

from __future__ import annotations

from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import Compact, CompactResponse, Range, RangeResponse
from chaoskube.scenarios.etcd.client import Worker
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.sim import MILLISECOND

AHEAD = 5


class Compactor(Worker):
    """Asks, compacts, rests."""

    _last = 0
    _chosen = 0

    def act(self) -> None:
        """Which revision is the newest?"""
        self.ask(Range(key="/none"), self._on_newest)

    def _on_newest(self, outcome: Outcome) -> None:
        if isinstance(outcome, RangeResponse):
            self._chosen = self.luck.randint(self._last + 1, max(outcome.revision, self._last) + AHEAD)
            self.ask(Compact(self._chosen), self._on_compacted)
        else:
            self.rest()

    def _on_compacted(self, outcome: Outcome) -> None:
        if isinstance(outcome, CompactResponse):
            self._last = self._chosen
        self.rest()


def add_compactor(cluster: EtcdCluster) -> None:
    """One client more, if the setup wants compactions."""
    every_ns = cluster.shape.compact_ms * MILLISECOND
    if every_ns:
        cluster.add_client(
            "compactor",
            lambda process: Compactor(
                process, cluster.servers_from(0), cluster.work_ns, think_ns=every_ns
            ).start(),
        )
