"""`etcdctl member remove`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, target
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import EtcdError
from chaoskube.models.etcd.messages import MemberRemove as MemberRemoveRequest
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of, process_of, with_id
from chaoskube.sim import Unsure


@operation("member-remove")
@attrs.frozen(kw_only=True)
class MemberRemove(Action):
    """Take a member out; it ends itself when it hears of it.

    Members look at whom they know when they are asked: two that are asked at once let the last two voters go, and whoever
    applies that panics (etcd-io/raft confchange.go, "removed all voters"). So nobody asks for it.
    """

    member: str = target("etcd-member")

    def ready(self, stage: Stage) -> None:
        """Not while everybody else who votes is being taken out."""
        if cluster_of(stage).others_leave(self.member):
            raise CannotApply(
                f"everybody else who votes is being removed: nobody would be left with {self.member} gone"
            )

    def do(self, stage: Stage) -> None:
        """`etcdctl member remove ID`."""
        cluster, process = cluster_of(stage), process_of(stage, self.member)
        cluster.leaving.add(self.member)

        def answered(outcome: Outcome) -> None:
            if isinstance(outcome, Unsure) or (isinstance(outcome, EtcdError) and not outcome.is_definite):
                return
            cluster.leaving.discard(self.member)
            if not isinstance(outcome, EtcdError):
                cluster.left(process)

        def remove(id: int) -> None:
            by_operator(stage, MemberRemoveRequest(id), then=answered)

        with_id(stage, self.member, remove)
