"""An operator under faults: a small database whose members come, go and change their names' owner.

The operator (`operators/database.py`) is right; its Database is scaled, deleted and made anew while components crash and views
lag. Two replicas of it: the standby's caches are as old as they happen to be when its turn comes. What must hold of it stands
in `operators/database_rules.py`.

The cluster is small, so that many runs fit into a minute: one etcd (so nothing that only Raft's peers or disks feel is on the
menu), one of each controller, one node, and two API servers that can be stale each on its own.
"""

from __future__ import annotations

from importlib.resources import files

from attrs import asdict, evolve

from chaoskube.faults.clock_drift import ClockDrift
from chaoskube.faults.clock_jump import ClockJump
from chaoskube.faults.crash import Crash
from chaoskube.faults.crash_host import CrashHost
from chaoskube.faults.cut_initial_list import CutInitialList
from chaoskube.faults.delay_stream import DelayStream
from chaoskube.faults.drop_stream import DropStream
from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.faults.hide_event import HideEvent
from chaoskube.faults.lose_answer import LoseAnswer
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.faults.slow_link import SlowLink
from chaoskube.faults.steer import Steer
from chaoskube.invariant import collect
from chaoskube.models.cluster import Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, scenario
from chaoskube.scenarios import operated
from chaoskube.scenarios.faults.expire_watch import ExpireWatch
from chaoskube.scenarios.operations.cordon import Cordon
from chaoskube.scenarios.operations.drain import Drain
from chaoskube.scenarios.operations.taint import Taint
from chaoskube.scenarios.operations.uncordon import Uncordon
from chaoskube.scenarios.operations.untaint import Untaint
from chaoskube.scenarios.operators import database_rules
from chaoskube.scenarios.operators.database import database_operator as operator
from chaoskube.scenarios.operators.recreate_custom import RecreateCustom
from chaoskube.scenarios.operators.scale_custom import ScaleCustom
from chaoskube.scenarios.operators.withdraw_rights import WithdrawRights
from chaoskube.sim import SECOND

SMALL = Shape(etcd=1, apiservers=2, managers=1, schedulers=1, nodes=1, requests_per_second=0)
USERS = (ScaleCustom, RecreateCustom, WithdrawRights, Drain, Cordon, Uncordon, Taint, Untaint)
FAULTS = (
    Crash,
    CrashHost,
    Pause,
    Partition,
    SlowLink,
    ClockDrift,
    ClockJump,
    DelayStream,
    FreezeStream,
    HideEvent,
    DropStream,
    ExpireWatch,
    CutInitialList,
    Steer,
    LoseAnswer,
)


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
        menu=(*USERS, *FAULTS),
        invariants=(*made.invariants, *collect(database_rules)),
        duration_ns=60 * SECOND,
        actions_max=8,
    )
