"""The scheduling queue's promises: order, back-off, hints, events in flight, the five-minute flush, gates."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.scheduler.changes import own_events
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, enabled
from chaoskube.models.scheduler.queue import QueuedPod, SchedulingQueue
from chaoskube.sim import MILLISECOND, SECOND
from tests.models.scheduler.sched_objects import node, pod

FIT = ("NodeResourcesFit",)
GONE = ClusterEvent(what=Happening.POD_GONE, old=pod("gone", node="node-1"))


def popped(queue: SchedulingQueue) -> QueuedPod:
    found = queue.pop()
    assert found is not None, "the queue has a pod"
    return found


def test_higher_priority_goes_first_then_age() -> None:
    """PrioritySort: priority descending, queueing time ascending."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("old-low"), 1)
    queue.add(pod("young-low"), 2)
    queue.add(pod("high", priority=10), 3)

    names = [popped(queue).info.pod.name for _ in range(3)]

    assert names == ["high", "old-low", "young-low"]


def test_rejected_pod_wakes_only_for_what_may_help() -> None:
    """QueueingHints: a pod that lacks cpu doesn't care for a node's labels, but for a pod that goes."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits", cpu="2"), 0)
    queue.failed(popped(queue), pod("waits", cpu="2"), FIT, 0)
    old, new = node("node-1"), node("node-1", zone="a")

    queue.happened(ClusterEvent(what=Happening.NODE_LABELS, old=old, new=new), 20 * SECOND)
    still = queue.place_of("default/waits")
    queue.happened(GONE, 20 * SECOND)

    assert (still, queue.place_of("default/waits")) == ("unschedulable", "active")


def test_too_small_a_node_wakes_nobody() -> None:
    """The Fit hint compares the new node with the pod's requests."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits", cpu="2"), 0)
    queue.failed(popped(queue), pod("waits", cpu="2"), FIT, 0)

    queue.happened(ClusterEvent(what=Happening.NODE_ADDED, new=node("small", cpu="1")), SECOND)

    assert queue.place_of("default/waits") == "unschedulable"


def test_event_in_flight_is_replayed_when_the_pod_fails() -> None:
    """Else a pod that was tried on an older snapshot would wait five minutes for what has happened already."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits", cpu="2"), 0)
    queued = popped(queue)
    queue.happened(GONE, 1)

    queue.failed(queued, queued.info.pod, FIT, 2)

    assert queue.place_of("default/waits") == "backoff"


def test_event_before_the_try_is_not_replayed() -> None:
    """Only what happened since the pod was taken counts, also while another is in flight."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("first"), 0)
    queue.add(pod("second"), 0)
    first = popped(queue)
    queue.happened(GONE, 1)
    second = popped(queue)

    queue.failed(second, second.info.pod, FIT, 2)
    queue.failed(first, first.info.pod, FIT, 3)

    assert queue.place_of("default/second") == "unschedulable"
    assert queue.place_of("default/first") == "backoff"


def test_error_backoff_doubles_on_whole_seconds() -> None:
    """As recorded (node-joins-with-pending-pods): failed at 31.51 s, tried at 33 s, failed, tried at 36 s."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits"), 31 * SECOND)
    queue.failed(popped(queue), pod("waits"), (), 31 * SECOND + 510 * MILLISECOND)
    first = queue.next_wake()
    assert queue.pop() is None, "an error's back-off isn't cut short"
    queue.flush(33 * SECOND)

    queue.failed(popped(queue), pod("waits"), (), 33 * SECOND + 2 * MILLISECOND)

    assert (first, queue.next_wake()) == (33 * SECOND, 36 * SECOND)


def test_backoff_is_capped_at_ten_seconds() -> None:
    """podMaxBackoffSeconds."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits"), 0)
    for _ in range(8):
        queued = popped(queue)
        queue.failed(queued, pod("waits"), (), 100 * SECOND)
        queue.flush(200 * SECOND)

    queue.failed(popped(queue), pod("waits"), (), 300 * SECOND)

    assert queue.next_wake() == 311 * SECOND


def test_idle_cycle_takes_from_backoff_before_its_end() -> None:
    """SchedulerPopFromBackoffQ."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits"), 0)
    queue.failed(popped(queue), pod("waits"), FIT, 1)
    queue.happened(GONE, 2)
    assert queue.place_of("default/waits") == "backoff"

    assert popped(queue).info.pod.name == "waits"


def test_unschedulable_for_five_minutes_moves_on() -> None:
    """The flush runs every 30 s from the start, and moves what has waited longer than 5 min."""
    queue = SchedulingQueue(enabled(), started=7 * SECOND)
    queue.add(pod("waits"), 10 * SECOND)
    queue.failed(popped(queue), pod("waits"), FIT, 10 * SECOND)

    wake = queue.next_wake()
    assert wake == (7 + 330) * SECOND
    queue.flush(wake)

    assert queue.place_of("default/waits") == "active"


def test_gated_pod_waits_without_a_timer_until_its_gates_are_gone() -> None:
    """An idle scheduler costs nothing, gated pods or not."""
    queue = SchedulingQueue(enabled())
    gated = pod("gated", schedulingGates=[{"name": "a"}])
    queue.add(gated, 0)
    assert (queue.place_of(gated.key), queue.next_wake(), queue.has_work) == ("gated", None, False)
    queue.happened(GONE, 1)
    assert queue.place_of(gated.key) == "gated"

    opened = evolve(gated, spec=evolve(gated.spec, scheduling_gates=()))
    queue.update(opened, own_events(gated, opened), 2)

    assert queue.place_of(gated.key) == "active"


def test_pod_that_was_deleted_in_flight_leaves_nothing_behind() -> None:
    """Deleting forgets the pod everywhere; `done` forgets the events kept for it."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits"), 0)
    queued = popped(queue)
    queue.happened(GONE, 1)
    queue.delete("default/waits")

    queue.done(queued.info.uid)

    assert not queue.has_work
    assert queue.next_wake() is None
    assert queue._events == []


def test_own_update_helps_only_the_pod_itself() -> None:
    """A new toleration of one pod says nothing about another."""
    queue = SchedulingQueue(enabled())
    for name in ("one", "other"):
        queue.add(pod(name), 0)
        queue.failed(popped(queue), pod(name), ("TaintToleration",), 0)
    tolerant = pod("one", tolerations=[{"operator": "Exists"}])

    queue.update(tolerant, own_events(pod("one"), tolerant), 30 * SECOND)

    assert (queue.place_of("default/one"), queue.place_of("default/other")) == ("active", "unschedulable")


def test_own_update_of_another_pod_in_flight_is_not_replayed() -> None:
    """Events in flight are kept in one list for all."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("one"), 0)
    queue.add(pod("other"), 0)
    one, other = popped(queue), popped(queue)
    tolerant = pod("one", tolerations=[{"operator": "Exists"}])
    queue.update(tolerant, own_events(pod("one"), tolerant), 1)

    queue.failed(other, other.info.pod, ("TaintToleration",), 2)
    queue.failed(one, tolerant, ("TaintToleration",), 2)

    assert (queue.place_of("default/one"), queue.place_of("default/other")) == ("backoff", "unschedulable")


def test_taint_that_was_borne_before_wakes_nobody() -> None:
    """The hint looks at both versions of the node."""
    queue = SchedulingQueue(enabled())
    queue.add(pod("waits"), 0)
    queue.failed(popped(queue), pod("waits"), ("TaintToleration",), 0)
    soft = [{"key": "a", "effect": "PreferNoSchedule"}]
    hard = [{"key": "a", "effect": "NoSchedule"}]
    open_node, soft_node, hard_node = node("n"), node("n", taints=soft), node("n", taints=hard)

    queue.happened(ClusterEvent(what=Happening.NODE_TAINTS, old=open_node, new=soft_node), 20 * SECOND)
    assert queue.place_of("default/waits") == "unschedulable"

    queue.happened(ClusterEvent(what=Happening.NODE_TAINTS, old=hard_node, new=soft_node), 20 * SECOND)
    assert queue.place_of("default/waits") == "active"
