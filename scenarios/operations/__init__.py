"""What users do: one verb a file, each by kubectl as the real one does it.

Every operation is sent by the cluster's own kubectl process over the API; it may be refused, or nobody may
know whether it worked, as in life. The story then says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chaoskube.action import Stage
from chaoskube.models.cluster import Cluster
from chaoskube.models.kubectl import Kubectl, Target
from chaoskube.sim import ModelBug


def cluster_of(stage: Stage) -> Cluster:
    """The cluster that the action is done to."""
    subject = stage.subject
    if not isinstance(subject, Cluster):
        raise ModelBug(f"this action needs a cluster, and the scenario built a {type(subject).__name__}")
    return subject


def by_kubectl(stage: Stage, command: Callable[[Kubectl], Awaitable[object]]) -> None:
    """Let kubectl do it; the operation is over when kubectl returns."""
    stage.keep_open()
    cluster_of(stage).run_kubectl(command, stage.end)


def split(key: str) -> tuple[str, str]:
    """namespace and name of `namespace/name`."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def deployment(key: str) -> Target:
    """The Deployment `namespace/name` as kubectl names it."""
    namespace, name = split(key)
    return Target(resource="deployments", namespace=namespace, name=name)
