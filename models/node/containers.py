"""What to do next with a pod's containers: computePodActions, pure.

Init containers run one at a time, each to exit code 0; a sidecar (an init container that is always restarted)
counts as done once it has started. Then the regular containers start in the order of the spec; one that
has ended is started again as its restart policy says; one whose liveness or startup probe failed is killed.

Source: `pkg/kubelet/kuberuntime/kuberuntime_manager.go` computePodActions and computeInitContainerActions.
Called by `node/pod_worker.py`.

Not modelled: ephemeral containers, changed specs and in-place resizing, postStart hooks.
"""

from collections.abc import Callable, Mapping

from attrs import frozen

from chaoskube.models.node.restart import should_restart
from chaoskube.models.node.sandbox import ContainerRecord
from chaoskube.models.objects import Container, PodSpec


@frozen(kw_only=True)
class Actions:
    """What a pod's containers need, in this order."""

    kill: tuple[Container, ...] = ()
    start_init: tuple[Container, ...] = ()
    start: tuple[Container, ...] = ()


@frozen(kw_only=True)
class Judged:
    """What the probes say of running containers."""

    must_die: Callable[[ContainerRecord], bool]
    is_started: Callable[[ContainerRecord], bool]


def actions_for(spec: PodSpec, records: Mapping[str, ContainerRecord], judged: Judged) -> Actions:
    """What to do now; empty when there is nothing to do until something changes."""
    init, is_initialized = _next_init(spec, records, judged)
    if not is_initialized:
        return Actions(start_init=init)
    kill, start = [], []
    for container in spec.containers:
        record = records.get(container.name)
        if record is None:
            start.append(container)
        elif record.is_running:
            if judged.must_die(record):
                kill.append(container)
                if spec.restart_policy != "Never":
                    start.append(container)
        elif should_restart(spec.restart_policy, record.exit_code or 0):
            start.append(container)
    return Actions(kill=tuple(kill), start_init=init, start=tuple(start))


def _next_init(
    spec: PodSpec, records: Mapping[str, ContainerRecord], judged: Judged
) -> tuple[tuple[Container, ...], bool]:
    """Init containers to start now, and whether initialization is over."""
    if any(container.name in records for container in spec.containers):
        # Regular containers have run: only sidecars are still looked after.
        return tuple(one for one in spec.init_containers if _is_dead_sidecar(one, records)), True
    start: list[Container] = []
    for container in spec.init_containers:
        record = records.get(container.name)
        if container.restart_policy == "Always":
            if record is None or not record.is_running:
                start.append(container)
                return tuple(start), False
            if not judged.is_started(record):
                return tuple(start), False
        elif record is None:
            return (*start, container), False
        elif record.is_running:
            return tuple(start), False
        elif record.exit_code != 0:
            restarts = should_restart(spec.restart_policy, record.exit_code or 0)
            return ((*start, container) if restarts else tuple(start)), False
    return tuple(start), True


def _is_dead_sidecar(container: Container, records: Mapping[str, ContainerRecord]) -> bool:
    if container.restart_policy != "Always":
        return False
    record = records.get(container.name)
    return record is None or not record.is_running
