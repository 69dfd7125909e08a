"""What people ask of an etcd cluster, one verb a file, each by etcdctl's own request.

The operator asks over a connection of its own, and may be refused, or never know, as in life. These operations are for etcd
scenarios alone: their menus name them.
"""

from __future__ import annotations

from chaoskube.action import Stage
from chaoskube.models.etcd.messages import Request
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.sim import ModelBug


def cluster_of(stage: Stage) -> EtcdCluster:
    """The cluster that the action is done to."""
    subject = stage.subject
    if not isinstance(subject, EtcdCluster):
        raise ModelBug(
            f"this action needs an etcd cluster, and the scenario built a {type(subject).__name__}"
        )
    return subject


def by_operator(stage: Stage, request: Request, member: str = "") -> None:
    """Let the operator ask; the operation is over when the answer, or no answer, is there."""
    stage.keep_open()
    cluster_of(stage).operate(request, lambda outcome: stage.end(), member)
