"""One at a time: pods by name, holders of a lease, and who may act for it."""

from __future__ import annotations

from chaoskube.invariants.identity import (
    a_lease_is_not_taken_while_it_runs,
    a_pod_runs_in_one_place,
    who_does_not_lead_writes_nothing,
)
from chaoskube.models.client.events import LeaderStarted, LeaderStopped, WriteSent
from chaoskube.models.node.events import ContainerExited, ContainerStarted
from chaoskube.models.objects import KubeObject, Lease, LeaseSpec, ObjectMeta
from chaoskube.sim import SECOND, FaultStarted, World
from tests.invariants.clusters import Case, pod


def starts(node: str, name: str = "default/db-0") -> ContainerStarted:
    return ContainerStarted(pod=name, container="db", node=node, attempt=0, ip="10.0.0.1")


def exits(node: str, name: str = "default/db-0") -> ContainerExited:
    return ContainerExited(pod=name, container="db", node=node, code=0, reason="Completed")


def test_a_name_moves_when_its_containers_have_ended(world: World) -> None:
    case = Case(world, a_pod_runs_in_one_place)
    for event in (starts("node-1"), exits("node-1"), starts("node-2"), starts("node-1", "default/db-1")):
        case.record(event)
    assert case.said == []

    case.record(starts("node-3"))
    assert case.said == ["pod default/db-0 starts on node-3, and has been running on node-2 for 0.0 s"]


def test_a_machine_without_power_runs_nothing(world: World) -> None:
    case = Case(world, a_pod_runs_in_one_place)
    kubelet = world.process("kubelet@node-1", host="node-1", boot=lambda process: None)
    kubelet.start()
    case.record(starts("node-1"))
    world.hosts["node-1"].crash()
    case.record(starts("node-2"))

    assert case.said == []


def test_nothing_is_promised_after_a_forced_deletion(world: World) -> None:
    """kubernetes.io says so in capital letters; a later pod of that name is held to it again."""
    case = Case(world, a_pod_runs_in_one_place)
    one = case.put(pod("db-0"))
    case.record(starts("node-1"))
    case.remove(one)
    case.record(starts("node-2"))
    assert case.said == []

    for event in (exits("node-1"), exits("node-2"), starts("node-1"), starts("node-2")):
        case.record(event)
    assert len(case.said) == 1


def lease(
    holder: str, renewed: int, *, name: str = "kube-controller-manager", seconds: int = 15
) -> KubeObject:
    """A lease, renewed at this second."""
    spec = LeaseSpec(holder_identity=holder, lease_duration_seconds=seconds, renew_time=renewed)
    return Lease(metadata=ObjectMeta(name=name, namespace="kube-system", uid="lease"), spec=spec)


def sent(resource: str) -> WriteSent:
    return WriteSent(verb="create", resource=resource, key="default/x", number=1)


def test_who_does_not_lead_writes_its_lease_alone(world: World) -> None:
    """Not before it leads, and no more when it doesn't."""
    case = Case(world, who_does_not_lead_writes_nothing)
    case.record(sent("pods"), by="controller-manager-0")
    case.put(lease("controller-manager-0", 0))
    case.record(LeaderStarted(lease="kube-controller-manager", identity="x"), by="controller-manager-0")
    case.record(sent("pods"), by="controller-manager-0")
    case.record(sent("leases"), by="controller-manager-1")
    case.record(sent("pods"), by="kubelet@node-1")
    case.record(sent("pods"), by="scheduler-0")
    assert case.said == []

    case.record(LeaderStopped(lease="kube-controller-manager", identity="x"), by="controller-manager-0")
    case.record(sent("events"), by="controller-manager-0")
    case.record(sent("pods"), by="controller-manager-0")
    assert case.said == ["controller-manager-0 does not lead, and sends: create pods default/x"]


def taken_after(world: World, seconds: int, *, duration: int = 15, released: bool = False) -> Case:
    """Another takes a lease so long after it was renewed."""
    case = Case(world, a_lease_is_not_taken_while_it_runs)
    world.call_later(600 * SECOND, lambda: None)
    first = case.put(lease("a", 0, seconds=duration))
    world.advance(5 * SECOND)
    second = case.put(lease("" if released else "a", 5, seconds=duration))
    case.written("a", "update", first, second)
    world.advance(seconds * SECOND)
    case.written("b", "update", second, case.put(lease("b", 5 + seconds, seconds=3)))
    return case


def test_a_lease_runs_for_as_long_as_its_holder_said(world: World) -> None:
    """Not for as long as the other would have said of itself."""
    assert taken_after(world, 15).said == []


def test_it_must_not_be_taken_before(world: World) -> None:
    assert taken_after(world, 14).said == [
        "b takes lease kube-system/kube-controller-manager from a 14.0 s after it was renewed for 15 s"
    ]


def test_what_is_released_is_free(world: World) -> None:
    assert taken_after(world, 1, released=True).said == []


def test_whose_time_runs_fast_is_not_judged(world: World) -> None:
    case = Case(world, a_lease_is_not_taken_while_it_runs)
    case.record(FaultStarted(verb="clock-drift", text="clock-drift host=control-1 ppm=100 lasting=5s"), by="")
    first = case.put(lease("a", 0))
    case.written("b", "update", first, case.put(lease("b", 1)))

    assert case.said == []
