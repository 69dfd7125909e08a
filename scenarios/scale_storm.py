"""A Deployment that is scaled, rolled and robbed of pods while its controllers see the past.

A rollout brings up a whole new set of pods at once. No traffic: what counts is how many pods there are, and who decided so.

The cluster is small, so that many runs fit into a minute: one etcd, one controller manager, and two API servers that can be
stale each on its own. The menu has what makes or takes pods, and what keeps a controller from knowing; what matters most is
the controller manager's view of pods. `rolling-update` hunts what needs more.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.faults.crash import Crash
from chaoskube.faults.delay_stream import DelayStream
from chaoskube.faults.drop_stream import DropStream
from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.faults.hide_event import HideEvent
from chaoskube.faults.lose_answer import LoseAnswer
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import manifests
from chaoskube.scenarios.faults.expire_watch import ExpireWatch
from chaoskube.scenarios.operations.delete_pod import DeletePod
from chaoskube.scenarios.operations.roll import Roll
from chaoskube.scenarios.operations.scale import Scale
from chaoskube.sim import SECOND, World

USERS = (Roll, Scale, DeletePod)
FAULTS = (
    Crash,
    Pause,
    Partition,
    DelayStream,
    DropStream,
    FreezeStream,
    HideEvent,
    ExpireWatch,
    LoseAnswer,
)
DECIDES = "controller-manager-"
WORKER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker, namespace: default}
spec:
  replicas: 3
  strategy: {rollingUpdate: {maxSurge: 100%, maxUnavailable: 0}}
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      containers:
        - name: worker
          image: registry.example/worker:v1
          resources: {requests: {cpu: 100m, memory: 64Mi}}
"""


class Storm(Cluster):
    """A cluster in which who decides how many pods there are matters most, and what they know of pods."""

    def targets(self, kind: str) -> tuple[str, ...]:
        """As in any cluster; controller managers lead, and their streams of pods."""
        if kind == "leading-process":
            return tuple(one for one in super().targets("process") if one.startswith(DECIDES))
        if kind == "leading-stream":
            streams = super().targets("stream")
            return tuple(one for one in streams if one.startswith(f"watch/pods@*>{DECIDES}"))
        return super().targets(kind)


def build(world: World, setup: Setup) -> Cluster:
    """The cluster of a setup."""
    return manifests.build(world, setup, make=Storm)


@scenario("scale-storm")
def scale_storm() -> Scenario:
    """Replica counts under scaling, rollouts, deletions and faults; no traffic."""
    trees = [document.tree for document in load_documents(WORKER, "scale_storm.py")]
    made = manifests.of_documents(trees, title="a worker with three replicas and no traffic")
    shape = asdict(Shape(etcd=1, managers=1, schedulers=1, nodes=2, requests_per_second=0))
    return evolve(
        made,
        name="scale-storm",
        doc="A worker with three replicas, scaled, rolled and robbed of pods under faults; no traffic.",
        setup={**made.setup, "shape": shape},
        build=build,
        menu=(*USERS, *FAULTS),
        duration_ns=60 * SECOND,
        actions_max=16,
    )
