"""`etcdctl defrag`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.etcd.messages import Defragment
from chaoskube.scenarios.etcd.operations import by_operator


@operation("defrag")
@attrs.frozen(kw_only=True)
class Defrag(Action):
    """Let a member write its database anew; it answers nobody meanwhile."""

    member: str = target("etcd-member")

    def do(self, stage: Stage) -> None:
        """`etcdctl defrag --endpoints=MEMBER`."""
        by_operator(stage, Defragment(), member=self.member)
