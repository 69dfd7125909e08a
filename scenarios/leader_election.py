"""Three candidates for one lease, of which the leader works: in pauses, cuts, crashes and with clocks that go wrong.

The candidates are client-go's leader election in an operator (`operators/ledger.py`) whose configuration is just being changed.
The cluster is as small as can be, so that many runs fit into a minute: one etcd, two API servers, no node, and nobody else.
It never falls quiet, as its leader always writes: it is warm, and settled, when that goes on.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.invariant import collect
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import ConfigMap
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import manifests, menus
from chaoskube.scenarios.operators import ledger_rules
from chaoskube.scenarios.operators.ledger import BOOK, NAMESPACE, PAUSE_NS, ledger
from chaoskube.sim import SECOND, World

ALONE = Shape(etcd=1, apiservers=2, managers=0, schedulers=0, nodes=0, requests_per_second=0)
RECENT_NS = 4 * PAUSE_NS


class Candidates(Cluster):
    """A control plane with the candidates."""

    def warm(self) -> str | None:
        """None when the leader writes."""
        seen = self.observer
        book = seen.get(ConfigMap, f"{NAMESPACE}/{BOOK}")
        if book is None:
            return "nobody has written the ledger's book"
        age = self.world.now - seen.touched_at(book)
        return None if age < RECENT_NS else f"the ledger's book has not been written for {age / SECOND:.1f} s"

    def unsettled(self) -> str | None:
        """The same: nothing else is to come to rest."""
        return self.warm()


@scenario("leader-election")
def leader_election() -> Scenario:
    """Candidates with different lease durations, of which the leader does guarded and unguarded work."""
    made = manifests.of_documents([], title="a ledger", shape=ALONE)
    return evolve(
        made,
        name="leader-election",
        doc="Three candidates for one lease, whose leader writes a ledger, under pauses, cuts and clocks that go wrong.",
        setup={"shape": asdict(ALONE), "documents": []},
        build=build,
        menu=menus.faults(),
        invariants=(*made.invariants, *collect(ledger_rules)),
        duration_ns=60 * SECOND,
        actions_max=6,
    )


def build(world: World, setup: Setup) -> Candidates:
    """The candidates of a setup."""
    return Candidates(world, manifests.shape_of(setup), (), [ledger])
