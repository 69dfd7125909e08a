"""An operator under faults: a small database whose members come, go and change their names' owner.

The operator (`operators/database.py`) is right; its Database is scaled, deleted and made anew while components crash and views
lag. Two replicas of it: the standby's caches are as old as they happen to be when its turn comes. What must hold of it stands
in `operators/database_rules.py`.

The cluster is small, so that many runs fit into a minute: one etcd (so nothing that only Raft's peers feel is on the menu), one of
each controller, one node, and two API servers that can be stale each on its own.
"""

from __future__ import annotations

from importlib.resources import files

from attrs import asdict, evolve

from chaoskube.invariant import collect
from chaoskube.models.cluster import Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, scenario
from chaoskube.scenarios import operated
from chaoskube.scenarios.operators import database_rules
from chaoskube.scenarios.operators.database import database_operator as operator
from chaoskube.scenarios.operators.withdraw_rights import WithdrawRights
from chaoskube.sim import SECOND

SMALL = Shape(etcd=1, apiservers=2, managers=1, schedulers=1, nodes=1, requests_per_second=0)
OF_RAFT_ALONE = ("lose", "duplicate", "reorder")


@scenario("database-operator")
def database_operator() -> Scenario:
    """An operator that gives each member of a Database a pod and a claim, and cleans up after it."""
    text = files("chaoskube.scenarios.operators").joinpath("database.yaml").read_text(encoding="utf-8")
    trees = [document.tree for document in load_documents(text, "database.yaml")]
    made = operated.operated_scenario()
    return evolve(
        made,
        name="database-operator",
        doc="An operator keeps a pod and a claim for each member of a Database that is scaled and made anew under faults.",
        setup={
            "shape": asdict(SMALL),
            "documents": trees,
            "operators": [operated.reference_of(operator)],
        },
        menu=(*(action for action in made.menu if action.verb not in OF_RAFT_ALONE), WithdrawRights),
        invariants=(*made.invariants, *collect(database_rules)),
        duration_ns=60 * SECOND,
        actions_max=8,
    )
