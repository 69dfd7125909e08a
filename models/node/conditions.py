"""A pod's conditions as the kubelet sets them, pure.

Sources: `pkg/kubelet/status/generate.go` (ContainersReady, Ready, Initialized, PodReadyToStartContainers, with
their reasons and messages), `pkg/kubelet/kubelet_pods.go` generateAPIPodStatus (which ones, PodScheduled),
`pkg/kubelet/status/status_manager.go` updateLastTransitionTime.

Not modelled: PodResize*, volume conditions, observedGeneration of PodScheduled (the scheduler's).
"""

from collections.abc import Sequence

from attrs import evolve

from chaoskube.models.node.pod_phase import TERMINAL_PHASES, has_started
from chaoskube.models.objects import Container, ContainerStatus, Pod, PodCondition

OWNED_BY_KUBELET = (
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)
_TERMINAL_REASON = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


def pod_conditions(
    pod: Pod,
    init_statuses: Sequence[ContainerStatus],
    statuses: Sequence[ContainerStatus],
    phase: str,
    *,
    has_sandbox: bool,
    now_ns: int,
) -> tuple[PodCondition, ...]:
    """All conditions of the pod: the kubelet's own anew, those of others as they are."""
    before = {condition.type: condition for condition in pod.status.conditions}
    containers_ready = containers_ready_condition(pod.spec.containers, pod, init_statuses, statuses, phase)
    fresh = (
        PodCondition(type="PodReadyToStartContainers", status="True" if has_sandbox else "False"),
        _initialized(pod, init_statuses, statuses, phase),
        _ready(pod, containers_ready, phase),
        containers_ready,
    )
    generation = pod.metadata.generation
    own = tuple(
        _dated(evolve(one, observed_generation=generation), before.get(one.type), now_ns) for one in fresh
    )
    scheduled = before.get("PodScheduled") or _dated(
        PodCondition(type="PodScheduled", status="True"), None, now_ns
    )
    others = tuple(one for one in pod.status.conditions if one.type not in OWNED_BY_KUBELET)
    return (*own, scheduled, *others)


def containers_ready_condition(
    containers: Sequence[Container],
    pod: Pod,
    init_statuses: Sequence[ContainerStatus],
    statuses: Sequence[ContainerStatus],
    phase: str,
) -> PodCondition:
    """ContainersReady: every regular container and every sidecar is ready."""
    found = {status.name: status for status in (*init_statuses, *statuses)}
    watched = [one for one in pod.spec.init_containers if one.restart_policy == "Always"] + list(containers)
    unknown = [one.name for one in watched if one.name not in found]
    unready = [one.name for one in watched if one.name in found and not found[one.name].ready]
    if phase in TERMINAL_PHASES and not unknown:
        return PodCondition(type="ContainersReady", status="False", reason=_TERMINAL_REASON[phase])
    if unknown or unready:
        return PodCondition(
            type="ContainersReady",
            status="False",
            reason="ContainersNotReady",
            message=_named(("unknown", unknown), ("unready", unready)),
        )
    return PodCondition(type="ContainersReady", status="True")


def _ready(pod: Pod, containers_ready: PodCondition, phase: str) -> PodCondition:
    if containers_ready.status != "True":
        return evolve(containers_ready, type="Ready")
    missing = []
    held = {condition.type: condition.status for condition in pod.status.conditions}
    for gate in pod.spec.readiness_gates:
        if gate.condition_type not in held:
            missing.append(
                f'corresponding condition of pod readiness gate "{gate.condition_type}" does not exist.'
            )
        elif held[gate.condition_type] != "True":
            missing.append(
                f'the status of pod readiness gate "{gate.condition_type}" is not "True", '
                f"but {held[gate.condition_type]}"
            )
    if missing:
        return PodCondition(
            type="Ready", status="False", reason="ReadinessGatesNotReady", message=", ".join(missing)
        )
    return PodCondition(type="Ready", status="True")


def _initialized(
    pod: Pod, init_statuses: Sequence[ContainerStatus], statuses: Sequence[ContainerStatus], phase: str
) -> PodCondition:
    found = {status.name: status for status in init_statuses}
    inits = pod.spec.init_containers
    unknown = [one.name for one in inits if one.name not in found]
    incomplete = [one.name for one in inits if one.name in found and not _is_complete(one, found[one.name])]
    if phase == "Succeeded" and not unknown:
        return PodCondition(type="Initialized", status="True", reason="PodCompleted")
    if any(has_started(status) for status in statuses):
        # Once initialised always initialised, also when an init container's status was lost.
        return PodCondition(type="Initialized", status="True")
    if unknown or incomplete:
        return PodCondition(
            type="Initialized",
            status="False",
            reason="ContainersNotInitialized",
            message=_named(("unknown", unknown), ("incomplete", incomplete)),
        )
    return PodCondition(type="Initialized", status="True")


def _is_complete(container: Container, status: ContainerStatus) -> bool:
    if container.restart_policy == "Always":
        return status.started is True
    return status.ready


def _named(*groups: tuple[str, list[str]]) -> str:
    """The message of a condition that names containers, as Go prints a list: [a b]."""
    return ", ".join(f"containers with {word} status: [{' '.join(names)}]" for word, names in groups if names)


def _dated(condition: PodCondition, before: PodCondition | None, now_ns: int) -> PodCondition:
    if before is not None and before.status == condition.status:
        return evolve(condition, last_transition_time=before.last_transition_time)
    return evolve(condition, last_transition_time=now_ns)
