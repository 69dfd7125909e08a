"""`etcdctl member remove`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import EtcdError
from chaoskube.models.etcd.messages import MemberRemove as MemberRemoveRequest
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of, process_of, with_id
from chaoskube.sim import Unsure


@operation("member-remove")
@attrs.frozen(kw_only=True)
class MemberRemove(Action):
    """Take a member out; it ends itself when it hears of it."""

    member: str = target("etcd-member")

    def do(self, stage: Stage) -> None:
        """`etcdctl member remove ID`."""
        cluster, process = cluster_of(stage), process_of(stage, self.member)

        def answered(outcome: Outcome) -> None:
            if not isinstance(outcome, EtcdError | Unsure):
                cluster.left(process)

        def remove(id: int) -> None:
            by_operator(stage, MemberRemoveRequest(id), then=answered)

        with_id(stage, self.member, remove)
