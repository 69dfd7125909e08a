"""A backup is taken, later all members are lost, and a new cluster is made of the backup, while clients go on.

Clients are those of `etcd_register`, watch included: they don't know that their cluster is another one. What was written
after the backup is gone, and nobody can help that. What still holds is checked:

- restored with a bump (`--bump-revision`, `--mark-compacted`): revisions only grow, for every client, and a watch from before the
  restore is told that its revision is compacted, so that its owner reads anew;
- without: revisions go back, and begin to be used again with other contents. Within the new history everything holds; a
  client that compares by a revision of the old one may hit or miss by luck. That is the hazard, not a bug.
"""

from __future__ import annotations

from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.scenarios.etcd.menus import FAULTS, INVARIANTS
from chaoskube.scenarios.etcd.operations.compact import Compact
from chaoskube.scenarios.etcd.operations.snapshot_restore import SnapshotRestore
from chaoskube.scenarios.etcd.operations.snapshot_save import SnapshotSave
from chaoskube.scenarios.etcd.registers import add_register_clients
from chaoskube.scenarios.etcd.shape import SETUP, simpler
from chaoskube.sim import SECOND, World


def build(world: World, setup: Setup) -> EtcdCluster:
    """The members, and three clients."""
    cluster = EtcdCluster(world, setup, "etcd-disaster")
    add_register_clients(cluster)
    return cluster


@scenario("etcd-disaster")
def etcd_disaster() -> Scenario:
    """Backups of an etcd cluster, and clusters made of them, under use."""
    return Scenario(
        name="etcd-disaster",
        doc="An etcd cluster is lost and made anew from a backup, while clients go on.",
        setup=SETUP,
        build=build,
        menu=(*FAULTS, Compact, SnapshotSave, SnapshotRestore),
        invariants=INVARIANTS,
        duration_ns=20 * SECOND,
        warm_ns=30 * SECOND,
        settle_ns=120 * SECOND,
        actions_max=24,
        simpler=simpler,
    )
