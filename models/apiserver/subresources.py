"""scale and pods/binding as flows, and who handles the other subresources.

Binding is the scheduler's one write: it refuses a pod that is bound, being deleted or gated, and does not ask
whether the node exists. Scale is a view on spec.replicas under the parent's resource version.
Sources: pkg/registry/core/pod/storage/storage.go, pkg/registry/apps/{deployment,replicaset}/storage/storage.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve

from chaoskube.models.apiserver.api import (
    GET,
    JSON,
    PATCH,
    Cause,
    Request,
    Status,
)
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.bodies import causes_error
from chaoskube.models.apiserver.custom.scale import (
    check_has_replicas,
    custom_replicas,
    with_custom_replicas,
)
from chaoskube.models.apiserver.custom.validation import causes_of_update
from chaoskube.models.apiserver.errors import (
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    not_found,
)
from chaoskube.models.apiserver.eviction import evict
from chaoskube.models.apiserver.finalize import finalize
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.managing import scaled
from chaoskube.models.apiserver.storage import guaranteed_update, read
from chaoskube.models.apiserver.strategy import prepare_update
from chaoskube.models.apiserver.writes import Done
from chaoskube.models.objects import (
    Deployment,
    FrozenDict,
    GenericObject,
    KubeObject,
    ObjectMeta,
    Pod,
    PodCondition,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    encode,
    freeze,
    thaw,
)
from chaoskube.models.objects.conditions import set_condition
from chaoskube.models.objects.patch import merge_patch
from chaoskube.models.objects.resources import Resource, resource_of
from chaoskube.models.objects.selectors import as_selector

SECOND_NS = 1_000_000_000
SCALE_VERSION = "autoscaling/v1"
_CREATED = Status(code=201)
SCALED = (Deployment, ReplicaSet, StatefulSet, ReplicationController)


# ---- scale


def scale(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """GET, PUT or PATCH of the scale subresource."""
    key = key_of(resource, request.namespace, request.name)
    if request.verb == GET:
        found = yield from read(key)
        if found is None:
            raise not_found(resource.plural, resource.group, request.name)
        return Done(code=200, body=scale_of(found, resource))

    def change(current: KubeObject | None) -> Flow[KubeObject]:
        yield from ()
        if current is None:
            raise not_found(resource.plural, resource.group, request.name)
        wanted, version = _wanted_scale(request, current, resource)
        if wanted < 0:
            cause = Cause(
                reason="FieldValueInvalid",
                message=f"Invalid value: {wanted}: must be greater than or equal to 0",
                field="spec.replicas",
            )
            raise invalid("Scale", "autoscaling", request.name, [cause])
        if version and version != current.resource_version:
            raise conflict(resource.plural, resource.group, request.name)
        changed = _with_replicas(current, wanted, resource)
        new = prepare_update(scaled(request, resource, current, changed, ctx.wall_ns()), current)
        refusal = causes_error(resource, request.name, causes_of_update(current, new, resource))
        if refusal is not None:
            raise refusal
        return new

    if request.dry_run:
        current = yield from read(key)
        changed = yield from change(current)
        assert current is not None
        metadata = evolve(changed.metadata, resource_version=current.resource_version)
        return Done(code=200, body=scale_of(evolve(changed, metadata=metadata), resource))
    cache = ctx.cache(resource.name)
    saved = yield from guaranteed_update(key, cache.get(key) if cache.is_ready else None, change)
    if saved.wrote:
        write_recorded(ctx, request, resource, saved)
    assert saved.obj is not None
    return Done(code=200, body=scale_of(saved.obj, resource))


def scale_of(obj: KubeObject, resource: Resource) -> GenericObject:
    """The Scale view of a workload."""
    replicas, current, selector = _replicas_of(obj, resource)
    status: dict[str, object] = {"replicas": current}
    if selector:
        status["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    old = obj.metadata
    metadata = ObjectMeta(
        name=old.name,
        namespace=old.namespace,
        uid=old.uid,
        resource_version=old.resource_version,
        creation_timestamp=old.creation_timestamp,
    )
    content: FrozenDict[str, Any] = freeze({"spec": spec, "status": status})
    return GenericObject(api_version=SCALE_VERSION, kind="Scale", metadata=metadata, content=content)


def _replicas_of(obj: KubeObject, resource: Resource) -> tuple[int, int, str]:
    if isinstance(obj, SCALED):
        selector = str(as_selector(obj.spec.selector)) if obj.spec.selector else ""
        replicas = obj.spec.replicas
        return 1 if replicas is None else replicas, obj.status.replicas, selector
    return custom_replicas(obj, resource)


def _wanted_scale(request: Request, current: KubeObject, resource: Resource) -> tuple[int, str]:
    """The replicas and the resource version that the request asks for."""
    body = request.body
    tree: Any = encode(body) if isinstance(body, KubeObject) else thaw(body)
    if not isinstance(tree, Mapping):
        raise bad_request("the object provided is unrecognized (must be of type Scale)")
    if request.verb == PATCH:
        if request.patch_type == JSON:
            raise bad_request("a JSON patch of scale is not supported")
        if resource.custom is not None:
            check_has_replicas(current, tree, resource)
        before = encode(scale_of(current, resource))
        before.setdefault("metadata", {}).pop("resourceVersion", None)
        tree = merge_patch(before, dict(tree))
    replicas = (tree.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int):
        raise bad_request(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal value into Go struct field '
            "ScaleSpec.spec.replicas of type int32"
        )
    return replicas, (tree.get("metadata") or {}).get("resourceVersion", "")


def _with_replicas(obj: KubeObject, replicas: int, resource: Resource) -> KubeObject:
    if isinstance(obj, SCALED):
        wanted: Any = evolve(obj.spec, replicas=replicas)  # each of these kinds has a spec of its own
        return evolve(obj, spec=wanted)
    return with_custom_replicas(obj, replicas, resource)


# ---- pods/binding

# Copied from the node to the pod: plugin/pkg/admission/podtopologylabels/admission.go.
TOPOLOGY_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def bind(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """POST pods/NAME/binding: put the pod on a node, once."""
    content, metadata = _content(request)
    node_name = (content.get("target") or {}).get("name", "")
    if not node_name:
        cause = Cause(reason="FieldValueRequired", message="Required value", field="target.name")
        raise invalid("Binding", "", request.name, [cause])
    uid = metadata.get("uid", "")
    key = key_of(resource, request.namespace, request.name)

    def change(current: KubeObject | None) -> Flow[KubeObject]:
        yield from ()
        if current is None:
            raise not_found("pods", "", request.name)
        assert isinstance(current, Pod)
        refusal = _binding_refusal(current, uid)
        if refusal:
            raise conflict("pods/binding", "", request.name, refusal)
        bound = _bound(current, node_name, metadata.get("annotations") or {}, ctx.wall_ns())
        return evolve(bound, metadata=evolve(bound.metadata, labels=bound.metadata.labels.plus(topology)))

    nodes = ctx.cache("nodes")
    node = nodes.get(key_of(resource_of("nodes"), "", node_name)) if nodes.is_ready else None
    topology = {name: node.labels[name] for name in TOPOLOGY_LABELS if name in node.labels} if node else {}
    if request.dry_run:
        yield from change((yield from read(key)))
        return Done(code=201, body=_CREATED)
    cache = ctx.cache("pods")
    saved = yield from guaranteed_update(key, cache.get(key) if cache.is_ready else None, change)
    write_recorded(ctx, request, resource, saved)
    return Done(code=201, body=_CREATED)


def _binding_refusal(pod: Pod, uid: str) -> str:
    name = pod.name
    if uid and uid != pod.uid:
        return f"Precondition failed: UID in precondition: {uid}, UID in object meta: {pod.uid}"
    if pod.metadata.deletion_timestamp is not None:
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if pod.spec.node_name:
        return f'pod {name} is already assigned to node "{pod.spec.node_name}"'
    if pod.spec.scheduling_gates:
        return f"pod {name} has non-empty .spec.schedulingGates"
    return ""


def _bound(pod: Pod, node_name: str, annotations: Mapping[str, str], now_ns: int) -> Pod:
    scheduled = PodCondition(
        type="PodScheduled", status="True", last_transition_time=now_ns - now_ns % SECOND_NS
    )
    status = evolve(
        pod.status,
        conditions=set_condition(pod.status.conditions, scheduled),
        nominated_node_name=None,
    )
    metadata = evolve(pod.metadata, annotations=pod.metadata.annotations.plus(annotations))
    return evolve(pod, metadata=metadata, spec=evolve(pod.spec, node_name=node_name), status=status)


def _content(request: Request) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The body of a Binding or Eviction: what it says, and its metadata."""
    body = request.body
    tree: Any = encode(body) if isinstance(body, KubeObject) else thaw(body)
    if not isinstance(tree, Mapping):
        raise bad_request("the object provided is unrecognized")
    metadata = tree.get("metadata") or {}
    name = metadata.get("name", "")
    if name and name != request.name:
        raise bad_request(f"name in URL does not match name in {tree.get('kind', 'the')} object")
    return tree, metadata


Handler = Callable[[Context, Request, Resource], Flow[Done]]
SUBRESOURCES: Mapping[tuple[str, str], Handler] = {
    ("get", "scale"): scale,
    ("update", "scale"): scale,
    ("patch", "scale"): scale,
    ("create", "binding"): bind,
    ("create", "eviction"): evict,
    ("update", "finalize"): finalize,
}
_ONLY_OF = {"binding": "pods", "eviction": "pods", "finalize": "namespaces"}


def handler_of(request: Request, resource: Resource) -> Handler:
    """Who handles this subresource, or 404/405."""
    handler = SUBRESOURCES.get((request.verb, request.subresource))
    name = request.subresource
    is_known = resource.has_scale if name == "scale" else _ONLY_OF.get(name) == resource.plural
    if handler is None or not is_known:
        raise method_not_allowed()
    return handler
