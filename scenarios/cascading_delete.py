"""A Deployment that is deleted, in the background, in the foreground or without what it owns, and applied again.

What is left behind is the garbage collector's, and who adopts whom is up to those who come after. All of it under faults, in a
cluster that is small, so that many runs fit into a minute: one etcd, one controller manager, one node, and two API servers
that can be stale each on its own. The node holds one pod more than the worker has: a pod that somebody still counts there, though
it is gone, is one too many as soon as the worker is rolled.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.faults.crash import Crash
from chaoskube.faults.delay_stream import DelayStream
from chaoskube.faults.drop_stream import DropStream
from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.faults.lose_answer import LoseAnswer
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import manifests
from chaoskube.scenarios.faults.expire_watch import ExpireWatch
from chaoskube.scenarios.manifests import of_documents
from chaoskube.scenarios.operations.apply import Apply
from chaoskube.scenarios.operations.delete_deployment import DeleteDeployment
from chaoskube.scenarios.operations.roll import Roll
from chaoskube.scenarios.operations.scale import Scale
from chaoskube.scenarios.scale_storm import WORKER
from chaoskube.sim import SECOND, World

USERS = (DeleteDeployment, Apply, Roll, Scale)
ROOM = "400m"
SCHEDULER = "scheduler-0"
FAULTS = (Crash, Pause, Partition, DelayStream, DropStream, FreezeStream, ExpireWatch, LoseAnswer)


class Cascade(Cluster):
    """A cluster in which the scheduler matters most: by its own count of the node it decides who may come back."""

    def targets(self, kind: str) -> tuple[str, ...]:
        """Of what leads: the scheduler, and what it sees of pods."""
        wanted = kind.removeprefix("leading-")
        if wanted == kind:
            return super().targets(kind)
        if wanted == "process":
            return (SCHEDULER,)
        if wanted not in ("stream", "watch"):
            return super().targets(kind)
        return tuple(one for one in self.targets(wanted) if one == f"watch/pods@*>{SCHEDULER}")


def build(world: World, setup: Setup) -> Cluster:
    """The cluster of a setup."""
    return manifests.build(world, setup, make=Cascade)


@scenario("cascading-delete")
def cascading_delete() -> Scenario:
    """Owners that go and come back, and what becomes of what they own."""
    trees = [document.tree for document in load_documents(WORKER, "cascading_delete.py")]
    made = of_documents(trees, title="a worker that is deleted and applied again")
    shape = asdict(Shape(etcd=1, managers=1, schedulers=1, nodes=1, cpu=ROOM, requests_per_second=0))
    return evolve(
        made,
        name="cascading-delete",
        doc="A worker is deleted, with or without its pods, and applied again, while controllers crash and see the past.",
        setup={**made.setup, "shape": shape},
        build=build,
        menu=(*USERS, *FAULTS),
        duration_ns=60 * SECOND,
        actions_max=10,
    )
