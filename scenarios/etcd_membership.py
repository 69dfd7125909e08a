"""Members come and go while clients use the cluster: added as voters or learners, promoted, removed, led elsewhere.

Clients are those of `etcd_register`, and know every address that a member can have. The operator asks for what people ask
for, with etcd's own strict checks; faults strike in between. New members begin with empty disks, and where logs are cut
short they need a snapshot.
"""

from __future__ import annotations

from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.scenarios.etcd.menus import FAULTS, INVARIANTS
from chaoskube.scenarios.etcd.operations.member_add import MemberAdd
from chaoskube.scenarios.etcd.operations.member_promote import MemberPromote
from chaoskube.scenarios.etcd.operations.member_remove import MemberRemove
from chaoskube.scenarios.etcd.operations.move_leader import MoveLeader
from chaoskube.scenarios.etcd.registers import add_register_clients
from chaoskube.scenarios.etcd.shape import SETUP, simpler
from chaoskube.sim import SECOND, World

SPARES = 2


def build(world: World, setup: Setup) -> EtcdCluster:
    """The members, processes that can join, and three clients."""
    cluster = EtcdCluster(world, setup, "etcd-membership", spares=SPARES)
    add_register_clients(cluster)
    return cluster


@scenario("etcd-membership")
def etcd_membership() -> Scenario:
    """Members of an etcd cluster come and go under use and under faults."""
    return Scenario(
        name="etcd-membership",
        doc="Members of an etcd cluster are added, promoted, removed, and suffer, while clients use it.",
        setup=SETUP,
        build=build,
        menu=(*FAULTS, MemberAdd, MemberPromote, MemberRemove, MoveLeader),
        invariants=INVARIANTS,
        duration_ns=20 * SECOND,
        warm_ns=30 * SECOND,
        settle_ns=120 * SECOND,
        actions_max=24,
        simpler=simpler,
    )
