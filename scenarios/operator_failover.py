"""An operator whose leader is lost while its standby's view of what it looks after stands still.

The Database of `database-operator` is made anew under the same name, which takes as long as its members take to end. Who watches it
sees an old one that is being deleted, then nothing, then a new one; a view that stops in between shows a past in which everything
of that name has to go. While the operator that leads knows better, nothing comes of it; the next leader acts on what it has.
(Sieve, OSDI 2022, figure 5.)

The cluster is as small as that can be, so that many runs fit into a minute.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from chaoskube.faults.crash import Crash
from chaoskube.faults.delay_stream import DelayStream
from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.models.cluster import Cluster
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import operated
from chaoskube.scenarios.database_operator import database_operator
from chaoskube.scenarios.operators.database import DATABASES
from chaoskube.scenarios.operators.redeploy import Redeploy
from chaoskube.scenarios.operators.scale_custom import ScaleCustom
from chaoskube.sim import SECOND, World

AGAIN_NS = 5 * SECOND
"""Until a replica that ended is there again: another pod is made, bound and started. The one that waits is faster."""
OF_DATABASES = f"watch/{DATABASES}@"


class Failover(operated.Operated):
    """A cluster in which what an operator's replicas know of Databases may stand still, and who ends is made anew as a pod is."""

    def __init__(self, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        for name in self.replicas():
            self.world.processes[name].restart_after_ns = AGAIN_NS

    def targets(self, kind: str) -> tuple[str, ...]:
        """As with any operator; of processes its replicas, of streams those that tell them of Databases."""
        if kind == "process":
            return self.replicas()
        known = super().targets(kind)
        return tuple(one for one in known if one.startswith(OF_DATABASES)) if kind == "stream" else known


def build(world: World, setup: Setup) -> Cluster:
    """The cluster of a setup, with its operators."""
    return operated.build(world, setup, make=Failover)


@scenario("operator-failover")
def operator_failover() -> Scenario:
    """An operator's leader is lost while what its standby knows of the Database stands still."""
    return evolve(
        database_operator(),
        name="operator-failover",
        doc="The leader of an operator is lost while its standby's view of a Database that is made anew stands still.",
        build=build,
        menu=(Redeploy, ScaleCustom, Crash, FreezeStream, DelayStream),
        duration_ns=40 * SECOND,
        actions_max=10,
    )
