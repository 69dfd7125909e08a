"""The scheduler as a process, on a real (simulated) etcd and API server."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.client.api import create_request
from chaoskube.models.client.events import LeaderStarted
from chaoskube.models.objects import Pod
from chaoskube.models.objects.conditions import get_condition
from chaoskube.models.scheduler.events import BindingFailed, Bound, ScheduleDecided, Unschedulable
from chaoskube.sim import MILLISECOND, SECOND, Entry
from tests.models.scheduler.control_plane import ControlPlane, node, pod

NO_ROOM = (
    "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, "
    "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
)


def test_pods_are_bound_until_no_room_is_left_and_the_rest_waits_for_it() -> None:
    """As recorded in sched-resource-fit: message, condition, and the pod that goes wakes the one that waits."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"), node("node-2"), pod("a"), pod("b"), pod("waits"))
        plane.world.advance(SECOND)
        condition = get_condition(plane.pod("waits").status.conditions, "PodScheduled")
        freed = plane.pod("a").spec.node_name
        plane.do(lambda: plane.user.delete("pods", "default", "a", grace_period_seconds=0))
        plane.world.advance(SECOND)

        assert condition is not None
        assert (condition.status, condition.reason, condition.message) == ("False", "Unschedulable", NO_ROOM)
        assert plane.messages("FailedScheduling") == [("waits", NO_ROOM)]
        assert {freed, plane.pod("b").spec.node_name} == {"node-1", "node-2"}
        assert plane.pod("waits").spec.node_name == freed
        assert ("waits", f"Successfully assigned default/waits to {freed}") in plane.messages("Scheduled")
        scheduled = get_condition(plane.pod("waits").status.conditions, "PodScheduled")
        assert scheduled is not None
        assert scheduled.status == "True"


def test_assumed_pods_keep_a_burst_from_overcommitting() -> None:
    """Decisions are faster than watches: without assuming, all would go where the first went."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"), node("node-2"))
        pods = [pod(f"p{number}") for number in range(6)]

        async def burst() -> None:
            await plane.user.gather([create_request(each) for each in pods])

        plane.do(burst)
        plane.world.advance(SECOND)

        nodes = [plane.pod(f"p{number}").spec.node_name for number in range(6)]
        assert sorted(str(name) for name in nodes if name) == ["node-1", "node-2"]
        assert plane.journal(BindingFailed) == []


def test_pod_that_has_ended_gives_its_room_back() -> None:
    """Its object stays; as the scheduler sees it, it is deleted."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"), pod("ends"), pod("waits"))
        plane.world.advance(SECOND)
        ended = {"status": {"phase": "Succeeded"}}
        plane.do(lambda: plane.user.patch("pods", "default", "ends", ended, subresource="status"))
        plane.world.advance(SECOND)

        assert plane.pod("ends").spec.node_name == plane.pod("waits").spec.node_name == "node-1"


def test_idle_scheduler_has_no_timer() -> None:
    """An idle cluster must cost nothing; a pod that waits has its five-minute timer."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"), pod("a"))
        plane.world.advance(SECOND)
        scheduler = plane.schedulers["scheduler-0"]
        idle = scheduler._timer
        plane.create(pod("waits"))
        plane.world.advance(SECOND)
        waiting = scheduler._timer
        plane.do(lambda: plane.user.delete("pods", "default", "waits", grace_period_seconds=0))
        plane.world.advance(SECOND)

        assert idle is None
        assert waiting is not None
        assert scheduler._timer is None


def test_pod_bound_by_somebody_else_is_let_go() -> None:
    """Binding is the compare-and-swap: the loser gets 409, says so, and doesn't try again."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"))

        async def create_and_bind() -> None:
            created = await plane.user.create(pod("contested"))
            assert isinstance(created, Pod)
            await plane.user.bind(created, "node-1")

        plane.do(create_and_bind)
        plane.world.advance(20 * SECOND)

        failed = plane.journal(BindingFailed)
        assert [(each.pod, each.is_sure) for each in failed] == [("default/contested", True)]
        message = (
            'running Bind plugin "DefaultBinder": Operation cannot be fulfilled on pods/binding "contested": '
            'pod contested is already assigned to node "node-1"'
        )
        assert plane.messages("FailedScheduling") == [("contested", message)]
        assert len(plane.journal(ScheduleDecided)) == 1
        assert plane.pod("contested").spec.node_name == "node-1"


@pytest.mark.parametrize("delay", [n * MILLISECOND // 2 for n in range(1, 12)])
def test_api_server_that_dies_during_a_binding_leaves_the_pod_bound_once(delay: int) -> None:
    """Whether the binding was committed or not: a retry meets it, or makes it; room isn't lost."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"), node("node-2"))
        server = plane.world.processes["apiserver-0"]
        server.restart_after_ns = SECOND
        crashes: list[int] = []

        def crash_soon(entry: Entry) -> None:
            if not crashes:
                crashes.append(entry.at)
                plane.world.call_later(delay, server.crash)
                plane.world.call_later(delay + SECOND, server.start)

        plane.world.journal.subscribe(ScheduleDecided, crash_soon)
        plane.create(pod("a"))
        plane.world.advance(60 * SECOND)
        plane.create(pod("b"))
        plane.world.advance(SECOND)

        bound: list[Any] = [plane.pod(name).spec.node_name for name in ("a", "b")]
        assert sorted(bound) == ["node-1", "node-2"], "the assumed room was neither lost nor given twice"
        assert len(plane.journal(Bound)) <= 2


def test_standby_takes_over_when_the_leader_dies() -> None:
    """Assumed state is lost with it; the unbound pods are scheduled by the other, 15 to 19 s later."""
    with ControlPlane(schedulers=2) as plane:
        plane.wait_until_leading()
        plane.world.advance(10 * SECOND)
        leader = next(event.identity for event in plane.journal(LeaderStarted))
        plane.world.processes[leader].restart_after_ns = None
        plane.world.processes[leader].crash()
        crashed_at = plane.world.now
        plane.create(node("node-1"), pod("a"))

        assert plane.world.run_until(lambda: bool(plane.journal(Bound)), 30 * SECOND)

        assert 12 * SECOND < plane.world.now - crashed_at < 20 * SECOND
        assert plane.pod("a").spec.node_name == "node-1"


def test_standby_schedules_nothing() -> None:
    """Both fill their caches; only the leader takes pods out of the queue."""
    with ControlPlane(schedulers=2) as plane:
        plane.wait_until_leading()
        plane.create(node("node-1"), pod("a"), pod("waits"))
        plane.world.advance(20 * SECOND)

        decided = [
            entry.by for entry in plane.world.journal.entries if isinstance(entry.event, ScheduleDecided)
        ]
        rejected = [
            entry.by for entry in plane.world.journal.entries if isinstance(entry.event, Unschedulable)
        ]
        assert len(decided) == len(rejected) == 1
        assert decided == rejected


def test_pod_without_nodes_is_tried_again_by_time() -> None:
    """'no nodes available' is an error: back-off alone brings the pod back, on whole seconds."""
    with ControlPlane() as plane:
        plane.wait_until_leading()
        plane.create(pod("early"))
        plane.world.advance(8 * SECOND)
        tried = [entry.at for entry in plane.world.journal.entries if isinstance(entry.event, Unschedulable)]

        assert len(tried) >= 3
        assert all(when % SECOND < 5 * MILLISECOND for when in tried[1:])


def test_same_seed_same_digest() -> None:
    """Ties are luck's, and luck is the process's own stream."""

    def run() -> str:
        with ControlPlane(seed=4) as plane:
            plane.wait_until_leading()
            plane.create(node("node-1"), node("node-2"), pod("a", cpu="1m"), pod("b", cpu="1m"))
            plane.world.advance(SECOND)
            digest: str = plane.world.journal.digest()
            return digest

    assert run() == run()
