"""What the server does to an object before it is stored: whose fields a write may change, and generations. Pure.

A write to an object changes everything but its status, a write to its status only that (and metadata, as far as
the kind allows); both share one resource version. `generation` counts changes of what is wanted and belongs to
the server. Which kinds have one, and what a new status looks like, are tables.
Sources: staging/src/k8s.io/apiserver/pkg/registry/rest/{create,update}.go, pkg/registry/core/pod/strategy.go,
pkg/registry/apps/{deployment,replicaset}/strategy.go, pkg/registry/core/namespace/strategy.go,
pkg/registry/discovery/endpointslice/strategy.go. Initial statuses: recordings of a real server.

Not modelled: managedFields (dropped), resize and ephemeral containers.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from chaoskube.models.objects import (
    Deployment,
    DeploymentStatus,
    EndpointSlice,
    FrozenDict,
    GenericObject,
    KubeObject,
    Namespace,
    NamespaceStatus,
    Node,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
    ReplicaSet,
    ReplicaSetStatus,
    Service,
    ServicePort,
    ServiceSpec,
    ServiceStatus,
    freeze,
)

SECOND_NS = 1_000_000_000
NODED = ("NodePort", "LoadBalancer")

# AllowUnconditionalUpdate() == false: a PUT must say which version it replaces
VERSION_REQUIRED = frozenset(
    {
        "leases",
        "leasecandidates",
        "poddisruptionbudgets",
        "csinodes",
        "volumeattachments",
        "runtimeclasses",
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
    }
)
# AllowCreateOnUpdate() == true: a PUT to a name that doesn't exist creates it
CREATED_BY_UPDATE = frozenset(
    {
        "leases",
        "events",
        "endpoints",
        "services",
        "roles",
        "rolebindings",
        "clusterroles",
        "clusterrolebindings",
    }
)
# ReturnDeletedObject: the answer to the delete that removes it is the object, not a Status
RETURNED_WHEN_DELETED = frozenset(
    {
        "pods",
        "services",
        "serviceaccounts",
        "persistentvolumes",
        "persistentvolumeclaims",
        "podtemplates",
        "resourcequotas",
    }
)

_GENERATION_KINDS = frozenset(
    {
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "PodDisruptionBudget",
        "Ingress",
        "NetworkPolicy",
        "CustomResourceDefinition",
        "PriorityClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    }
)
_INITIAL_STATUS: dict[str, FrozenDict[str, Any]] = freeze(
    {
        "StatefulSet": {"replicas": 0, "availableReplicas": 0},
        "DaemonSet": {
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        },
        "Job": {},
        "CronJob": {},
        "PodDisruptionBudget": {
            "disruptionsAllowed": 0,
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "expectedPods": 0,
        },
        "HorizontalPodAutoscaler": {"desiredReplicas": 0, "currentMetrics": None},
        "PersistentVolumeClaim": {"phase": "Pending"},
        "ResourceQuota": {},
        "Ingress": {"loadBalancer": {}},
    }
)
_NEW_SERVICE_STATUS = ServiceStatus(extra=freeze({"loadBalancer": {}}))
ALWAYS_WITH_STATUS = (Pod, Deployment, ReplicaSet, Service, Namespace, Node)


def _without_carried_status(obj: KubeObject) -> KubeObject:
    """A tree's `status: {}` means the same as none: two objects must not differ by it."""
    return evolve(obj, extra=obj.extra.minus("status")) if "status" in obj.extra else obj


def prepare_create(obj: KubeObject, *, uid: str, name: str, namespace: str, now_ns: int) -> KubeObject:
    """A new object: system fields filled, status as the kind begins, generation 1 where there is one."""
    obj = _without_carried_status(obj)
    old = obj.metadata
    metadata = evolve(
        old,
        name=name,
        namespace=namespace,
        uid=uid,
        creation_timestamp=now_ns - now_ns % SECOND_NS,
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
        generation=1 if _has_generation(obj) else old.generation,
        extra=old.extra.minus("managedFields", "selfLink"),
    )
    if isinstance(obj, Pod):
        spec = obj.spec
        if (spec.termination_grace_period_seconds or 0) < 0:
            spec = evolve(spec, termination_grace_period_seconds=1)
        status = PodStatus(phase="Pending", qos_class=qos_class(obj))
        if spec.scheduling_gates:
            status = evolve(status, conditions=(_gated_condition(now_ns),))
        return evolve(obj, metadata=metadata, spec=spec, status=status)
    if isinstance(obj, Deployment):
        return evolve(obj, metadata=metadata, status=DeploymentStatus())
    if isinstance(obj, ReplicaSet):
        return evolve(obj, metadata=metadata, status=ReplicaSetStatus())
    if isinstance(obj, Service):
        return evolve(obj, metadata=metadata, status=_NEW_SERVICE_STATUS)
    if isinstance(obj, Namespace):
        return _new_namespace(obj, metadata)
    if isinstance(obj, GenericObject):
        return evolve(obj, metadata=metadata, content=_new_content(obj))
    return evolve(obj, metadata=metadata)


def _gated_condition(now_ns: int) -> PodCondition:
    """applySchedulingGatedCondition: the scheduler leaves gated pods alone, so the server says why they wait."""
    return PodCondition(
        type="PodScheduled",
        status="False",
        reason="SchedulingGated",
        message="Scheduling is blocked due to non-empty scheduling gates",
        last_transition_time=now_ns - now_ns % SECOND_NS,
    )


def prepare_update(new: KubeObject, old: KubeObject) -> KubeObject:
    """A write to the object itself: the status stays, the generation counts what changed."""
    metadata = _kept_metadata(new.metadata, old.metadata)
    if isinstance(new, Service):
        assert isinstance(old, Service)
        new = _with_allocations(new, old)
    if isinstance(new, ALWAYS_WITH_STATUS):
        assert isinstance(old, ALWAYS_WITH_STATUS)
        new = evolve(new, metadata=metadata, status=old.status, extra=new.extra.minus("status"))  # type: ignore[arg-type]  # the kinds are equal
    elif isinstance(new, GenericObject):
        assert isinstance(old, GenericObject)
        new = evolve(new, metadata=metadata, content=_with_status_of(new.content, old.content))
    else:
        new = evolve(new, metadata=metadata)
    if _has_generation(new) and _is_wanted_changed(new, old):
        metadata = evolve(metadata, generation=old.metadata.generation + 1)
        new = evolve(new, metadata=metadata)
    return new


def prepare_status_update(new: KubeObject, old: KubeObject) -> KubeObject:
    """A write to the status subresource: everything else stays, but for metadata as the kind allows."""
    metadata = _kept_metadata(new.metadata, old.metadata)
    if isinstance(new, Pod):
        metadata = evolve(metadata, owner_references=old.metadata.owner_references)
    elif isinstance(new, Deployment):
        metadata = evolve(metadata, labels=old.metadata.labels)
    if isinstance(new, ALWAYS_WITH_STATUS):
        assert isinstance(old, ALWAYS_WITH_STATUS)
        return evolve(old, metadata=metadata, status=new.status)  # type: ignore[arg-type]  # the kinds are equal
    if isinstance(new, GenericObject):
        assert isinstance(old, GenericObject)
        return evolve(old, metadata=metadata, content=_with_status_of(old.content, new.content))
    return evolve(old, metadata=metadata)


def has_status(obj: KubeObject) -> bool:
    """Whether the class of this object keeps a status apart."""
    return isinstance(obj, (*ALWAYS_WITH_STATUS, GenericObject))


def _kept_metadata(new: ObjectMeta, old: ObjectMeta) -> ObjectMeta:
    """rest.BeforeUpdate: what a client cannot change, or not by leaving it out."""
    grace = new.deletion_grace_period_seconds
    if grace is None:
        grace = old.deletion_grace_period_seconds
    extra = new.extra.minus("managedFields", "selfLink")
    return evolve(
        new,
        uid=new.uid or old.uid,
        name=old.name,
        namespace=old.namespace,
        resource_version="",
        generation=old.generation,
        creation_timestamp=old.creation_timestamp,
        deletion_timestamp=old.deletion_timestamp or new.deletion_timestamp,
        deletion_grace_period_seconds=grace,
        extra=extra,
    )


def _with_allocations(new: Service, old: Service) -> Service:
    """What the server gave and the client left out stays, or goes with the type that needed it.

    (pkg/registry/core/service/strategy.go, patchAllocatedValues and dropTypeDependentFields)
    """
    wanted, given = new.spec, old.spec
    if given.type == "ExternalName":
        return new
    if wanted.type == "ExternalName":
        return evolve(new, spec=_without_addresses(wanted, given))
    ports = wanted.ports
    if wanted.type in NODED and given.type in NODED:
        ports = tuple([_with_node_port(port, given) for port in ports])
    elif given.type in NODED:
        ports = _without_node_ports(wanted, given)
    policy = wanted.external_traffic_policy
    if wanted.type not in NODED and not wanted.external_ips and policy == given.external_traffic_policy:
        policy = None
    return evolve(
        new,
        spec=evolve(
            wanted,
            cluster_ip=wanted.cluster_ip or given.cluster_ip,
            cluster_ips=wanted.cluster_ips or given.cluster_ips,
            ip_families=wanted.ip_families or given.ip_families,
            ip_family_policy=wanted.ip_family_policy or given.ip_family_policy,
            external_traffic_policy=policy,
            ports=ports,
        ),
    )


def _without_addresses(wanted: ServiceSpec, given: ServiceSpec) -> ServiceSpec:
    """A name needs no address: what was not changed at the same time goes; what was is for validation to refuse."""
    changes: dict[str, Any] = {
        field: empty
        for field, empty in (
            ("cluster_ip", None),
            ("cluster_ips", ()),
            ("ip_families", ()),
            ("ip_family_policy", None),
            ("internal_traffic_policy", None),
            ("external_traffic_policy", None),
        )
        if getattr(wanted, field) == getattr(given, field)
    }
    if given.type in NODED:
        changes["ports"] = _without_node_ports(wanted, given)
    return evolve(wanted, **changes)


def _without_node_ports(wanted: ServiceSpec, given: ServiceSpec) -> tuple[ServicePort, ...]:
    if [port.node_port for port in wanted.ports] != [port.node_port for port in given.ports]:
        return wanted.ports
    return tuple([evolve(port, node_port=0) for port in wanted.ports])


def _with_node_port(port: ServicePort, given: ServiceSpec) -> ServicePort:
    if port.node_port:
        return port
    for old in given.ports:
        if (old.protocol, old.port) == (port.protocol, port.port):
            return evolve(port, node_port=old.node_port)
    return port


def _has_generation(obj: KubeObject) -> bool:
    return isinstance(obj, (Pod, Deployment, ReplicaSet, EndpointSlice)) or obj.kind in _GENERATION_KINDS


def _is_wanted_changed(new: KubeObject, old: KubeObject) -> bool:
    if isinstance(new, Deployment):
        assert isinstance(old, Deployment)
        return new.spec != old.spec or new.metadata.annotations != old.metadata.annotations
    if isinstance(new, (Pod, ReplicaSet)):
        assert isinstance(old, (Pod, ReplicaSet))
        return new.spec != old.spec
    if isinstance(new, EndpointSlice):
        assert isinstance(old, EndpointSlice)
        return (
            new.endpoints != old.endpoints
            or new.ports != old.ports
            or new.metadata.labels != old.metadata.labels
        )
    assert isinstance(new, GenericObject) and isinstance(old, GenericObject)
    return new.content.minus("status") != old.content.minus("status")


def _with_status_of(content: FrozenDict[str, Any], other: FrozenDict[str, Any]) -> FrozenDict[str, Any]:
    if "status" in other:
        return content.plus({"status": other["status"]})
    return content.minus("status")


def _new_namespace(obj: Namespace, metadata: ObjectMeta) -> Namespace:
    labels = metadata.labels.plus({"kubernetes.io/metadata.name": metadata.name})
    finalizers = obj.spec.finalizers
    if "kubernetes" not in finalizers:
        finalizers = (*finalizers, "kubernetes")
    return evolve(
        obj,
        metadata=evolve(metadata, labels=labels),
        spec=evolve(obj.spec, finalizers=finalizers),
        status=NamespaceStatus(phase="Active"),
    )


def _new_content(obj: GenericObject) -> FrozenDict[str, Any]:
    status = _INITIAL_STATUS.get(obj.kind)
    content = obj.content.minus("status")
    return content if status is None else content.plus({"status": status})


def qos_class(pod: Pod) -> str:
    """Guaranteed, Burstable or BestEffort. (pkg/apis/core/v1/helper/qos/qos.go)"""
    is_guaranteed = True
    is_best_effort = True
    for container in (*pod.spec.init_containers, *pod.spec.containers):
        resources = container.resources
        for name in ("cpu", "memory"):
            request, limit = resources.requests.get(name), resources.limits.get(name)
            asked = request is not None and request.milli > 0
            limited = limit is not None and limit.milli > 0
            if asked or limited:
                is_best_effort = False
            if not limited or (request is not None and limit is not None and request.milli != limit.milli):
                is_guaranteed = False
    if is_best_effort:
        return "BestEffort"
    return "Guaranteed" if is_guaranteed else "Burstable"
