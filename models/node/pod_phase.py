"""The phase of a pod, from what became of its containers: getPhase, pure.

Source: `pkg/kubelet/kubelet_pods.go` getPhase. A container that waits to be restarted counts as stopped, so a
pod in CrashLoopBackOff is Running; whether stopped means finished depends on the restart policy, or on
the pod terminating.

Not modelled: container-level restart rules; static pods.
"""

from collections.abc import Sequence

from chaoskube.models.objects import Container, ContainerStatus, PodSpec

TERMINAL_PHASES = ("Succeeded", "Failed")


def pod_phase(
    spec: PodSpec,
    init_statuses: Sequence[ContainerStatus],
    statuses: Sequence[ContainerStatus],
    *,
    is_terminal: bool,
) -> str:
    """Pending, Running, Succeeded or Failed; `is_terminal`: nothing of the pod will ever run again."""
    inits = {status.name: status for status in init_statuses}
    regular = {status.name: status for status in statuses}
    initialized = any(has_started(status) for status in statuses)
    stages = [_init_stage(one, inits.get(one.name)) for one in spec.init_containers]
    counts = [_state_of(regular.get(one.name)) for one in spec.containers]
    sidecars = [
        _state_of(inits.get(one.name)) for one in spec.init_containers if one.restart_policy == "Always"
    ]
    running = (counts + sidecars).count("running")
    unknown = (counts + sidecars).count("unknown")
    stopped = counts.count("succeeded") + counts.count("stopped")
    if "failed" in stages and spec.restart_policy == "Never":
        return "Failed"
    if not initialized and ("pending" in stages or "failed" in stages):
        return "Pending"
    if counts.count("waiting"):
        return "Pending"
    if running and not unknown:
        return "Running"
    if running or not stopped or unknown:
        return "Pending"
    return _stopped_phase(spec, all_succeeded=counts.count("succeeded") == stopped, is_terminal=is_terminal)


def has_started(status: ContainerStatus) -> bool:
    """Whether the container has ever run (pkg/kubelet/container/helpers.go HasAnyRegularContainerStarted)."""
    return (
        status.state.running is not None
        or status.state.terminated is not None
        or status.last_state.terminated is not None
    )


def _stopped_phase(spec: PodSpec, *, all_succeeded: bool, is_terminal: bool) -> str:
    if is_terminal:
        return "Succeeded" if all_succeeded else "Failed"
    if spec.restart_policy in (None, "Always"):
        return "Running"
    if all_succeeded:
        return "Succeeded"
    return "Failed" if spec.restart_policy == "Never" else "Running"


def _init_stage(container: Container, status: ContainerStatus | None) -> str:
    """done, pending or failed, for one init container or sidecar."""
    if status is None:
        return "pending"
    state, last = status.state, status.last_state
    if container.restart_policy == "Always":
        if state.running is not None:
            return "done" if status.started else "pending"
        gone = state.terminated is not None or last.terminated is not None
        return "done" if gone else "pending"
    ended = state.terminated or last.terminated
    if state.running is not None or ended is None:
        return "pending"
    if ended.exit_code != 0:
        return "failed"
    return "done"


def _state_of(status: ContainerStatus | None) -> str:
    if status is None:
        return "unknown"
    if status.state.running is not None:
        return "running"
    if status.state.terminated is not None:
        return "succeeded" if status.state.terminated.exit_code == 0 else "stopped"
    if status.state.waiting is not None:
        return "stopped" if status.last_state.terminated is not None else "waiting"
    return "unknown"
