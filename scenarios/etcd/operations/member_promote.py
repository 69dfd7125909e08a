"""`etcdctl member promote`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.etcd.messages import MemberPromote as MemberPromoteRequest
from chaoskube.scenarios.etcd.operations import by_operator, with_id


@operation("member-promote", weight=2)
@attrs.frozen(kw_only=True)
class MemberPromote(Action):
    """Let a learner vote, if it has caught up."""

    member: str = target("etcd-learner")

    def do(self, stage: Stage) -> None:
        """`etcdctl member promote ID`."""
        with_id(stage, self.member, lambda id: by_operator(stage, MemberPromoteRequest(id)))
