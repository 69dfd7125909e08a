"""`etcdctl member add`, and the start of the new member."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, flag, target
from chaoskube.models.etcd import wal
from chaoskube.models.etcd.boot import is_new
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import EtcdError, MemberAddResponse
from chaoskube.models.etcd.messages import MemberAdd as MemberAddRequest
from chaoskube.models.etcd.restore import erase
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of, process_of
from chaoskube.sim import Process


@operation("member-add", weight=2)
@attrs.frozen(kw_only=True)
class MemberAdd(Action):
    """Add a member, as a voter or as a learner, and start it with an empty disk."""

    member: str = target("etcd-spare")
    learner: bool = flag()

    def ready(self, stage: Stage) -> None:
        """Not while it still runs as what it was before."""
        process = process_of(stage, self.member)
        if not process.machine.is_up or (process.is_alive and not is_new(process.disk)):
            raise CannotApply(f"{self.member} still runs, or has no power")

    def do(self, stage: Stage) -> None:
        """`etcdctl member add NAME [--learner]`, then `etcd --initial-cluster-state existing`.

        When nobody knows whether it was added it is started as well: it asks the others until they say so. Of two who
        add it, the first starts it; what still runs there as the member that was removed is ended first.
        """
        cluster, process = cluster_of(stage), process_of(stage, self.member)
        life = process.life

        def answered(outcome: Outcome) -> None:
            if isinstance(outcome, EtcdError) and outcome.is_definite:
                return
            cluster.joined(process)
            if isinstance(outcome, MemberAddResponse) and not _runs_as(process, outcome.member.id):
                process.exit()
            elif process.is_alive or process.life != life:
                return
            erase(process)
            cluster.observer.etcd.erased(process.name)
            process.start()

        by_operator(stage, MemberAddRequest(self.member, is_learner=self.learner), then=answered)


def _runs_as(process: Process, number: int) -> bool:
    """Is what is on this process's disk this member, or one that took its place since?"""
    try:
        head = wal.read(process.disk).head
    except wal.WalError:
        return False
    return head is not None and head.member >= number
