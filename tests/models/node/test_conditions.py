"""The kubelet's conditions: `models/node/conditions.py` (status/generate.go)."""

from chaoskube.models.node.conditions import pod_conditions
from chaoskube.models.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodReadinessGate,
    PodSpec,
    PodStatus,
    evolve,
)

POD = Pod(
    metadata=ObjectMeta(name="web", namespace="default", generation=1),
    spec=PodSpec(containers=(Container(name="app"), Container(name="side"))),
)


def statuses(*ready: bool) -> tuple[ContainerStatus, ...]:
    state = ContainerState(running=ContainerStateRunning(started_at=0))
    names = ("app", "side")
    return tuple(
        ContainerStatus(name=name, ready=is_ready, state=state)
        for name, is_ready in zip(names, ready, strict=True)
    )


def conditions(pod: Pod, *ready: bool, phase: str = "Running", now: int = 5) -> dict[str, PodCondition]:
    made = pod_conditions(pod, (), statuses(*ready), phase, has_sandbox=True, now_ns=now)
    return {one.type: one for one in made}


def test_an_unready_container_is_named() -> None:
    """The words of a real cluster, as in the golden recordings."""
    ready = conditions(POD, False, True)["Ready"]

    assert (ready.status, ready.reason) == ("False", "ContainersNotReady")
    assert ready.message == "containers with unready status: [app]"
    assert ready.observed_generation == 1


def test_all_ready_containers_make_a_ready_pod() -> None:
    """Ready = ContainersReady and readiness gates."""
    assert conditions(POD, True, True)["Ready"].status == "True"
    gated = evolve(POD, **{"spec.readiness_gates": (PodReadinessGate(condition_type="example.com/lb"),)})
    ready = conditions(gated, True, True)["Ready"]
    assert (ready.status, ready.reason) == ("False", "ReadinessGatesNotReady")


def test_a_terminal_pod_is_not_ready() -> None:
    """Terminal: Ready False, reason PodCompleted or PodFailed."""
    assert conditions(POD, True, True, phase="Succeeded")["Ready"].reason == "PodCompleted"
    assert conditions(POD, True, True, phase="Failed")["ContainersReady"].reason == "PodFailed"


def test_transition_times_change_only_with_the_status() -> None:
    """updateLastTransitionTime."""
    first = tuple(conditions(POD, True, True, now=5).values())
    pod = evolve(POD, status=PodStatus(conditions=first))
    later = conditions(pod, False, True, now=9)

    assert later["Initialized"].last_transition_time == 5
    assert later["Ready"].last_transition_time == 9


def test_conditions_of_others_are_kept() -> None:
    """DisruptionTarget belongs to who disrupts."""
    foreign = PodCondition(type="DisruptionTarget", status="True")
    pod = evolve(POD, status=PodStatus(conditions=(foreign,)))

    assert conditions(pod, True, True)["DisruptionTarget"] is foreign
