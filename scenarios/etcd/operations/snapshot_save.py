"""`etcdctl snapshot save`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.etcd.backend import Database
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import SaveSnapshot, SaveSnapshotResponse
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of


@operation("snapshot-save", weight=2)
@attrs.frozen(kw_only=True)
class SnapshotSave(Action):
    """Keep a member's whole database, as far as it is."""

    member: str = target("etcd-member")

    def do(self, stage: Stage) -> None:
        """`etcdctl snapshot save --endpoints=MEMBER`."""
        operator = cluster_of(stage).operator

        def saved(outcome: Outcome) -> None:
            if isinstance(outcome, SaveSnapshotResponse):
                assert isinstance(outcome.database, Database), "a member's whole database is a Database"
                operator.saved = outcome.database

        by_operator(stage, SaveSnapshot(), member=self.member, then=saved)
