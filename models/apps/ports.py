"""Which ports an application listens on: those its manifest declares, its probes ask, its Services target.

Pure. A container's process listens on its own containerPorts and on the ports its own probes and hooks name;
a number that Services target and that no container of the pod names goes to the first container.
Two containers of a pod share an address: a port belongs to the first that names it.

Not modelled: UDP and SCTP ports (nobody sends to them).
"""

from collections.abc import Callable, Iterable, Mapping

from chaoskube.models.container import port_number
from chaoskube.models.objects import Container, Pod, Service

Targets = Callable[[Mapping[str, str], str], tuple[int, ...]]
"""The port numbers that Services target on pods with these labels in this namespace."""


def no_targets(_labels: Mapping[str, str], _namespace: str) -> tuple[int, ...]:
    """No Service targets anything."""
    return ()


def targets_of(services: Iterable[Service]) -> Targets:
    """The numeric targetPorts of these Services, by whom they select."""
    held = tuple(service for service in services if service.spec.selector)

    def targets(labels: Mapping[str, str], namespace: str) -> tuple[int, ...]:
        found: dict[int, None] = {}
        for service in held:
            spec = service.spec
            if (service.namespace or "default") != namespace or not selects(service, labels):
                continue
            for port in spec.ports:
                target = port.port if port.target_port is None else port.target_port
                if isinstance(target, int) and port.protocol in (None, "TCP"):
                    found[target] = None
        return tuple(found)

    return targets


def selects(service: Service, labels: Mapping[str, str]) -> bool:
    """Whether the Service's selector matches these labels; a Service without selector selects nobody."""
    selector = service.spec.selector
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def ports_of(pod: Pod, container: Container, targets: Targets) -> tuple[int, ...]:
    """The ports that this container's process listens on, ascending."""
    sidecars = tuple(one for one in pod.spec.init_containers if one.restart_policy == "Always")
    containers = (*pod.spec.containers, *sidecars)
    owner: dict[int, str] = {}
    for one in containers:
        for port in _named_ports(one):
            owner.setdefault(port, one.name)
    for port in targets(pod.metadata.labels, pod.namespace):
        owner.setdefault(port, containers[0].name)
    return tuple(sorted(port for port, name in owner.items() if name == container.name))


def _named_ports(container: Container) -> list[int]:
    wanted: list[int | str | None] = [
        port.container_port for port in container.ports if port.protocol in (None, "TCP")
    ]
    for probe in (container.readiness_probe, container.liveness_probe, container.startup_probe):
        if probe is None:
            continue
        for action in (probe.http_get, probe.tcp_socket, probe.grpc):
            if action is not None:
                wanted.append(action.port)
    pre_stop = container.lifecycle.pre_stop if container.lifecycle is not None else None
    if pre_stop is not None and pre_stop.http_get is not None:
        wanted.append(pre_stop.http_get.port)
    numbers = (port_number(container, port) for port in wanted)
    return [number for number in numbers if number is not None]
