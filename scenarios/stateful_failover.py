"""A database whose pods are moved from node to node, while nodes change over from one API server to another.

A pod of a StatefulSet has a name, a disk and clients that count on there being one of it. It is moved by ordinary means:
its node gets a new kubelet (drain, restart, uncordon), or it is deleted. Nothing is forced: a forced deletion gives the
promise away. Nodes reach two API servers through a balancer, so whoever starts again asks the other one; the cache of that one
may stand still. Whoever believes it sees the past. (k/k#59848.)

The cluster is as small as that can be, so that many runs fit into a minute.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.faults.crash import Crash
from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import manifests
from chaoskube.scenarios.operations.delete_member import DeleteMember
from chaoskube.scenarios.operations.upgrade_node import UpgradeNode
from chaoskube.sim import SECOND, World

OF_PODS = "etcd-watch/pods@"
DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: default}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: registry.example/db:v1
          resources: {requests: {cpu: 100m, memory: 64Mi}}
"""


class Failover(Cluster):
    """A cluster in which the servers' own views of pods may stand still: whoever comes to such a server sees the past."""

    def targets(self, kind: str) -> tuple[str, ...]:
        """As in any cluster; of streams those of pods from etcd to an API server."""
        known = tuple(super().targets(kind))
        return tuple(one for one in known if one.startswith(OF_PODS)) if kind == "stream" else known


def build(world: World, setup: Setup) -> Cluster:
    """The cluster of a setup."""
    return manifests.build(world, setup, make=Failover)


@scenario("stateful-failover")
def stateful_failover() -> Scenario:
    """A StatefulSet's pods are moved while nodes change over from one API server to another."""
    trees = [document.tree for document in load_documents(DATABASE, "stateful_failover.py")]
    made = manifests.of_documents(trees, title="a database of two pods")
    shape = Shape(etcd=1, managers=1, schedulers=1, nodes=2, requests_per_second=0, balanced=True)
    return evolve(
        made,
        name="stateful-failover",
        doc="The pods of a database are moved between nodes that change over from one API server to another.",
        setup={**made.setup, "shape": asdict(shape)},
        build=build,
        menu=(UpgradeNode, DeleteMember, Crash, FreezeStream),
        duration_ns=30 * SECOND,
        actions_max=10,
    )
