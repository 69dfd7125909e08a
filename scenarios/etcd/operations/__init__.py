"""What people ask of an etcd cluster, one verb a file, each by etcdctl's own request.

The operator asks over a connection of its own, and may be refused, or never know, as in life. These operations are for etcd
scenarios alone: their menus name them.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.action import Stage
from chaoskube.models.etcd.client import Outcome
from chaoskube.models.etcd.messages import Request
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.sim import ModelBug, Process


def cluster_of(stage: Stage) -> EtcdCluster:
    """The cluster that the action is done to."""
    subject = stage.subject
    if not isinstance(subject, EtcdCluster):
        raise ModelBug(
            f"this action needs an etcd cluster, and the scenario built a {type(subject).__name__}"
        )
    return subject


def process_of(stage: Stage, member: str) -> Process:
    """The process of this name."""
    return stage.world.processes[member]


def by_operator(
    stage: Stage,
    request: Request,
    *,
    member: str = "",
    then: Callable[[Outcome], None] | None = None,
) -> None:
    """Let the operator ask; the operation is over when the answer, or no answer, is there.

    `then` is called before that, with what became of it.
    """
    cluster = cluster_of(stage)
    stage.keep_open()

    def done(outcome: Outcome) -> None:
        if then is not None:
            then(outcome)
        stage.end()

    cluster.operator.ask(request, done, cluster.server_of(member) if member else None)


def with_id(stage: Stage, member: str, then: Callable[[int], None]) -> None:
    """Let the operator find out a member's id first; the operation is over where there is none."""
    stage.keep_open()
    cluster_of(stage).operator.with_id(member, then, stage.end)
