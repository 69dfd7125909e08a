"""The controllers on a real control plane: the same writes as the recordings, and what faults do to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.client.events import InformerRelisted, LeaderStarted, LeaderStopped, WatchResumed
from chaoskube.models.controllers.events import (
    EvictionDecided,
    NodeJudgedUnknown,
    PodCreateDecided,
    ReplicaSetScaleDecided,
)
from chaoskube.models.objects import (
    Deployment,
    EndpointSlice,
    Event,
    Node,
    Pod,
    ReplicaSet,
    is_pod_active,
    is_pod_ready,
)
from chaoskube.sim import SECOND, Entry
from tests.models.controllers.plane import Plane, deployment_tree, ends, image_patch


@pytest.fixture
def plane() -> Iterator[Plane]:
    """A control plane of three nodes."""
    with_world = Plane()
    yield with_world
    with_world.world.close()


def happened(plane: Plane, kind: type) -> list[Entry]:
    """The journal's entries of one kind of event."""
    return [entry for entry in plane.world.journal.entries if type(entry.event) is kind]


def conditions(deployment: Deployment) -> list[str]:
    """The conditions as a story prints them."""
    return [f"{each.type}={each.status}({each.reason})" for each in deployment.status.conditions]


def ready_pods(plane: Plane) -> list[Pod]:
    """Active pods that are ready."""
    pods = [pod for pod in plane.now("Pod").values() if isinstance(pod, Pod)]
    return [pod for pod in pods if is_pod_active(pod) and is_pod_ready(pod)]


def test_a_deployment_of_3_writes_what_the_recording_shows(plane: Plane) -> None:
    """deploy-create-3: the sequences of conditions and counts of the Deployment and its ReplicaSet."""
    plane.create(deployment_tree())
    plane.run(2)

    told: list[tuple[list[str], int]] = []
    for event in plane.written:
        if isinstance(event.obj, Deployment):
            line = (conditions(event.obj), event.obj.status.observed_generation)
            if not told or told[-1] != line:
                told.append(line)
    created, updated = "Progressing=True(NewReplicaSetCreated)", "Progressing=True(ReplicaSetUpdated)"
    short = "Available=False(MinimumReplicasUnavailable)"
    assert told == [
        ([], 0),
        ([created], 0),
        ([created, short], 1),
        ([short, updated], 1),
        (["Available=True(MinimumReplicasAvailable)", "Progressing=True(NewReplicaSetAvailable)"], 1),
    ]
    sets = [event.obj for event in plane.written if isinstance(event.obj, ReplicaSet)]
    assert [each.status.replicas for each in sets[:3]] == [0, 0, 3]
    assert sets[0].metadata.annotations == {
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
        "deployment.kubernetes.io/revision": "1",
    }
    said = {event.obj.reason for event in plane.written if isinstance(event.obj, Event)}
    assert {"ScalingReplicaSet", "SuccessfulCreate"} <= said


def test_a_rolling_update_moves_one_pod_at_a_time_and_slices_follow(plane: Plane) -> None:
    """svc-rolling-update-endpoints: the scale steps, and terminating endpoints that still serve."""
    plane.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
    )
    plane.create(deployment_tree())
    plane.run(3)
    before = len(plane.written)
    plane.do(lambda client: client.patch("deployments", "default", "web", image_patch("v2")))
    plane.run(6)

    steps = [entry.event for entry in happened(plane, ReplicaSetScaleDecided)][1:]
    moves = [(step.old, step.new) for step in steps if isinstance(step, ReplicaSetScaleDecided)]
    assert moves == [(0, 1), (3, 2), (1, 2), (2, 1), (2, 3), (1, 0)]
    slices = [each.obj for each in plane.written[before:] if isinstance(each.obj, EndpointSlice)]
    shown = [ends(each) for each in slices]
    assert any("-ST" in each for each in shown)
    assert shown[-1] == "RS- RS- RS-"
    assert len(ready_pods(plane)) == 3


def test_a_deleted_pod_is_replaced_while_it_still_terminates(plane: Plane) -> None:
    """deploy-pod-deleted: deletionTimestamp is enough."""
    plane.create(deployment_tree())
    plane.run(2)
    victim = ready_pods(plane)[0]
    plane.do(lambda client: client.delete("pods", "default", victim.name))

    pods = [pod for pod in plane.now("Pod").values() if isinstance(pod, Pod)]
    assert len(pods) == 4
    assert len([pod for pod in pods if is_pod_active(pod)]) == 3


def test_a_silent_node_is_tainted_and_its_pods_leave_after_300_s(plane: Plane) -> None:
    """Unknown after 50 s, unready pods at once, NoExecute soon after, eviction 300 s later."""
    plane.create(deployment_tree())
    plane.run(10)
    plane.silent.add("node-1")
    silent_at = plane.world.now
    plane.run(70)

    judged = happened(plane, NodeJudgedUnknown)
    assert 40 * SECOND < judged[0].at - silent_at <= 55 * SECOND
    lost = plane.now("Node")["node-1"]
    assert isinstance(lost, Node)
    assert [(each.key, each.effect) for each in lost.spec.taints] == [
        ("node.kubernetes.io/unreachable", "NoSchedule"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    ]
    assert len(ready_pods(plane)) == 2
    plane.run(300)

    evicted = happened(plane, EvictionDecided)
    assert len(evicted) == 1
    assert 300 * SECOND <= evicted[0].at - judged[0].at < 302 * SECOND
    assert len(ready_pods(plane)) == 3


def test_a_node_that_is_silent_for_30_s_changes_nothing(plane: Plane) -> None:
    """node-short-silence."""
    plane.create(deployment_tree())
    plane.run(10)
    before = len(plane.written)
    plane.silent.add("node-1")
    plane.run(30)
    plane.silent.clear()
    plane.run(30)

    assert {event.resource for event in plane.written[before:]} == {"leases"}


def test_pods_of_a_deleted_node_are_collected(plane: Plane) -> None:
    """node-object-deleted: 40 to 80 s later, marked Failed with the reason, then replaced."""
    plane.create(deployment_tree())
    plane.run(2)
    plane.silent.add("node-1")
    plane.do(lambda client: client.delete("nodes", "", "node-1"))
    plane.run(85)

    assert len(ready_pods(plane)) == 3
    reasons = [
        condition.reason
        for event in plane.written
        if isinstance(event.obj, Pod)
        for condition in event.obj.status.conditions
        if condition.type == "DisruptionTarget"
    ]
    assert set(reasons) == {"DeletionByPodGC"}


def test_a_crashed_api_server_costs_a_resumed_watch_and_no_pod(plane: Plane) -> None:
    """Clients go to the other server and resume; nothing is created twice."""
    plane.create(deployment_tree())
    plane.run(2)
    plane.world.processes["apiserver-0"].crash()
    plane.run(5)
    plane.do(
        lambda client: client.patch("deployments", "default", "web", {"spec": {"replicas": 5}}, type="merge")
    )
    plane.run(5)

    assert happened(plane, WatchResumed) or happened(plane, InformerRelisted)
    assert len(ready_pods(plane)) == 5
    assert_creates_within_replicas(plane)


def test_a_crashed_manager_is_succeeded_and_the_rollout_goes_on() -> None:
    """A standby leads 15 s after it last saw a renewal, and up to two of its tries (4.4 s each) later."""
    plane = Plane(managers=2)
    plane.create(deployment_tree())
    plane.run(3)
    first = happened(plane, LeaderStarted)[0].by
    plane.do(lambda client: client.patch("deployments", "default", "web", image_patch("v2")))
    crashed_at = plane.world.now
    plane.world.processes[first].crash()
    plane.run(40)

    starts = happened(plane, LeaderStarted)
    assert len(starts) == 2 and starts[1].by != first
    assert 13 * SECOND <= starts[1].at - crashed_at <= 24 * SECOND
    assert len(ready_pods(plane)) == 3
    assert {pod.spec.containers[0].image for pod in ready_pods(plane)} == {"v2"}
    assert_creates_within_replicas(plane)
    plane.world.close()


def test_a_leader_that_cannot_renew_ends_itself() -> None:
    """After 10 s without a renewal the process exits; its supervisor starts a new candidate."""
    plane = Plane(managers=2)
    plane.run(5)
    leader = happened(plane, LeaderStarted)[0].by
    cut_at = plane.world.now
    servers = [plane.world.processes[f"apiserver-{number}"] for number in range(2)]
    for server in servers:
        server.crash()
    plane.run(14)

    stopped = happened(plane, LeaderStopped)
    assert [entry.by for entry in stopped] == [leader]
    assert 8 * SECOND <= stopped[0].at - cut_at <= 13 * SECOND
    for server in servers:
        server.start()
    plane.run(30)
    assert len(happened(plane, LeaderStarted)) == 2
    plane.world.close()


def assert_creates_within_replicas(plane: Plane) -> None:
    """At each create the controller's own count stays within what its ReplicaSet wants."""
    for entry in happened(plane, PodCreateDecided):
        event = entry.event
        assert isinstance(event, PodCreateDecided)
        assert event.active + event.ordinal <= event.replicas
        assert event.cached_active + event.expected_creations <= event.replicas
