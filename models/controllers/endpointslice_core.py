"""Which endpoints a Service has, and which slices must be written so that they say so. Pure.

One function, `endpoint_conditions`, says what a pod is as an endpoint; `desired_endpoints` makes the
endpoints; `plan_slices` compares them with the slices that stand: dropped and changed in place first, then
slices that are written anyway are filled, then one more that has room, then new ones. No rebalancing. A
Service without endpoints keeps one empty slice.

Sources: staging/src/k8s.io/endpointslice/{reconciler,utils}.go, pkg/controller/endpointslice.

Not modelled: topology hints and traffic distribution, IPv6 and dual stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from attrs import evolve, frozen

from chaoskube.models.objects import (
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
    FrozenDict,
    Node,
    ObjectMeta,
    ObjectReference,
    OwnerReference,
    Pod,
    Service,
    is_pod_ready,
    is_pod_terminal,
)

SLICE_SIZE_MAX = 100
SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
MANAGED_BY = "endpointslice-controller.k8s.io"
HEADLESS_LABEL = "service.kubernetes.io/headless"
TRIGGER_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"
ZONE_LABEL = "topology.kubernetes.io/zone"

Ports: TypeAlias = tuple[EndpointPort, ...]


def endpoint_conditions(pod: Pod, service: Service) -> EndpointConditions:
    """What `pod` is as an endpoint: ready only while it isn't terminating."""
    serving = is_pod_ready(pod)
    terminating = pod.metadata.deletion_timestamp is not None
    ready = service.spec.publish_not_ready_addresses or (serving and not terminating)
    return EndpointConditions(ready=ready, serving=serving, terminating=terminating)


def belongs(pod: Pod) -> bool:
    """Whether a pod that matches the selector stands in slices at all: it has an address and goes on."""
    return not is_pod_terminal(pod) and bool(pod.status.pod_ip)


def endpoint_of(pod: Pod, service: Service, node: Node | None) -> Endpoint:
    """The endpoint that `pod` is for `service`."""
    named = pod.spec.hostname and pod.spec.subdomain == service.name
    return Endpoint(
        addresses=(pod.status.pod_ip or "",),
        conditions=endpoint_conditions(pod, service),
        hostname=pod.spec.hostname if named else None,
        target_ref=ObjectReference(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid),
        node_name=pod.spec.node_name or None,
        zone=node.labels.get(ZONE_LABEL) or None if node is not None else None,
    )


def endpoint_ports(pod: Pod, service: Service) -> Ports:
    """The service's ports as they are on `pod`; a name that the pod doesn't have leaves that port out."""
    ports: list[EndpointPort] = []
    for port in service.spec.ports:
        number = _target(pod, port.target_port or port.port, port.protocol or "TCP")
        if number is not None:
            ports.append(
                EndpointPort(
                    name=port.name or "",
                    protocol=port.protocol or "TCP",
                    port=number,
                    app_protocol=port.app_protocol,
                )
            )
    return tuple(ports)


def _target(pod: Pod, target: int | str, protocol: str) -> int | None:
    if isinstance(target, int):
        return target
    sidecars = [each for each in pod.spec.init_containers if each.restart_policy == "Always"]
    for container in (*pod.spec.containers, *sidecars):
        for port in container.ports:
            if port.name == target and (port.protocol or "TCP") == protocol:
                return port.container_port
    return None


@frozen(kw_only=True)
class Desired:
    """The endpoints wanted, by their ports; `missing_nodes` are pods left out because of their node."""

    by_ports: tuple[tuple[Ports, tuple[Endpoint, ...]], ...]
    missing_nodes: tuple[str, ...] = ()


def desired_endpoints(service: Service, pods: Iterable[Pod], nodes: Mapping[str, Node]) -> Desired:
    """The endpoints of `service`, given the pods that its selector matches."""
    by_ports: dict[Ports, list[Endpoint]] = {}
    missing: list[str] = []
    for pod in pods:
        if not belongs(pod):
            continue
        node = nodes.get(pod.spec.node_name or "")
        endpoints = by_ports.setdefault(endpoint_ports(pod, service), [])
        if node is None and not service.spec.publish_not_ready_addresses:
            missing.append(pod.name)
            continue
        endpoints.append(endpoint_of(pod, service, node))
    return Desired(
        by_ports=tuple([(ports, tuple(endpoints)) for ports, endpoints in by_ports.items()]),
        missing_nodes=tuple(missing),
    )


# -- the slices


@frozen(kw_only=True)
class Plan:
    """What to write: all creates, then all updates, then all deletes."""

    create: tuple[EndpointSlice, ...] = ()
    update: tuple[EndpointSlice, ...] = ()
    delete: tuple[EndpointSlice, ...] = ()


def plan_slices(service: Service, desired: Desired, standing: Sequence[EndpointSlice], trigger: str) -> Plan:
    """The writes that make the standing slices say what is desired. `trigger` annotates what is written."""
    owned = [each for each in standing if _owned_by(each, service)]
    delete = [each for each in standing if not _owned_by(each, service)]
    create: list[EndpointSlice] = []
    update: list[EndpointSlice] = []
    wanted_ports = set(dict(desired.by_ports))
    for ports, endpoints in desired.by_ports:
        same = [each for each in owned if _port_key(each.ports) == _port_key(ports)]
        group = _plan_group(service, ports, endpoints, same)
        create += group.create
        update += group.update
        delete += group.delete
    keys = {_port_key(ports) for ports in wanted_ports}
    delete += [each for each in owned if _port_key(each.ports) not in keys]
    if len(delete) == len(standing) and not create:
        empty = _new_slice(service, (), ())
        if len(delete) == 1 and _says_the_same(delete[0], empty):
            delete = []
        else:
            create.append(empty)
    return _reuse_names(service, create, update, delete, trigger)


def _plan_group(
    service: Service, ports: Ports, endpoints: Sequence[Endpoint], standing: Sequence[EndpointSlice]
) -> Plan:
    left = {_identity(endpoint): endpoint for endpoint in endpoints}
    labels = slice_labels(service)
    changed: list[EndpointSlice] = []
    unchanged: list[EndpointSlice] = []
    delete: list[EndpointSlice] = []
    for each in standing:
        kept = [left.pop(_identity(old)) for old in each.endpoints if _identity(old) in left]
        if tuple(kept) == each.endpoints and each.labels == labels:
            unchanged.append(each)
        elif kept or not each.endpoints:
            changed.append(_with_endpoints(each, kept, labels))
        else:
            delete.append(each)
    new = list(left.values())
    create: list[EndpointSlice] = []
    if new:
        changed.sort(key=lambda one: -len(one.endpoints))
        changed = [_filled(each, new) for each in changed]
        while new:
            roomy = [each for each in unchanged if len(each.endpoints) + len(new) <= SLICE_SIZE_MAX]
            if roomy and len(new) < SLICE_SIZE_MAX:
                changed.append(_filled(max(roomy, key=lambda one: len(one.endpoints)), new))
            else:
                create.append(_new_slice(service, ports, tuple(new[:SLICE_SIZE_MAX])))
                del new[:SLICE_SIZE_MAX]
    return Plan(create=tuple(create), update=tuple(changed), delete=tuple(delete))


def _filled(each: EndpointSlice, new: list[Endpoint]) -> EndpointSlice:
    room = SLICE_SIZE_MAX - len(each.endpoints)
    taken, new[:] = new[:room], new[room:]
    return evolve(each, endpoints=(*each.endpoints, *taken)) if taken else each


def _with_endpoints(
    each: EndpointSlice, endpoints: Sequence[Endpoint], labels: FrozenDict[str, str]
) -> EndpointSlice:
    return evolve(each, endpoints=tuple(endpoints), metadata=evolve(each.metadata, labels=labels))


def _reuse_names(
    service: Service,
    create: list[EndpointSlice],
    update: list[EndpointSlice],
    delete: list[EndpointSlice],
    trigger: str,
) -> Plan:
    """A slice that would be deleted is rewritten instead of one that would be created (finalize)."""
    left: list[EndpointSlice] = []
    for old in delete:
        if create and _owned_by(old, service) and old.address_type == create[-1].address_type:
            new = create.pop()
            update.append(evolve(new, metadata=evolve(new.metadata, name=old.name)))
        else:
            left.append(old)
    return Plan(
        create=tuple([_annotated(each, trigger) for each in create]),
        update=tuple([_annotated(each, trigger) for each in update]),
        delete=tuple(left),
    )


def _annotated(each: EndpointSlice, trigger: str) -> EndpointSlice:
    annotations = each.metadata.annotations.minus(TRIGGER_ANNOTATION)
    if trigger:
        annotations = annotations.plus({TRIGGER_ANNOTATION: trigger})
    return evolve(each, metadata=evolve(each.metadata, annotations=annotations))


def _new_slice(service: Service, ports: Ports, endpoints: tuple[Endpoint, ...]) -> EndpointSlice:
    return EndpointSlice(
        metadata=ObjectMeta(
            generate_name=f"{service.name}-",
            namespace=service.namespace,
            labels=slice_labels(service),
            owner_references=(
                OwnerReference(
                    api_version="v1",
                    kind="Service",
                    name=service.name,
                    uid=service.uid,
                    controller=True,
                    block_owner_deletion=True,
                ),
            ),
        ),
        address_type="IPv4",
        endpoints=endpoints,
        ports=ports,
    )


def slice_labels(service: Service) -> FrozenDict[str, str]:
    """The labels of a service's slices: the service's own, and the controller's."""
    labels = {
        key: value
        for key, value in service.labels.items()
        if key not in (SERVICE_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL)
    }
    if service.spec.cluster_ip == "None":
        labels[HEADLESS_LABEL] = ""
    labels[SERVICE_LABEL] = service.name
    labels[MANAGED_BY_LABEL] = MANAGED_BY
    return FrozenDict(labels)


def _owned_by(each: EndpointSlice, service: Service) -> bool:
    owner = each.metadata.controller
    return owner is not None and owner.uid == service.uid


def _says_the_same(one: EndpointSlice, other: EndpointSlice) -> bool:
    return (
        one.endpoints == other.endpoints
        and one.ports == other.ports
        and one.labels == other.labels
        and one.address_type == other.address_type
        and one.metadata.owner_references == other.metadata.owner_references
    )


def _identity(endpoint: Endpoint) -> tuple[object, ...]:
    ref = endpoint.target_ref
    return (
        endpoint.addresses,
        endpoint.hostname,
        endpoint.node_name,
        None if ref is None else (ref.namespace, ref.name, ref.uid),
    )


def _port_key(ports: Ports) -> tuple[tuple[str, str, int, str], ...]:
    return tuple(
        sorted(
            (port.name or "", port.protocol or "", port.port or 0, port.app_protocol or "") for port in ports
        )
    )


# -- what a change of a pod means for its services


def concerns_services(old: Pod, new: Pod) -> bool:
    """Whether a pod's change can change an endpoint (PodEndpointsChanged, labels aside)."""
    return (
        (old.metadata.deletion_timestamp is None) != (new.metadata.deletion_timestamp is None)
        or is_pod_ready(old) != is_pod_ready(new)
        or is_pod_terminal(old) != is_pod_terminal(new)
        or old.status.pod_ip != new.status.pod_ip
        or old.spec.node_name != new.spec.node_name
        or old.name != new.name
        or old.uid != new.uid
    )


class TriggerTimes:
    """When the change that a slice write answers to happened, by service (trigger_time_tracker.go)."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, dict[str, int]]] = {}

    def since_last(self, key: str, service: Service, pods: Iterable[Pod]) -> int:
        """The earliest time that is newer than at the last sync; 0 when nothing is."""
        service_time, pod_times = self._known.get(key, (0, {}))
        created = service.metadata.creation_timestamp or 0
        times = {pod.name: _pod_time(pod) for pod in pods}
        changed = [time for name, time in times.items() if time > pod_times.get(name, 0)]
        if created > service_time:
            changed.append(created)
        self._known[key] = (created, times)
        return min(changed, default=0)

    def forget(self, key: str) -> None:
        """The service is gone."""
        self._known.pop(key, None)


def _pod_time(pod: Pod) -> int:
    for condition in pod.status.conditions:
        if condition.type == "Ready":
            return condition.last_transition_time or 0
    return pod.metadata.creation_timestamp or 0


class SliceTracker:
    """The generations of slices that this controller wrote; a cache behind them is stale.

    Source: staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go.
    """

    def __init__(self) -> None:
        self._generations: dict[str, dict[str, int]] = {}

    def wrote(self, key: str, each: EndpointSlice) -> None:
        """A slice of service `key` was written."""
        self._generations.setdefault(key, {})[each.uid] = each.metadata.generation

    def deleted(self, key: str, uid: str) -> None:
        """A slice of service `key` was deleted; the cache may still show it."""
        self._generations.setdefault(key, {})[uid] = -1

    def has(self, key: str, uid: str) -> bool:
        """Whether the slice is known here."""
        return uid in self._generations.get(key, {})

    def saw_deletion(self, key: str, uid: str) -> bool:
        """The cache lost a slice; whether that was our own deed."""
        return self._generations.get(key, {}).pop(uid, None) == -1

    def is_foreign(self, key: str, each: EndpointSlice) -> bool:
        """Whether somebody else wrote this version (or we did in an earlier life)."""
        known = self._generations.get(key, {}).get(each.uid)
        return known is None or each.metadata.generation > known

    def is_stale(self, key: str, standing: Iterable[EndpointSlice]) -> bool:
        """Whether the cached slices are older than what we wrote."""
        generations = self._generations.get(key)
        if not generations:
            return False
        seen = {each.uid: each.metadata.generation for each in standing}
        for uid, generation in generations.items():
            if (uid in seen) if generation < 0 else seen.get(uid, -1) < generation:
                return True
        return False

    def forget(self, key: str) -> None:
        """The service is gone."""
        self._generations.pop(key, None)
