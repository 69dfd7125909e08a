"""A Deployment that is scaled, rolled and robbed of pods while its controllers see the past.

A rollout brings up a whole new set of pods at once. No traffic: what counts is how many pods there are, and who decided so.

The cluster is small, so that many runs fit into a minute: one etcd (so nothing that only Raft's peers feel is on the
menu), one controller manager, and two API servers that can be stale each on its own. `rolling-update` hunts what needs more.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.models.cluster import Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, scenario
from chaoskube.scenarios.manifests import of_documents
from chaoskube.sim import SECOND

OF_RAFT_ALONE = ("lose", "duplicate", "reorder")
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


@scenario("scale-storm")
def scale_storm() -> Scenario:
    """Replica counts under scaling, rollouts, deletions and faults; no traffic."""
    trees = [document.tree for document in load_documents(WORKER, "scale_storm.py")]
    made = of_documents(trees, title="a worker with three replicas and no traffic")
    shape = asdict(Shape(etcd=1, managers=1, schedulers=1, nodes=2, requests_per_second=0))
    return evolve(
        made,
        name="scale-storm",
        doc="A worker with three replicas, scaled, rolled and robbed of pods under faults; no traffic.",
        setup={**made.setup, "shape": shape},
        menu=tuple(action for action in made.menu if action.verb not in OF_RAFT_ALONE),
        duration_ns=60 * SECOND,
        actions_max=16,
    )
