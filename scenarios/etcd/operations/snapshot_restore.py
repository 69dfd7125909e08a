"""`etcdutl snapshot restore` on every member, after all were stopped."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, flag
from chaoskube.models.etcd.restore import restore
from chaoskube.scenarios.etcd.operations import cluster_of

BUMP = 1_000_000
"""How much revisions are raised: more than anybody can have seen since the snapshot."""


@operation("snapshot-restore", weight=2)
@attrs.frozen(kw_only=True)
class SnapshotRestore(Action):
    """Stop all members and make a new cluster of the newest backup.

    With `bump` its revisions go on above all that was ever seen, and what was before counts as compacted. Without, they go
    back, and clients see revisions again with other contents: the hazard that the flag is for.
    """

    bump: bool = flag()

    def ready(self, stage: Stage) -> None:
        cluster = cluster_of(stage)
        if cluster.operator.saved is None:
            raise CannotApply("there is no backup")
        unfit = [one.name for one in cluster.all if not one.machine.is_up or one.disk.is_full]
        if unfit:
            raise CannotApply(f"{', '.join(unfit)} has no power, or no space on its disk")

    def do(self, stage: Stage) -> None:
        """`etcdutl snapshot restore [--bump-revision=N --mark-compacted]`, then start."""
        cluster = cluster_of(stage)
        operator = cluster.operator
        operator.restores += 1
        assert operator.saved is not None, "an operation is only done when it is ready"
        for process in cluster.all:
            process.crash()
        for process in cluster.first_members:
            restore(
                process,
                operator.saved,
                cluster.first_names,
                token=f"restored-{operator.restores}",
                bump_revision=BUMP if self.bump else 0,
                mark_compacted=self.bump,
            )
        cluster.begin_anew()
        for process in cluster.members:
            process.start()
