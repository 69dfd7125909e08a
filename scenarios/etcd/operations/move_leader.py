"""`etcdctl move-leader`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, target
from chaoskube.models.etcd.messages import MoveLeader as MoveLeaderRequest
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of, with_id


@operation("move-leader", weight=2)
@attrs.frozen(kw_only=True)
class MoveLeader(Action):
    """Ask the leader to hand over to another member."""

    member: str = target("etcd-member")

    def leader(self, stage: Stage) -> str:
        """Whoever leads the newest term, or nobody."""
        leading = cluster_of(stage).observer.etcd.raft.leading
        return max(leading, key=lambda name: leading[name], default="")

    def ready(self, stage: Stage) -> None:
        if self.leader(stage) in ("", self.member):
            raise CannotApply(f"{self.leader(stage) or 'nobody'} leads")

    def do(self, stage: Stage) -> None:
        """`etcdctl move-leader ID --endpoints=LEADER`."""
        leader = self.leader(stage)
        with_id(stage, self.member, lambda id: by_operator(stage, MoveLeaderRequest(id), member=leader))
