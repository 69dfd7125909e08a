"""`etcdctl compact`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import flag, integer
from chaoskube.models.etcd.messages import Compact as CompactRequest
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of


@operation("compact", weight=2)
@attrs.frozen(kw_only=True)
class Compact(Action):
    """Forget history before the revision that is `back` before the newest."""

    back: int = integer(0, 20)
    physical: bool = flag()

    def do(self, stage: Stage) -> None:
        """`etcdctl compact REVISION [--physical]`."""
        newest = cluster_of(stage).observer.etcd.revision
        by_operator(stage, CompactRequest(max(newest - self.back, 1), physical=self.physical))
