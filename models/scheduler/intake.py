"""What the scheduler's informers tell, sorted into queue and cache.

A pod with a node is counted in the cache, one without waits in the queue if it is ours; what changes is also
told to the queue as a happening, which may bring rejected pods back. Pods that have ended count as gone.
(pkg/scheduler/eventhandlers.go)
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.client.informer import Informer
from chaoskube.models.objects import KubeObject, Node, Pod
from chaoskube.models.scheduler.cache import SchedulerCache
from chaoskube.models.scheduler.changes import assigned_pod_events, node_events, own_events
from chaoskube.models.scheduler.framework import ClusterEvent, Happening
from chaoskube.models.scheduler.queue import SchedulingQueue

SCHEDULER_NAME = "default-scheduler"
LIVING_PODS = "status.phase!=Succeeded,status.phase!=Failed"
"""The field selector of the scheduler's pod informer: a pod that ends is deleted, as it sees it."""


class Intake:
    """The handlers of the informers. `on_change` is called after each change of the queue."""

    def __init__(
        self,
        cache: SchedulerCache,
        queue: SchedulingQueue,
        *,
        clock: Callable[[], int],
        on_change: Callable[[], None],
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._clock = clock
        self._on_change = on_change

    def listen(self, pods: Informer, nodes: Informer, claims: Informer | None = None) -> None:
        """Hear of every pod, node and claim from now on."""
        if claims is not None:
            claims.add_handler(on_add=self._claim_seen, on_update=lambda old, new: self._claim_seen(new))
        nodes.add_handler(on_add=self._node_added, on_update=self._node_updated, on_delete=self._node_deleted)
        pods.add_handler(on_add=self._pod_added, on_update=self._pod_updated, on_delete=self._pod_deleted)

    def happened(self, event: ClusterEvent) -> None:
        """Tell the queue."""
        self._queue.happened(event, self._clock())
        self._on_change()

    def _claim_seen(self, claim: KubeObject) -> None:
        self.happened(ClusterEvent(what=Happening.CLAIM_CHANGED, claim=(claim.namespace, claim.name)))

    # Nodes

    def _node_added(self, node: KubeObject) -> None:
        assert isinstance(node, Node), f"a node, not {node!r}"
        self._cache.set_node(node)
        self.happened(ClusterEvent(what=Happening.NODE_ADDED, new=node))

    def _node_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Node) and isinstance(new, Node), f"nodes, not {old!r} and {new!r}"
        self._cache.set_node(new)
        for event in node_events(old, new):
            self.happened(event)

    def _node_deleted(self, node: KubeObject) -> None:
        assert isinstance(node, Node), f"a node, not {node!r}"
        self.happened(ClusterEvent(what=Happening.NODE_DELETED, old=node))
        self._cache.remove_node(node.name)

    # Pods

    def _pod_added(self, pod: KubeObject) -> None:
        assert isinstance(pod, Pod), f"a pod, not {pod!r}"
        if pod.spec.node_name:
            self._cache.set_pod(pod)
            self.happened(ClusterEvent(what=Happening.POD_ASSIGNED, new=pod))
        elif _is_ours(pod):
            self._queue.add(pod, self._clock())
            self._on_change()

    def _pod_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Pod) and isinstance(new, Pod), f"pods, not {old!r} and {new!r}"
        if old.uid != new.uid:
            self._pod_deleted(old)
            self._pod_added(new)
        elif not new.spec.node_name:
            if _is_ours(new) and not self._cache.is_assumed(new.uid):
                self._queue.update(new, own_events(old, new), self._clock())
                self._on_change()
        elif not old.spec.node_name:
            self._queue.delete(new.key)
            self._pod_added(new)
        else:
            self._cache.set_pod(new)
            for event in assigned_pod_events(old, new):
                self.happened(event)

    def _pod_deleted(self, pod: KubeObject) -> None:
        assert isinstance(pod, Pod), f"a pod, not {pod!r}"
        # The last known state may be older than the assignment (after a relist): look in both places.
        was_counted = self._cache.has_pod(pod.uid)
        self._queue.delete(pod.key)
        self._cache.remove_pod(pod.uid)
        if was_counted or pod.spec.node_name:
            self.happened(ClusterEvent(what=Happening.POD_GONE, old=pod))
        else:
            self._on_change()


def _is_ours(pod: Pod) -> bool:
    return (pod.spec.scheduler_name or SCHEDULER_NAME) == SCHEDULER_NAME
