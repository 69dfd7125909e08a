"""The node lifecycle controller: notices nodes that fell silent, and lets the rest of the cluster know.

Every 5 s it judges each node as its caches show it. One that was silent for longer than the grace period gets
Unknown conditions, its pods are marked not ready, and it queues for a NoExecute taint at its zone's rate. NoSchedule
taints follow conditions at once. What is known of a node's silence lives in memory: a new leader begins anew.
The decisions are in node_health.py and node_zones.py.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TypeVar

from attrs import evolve

from chaoskube.models.client.api import is_not_found
from chaoskube.models.client.recorder import NORMAL, WARNING
from chaoskube.models.constants import NODE_MONITOR_PERIOD, RECONCILE_WORK
from chaoskube.models.controllers.base import ManagerContext, controller, only
from chaoskube.models.controllers.events import NodeJudgedUnknown, ZoneStateChanged
from chaoskube.models.controllers.node_health import (
    EXCLUDE_LABEL,
    NO_EXECUTE,
    NO_SCHEDULE,
    NOT_READY_TAINT,
    UNREACHABLE_TAINT,
    Health,
    Judgement,
    has_taint,
    judge,
    mirror_changes,
    missing_labels,
    ready_condition,
)
from chaoskube.models.controllers.node_taints import swap_taints
from chaoskube.models.controllers.node_zones import (
    INITIAL,
    TaintQueue,
    count_ready,
    disruption,
    eviction_interval,
    zone_of,
    zone_state,
)
from chaoskube.models.objects import KubeObject, Lease, Node, ObjectReference, Pod
from chaoskube.sim import MILLISECOND, Refused, Reply, Unsure, reached

LEASE_NAMESPACE = "kube-node-lease"
HEALTH_TRIES = 5
HEALTH_RETRY_DELAY = 20 * MILLISECOND
TAINT_PERIOD = 100 * MILLISECOND
NODE_WORKERS = 8
NODE = "node"

T = TypeVar("T")


@controller("node-lifecycle", account="node-controller")
class NodeLifecycleController:
    """Judges nodes, taints them, and marks their pods not ready."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._process = manager.process
        self._client = manager.client
        self._recorder = manager.recorder()
        self._health: dict[str, Health] = {}
        self._known: dict[str, Node] = {}
        self._zone_states: dict[str, str] = {}
        self._queues: dict[str, TaintQueue] = {}
        self._pods_to_mark: dict[str, None] = {}
        self._tainting = False
        self._started_at = 0
        self._taint_workers = manager.workers(self._mirror_conditions, workers=NODE_WORKERS)
        self._pod_workers = manager.workers(self._mark_new_pod)
        self._nodes = manager.informer("nodes")
        self._leases = manager.informer("leases")
        self._pods = manager.informer("pods", {NODE: by_node})
        self._nodes.add_handler(on_add=self._node_seen, on_update=lambda _, new: self._node_seen(new))
        self._pods.add_handler(on_add=self._pod_seen, on_update=lambda old, new: self._pod_seen(new, old))

    def start(self) -> None:
        """Begin to work."""
        self._started_at = self._process.now
        self._taint_workers.start()
        self._pod_workers.start()
        self._process.spawn(self._monitor)

    def _node_seen(self, node: KubeObject) -> None:
        assert isinstance(node, Node), "an informer of nodes holds nodes"
        if mirror_changes(node) != ((), ()) or missing_labels(node):
            self._taint_workers.add(node.name)

    def _pod_seen(self, pod: KubeObject, old: KubeObject | None = None) -> None:
        assert isinstance(pod, Pod) and (old is None or isinstance(old, Pod)), "pods"
        node = pod.spec.node_name
        if node and (old is None or old.spec.node_name != node) and self._is_silent(node):
            self._pod_workers.add(pod.key)

    def _is_silent(self, node: str) -> bool:
        health = self._health.get(node)
        return health is not None and health.ready is not None and health.ready.status != "True"

    async def _mark_new_pod(self, key: str) -> None:
        pod = self._pods.get_by_key(key)
        if isinstance(pod, Pod) and self._is_silent(pod.spec.node_name or ""):
            await self._mark_not_ready((pod,))

    # -- NoSchedule: conditions as taints, at once

    async def _mirror_conditions(self, name: str) -> None:
        node = self._nodes.get("", name)
        if not isinstance(node, Node):
            return
        add, remove = mirror_changes(node)
        await swap_taints(self._client, name, add, remove, NO_SCHEDULE)
        labels = missing_labels(node)
        if labels:
            await self._client.patch("nodes", "", name, {"metadata": {"labels": labels}})

    # -- every 5 s

    async def _monitor(self) -> None:
        while True:
            await self._round()
            await self._process.sleep(NODE_MONITOR_PERIOD)

    async def _round(self) -> None:
        # The real loop's own work makes ten periods a little longer than the grace period; so does this.
        await self._process.sleep(RECONCILE_WORK)
        nodes = only(Node, self._nodes.list())
        await self._note_nodes(nodes)
        quiet: list[tuple[Node, Judgement]] = []
        busy: list[Node] = []
        for node in nodes:
            judgement = self._judge(node)
            if judgement.write is None and not self._needs_more(node, judgement):
                self._health[node.name] = judgement.health
                quiet.append((node, judgement))
            else:
                busy.append(node)
        after = await self._together([self._attend(node) for node in busy])
        statuses = {node.name: judgement.ready_now for node, judgement in quiet}
        statuses.update({node.name: status for node, status in zip(busy, after, strict=True)})
        await self._handle_disruption(nodes, statuses)

    def _judge(self, node: Node) -> Judgement:
        lease = self._leases.get(LEASE_NAMESPACE, node.name)
        renewed = lease.spec.renew_time if isinstance(lease, Lease) else None
        return judge(node, renewed, self._health.get(node.name), self._process.now, self._manager.wall_ns())

    def _needs_more(self, node: Node, judgement: Judgement) -> bool:
        """Whether this node asks for more than to be remembered."""
        tainted = any(
            has_taint(node.spec.taints, key, NO_EXECUTE) for key in (NOT_READY_TAINT, UNREACHABLE_TAINT)
        )
        return judgement.ready_now not in ("True", "") or tainted or node.name in self._pods_to_mark

    async def _note_nodes(self, nodes: Sequence[Node]) -> None:
        present = {node.name for node in nodes}
        for node in nodes:
            zone = zone_of(node)
            if zone not in self._queues:
                self._queues[zone] = TaintQueue()
            if node.name not in self._known:
                text = f"Registered Node {node.name} in Controller"
                self._say(node, NORMAL, "RegisteredNode", f"Node {node.name} event: {text}")
                self._known[node.name] = node
                await self._reachable_again(node)
        for name in [name for name in self._known if name not in present]:
            node = self._known.pop(name)
            self._health.pop(name, None)
            self._pods_to_mark.pop(name, None)
            text = f"Removing Node {name} from Controller"
            self._say(node, NORMAL, "RemovingNode", f"Node {name} event: {text}")

    async def _attend(self, node: Node) -> str:
        """Judge one node and do what follows; the status of its Ready condition afterwards."""
        judgement = await self._judge_and_write(node)
        if judgement is None:
            return ""
        if judgement.ready_now:
            await self._queue_or_release(node, judgement.ready_now)
            await self._mark_pods(node, judgement)
        return judgement.ready_now

    async def _judge_and_write(self, node: Node) -> Judgement | None:
        for attempt in range(HEALTH_TRIES):
            judgement = self._judge(node)
            if judgement.write is None:
                self._health[node.name] = judgement.health
                return judgement
            self._process.record(NodeJudgedUnknown(node=node.name, silent_ns=judgement.silent_ns))
            try:
                await self._client.update(judgement.write, subresource="status")
                self._health[node.name] = judgement.health
                return judgement
            except (Refused, Unsure):
                reached("node health written again")
            if attempt < HEALTH_TRIES - 1:
                await self._process.sleep(HEALTH_RETRY_DELAY)
            try:
                fresh = await self._client.get("nodes", "", node.name)
            except (Refused, Unsure):
                return None
            assert isinstance(fresh, Node), "a node was asked for"
            node = fresh
        return None

    # -- NoExecute: at the zone's rate

    async def _queue_or_release(self, node: Node, ready: str) -> None:
        if ready == "True":
            await self._reachable_again(node)
            return
        add, opposite = _taints_for(ready)
        if has_taint(node.spec.taints, opposite, NO_EXECUTE):
            await self._quietly(swap_taints(self._client, node.name, (add,), (opposite,), NO_EXECUTE))
            return
        queue = self._queues[zone_of(node)]
        if not has_taint(node.spec.taints, add, NO_EXECUTE):
            queue.allow_again(node.name)
        if queue.add(node.name):
            self._taint_soon()

    async def _reachable_again(self, node: Node) -> None:
        self._queues[zone_of(node)].remove(node.name)
        for key in (UNREACHABLE_TAINT, NOT_READY_TAINT):
            if has_taint(node.spec.taints, key, NO_EXECUTE):
                await self._quietly(swap_taints(self._client, node.name, (), (key,), NO_EXECUTE))

    def _taint_soon(self) -> None:
        """Run the tainting pass at the next tenth of a second; it costs nothing while nobody waits."""
        if not self._tainting:
            self._tainting = True
            passed = (self._process.now - self._started_at) % TAINT_PERIOD
            self._process.call_later(TAINT_PERIOD - passed, self._process.spawn, self._taint_pass)

    async def _taint_pass(self) -> None:
        for zone in list(self._queues):
            queue = self._queues[zone]
            while (name := queue.take(self._process.now)) is not None:
                node = self._nodes.get("", name)
                ready = ready_condition(node) if isinstance(node, Node) else None
                queue.done(name)
                if ready is None or ready.status == "True":
                    continue
                add, opposite = _taints_for(ready.status)
                if not await self._quietly(swap_taints(self._client, name, (add,), (opposite,), NO_EXECUTE)):
                    queue.allow_again(name)
        self._tainting = False
        if any(len(queue) for queue in self._queues.values()):
            self._taint_soon()

    # -- pods of a silent node

    async def _mark_pods(self, node: Node, judgement: Judgement) -> None:
        before, now = judgement.ready_before, judgement.ready_now
        fell = now != "True" and before == "True"
        if fell:
            text = f"Node {node.name} status is now: NodeNotReady"
            self._say(node, NORMAL, "NodeNotReady", text)
        due = fell or (node.name in self._pods_to_mark and before != "True")
        if due and not await self._mark_not_ready(only(Pod, self._pods.by_index(NODE, node.name))):
            self._pods_to_mark[node.name] = None
            return
        self._pods_to_mark.pop(node.name, None)

    async def _mark_not_ready(self, pods: Sequence[Pod]) -> bool:
        """Set Ready=False on each pod; False when one of them has to be tried again."""
        done = True
        for pod in pods:
            changed = _not_ready(pod, self._manager.wall_second())
            if changed is None:
                continue
            try:
                await self._client.update(changed, subresource="status")
            except (Refused, Unsure) as error:
                done = done and is_not_found(error)
                continue
            self._recorder.event(pod, WARNING, "NodeNotReady", "Node is not ready")
        return done

    # -- zones

    async def _handle_disruption(self, nodes: Sequence[Node], statuses: dict[str, str]) -> None:
        by_zone: dict[str, list[str]] = {}
        for node in nodes:
            if EXCLUDE_LABEL not in node.labels and node.name in statuses:
                by_zone.setdefault(zone_of(node), []).append(statuses[node.name])
        if not by_zone:
            return
        new = {zone: zone_state(*count_ready(ready)) for zone, ready in by_zone.items()}
        verdict = disruption(self._zone_states, new)
        for zone, state in verdict.states.items():
            before = self._zone_states.get(zone, INITIAL)
            if before != state:
                self._process.record(ZoneStateChanged(zone=zone, old=before, new=state))
        self._zone_states = dict(verdict.states)
        if verdict.stop_evictions:
            reached("all zones are down: evictions stop")
            for node in nodes:
                await self._reachable_again(self._newest(node))
            for zone in new:
                self._queues[zone].limit(None, self._process.now)
        if verdict.fresh_probes:
            for name, health in self._health.items():
                self._health[name] = evolve(health, probed_at=self._process.now)
        for zone in verdict.relimit:
            self._queues[zone].limit(eviction_interval(new[zone], len(by_zone[zone])), self._process.now)

    def _newest(self, node: Node) -> Node:
        cached = self._nodes.get("", node.name)
        return cached if isinstance(cached, Node) else node

    # -- helpers

    def _say(self, node: Node, type: str, reason: str, message: str) -> None:
        reference = ObjectReference(kind="Node", name=node.name, uid=node.uid, api_version="v1")
        self._recorder.event_about(reference, type, reason, message)

    async def _quietly(self, work: Coroutine[object, object, None]) -> bool:
        """Try; whether it went well. What failed is due again in the next round."""
        try:
            await work
        except (Refused, Unsure):
            return False
        return True

    async def _together(self, works: Sequence[Coroutine[object, object, T]]) -> list[T]:
        """Carry out several pieces of work at the same time."""
        replies: list[Reply[T]] = []
        for work in works:
            reply: Reply[T] = self._process.reply()
            replies.append(reply)
            self._process.spawn(_into, work, reply)
        return [await reply.wait() for reply in replies]


async def _into(work: Coroutine[object, object, T], reply: Reply[T]) -> None:
    reply.set(await work)


def _taints_for(ready: str) -> tuple[str, str]:
    """(the taint for this Ready status, the one that it excludes)."""
    if ready == "False":
        return NOT_READY_TAINT, UNREACHABLE_TAINT
    return UNREACHABLE_TAINT, NOT_READY_TAINT


def _not_ready(pod: Pod, wall_second: int) -> Pod | None:
    """The pod with Ready=False; None when that says nothing new."""
    conditions = list(pod.status.conditions)
    for place, condition in enumerate(conditions):
        if condition.type == "Ready" and condition.status != "False":
            conditions[place] = evolve(condition, status="False", last_transition_time=wall_second)
            return evolve(pod, status=evolve(pod.status, conditions=tuple(conditions)))
    return None


def by_node(pod: KubeObject) -> tuple[str, ...]:
    """Index: the node that a pod is assigned to."""
    assert isinstance(pod, Pod), "an informer of pods holds pods"
    return (pod.spec.node_name,) if pod.spec.node_name else ()
