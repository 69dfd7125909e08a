"""`etcdctl member add`, and the start of the new member."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, flag, target
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import MemberAdd as MemberAddRequest
from chaoskube.models.etcd.restore import erase
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of, process_of


@operation("member-add", weight=2)
@attrs.frozen(kw_only=True)
class MemberAdd(Action):
    """Add a member, as a voter or as a learner, and start it with an empty disk."""

    member: str = target("etcd-spare")
    learner: bool = flag()

    def ready(self, stage: Stage) -> None:
        """Not while it still runs as what it was before."""
        process = process_of(stage, self.member)
        if process.is_alive or not process.machine.is_up:
            raise CannotApply(f"{self.member} still runs, or has no power")

    def do(self, stage: Stage) -> None:
        """`etcdctl member add NAME [--learner]`, then `etcd --initial-cluster-state existing`."""
        cluster, process = cluster_of(stage), process_of(stage, self.member)

        def added(_outcome: Outcome) -> None:
            cluster.joined(process)
            if not process.is_alive:
                erase(process)
                process.start()

        by_operator(stage, MemberAddRequest(self.member, is_learner=self.learner), then=added)
