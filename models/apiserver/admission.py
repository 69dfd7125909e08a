"""Admission: the small true part that other components rely on. Flows, as handlers are.

In the real order: NamespaceLifecycle, TaintNodesByCondition, Priority, DefaultTolerationSeconds; then the
allocation of cluster IPs and node ports, which the service registry does after admission. Allocations are keys of
their own in etcd, taken by create: two servers can never hand out the same one.
Sources: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go,
plugin/pkg/admission/{nodetaint,priority,defaulttolerationseconds}/admission.go, pkg/registry/core/service/.

Not modelled: ServiceAccount (off, as in the recordings), LimitRanger, ResourceQuota, PodSecurity, webhooks, policies,
the 30 s of live look-ups after a namespace was deleted; the bitmap objects that real allocators use, and their repair
(an address stays taken when a server dies between taking it and storing the service).
"""

from __future__ import annotations

from random import Random

from attrs import evolve

from chaoskube.models.apiserver.api import Cause
from chaoskube.models.apiserver.errors import ApiError, forbidden, internal_error, invalid, not_found
from chaoskube.models.apiserver.flow import Context, Flow, Pause
from chaoskube.models.apiserver.priority import (
    check_default_class,
    known_classes,
    listed_classes,
    with_old_priority,
    with_priority,
)
from chaoskube.models.apiserver.storage import ask, read
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import (
    FrozenDict,
    KubeObject,
    Namespace,
    Node,
    Pod,
    Service,
    ServicePort,
    Taint,
    Toleration,
    freeze,
)
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import MILLISECOND

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")
NAMESPACE_WAIT_NS = 50 * MILLISECOND
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
TOLERATION_SECONDS = 300
NODE_PORTS = (30000, 32767)
IP_PREFIX = "10.96."
FIRST_IP = "10.96.0.0"
_RESERVED_IPS = (1, 10)  # kubernetes.default and, by custom, DNS
_ATTEMPTS = 1000


def admit_create(ctx: Context, obj: KubeObject, resource: Resource, namespace: str) -> Flow[KubeObject]:
    """What admission makes of a new object, or ApiError."""
    if resource.namespaced:
        yield from _namespace_lives(ctx, obj, resource, namespace)
    if isinstance(obj, Pod):
        classes = yield from known_classes(ctx, obj, resource)
        return with_tolerations(with_priority(obj, classes))
    if isinstance(obj, Node):
        return with_not_ready_taint(obj)
    if obj.kind == "PriorityClass":
        check_default_class(obj, (yield from known_classes(ctx, obj, resource)), is_new=True)
    return obj


def admit_update(ctx: Context, new: KubeObject, old: KubeObject) -> KubeObject:
    """What admission makes of a changed object: a pod's tolerations and priority that were left out come back."""
    if isinstance(new, Pod):
        assert isinstance(old, Pod)
        return with_tolerations(with_old_priority(new, old))
    if new.kind == "PriorityClass":
        cache = ctx.cache("priorityclasses")
        check_default_class(new, listed_classes(cache) if cache.is_ready else (), is_new=False)
    return new


def _namespace_lives(ctx: Context, obj: KubeObject, resource: Resource, namespace: str) -> Flow[None]:
    key = namespace_key(namespace)
    cache = ctx.cache("namespaces")
    found = cache.get(key) if cache.is_ready else None
    if found is None:
        # the informer of the real plug-in may be late: wait a little, then ask etcd
        yield Pause(NAMESPACE_WAIT_NS)
        found = yield from read(key)
    if found is None:
        raise not_found("namespaces", "", namespace)
    assert isinstance(found, Namespace), f"{key} holds a {found.kind}"
    if found.status.phase == "Terminating":
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = Cause(
            reason="NamespaceTerminating",
            message=f"namespace {namespace} is being terminated",
            field="metadata.namespace",
        )
        raise forbidden(resource.plural, resource.group, obj.name, why, (cause,))


def namespace_key(name: str) -> str:
    """Where a namespace is stored."""
    return f"/registry/namespaces/{name}"


def with_tolerations(pod: Pod) -> Pod:
    """300 s of not-ready and unreachable, unless the pod says something about them."""
    tolerations = pod.spec.tolerations
    added = []
    for key in (NOT_READY, UNREACHABLE):
        if not any(
            (t.key == key or not t.key) and (t.effect == "NoExecute" or not t.effect) for t in tolerations
        ):
            added.append(
                Toleration(
                    key=key,
                    operator="Exists",
                    effect="NoExecute",
                    toleration_seconds=TOLERATION_SECONDS,
                )
            )
    if not added:
        return pod
    return evolve(pod, spec=evolve(pod.spec, tolerations=(*tolerations, *added)))


def with_not_ready_taint(node: Node) -> Node:
    """A new node takes no pods before the node controller has seen it ready."""
    if any(taint.key == NOT_READY and taint.effect == "NoSchedule" for taint in node.spec.taints):
        return node
    taint = Taint(key=NOT_READY, effect="NoSchedule")
    return evolve(node, spec=evolve(node.spec, taints=(*node.spec.taints, taint)))


# ---- services: cluster IPs and node ports


def allocate(ctx: Context, service: Service) -> Flow[Service]:
    """Give a service its cluster IP and node ports; what is taken stays taken until `release`."""
    owner = f"{service.namespace}/{service.name}"
    if not _wants_ip(service):
        return _with_ip(service, service.spec.cluster_ip)
    address = yield from _take_ip(ctx.rng, service, owner)
    given = _with_ip(service, address)
    if service.spec.type not in ("NodePort", "LoadBalancer"):
        return given
    ports: list[ServicePort] = []
    try:
        for place in range(len(service.spec.ports)):
            number = yield from _take_port(ctx.rng, service, place, owner)
            ports.append(evolve(service.spec.ports[place], node_port=number))
    except ApiError:
        yield from release(evolve(given, spec=evolve(given.spec, ports=tuple(ports))))
        raise
    return evolve(given, spec=evolve(given.spec, ports=tuple(ports)))


def pretend(service: Service) -> Service:
    """What a dry run shows: the first address of the range, taken from nobody."""
    address = service.spec.cluster_ip
    return _with_ip(service, address or FIRST_IP if _wants_ip(service) else address)


def _wants_ip(service: Service) -> bool:
    return service.spec.type != "ExternalName" and service.spec.cluster_ip != "None"


def _with_ip(service: Service, address: str | None) -> Service:
    spec = service.spec
    if spec.type == "ExternalName":
        return service
    return evolve(
        service,
        spec=evolve(
            spec,
            cluster_ip=address,
            cluster_ips=(address,) if address else (),
            ip_families=spec.ip_families or ("IPv4",),
            ip_family_policy=spec.ip_family_policy or "SingleStack",
        ),
    )


def release(service: Service) -> Flow[None]:
    """Free what a removed service held."""
    addresses = [service.spec.cluster_ip] if service.spec.cluster_ip not in (None, "", "None") else []
    keys = [f"/allocations/ips/{address}" for address in addresses]
    keys += [f"/allocations/ports/{port.node_port}" for port in service.spec.ports if port.node_port]
    for key in keys:
        yield from ask(etcd.DeleteRange(key=key))


def _take_ip(rng: Random, service: Service, owner: str) -> Flow[str]:
    wanted = service.spec.cluster_ip
    if wanted:
        why = "provided IP is already allocated"
        if not wanted.startswith(IP_PREFIX):
            why = f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {FIRST_IP}/16"
        elif (yield from _take(f"/allocations/ips/{wanted}", owner)):
            return wanted
        cause = Cause(
            reason="FieldValueInvalid",
            message=f'Invalid value: ["{wanted}"]: failed to allocate IP {wanted}: {why}',
            field="spec.clusterIPs",
        )
        raise invalid("Service", "", service.name, [cause])
    for _ in range(_ATTEMPTS):
        number = rng.randrange(1, 65535)
        if number in _RESERVED_IPS:
            continue
        address = f"{IP_PREFIX}{number >> 8}.{number & 255}"
        if (yield from _take(f"/allocations/ips/{address}", owner)):
            return address
    raise _exhausted(service, "spec.clusterIPs", "failed to allocate a serviceIP: range is full")


def _take_port(rng: Random, service: Service, place: int, owner: str) -> Flow[int]:
    first, last = NODE_PORTS
    wanted = service.spec.ports[place].node_port
    if wanted:
        why = "provided port is already allocated"
        if not first <= wanted <= last:
            why = f"provided port is not in the valid range. The range of valid ports is {first}-{last}"
        elif (yield from _take(f"/allocations/ports/{wanted}", owner)):
            return wanted
        cause = Cause(
            reason="FieldValueInvalid",
            message=f"Invalid value: {wanted}: {why}",
            field=f"spec.ports[{place}].nodePort",
        )
        raise invalid("Service", "", service.name, [cause])
    for _ in range(_ATTEMPTS):
        number = rng.randrange(first, last + 1)
        if (yield from _take(f"/allocations/ports/{number}", owner)):
            return number
    raise _exhausted(service, "spec.ports", "failed to allocate a nodePort: range is full")


def _exhausted(service: Service, field: str, why: str) -> ApiError:
    return internal_error(f"{field} of service {service.key}: {why}")


def _take(key: str, owner: str) -> Flow[bool]:
    free = etcd.Compare(key=key, target=etcd.CompareTarget.MOD, value=0)
    value: FrozenDict[str, str] = freeze({"owner": owner})
    request = etcd.Txn(compare=(free,), success=(etcd.Put(key=key, value=value),))
    response = yield from ask(request)
    assert isinstance(response, etcd.TxnResponse)
    return response.succeeded
