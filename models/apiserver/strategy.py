"""What the server does to an object before it is stored: whose fields a write may change, and generations. Pure.

A write to an object changes everything but its status, a write to its status only that (and metadata, as far as
the kind allows); both share one resource version. `generation` counts changes of what is wanted and belongs to
the server. A class with `status` keeps it apart; what a new status looks like and what counts as wanted are tables
by kind, for what deviates from the class's own defaults.
Sources: staging/src/k8s.io/apiserver/pkg/registry/rest/{create,update}.go, pkg/registry/*/*/strategy.go,
staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/{strategy,status_strategy}.go and
.../customresourcedefinition/strategy.go. Initial statuses: recordings of a real server.

Not modelled: resize and ephemeral containers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

import attrs
from attrs import evolve

from chaoskube.models.apiserver.strategy_job import with_generated_selector
from chaoskube.models.apiserver.strategy_service import with_allocations
from chaoskube.models.objects import (
    CustomResourceDefinition,
    CustomResourceDefinitionStatus,
    DaemonSet,
    DaemonSetStatus,
    Deployment,
    FrozenDict,
    GenericObject,
    Job,
    JobStatus,
    KubeObject,
    Namespace,
    NamespaceStatus,
    Node,
    ObjectMeta,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeClaimStatus,
    PersistentVolumeStatus,
    Pod,
    PodCondition,
    PodStatus,
    Service,
    ServiceStatus,
    StatefulSet,
    StatefulSetStatus,
    freeze,
    known,
)
from chaoskube.models.objects.fields import json_name
from chaoskube.models.objects.sharing import share

SECOND_NS = 1_000_000_000

# AllowUnconditionalUpdate() == false: a PUT must say which version it replaces
VERSION_REQUIRED = frozenset(
    {
        "customresourcedefinitions",
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

# What a kind's generation counts the changes of: PrepareForUpdate of each strategy. () begins at 1 and stays there.
_SPEC = ("spec",)
_COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "CronJob": _SPEC,
    "CustomResourceDefinition": _SPEC,
    "DaemonSet": _SPEC,
    "Deployment": ("spec", "metadata.annotations"),
    "EndpointSlice": ("endpoints", "ports", "metadata.labels"),
    "Ingress": _SPEC,
    "IngressClass": _SPEC,
    "Job": _SPEC,
    "MutatingWebhookConfiguration": ("webhooks",),
    "NetworkPolicy": _SPEC,
    "Pod": _SPEC,
    "PodDisruptionBudget": _SPEC,
    "PriorityClass": (),
    "ReplicaSet": _SPEC,
    "ReplicationController": _SPEC,
    "StatefulSet": _SPEC,
    "ValidatingWebhookConfiguration": ("webhooks",),
}
_NEW_SERVICE_STATUS = ServiceStatus(extra=freeze({"loadBalancer": {}}))


def keeps_status(obj: KubeObject) -> bool:
    """Whether this object's class keeps a status apart; Go writes it even when it is empty."""
    return hasattr(obj, "status")


def prepare_create(
    obj: KubeObject, *, uid: str, name: str, namespace: str, now_ns: int, has_status: bool = True
) -> KubeObject:
    """A new object: system fields filled, status as the kind begins, generation 1 where there is one.

    `has_status` says whether the resource has a status subresource: a custom one without keeps what was sent.
    """
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
        extra=_unknown_metadata(old),
    )
    if isinstance(obj, GenericObject):
        content = obj.content.minus("status") if has_status else obj.content
        return evolve(obj, metadata=metadata, content=content)
    obj = evolve(obj, metadata=metadata)
    begin = _BEGINNINGS.get(type(obj))
    if begin is not None:
        return _settled(begin(obj, now_ns))
    return _with_part(obj, "status", _empty_status(obj)) if keeps_status(obj) else obj


def prepare_update(new: KubeObject, old: KubeObject, *, has_status: bool = True) -> KubeObject:
    """A write to the object itself: the status stays, the generation counts what changed."""
    keep = _KEEPERS.get(type(new))
    if keep is not None:
        new = keep(new, old)
    metadata = _kept_metadata(new.metadata, old.metadata)
    if isinstance(new, GenericObject):
        assert isinstance(old, GenericObject)
        content = _with_status_of(new.content, old.content) if has_status else new.content
        new = evolve(new, metadata=metadata, content=content)
    elif keeps_status(new):
        changes: dict[str, Any] = {"metadata": metadata, "status": status_of(old)}
        if "status" in new.extra:
            changes["extra"] = new.extra.minus("status")
        new = attrs.evolve(new, **changes)
    else:
        new = evolve(new, metadata=metadata)
    if _has_generation(new) and _is_wanted_changed(new, old, has_status=has_status):
        metadata = evolve(metadata, generation=old.metadata.generation + 1)
        new = evolve(new, metadata=metadata)
    return _settled(new)


def prepare_status_update(new: KubeObject, old: KubeObject) -> KubeObject:
    """A write to the status subresource: everything else stays, but for metadata as the kind allows."""
    metadata = _kept_metadata(new.metadata, old.metadata)
    if isinstance(new, Pod):
        metadata = evolve(metadata, owner_references=old.metadata.owner_references)
    elif isinstance(new, Deployment):
        metadata = evolve(metadata, labels=old.metadata.labels)
    if isinstance(new, GenericObject):
        assert isinstance(old, GenericObject)
        if _is_custom(new):
            metadata = evolve(old.metadata, resource_version="")
        return evolve(old, metadata=metadata, content=_with_status_of(old.content, new.content))
    if keeps_status(new):
        return _with_part(evolve(old, metadata=metadata), "status", status_of(new))
    return evolve(old, metadata=metadata)


def _without_carried_status(obj: KubeObject) -> KubeObject:
    """A tree's `status: {}` means the same as none: two objects must not differ by it."""
    return evolve(obj, extra=obj.extra.minus("status")) if "status" in obj.extra else obj


def _settled(obj: KubeObject) -> KubeObject:
    """Without the empty parts that it came with and that have been filled since."""
    if not obj.extra or isinstance(obj, GenericObject):
        return obj
    filled = [
        name
        for name, part in _parts_of(type(obj))
        if name in obj.extra and getattr(obj, part.name) != part.default
    ]
    return evolve(obj, extra=obj.extra.minus(*filled)) if filled else obj


def _parts_of(kind: type[KubeObject]) -> tuple[tuple[str, attrs.Attribute[Any]], ...]:
    return tuple([(json_name(part.name), part) for part in attrs.fields(kind)])


def _kept_metadata(new: ObjectMeta, old: ObjectMeta) -> ObjectMeta:
    """rest.BeforeUpdate: what a client cannot change, or not by leaving it out."""
    grace = new.deletion_grace_period_seconds
    if grace is None:
        grace = old.deletion_grace_period_seconds
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
        extra=_unknown_metadata(new),
    )


_METADATA: Final = (*[json_name(one.name) for one in attrs.fields(ObjectMeta)], "selfLink")


def _unknown_metadata(metadata: ObjectMeta) -> FrozenDict[str, Any]:
    """What metadata carries besides its fields; `namespace: ""` means the same as none, and is none in Go."""
    return metadata.extra.minus(*_METADATA) if metadata.extra else metadata.extra


# ---- generations


def _has_generation(obj: KubeObject) -> bool:
    return obj.kind in _COUNTED and not isinstance(obj, GenericObject) or _is_custom(obj)


def _is_wanted_changed(new: KubeObject, old: KubeObject, *, has_status: bool = True) -> bool:
    if isinstance(new, GenericObject):
        assert isinstance(old, GenericObject)
        if not has_status:
            return new.content != old.content
        return new.content.minus("status") != old.content.minus("status")
    for part in _COUNTED[new.kind]:
        read = attrgetter(part)
        if read(new) != read(old):
            return True
    return False


def _is_custom(obj: KubeObject) -> bool:
    """Whether the kind was added by a CustomResourceDefinition: such objects all have a generation."""
    return isinstance(obj, GenericObject) and not known(obj.api_version, obj.kind)


# ---- how a kind begins


def _new_pod(pod: Pod, now_ns: int) -> Pod:
    spec = pod.spec
    if (spec.termination_grace_period_seconds or 0) < 0:
        spec = evolve(spec, termination_grace_period_seconds=1)
    if not any(toleration.extra for toleration in spec.tolerations):
        spec = evolve(spec, tolerations=share(spec.tolerations))  # admission gave each pod its own
    status = PodStatus(phase="Pending", qos_class=qos_class(pod))
    if spec.scheduling_gates:
        status = evolve(status, conditions=(_gated_condition(now_ns),))
    return evolve(pod, spec=spec, status=status)


def _gated_condition(now_ns: int) -> PodCondition:
    """applySchedulingGatedCondition: the scheduler leaves gated pods alone, so the server says why they wait."""
    return PodCondition(
        type="PodScheduled",
        status="False",
        reason="SchedulingGated",
        message="Scheduling is blocked due to non-empty scheduling gates",
        last_transition_time=now_ns - now_ns % SECOND_NS,
    )


def _new_namespace(obj: Namespace, now_ns: int) -> Namespace:
    metadata = obj.metadata
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


def _new_service(obj: Service, now_ns: int) -> Service:
    return evolve(obj, status=_NEW_SERVICE_STATUS)


def _new_node(obj: Node, now_ns: int) -> Node:
    return obj  # a kubelet that registers says at once how its node is


def _new_job(obj: Job, now_ns: int) -> Job:
    return evolve(with_generated_selector(obj), status=JobStatus())


def _new_daemon_set(obj: DaemonSet, now_ns: int) -> DaemonSet:
    return evolve(with_template_generation(obj, None), status=DaemonSetStatus())


def _new_stateful_set(obj: StatefulSet, now_ns: int) -> StatefulSet:
    return evolve(_without_max_unavailable(obj, None), status=StatefulSetStatus())


def _new_claim(obj: PersistentVolumeClaim, now_ns: int) -> PersistentVolumeClaim:
    return evolve(obj, status=PersistentVolumeClaimStatus(phase="Pending"))


def _new_volume(obj: PersistentVolume, now_ns: int) -> PersistentVolume:
    since = now_ns - now_ns % SECOND_NS
    return evolve(obj, status=PersistentVolumeStatus(phase="Pending", last_phase_transition_time=since))


def _new_definition(obj: CustomResourceDefinition, now_ns: int) -> CustomResourceDefinition:
    stored = tuple([version.name for version in obj.spec.versions if version.storage][:1])
    return evolve(obj, status=CustomResourceDefinitionStatus(stored_versions=stored))


_BEGINNINGS: Final[Mapping[type[KubeObject], Callable[[Any, int], KubeObject]]] = {
    CustomResourceDefinition: _new_definition,
    DaemonSet: _new_daemon_set,
    Job: _new_job,
    Namespace: _new_namespace,
    Node: _new_node,
    PersistentVolume: _new_volume,
    PersistentVolumeClaim: _new_claim,
    Pod: _new_pod,
    Service: _new_service,
    StatefulSet: _new_stateful_set,
}


# ---- what some kinds keep for themselves

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def with_template_generation(new: DaemonSet, old: DaemonSet | None) -> DaemonSet:
    """An annotation counts the templates of a DaemonSet (spec.templateGeneration of the server's inside)."""
    count = 1
    if old is not None:
        written = old.metadata.annotations.get(TEMPLATE_GENERATION, "1")
        count = int(written) if written.isdigit() else 1
        count += old.spec.template != new.spec.template
    annotations = new.metadata.annotations.plus({TEMPLATE_GENERATION: str(count)})
    return evolve(new, metadata=evolve(new.metadata, annotations=annotations))


def _without_max_unavailable(new: StatefulSet, old: StatefulSet | None) -> StatefulSet:
    """The feature MaxUnavailableStatefulSet is off: what it needs is dropped, unless it stood there before."""
    rolling = new.spec.update_strategy.rolling_update
    if rolling is None or rolling.max_unavailable is None:
        return new
    before = None if old is None else old.spec.update_strategy.rolling_update
    if before is not None and before.max_unavailable is not None:
        return new
    strategy = evolve(new.spec.update_strategy, rolling_update=evolve(rolling, max_unavailable=None))
    return evolve(new, spec=evolve(new.spec, update_strategy=strategy))


_KEEPERS: Final[Mapping[type[KubeObject], Callable[[Any, Any], KubeObject]]] = {
    DaemonSet: with_template_generation,
    Service: with_allocations,
    StatefulSet: _without_max_unavailable,
}


# ---- parts


def status_of(obj: KubeObject) -> object:
    """The status of an object whose class keeps one."""
    status: object = getattr(obj, "status")  # noqa: B009  # the base class has none
    return status


def _with_part(obj: KubeObject, name: str, value: object) -> KubeObject:
    changes: dict[str, Any] = {name: value}
    return attrs.evolve(obj, **changes)


def _empty_status(obj: KubeObject) -> object:
    """A class's status begins as its constructor leaves it."""
    return type(status_of(obj))()


def _with_status_of(content: FrozenDict[str, Any], other: FrozenDict[str, Any]) -> FrozenDict[str, Any]:
    if "status" in other:
        return content.plus({"status": other["status"]})
    return content.minus("status")


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
