"""The phase of a pod: `models/node/pod_phase.py` (kubelet.md 3, getPhase)."""

import pytest

from chaoskube.models.node.pod_phase import pod_phase
from chaoskube.models.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodSpec,
)

RUNNING = ContainerState(running=ContainerStateRunning(started_at=0))
WAITING = ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))
DONE = ContainerState(terminated=ContainerStateTerminated(exit_code=0))
FAILED = ContainerState(terminated=ContainerStateTerminated(exit_code=1))


def phase(
    *states: ContainerState,
    policy: str = "Always",
    init: tuple[ContainerState, ...] = (),
    last: ContainerState | None = None,
    is_terminal: bool = False,
) -> str:
    spec = PodSpec(
        restart_policy=policy,
        containers=tuple(Container(name=f"c{number}") for number in range(len(states))),
        init_containers=tuple(Container(name=f"i{number}") for number in range(len(init))),
    )
    statuses = [
        ContainerStatus(name=f"c{number}", state=state, last_state=last or ContainerState())
        for number, state in enumerate(states)
    ]
    inits = [ContainerStatus(name=f"i{number}", state=state) for number, state in enumerate(init)]
    return pod_phase(spec, inits, statuses, is_terminal=is_terminal)


def test_a_pod_is_pending_until_every_container_has_started() -> None:
    """Running: all started, at least one running."""
    assert phase(RUNNING, WAITING) == "Pending"
    assert phase(RUNNING, RUNNING) == "Running"


def test_crash_loop_backoff_is_running() -> None:
    """pitfalls.md 21: waiting with a last termination counts as stopped."""
    assert phase(WAITING, last=FAILED) == "Running"
    assert phase(WAITING, last=FAILED, policy="OnFailure") == "Running"


@pytest.mark.parametrize(
    ("policy", "state", "expected"),
    [
        ("Always", DONE, "Running"),
        ("OnFailure", DONE, "Succeeded"),
        ("OnFailure", FAILED, "Running"),
        ("Never", DONE, "Succeeded"),
        ("Never", FAILED, "Failed"),
    ],
)
def test_what_stopped_means_depends_on_the_restart_policy(
    policy: str, state: ContainerState, expected: str
) -> None:
    """Succeeded or Failed: all stopped and none will restart."""
    assert phase(state, policy=policy) == expected


def test_a_terminating_pod_ends_whatever_its_policy() -> None:
    """restartPolicy is irrelevant once terminating: Succeeded if all exited 0, else Failed."""
    assert phase(DONE, DONE, is_terminal=True) == "Succeeded"
    assert phase(DONE, FAILED, is_terminal=True) == "Failed"


def test_init_containers_hold_the_pod_pending_and_may_fail_it() -> None:
    """Failed init with Never fails the pod; else it is tried again."""
    assert phase(WAITING, init=(RUNNING,)) == "Pending"
    assert phase(WAITING, init=(FAILED,)) == "Pending"
    assert phase(WAITING, init=(FAILED,), policy="Never") == "Failed"
    assert phase(RUNNING, init=(DONE,)) == "Running"
