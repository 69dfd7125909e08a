"""What matters most just now where pods have names of their own: where they run, and who may still believe that they do.

Such a pod must not run twice. So a hunt does well to look at the nodes that have one, at the kubelets of nodes that are being
emptied, and at what the API servers' caches say of pods that such a kubelet would begin with if it started again.
Pure; called by `Cluster.targets`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chaoskube.models.objects import Node, Pod

CACHE_OF_PODS = "etcd-watch/pods@*>"


def leading(
    kind: str,
    *,
    pods: Iterable[Pod],
    nodes: Iterable[Node],
    owners: Iterable[str],
    next_server: Callable[[str], str],
) -> tuple[str, ...]:
    """Nodes, processes or streams that these StatefulSets (by uid) depend on most; () for other kinds.

    `next_server` says which API server a node's kubelet asks first when it starts again.
    """
    sets = frozenset(owners)
    owned = [pod for pod in pods if (owner := pod.metadata.controller) is not None and owner.uid in sets]
    held = tuple(dict.fromkeys(pod.spec.node_name for pod in owned if pod.spec.node_name))
    if kind == "node":
        return held
    emptied = tuple(node.name for node in nodes if node.spec.unschedulable)
    if kind == "process":
        return tuple(f"kubelet@{name}" for name in emptied or held)
    if kind == "stream":
        return tuple(dict.fromkeys(f"{CACHE_OF_PODS}{next_server(name)}" for name in emptied or held))
    return ()
