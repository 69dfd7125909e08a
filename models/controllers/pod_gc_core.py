"""Which pods the garbage collector of pods takes, and why. Pure.

Sources: pkg/controller/podgc/gc_controller.go, pkg/controller/podgc/config.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from attrs import frozen

from chaoskube.models.constants import POD_GC_QUARANTINE
from chaoskube.models.objects import Node, Pod, is_pod_terminal

TERMINATED_MAX = 12500
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


class Why(Enum):
    """Why a pod is collected."""

    TERMINATED = "terminated"
    OUT_OF_SERVICE = "out of service"
    ORPHANED = "orphaned"
    UNSCHEDULED = "unscheduled"


@frozen(kw_only=True)
class Collect:
    """One pod to take."""

    pod: Pod
    why: Why


def choose(
    pods: Sequence[Pod],
    nodes: Mapping[str, Node],
    missing: Iterable[str],
    *,
    terminated_max: int = TERMINATED_MAX,
) -> tuple[Collect, ...]:
    """What to collect, in order. `missing` are nodes that have been gone for longer than the quarantine."""
    gone = set(missing)
    return (
        *_terminated(pods, terminated_max),
        *[Collect(pod=pod, why=Why.OUT_OF_SERVICE) for pod in pods if _is_out_of_service(pod, nodes)],
        *[Collect(pod=pod, why=Why.ORPHANED) for pod in pods if (pod.spec.node_name or "") in gone],
        *[
            Collect(pod=pod, why=Why.UNSCHEDULED)
            for pod in pods
            if pod.metadata.deletion_timestamp is not None and not pod.spec.node_name
        ],
    )


def _terminated(pods: Sequence[Pod], most: int) -> list[Collect]:
    if len(pods) <= most:
        return []
    finished = [pod for pod in pods if is_pod_terminal(pod)]
    surplus = len(finished) - most
    if surplus <= 0:
        return []
    finished.sort(
        key=lambda pod: (
            pod.status.reason != "Evicted",
            pod.metadata.creation_timestamp or 0,
            pod.name,
        )
    )
    return [Collect(pod=pod, why=Why.TERMINATED) for pod in finished[:surplus]]


def _is_out_of_service(pod: Pod, nodes: Mapping[str, Node]) -> bool:
    if pod.metadata.deletion_timestamp is None:
        return False
    node = nodes.get(pod.spec.node_name or "")
    if node is None or not any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints):
        return False
    return all(each.status != "True" for each in node.status.conditions if each.type == "Ready")


class Quarantine:
    """Nodes that are named by pods and known to nobody, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    def look(self, pods: Iterable[Pod], nodes: Mapping[str, Node], now: int) -> tuple[str, ...]:
        """Take in what is known now; the nodes that have been missing long enough to be asked about."""
        missing = sorted(
            {pod.spec.node_name for pod in pods if pod.spec.node_name and pod.spec.node_name not in nodes}
        )
        ripe = [node for node in missing if now - self._since.get(node, now) > POD_GC_QUARANTINE]
        self._since = {node: self._since.get(node, now) for node in missing}
        return tuple(ripe)
