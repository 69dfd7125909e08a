"""A pod's status from what the runtime and the probes know: generateAPIPodStatus, pure.

Sources: `pkg/kubelet/kubelet_pods.go` generateAPIPodStatus and convertToAPIContainerStatuses,
`pkg/kubelet/prober/prober_manager.go` UpdatePodStatus (ready, started), `pkg/kubelet/status/status_manager.go`
TerminatePod (what is written about containers nobody can find).
Called by `node/pod_worker.py`.

Not modelled: ephemeral containers, resources and volumes in the status, more than one address a pod.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import evolve, frozen

from chaoskube.models.node.conditions import OWNED_BY_KUBELET, pod_conditions
from chaoskube.models.node.pod_phase import TERMINAL_PHASES, has_started, pod_phase
from chaoskube.models.node.runtime import EXIT_BY_SIGKILL
from chaoskube.models.node.sandbox import ContainerRecord, Sandbox
from chaoskube.models.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    IPAddress,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
    second,
)

LOST = ContainerStateTerminated(
    exit_code=EXIT_BY_SIGKILL,
    reason="ContainerStatusUnknown",
    message="The container could not be located when the pod was terminated",
)
LOST_WHILE_RUNNING = ContainerStateTerminated(
    exit_code=EXIT_BY_SIGKILL,
    reason="ContainerStatusUnknown",
    message=(
        "The container could not be located when the pod was deleted.  The container used to be Running"
    ),
)


class ProbeResults(Protocol):
    """What the probes say of a running container."""

    def is_started(self, uid: str, record: ContainerRecord) -> bool:
        """Its startup probe has succeeded, or it has none."""
        ...

    def is_ready(self, uid: str, record: ContainerRecord) -> bool:
        """Its readiness probe succeeds, or it has none."""
        ...


@frozen(kw_only=True)
class Observed:
    """What a status is made of besides the pod itself."""

    sandbox: Sandbox | None
    probes: ProbeResults
    waiting: Mapping[str, ContainerStateWaiting]
    """Why containers that have ended are not running again yet."""
    host_ip: str
    now_ns: int


def pod_status(pod: Pod, base: PodStatus, observed: Observed, *, is_terminal: bool = False) -> PodStatus:
    """The status to report; `base` is the one reported last, `is_terminal`: nothing will run again."""
    spec = pod.spec
    started_at = base.start_time if base.start_time is not None else second(observed.now_ns)
    if base.phase in TERMINAL_PHASES and not base.container_statuses:
        return evolve(base, start_time=started_at)  # refused at admission: nothing ever ran
    init_statuses = _statuses(pod, spec.init_containers, base.init_container_statuses, observed)
    statuses = _statuses(pod, spec.containers, base.container_statuses, observed)
    if base.phase in TERMINAL_PHASES:
        phase = base.phase or ""
    else:
        phase = pod_phase(spec, init_statuses, statuses, is_terminal=is_terminal)
    sandbox = observed.sandbox
    ip = sandbox.ip if sandbox is not None else (base.pod_ip if is_terminal else None)
    return evolve(
        base,
        observed_generation=pod.metadata.generation,
        phase=phase,
        conditions=pod_conditions(
            evolve(pod, status=evolve(base, conditions=_known_conditions(pod, base))),
            init_statuses,
            statuses,
            phase,
            has_sandbox=sandbox is not None,
            now_ns=second(observed.now_ns),
        ),
        host_ip=observed.host_ip,
        host_ips=(IPAddress(ip=observed.host_ip),),
        pod_ip=ip,
        pod_ips=(IPAddress(ip=ip),) if ip else (),
        start_time=started_at,
        init_container_statuses=init_statuses,
        container_statuses=statuses,
    )


def _known_conditions(pod: Pod, base: PodStatus) -> tuple[PodCondition, ...]:
    """The kubelet's own conditions as it decided them last, those of others as the API shows them."""
    own = tuple(one for one in base.conditions if one.type in OWNED_BY_KUBELET)
    return (*own, *(one for one in pod.status.conditions if one.type not in OWNED_BY_KUBELET))


def rejected_status(pod: Pod, reason: str, message: str, now_ns: int) -> PodStatus:
    """The status of a pod that the kubelet refused (`pkg/kubelet/kubelet.go` rejectPod)."""
    return evolve(
        pod.status,
        observed_generation=pod.metadata.generation,
        phase="Failed",
        reason=reason,
        message=message,
        start_time=pod.status.start_time or second(now_ns),
    )


def terminated_status(spec: PodSpec, status: PodStatus) -> PodStatus:
    """The last status of a pod: every container has ended somehow, and the phase is terminal."""
    statuses = tuple(_ended(one) for one in status.container_statuses)
    init_statuses = status.init_container_statuses
    if any(has_started(one) for one in status.container_statuses):
        init_statuses = tuple(_ended(one) for one in init_statuses)
    phase = status.phase if status.phase in TERMINAL_PHASES else "Failed"
    return evolve(status, phase=phase, container_statuses=statuses, init_container_statuses=init_statuses)


def _ended(status: ContainerStatus) -> ContainerStatus:
    if status.state.terminated is not None:
        return status
    ended = status.last_state.terminated or LOST
    return evolve(status, state=ContainerState(terminated=ended), ready=False, started=False)


def _statuses(
    pod: Pod, containers: Sequence[Container], base: Sequence[ContainerStatus], observed: Observed
) -> tuple[ContainerStatus, ...]:
    before = {status.name: status for status in base}
    return tuple(_container_status(pod, one, before.get(one.name), observed) for one in containers)


def _container_status(
    pod: Pod, container: Container, before: ContainerStatus | None, observed: Observed
) -> ContainerStatus:
    sandbox = observed.sandbox
    record = sandbox.current.get(container.name) if sandbox is not None else None
    if sandbox is None or record is None:
        return _absent(pod, container, before)
    previous = sandbox.previous.get(container.name)
    last = ContainerState(terminated=_terminated(previous)) if previous is not None else None
    if last is None:
        last = before.last_state if before is not None and record.attempt > 0 else ContainerState()
    waiting = observed.waiting.get(container.name)
    if record.is_running:
        state = ContainerState(running=ContainerStateRunning(started_at=second(record.started_ns)))
    elif waiting is not None:
        state, last = ContainerState(waiting=waiting), ContainerState(terminated=_terminated(record))
    else:
        state = ContainerState(terminated=_terminated(record))
    started = record.is_running and observed.probes.is_started(pod.uid, record)
    if record.is_init and container.restart_policy != "Always":
        ready = record.exit_code == 0
    else:
        ready = started and observed.probes.is_ready(pod.uid, record)
    return ContainerStatus(
        name=container.name,
        state=state,
        last_state=last,
        ready=ready,
        restart_count=record.attempt,
        image=record.image,
        container_id=record.id,
        started=started,
    )


def _absent(pod: Pod, container: Container, before: ContainerStatus | None) -> ContainerStatus:
    """A container the runtime doesn't know: not created yet, or lost when the node lost power."""
    reason = "PodInitializing" if pod.spec.init_containers else "ContainerCreating"
    waiting = ContainerState(waiting=ContainerStateWaiting(reason=reason))
    fresh = ContainerStatus(name=container.name, state=waiting, image=container.image or "", started=False)
    if before is None:
        return fresh
    if before.state.terminated is not None:
        return evolve(before, ready=before.state.terminated.exit_code == 0 and before.ready)
    if before.state.running is None:
        return evolve(fresh, last_state=before.last_state, restart_count=before.restart_count)
    restarts = before.restart_count + (1 if pod.metadata.deletion_timestamp is None else 0)
    return evolve(fresh, last_state=ContainerState(terminated=LOST_WHILE_RUNNING), restart_count=restarts)


def _terminated(record: ContainerRecord) -> ContainerStateTerminated:
    assert record.exit_code is not None, f"{record.id} has ended"
    return ContainerStateTerminated(
        exit_code=record.exit_code,
        reason=record.reason,
        started_at=second(record.started_ns),
        finished_at=second(record.finished_ns),
        container_id=record.id,
    )
