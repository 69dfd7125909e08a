"""What matters most just now where pods have names of their own: where they run, and who may still believe that they do.

Such a pod must not run twice. So a hunt does well to look at the node that has it, at the kubelet of a node that it was
driven from, and at what the API servers' caches say of pods. Pure; called by `Cluster.targets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaoskube.models.objects import Node, Pod

CACHE_OF_PODS = "etcd-watch/pods@*>"


def leading(
    kind: str, pods: Iterable[Pod], nodes: Iterable[Node], servers: Sequence[str], owners: Iterable[str]
) -> tuple[str, ...]:
    """Nodes, processes or streams that these StatefulSets (by uid) depend on most; () for other kinds.

    Of servers the last come first: who is misled by the one that the controllers ask is waited for by them.
    """
    if kind == "stream":
        return tuple(f"{CACHE_OF_PODS}{server}" for server in reversed(servers))
    if kind not in ("node", "process"):
        return ()
    sets = frozenset(owners)
    owned = [pod for pod in pods if (owner := pod.metadata.controller) is not None and owner.uid in sets]
    held = tuple(dict.fromkeys(pod.spec.node_name for pod in owned if pod.spec.node_name))
    if kind == "node":
        return held
    emptied = [node.name for node in nodes if node.spec.unschedulable]
    return tuple(f"kubelet@{name}" for name in emptied or held)
