"""What must hold of a container: names, ports, probes, hooks, resources.

Source: pkg/apis/core/validation/validation.go (validateContainers, validateProbe, ValidateResourceRequirements).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chaoskube.models.objects.causes import (
    Cause,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_negative,
    required,
    unsupported,
)
from chaoskube.models.objects.fields import IntOrString
from chaoskube.models.objects.names import dns_label, port_name, port_number, qualified_name
from chaoskube.models.objects.pod import (
    Container,
    ContainerPort,
    LifecycleHandler,
    Probe,
    ResourceRequirements,
)
from chaoskube.models.objects.quantity import Quantity

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_STANDARD_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")


def check_containers(
    containers: tuple[Container, ...],
    path: str,
    *,
    volumes: tuple[str, ...],
    grace: int,
    taken: tuple[str, ...] = (),
) -> Iterator[Cause]:
    """All containers of a list; a name may stand once in the pod."""
    names = list(taken)
    for position, container in enumerate(containers):
        where = f"{path}[{position}]"
        yield from _check_name(container.name, names, f"{where}.name")
        names.append(container.name)
        if not container.image:
            yield required(f"{where}.image")
        elif container.image != container.image.strip():
            yield invalid(f"{where}.image", container.image, "must not have leading or trailing whitespace")
        yield from _check_lifecycle(container, f"{where}.lifecycle", grace)
        yield from _check_probes(container, where)
        if container.image_pull_policy not in ("Always", "IfNotPresent", "Never"):
            if container.image_pull_policy is None:
                yield required(f"{where}.imagePullPolicy")
            else:
                allowed = ("Always", "IfNotPresent", "Never")
                yield unsupported(f"{where}.imagePullPolicy", container.image_pull_policy, allowed)
        yield from _check_ports(container.ports, f"{where}.ports")
        yield from _check_environment(container.extra.get("env") or (), f"{where}.env")
        for number, mount in enumerate(container.volume_mounts):
            if mount.name not in volumes:
                yield not_found(f"{where}.volumeMounts[{number}].name", mount.name)
        yield from check_resources(container.resources, f"{where}.resources")


def _check_name(name: str, names: list[str], path: str) -> Iterator[Cause]:
    if not name:
        yield required(path)
        return
    for message in dns_label(name):
        yield invalid(path, name, message)
    if name in names:
        yield duplicate(path, name)


def _check_ports(ports: tuple[ContainerPort, ...], path: str) -> Iterator[Cause]:
    names: list[str] = []
    for position, port in enumerate(ports):
        where = f"{path}[{position}]"
        if port.name:
            messages = port_name(port.name)
            for message in messages:
                yield invalid(f"{where}.name", port.name, message)
            if not messages and port.name in names:
                yield duplicate(f"{where}.name", port.name)
            names.append(port.name)
        if port.container_port == 0:
            yield required(f"{where}.containerPort")
        else:
            for message in port_number(port.container_port):
                yield invalid(f"{where}.containerPort", port.container_port, message)
        if port.host_port:
            for message in port_number(port.host_port):
                yield invalid(f"{where}.hostPort", port.host_port, message)
        if port.protocol is None:
            yield required(f"{where}.protocol")
        elif port.protocol not in PROTOCOLS:
            yield unsupported(f"{where}.protocol", port.protocol, PROTOCOLS)


def _check_environment(environment: tuple[Mapping[str, Any], ...], path: str) -> Iterator[Cause]:
    for position, variable in enumerate(environment):
        if not variable.get("name"):
            yield required(f"{path}[{position}].name")
        if variable.get("valueFrom") is not None and variable.get("value"):
            yield invalid(
                f"{path}[{position}].valueFrom", "", "may not be specified when `value` is not empty"
            )


def check_resources(resources: ResourceRequirements, path: str) -> Iterator[Cause]:
    """Amounts that are not negative, and requests within their limits."""
    for name, amount in sorted(resources.limits.items()):
        yield from _check_amount(name, amount, f"{path}.limits")
    for name, amount in sorted(resources.requests.items()):
        yield from _check_amount(name, amount, f"{path}.requests")
        limit = resources.limits.get(name)
        if limit is not None and amount.milli > limit.milli:
            text = f"must be less than or equal to {name} limit of {limit.canonical()}"
            yield invalid(f"{path}.requests", amount.canonical(), text)


def _check_amount(name: str, amount: Quantity, path: str) -> Iterator[Cause]:
    where = f"{path}[{name}]"
    for message in qualified_name(name):
        yield invalid(where, name, message)
    if "/" not in name and name not in _STANDARD_RESOURCES and not name.startswith("hugepages-"):
        yield invalid(where, name, "must be a standard resource type or fully qualified")
        yield invalid(where, name, "must be a standard resource for containers")
    if amount.is_negative:
        yield invalid(where, amount.canonical(), "must be greater than or equal to 0")


def _check_probes(container: Container, path: str) -> Iterator[Cause]:
    for field, probe in (
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
    ):
        if probe is None:
            continue
        where = f"{path}.{field}"
        yield from _check_probe(probe, where)
        if field != "readinessProbe" and probe.success_threshold not in (0, 1):
            yield invalid(f"{where}.successThreshold", probe.success_threshold, "must be 1")
        grace = probe.termination_grace_period_seconds
        if grace is not None and field == "readinessProbe":
            yield invalid(
                f"{where}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes"
            )
        elif grace is not None and grace <= 0:
            yield invalid(f"{where}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def _check_probe(probe: Probe, path: str) -> Iterator[Cause]:
    handlers = [
        (name, handler)
        for name, handler in (
            ("exec", probe.exec),
            ("httpGet", probe.http_get),
            ("tcpSocket", probe.tcp_socket),
            ("grpc", probe.grpc),
        )
        if handler is not None
    ]
    yield from _check_one_handler([name for name, _ in handlers], path)
    if probe.exec is not None and not probe.exec.command:
        yield required(f"{path}.exec.command")
    if probe.http_get is not None:
        yield from _check_http(
            probe.http_get.path, probe.http_get.port, probe.http_get.scheme, f"{path}.httpGet"
        )
    if probe.tcp_socket is not None:
        yield from _check_port(probe.tcp_socket.port, f"{path}.tcpSocket.port")
    if probe.grpc is not None:
        yield from _check_port(probe.grpc.port, f"{path}.grpc.port")
    for field, value in (
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ):
        yield from not_negative(f"{path}.{field}", value)


def _check_one_handler(names: list[str], path: str) -> Iterator[Cause]:
    if not names:
        yield required(path, "must specify a handler type")
    for name in names[1:]:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")


def _check_http(
    path_asked: str | None, port: IntOrString | None, scheme: str | None, path: str
) -> Iterator[Cause]:
    if not path_asked:
        yield required(f"{path}.path")
    yield from _check_port(port, f"{path}.port")
    if scheme not in ("HTTP", "HTTPS"):
        yield unsupported(f"{path}.scheme", scheme or "", ("HTTP", "HTTPS"))


def _check_port(port: IntOrString | None, path: str) -> Iterator[Cause]:
    messages = port_name(port) if isinstance(port, str) else port_number(port or 0)
    for message in messages:
        yield invalid(path, port or 0, message)


def _check_lifecycle(container: Container, path: str, grace: int) -> Iterator[Cause]:
    if container.lifecycle is None:
        return
    for field, hook in (
        ("postStart", container.lifecycle.post_start),
        ("preStop", container.lifecycle.pre_stop),
    ):
        if hook is not None:
            yield from _check_hook(hook, f"{path}.{field}", grace)


def _check_hook(hook: LifecycleHandler, path: str, grace: int) -> Iterator[Cause]:
    given = (
        ("exec", hook.exec),
        ("httpGet", hook.http_get),
        ("tcpSocket", hook.tcp_socket),
        ("sleep", hook.sleep),
    )
    yield from _check_one_handler([name for name, handler in given if handler is not None], path)
    if hook.exec is not None and not hook.exec.command:
        yield required(f"{path}.exec.command")
    if hook.http_get is not None:
        yield from _check_http(
            hook.http_get.path, hook.http_get.port, hook.http_get.scheme, f"{path}.httpGet"
        )
    if hook.sleep is not None and not 0 <= hook.sleep.seconds <= grace:
        text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield invalid(f"{path}.sleep", hook.sleep.seconds, text)
