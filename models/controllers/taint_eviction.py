"""Taint eviction: deletes pods that stay on a node with NoExecute taints longer than they tolerate.

A pod that bears all taints for some time gets a timer; it starts when the taint is first seen here and keeps its
start when looked at again; taints gone means cancelled. Timers live in memory: a new leader starts them anew. Budgets
play no part. The arithmetic is in taint_timing.py.

Source: pkg/controller/tainteviction/{taint_eviction,timed_workers}.go.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.client.recorder import NORMAL
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.events import EvictionDecided
from chaoskube.models.controllers.node_lifecycle import NODE, by_node
from chaoskube.models.controllers.taint_timing import no_execute, tolerated_ns
from chaoskube.models.objects import KubeObject, Node, ObjectReference, Pod, Taint, time_text
from chaoskube.sim import MILLISECOND, Refused, Timer, Unsure

DELETE_TRIES = 5
DELETE_RETRY_DELAY = 10 * MILLISECOND
REASON = "TaintManagerEviction"


@frozen(kw_only=True)
class Scheduled:
    """A pod that is to go: its timer, or None once it has fired."""

    timer: Timer | None


@controller("taint-eviction", account="node-controller")
class TaintEvictionController:
    """Deletes pods from tainted nodes."""

    def __init__(self, manager: ManagerContext) -> None:
        self._process = manager.process
        self._client = manager.client
        self._wall_second = manager.wall_second
        self._recorder = manager.recorder()
        self._scheduled: dict[str, Scheduled] = {}
        self._tainted: dict[str, tuple[Taint, ...]] = {}
        self._started = False
        self._nodes = manager.informer("nodes")
        self._pods = manager.informer("pods", {NODE: by_node})
        self._nodes.add_handler(
            on_add=self._node_seen, on_update=self._node_updated, on_delete=self._node_gone
        )
        self._pods.add_handler(on_add=self._pod_seen, on_update=self._pod_updated, on_delete=self._pod_gone)

    def start(self) -> None:
        """Begin to work: look at every node once."""
        self._started = True
        for node in only(Node, self._nodes.list()):
            self._look_at_node(node)

    # -- events

    def _node_seen(self, node: KubeObject) -> None:
        if self._started and isinstance(node, Node):
            self._look_at_node(node)

    def _node_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Node) and isinstance(new, Node), "an informer of nodes holds nodes"
        if self._started and no_execute(old.spec.taints) != no_execute(new.spec.taints):
            self._look_at_node(new)

    def _node_gone(self, node: KubeObject) -> None:
        self._tainted.pop(node.name, None)

    def _pod_seen(self, pod: KubeObject) -> None:
        assert isinstance(pod, Pod), "an informer of pods holds pods"
        taints = self._tainted.get(pod.spec.node_name or "")
        if taints:
            self._look_at_pod(pod, taints)

    def _pod_updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(old, Pod) and isinstance(new, Pod), "an informer of pods holds pods"
        if old.uid != new.uid:
            self._cancel(old.key)
        if (
            old.spec.node_name != new.spec.node_name
            or old.spec.tolerations != new.spec.tolerations
            or old.uid != new.uid
        ):
            self._pod_seen(new)

    def _pod_gone(self, pod: KubeObject) -> None:
        self._cancel(pod.key)

    # -- decisions

    def _look_at_node(self, node: Node) -> None:
        taints = no_execute(node.spec.taints)
        if taints:
            self._tainted[node.name] = taints
        else:
            self._tainted.pop(node.name, None)
        for pod in only(Pod, self._pods.by_index(NODE, node.name)):
            self._look_at_pod(pod, taints)

    def _look_at_pod(self, pod: Pod, taints: tuple[Taint, ...]) -> None:
        key = pod.key
        delay = tolerated_ns(taints, pod.spec.tolerations) if taints else None
        if delay is None:
            self._cancel(key)
        elif delay == 0:
            self._cancel(key)
            self._schedule(key, 0)
        elif key not in self._scheduled:
            self._schedule(key, delay)
        # else: the timer that runs keeps its start, and a later taint makes it no shorter

    def _schedule(self, key: str, delay: int) -> None:
        if delay:
            timer = self._process.call_later(delay, self._fire, key)
            self._scheduled[key] = Scheduled(timer=timer)
        else:
            self._fire(key)

    def _fire(self, key: str) -> None:
        self._scheduled[key] = Scheduled(timer=None)
        self._process.spawn(self._evict, key)

    def _cancel(self, key: str) -> None:
        scheduled = self._scheduled.pop(key, None)
        if scheduled is not None and scheduled.timer is not None:
            scheduled.timer.cancel()
            self._say(key, f"Cancelling deletion of Pod {key}")

    # -- the deletion

    async def _evict(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        pod = self._pods.get_by_key(key)
        node = pod.spec.node_name or "" if isinstance(pod, Pod) else ""
        self._process.record(EvictionDecided(pod=key, node=node))
        self._say(key, f"Marking for deletion Pod {key}")
        for _ in range(DELETE_TRIES):
            try:
                await self._mark_and_delete(namespace, name)
                return
            except (Refused, Unsure):
                await self._process.sleep(DELETE_RETRY_DELAY)
        self._scheduled.pop(key, None)  # dropped until the next event of its node or itself

    async def _mark_and_delete(self, namespace: str, name: str) -> None:
        pod = await self._client.get("pods", namespace, name)
        assert isinstance(pod, Pod), "a pod was asked for"
        if not _is_marked(pod):
            patch = disruption_patch(
                pod,
                "DeletionByTaintManager",
                "Taint manager: deleting due to NoExecute taint",
                self._wall_second(),
            )
            await self._client.patch("pods", namespace, name, patch, subresource="status")
        await self._client.delete("pods", namespace, name)

    def _say(self, key: str, message: str) -> None:
        namespace, _, name = key.partition("/")
        reference = ObjectReference(kind="Pod", namespace=namespace, name=name, api_version="v1")
        self._recorder.event_about(reference, NORMAL, REASON, message)


def _is_marked(pod: Pod) -> bool:
    return any(
        each.type == "DisruptionTarget" and each.status == "True" and each.reason == "DeletionByTaintManager"
        for each in pod.status.conditions
    )


def disruption_patch(
    pod: Pod, reason: str, message: str, wall_second: int, phase: str = ""
) -> dict[str, object]:
    """The status patch that says why somebody is about to delete `pod`."""
    condition = {
        "type": "DisruptionTarget",
        "observedGeneration": pod.metadata.generation,
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": time_text(wall_second),
        "reason": reason,
        "message": message,
    }
    status: dict[str, object] = {"conditions": (condition,)}
    if phase:
        status["phase"] = phase
    return {"metadata": {"uid": pod.uid}, "status": status}
