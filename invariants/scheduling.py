"""Scheduling: a pod is bound once, and is bound where there is room for it."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.objects import Node, Pod, is_pod_terminal
from chaoskube.models.observer import Entry, Observer, Written
from chaoskube.sim import SECOND

RETRY_NS = 30 * SECOND
"""The scheduler tries again at most 10 s after something went that might help."""
CPU = "cpu"
ANYWHERE = frozenset({"projected", "emptyDir", "downwardAPI"})
"""Volumes that every node has."""


@always(on=[Written])
def no_pod_is_bound_twice(event: Entry) -> None:
    """A pod's node is set once and never changes.

    Two nodes would run the same pod at the same time. (pkg/registry/core/pod/storage/storage.go, assignPod.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if not isinstance(written.prev, Pod) or not isinstance(written.obj, Pod):
        return
    before, after = written.prev.spec.node_name, written.obj.spec.node_name
    assert not before or before == after, (
        f"pod {written.key} was bound to {before} and is now bound to {after}"
    )


@eventually(within="420s")
def a_pod_that_fits_is_bound(seen: Observer) -> None:
    """Once faults stop, no pod that asks for nothing but room waits while a node that takes any pod has that room.

    The scheduler's count of what is used is its own: what it missed makes a node look full for ever. Judged when
    nothing has changed for half a minute; the bound holds the five minutes after which every pod is tried again.
    (k/k#69926; pkg/scheduler/backend/queue/scheduling_queue.go, DefaultPodMaxInUnschedulablePodsDuration.)
    """
    if seen.now - seen.last_change[0] < RETRY_NS:
        return
    for pod in seen.all(Pod):
        if pod.spec.node_name or pod.metadata.deletion_timestamp is not None or not _asks_for_room_alone(pod):
            continue
        for node in seen.all(Node):
            free = _room_on(node, seen)
            assert free is None or not all(free.get(name, 0) >= amount for name, amount in _asked(pod)), (
                f"pod {pod.key} waits, and {node.name} has room for it: {free[CPU]}m of cpu are free there"
            )


def _asks_for_room_alone(pod: Pod) -> bool:
    """Whether its containers' requests are all that a node must meet."""
    spec = pod.spec
    is_ours = spec.scheduler_name in (None, "", "default-scheduler")
    has_wishes = (
        spec.node_selector or spec.affinity or spec.topology_spread_constraints or spec.scheduling_gates
    )
    has_more = spec.init_containers or spec.overhead or spec.resources
    has_ports = any(port.host_port for one in spec.containers for port in one.ports)
    has_disks = any(one.persistent_volume_claim or one.extra.keys() - ANYWHERE for one in spec.volumes)
    return is_ours and not (has_wishes or has_more or has_ports or has_disks)


def _room_on(node: Node, seen: Observer) -> dict[str, int] | None:
    """What is free on the node, by resource, in thousandths; None where not every pod is welcome, or it cannot be told."""
    if node.spec.unschedulable or node.spec.taints:
        return None
    free = {name: amount.milli for name, amount in node.status.allocatable.items()}
    free.setdefault(CPU, 0)
    for pod in seen.all(Pod):
        if pod.spec.node_name != node.name or is_pod_terminal(pod):
            continue
        if not _asks_for_room_alone(pod):
            return None
        for name, amount in _asked(pod):
            free[name] = free.get(name, 0) - amount
    return free


def _asked(pod: Pod) -> list[tuple[str, int]]:
    """What its containers request, in thousandths, and its place among the pods."""
    totals: dict[str, int] = {"pods": 1000}
    for container in pod.spec.containers:
        for name, amount in container.resources.requests.items():
            totals[name] = totals.get(name, 0) + amount.milli
    return list(totals.items())
