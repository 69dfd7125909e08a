"""Cluster IPs and node ports of Services, given out after admission. Flows, as handlers are.

Each address and port is a key of its own in etcd, taken by create: two servers can never hand out the same one. An
update takes what its new type needs and frees what the old one held; what both need stays.
Sources: pkg/registry/core/service/storage/{alloc,storage}.go, pkg/registry/core/service/strategy.go.

Not modelled: the bitmap objects that real allocators use, and their repair (an address stays taken when a server dies
between taking it and storing the service); several IP families; health check node ports.
"""

from __future__ import annotations

from random import Random

from attrs import evolve

from chaoskube.models.apiserver.api import Cause
from chaoskube.models.apiserver.errors import ApiError, internal_error, invalid
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.storage import ask
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import FrozenDict, Service, ServicePort, freeze

NODE_PORTS = (30000, 32767)
IP_PREFIX = "10.96."
FIRST_IP = "10.96.0.0"
_RESERVED_IPS = (1, 10)  # kubernetes.default and, by custom, DNS
_ATTEMPTS = 1000


def allocate(ctx: Context, service: Service, old: Service | None = None) -> Flow[Service]:
    """Give a service its cluster IP and node ports, but for what `old` has; what is taken stays so until `release`."""
    owner = f"{service.namespace}/{service.name}"
    if not _wants_ip(service):
        return _with_ip(service, service.spec.cluster_ip)
    held = _addresses(old)
    address = service.spec.cluster_ip
    if not address or address not in held:
        address = yield from _take_ip(ctx.rng, service, owner)
    given = _with_ip(service, address)
    if service.spec.type not in ("NodePort", "LoadBalancer"):
        return given
    try:
        ports = yield from _take_ports(ctx.rng, service, owner, _ports(old))
    except ApiError:
        yield from release(evolve(given, spec=evolve(given.spec, ports=())), kept=old)
        raise
    return evolve(given, spec=evolve(given.spec, ports=ports))


def pretend(service: Service) -> Flow[Service]:
    """What a dry run shows: the address asked for, if it is free, or the first of the range, taken from nobody."""
    if not _wants_ip(service):
        return _with_ip(service, service.spec.cluster_ip)
    wanted = service.spec.cluster_ip
    if wanted:
        if not wanted.startswith(IP_PREFIX):
            raise _bad_ip(service, _out_of_range(wanted))
        found = yield from ask(etcd.Range(key=_ip_key(wanted)))
        assert isinstance(found, etcd.RangeResponse)
        if found.kvs:
            raise _bad_ip(service, "provided IP is already allocated")
    return _with_ip(service, wanted or FIRST_IP)


def release(service: Service, kept: Service | None = None) -> Flow[None]:
    """Free what a service holds, but for what it shares with `kept`."""
    kept_ips, kept_ports = _addresses(kept), _ports(kept)
    keys = [_ip_key(address) for address in _addresses(service) if address not in kept_ips]
    keys += [_port_key(port) for port in _ports(service) if port not in kept_ports]
    for key in keys:
        yield from ask(etcd.DeleteRange(key=key))


def _addresses(service: Service | None) -> tuple[str, ...]:
    if service is None or service.spec.cluster_ip in (None, "", "None"):
        return ()
    return (str(service.spec.cluster_ip),)


def _ports(service: Service | None) -> tuple[int, ...]:
    if service is None:
        return ()
    return tuple(dict.fromkeys(port.node_port for port in service.spec.ports if port.node_port))


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


def _take_ip(rng: Random, service: Service, owner: str) -> Flow[str]:
    wanted = service.spec.cluster_ip
    if wanted:
        if not wanted.startswith(IP_PREFIX):
            raise _bad_ip(service, _out_of_range(wanted))
        if (yield from _take(_ip_key(wanted), owner)):
            return wanted
        raise _bad_ip(service, "provided IP is already allocated")
    for _ in range(_ATTEMPTS):
        number = rng.randrange(1, 65535)
        if number in _RESERVED_IPS:
            continue
        address = f"{IP_PREFIX}{number >> 8}.{number & 255}"
        if (yield from _take(_ip_key(address), owner)):
            return address
    raise _exhausted(service, "spec.clusterIPs", "failed to allocate a serviceIP: range is full")


def _out_of_range(address: str) -> str:
    return f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {FIRST_IP}/16"


def _bad_ip(service: Service, why: str) -> ApiError:
    wanted = service.spec.cluster_ip
    cause = Cause(
        reason="FieldValueInvalid",
        message=f'Invalid value: ["{wanted}"]: failed to allocate IP {wanted}: {why}',
        field="spec.clusterIPs",
    )
    return invalid("Service", "", service.name, [cause])


def _take_ports(
    rng: Random, service: Service, owner: str, held: tuple[int, ...]
) -> Flow[tuple[ServicePort, ...]]:
    """Each port's node port; two ports of different protocols may share a number."""
    wants_any = service.spec.extra.get("allocateLoadBalancerNodePorts") is not False
    mine = list(held)
    ports: list[ServicePort] = []
    try:
        for place, port in enumerate(service.spec.ports):
            if port.node_port in mine or (not port.node_port and not wants_any):
                ports.append(port)
                continue
            number = yield from _take_port(rng, service, place, owner)
            mine.append(number)
            ports.append(evolve(port, node_port=number))
    except ApiError:
        for number in mine[len(held) :]:
            yield from ask(etcd.DeleteRange(key=_port_key(number)))
        raise
    return tuple(ports)


def _take_port(rng: Random, service: Service, place: int, owner: str) -> Flow[int]:
    first, last = NODE_PORTS
    wanted = service.spec.ports[place].node_port
    if wanted:
        why = "provided port is already allocated"
        if not first <= wanted <= last:
            why = f"provided port is not in the valid range. The range of valid ports is {first}-{last}"
        elif (yield from _take(_port_key(wanted), owner)):
            return wanted
        cause = Cause(
            reason="FieldValueInvalid",
            message=f"Invalid value: {wanted}: {why}",
            field=f"spec.ports[{place}].nodePort",
        )
        raise invalid("Service", "", service.name, [cause])
    for _ in range(_ATTEMPTS):
        number = rng.randrange(first, last + 1)
        if (yield from _take(_port_key(number), owner)):
            return number
    raise _exhausted(service, "spec.ports", "failed to allocate a nodePort: range is full")


def _exhausted(service: Service, field: str, why: str) -> ApiError:
    return internal_error(f"{field} of service {service.key}: {why}")


def _ip_key(address: str) -> str:
    return f"/allocations/ips/{address}"


def _port_key(port: int) -> str:
    return f"/allocations/ports/{port}"


def _take(key: str, owner: str) -> Flow[bool]:
    free = etcd.Compare(key=key, target=etcd.CompareTarget.MOD, value=0)
    value: FrozenDict[str, str] = freeze({"owner": owner})
    request = etcd.Txn(compare=(free,), success=(etcd.Put(key=key, value=value),))
    response = yield from ask(request)
    assert isinstance(response, etcd.TxnResponse)
    return response.succeeded
