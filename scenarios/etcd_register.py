"""Clients that read and write a few registers in an etcd cluster, while its members suffer.

The smallest scenario: no Kubernetes in it. What the clients do stands in `etcd/registers.py`.
"""

from __future__ import annotations

from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.scenarios.etcd.menus import FAULTS, INVARIANTS
from chaoskube.scenarios.etcd.operations.compact import Compact
from chaoskube.scenarios.etcd.operations.defrag import Defrag
from chaoskube.scenarios.etcd.registers import add_register_clients
from chaoskube.scenarios.etcd.shape import EITHER, SETUP, simpler
from chaoskube.sim import SECOND, World


def build(world: World, setup: Setup) -> EtcdCluster:
    """The members, and three clients."""
    cluster = EtcdCluster(world, setup, "etcd-register")
    add_register_clients(cluster)
    return cluster


@scenario("etcd-register")
def etcd_register() -> Scenario:
    """Registers in an etcd cluster under every fault that a network, a disk, a clock and a machine know."""
    return Scenario(
        name="etcd-register",
        doc="Clients read and write registers in an etcd cluster while its members suffer.",
        setup={**SETUP, "compact_ms": EITHER, "traffic": EITHER},
        build=build,
        menu=(*FAULTS, Compact, Defrag),
        invariants=INVARIANTS,
        duration_ns=20 * SECOND,
        warm_ns=30 * SECOND,
        settle_ns=120 * SECOND,
        actions_max=24,
        simpler=simpler,
    )
