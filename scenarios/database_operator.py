"""An operator under faults: a small database whose members come, go and change their names' owner.

The operator (`operators/database.py`) is right; its Database is scaled, deleted and made anew while components crash and views
lag. What must hold of it stands in `operators/database_rules.py`.
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
            "shape": asdict(Shape(nodes=2, requests_per_second=0)),
            "documents": trees,
            "operators": [operated.reference_of(operator)],
        },
        menu=(*made.menu, WithdrawRights),
        invariants=(*made.invariants, *collect(database_rules)),
    )
