"""Machines that stay dark: long enough for taints, evictions and replacements on other nodes.

A node is called NotReady 50 s after its last sign of life, and its pods are told to go 300 s later: this scenario
lives ten minutes, where others live one, and nodes are what mostly fails.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.faults.crash import Crash
from chaoskube.faults.crash_host import CrashHost
from chaoskube.faults.partition import Partition
from chaoskube.invariant import sometimes
from chaoskube.models.cluster import Shape
from chaoskube.models.objects import load_documents
from chaoskube.models.observer import EvictionDecided
from chaoskube.scenario import Scenario, scenario
from chaoskube.scenarios.manifests import of_documents
from chaoskube.scenarios.operations.scale import Scale
from chaoskube.scenarios.rolling_update import WEB
from chaoskube.sim import SECOND


@sometimes(on=[EvictionDecided])
def a_pod_is_evicted_by_a_taint() -> None:
    """A pod's tolerated time on a tainted node ran out: eviction from dead nodes is exercised."""


@scenario("node-outage")
def node_outage() -> Scenario:
    """Nodes without power for minutes: NotReady, taints, evictions, replacements, and their return."""
    trees = [document.tree for document in load_documents(WEB, "node_outage.py")]
    made = of_documents(trees, title="a careful web server")
    return evolve(
        made,
        name="node-outage",
        doc="A careful web server while machines stay dark for minutes.",
        menu=(CrashHost, Crash, Partition, Scale),
        invariants=(*made.invariants, a_pod_is_evicted_by_a_taint),
        setup={**made.setup, "shape": asdict(Shape(requests_per_second=2))},
        duration_ns=600 * SECOND,
        actions_max=3,
    )
