"""pods/binding as a flow, and who handles the other subresources.

Binding is the scheduler's one write: it refuses a pod that is bound, being deleted or gated, and does not ask
whether the node exists.
Source: pkg/registry/core/pod/storage/storage.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve

from chaoskube.models.apiserver.admission import CREATE
from chaoskube.models.apiserver.api import (
    Cause,
    Request,
    Status,
)
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.bodies import order_of
from chaoskube.models.apiserver.errors import (
    bad_request,
    conflict,
    invalid,
    method_not_allowed,
    not_found,
    plain_error,
)
from chaoskube.models.apiserver.eviction import evict
from chaoskube.models.apiserver.finalize import finalize
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.scale import scale
from chaoskube.models.apiserver.storage import guaranteed_update, read
from chaoskube.models.apiserver.tokens import create_token
from chaoskube.models.apiserver.writes import Done, attributes_of
from chaoskube.models.objects import (
    KubeObject,
    Pod,
    PodCondition,
    decode,
)
from chaoskube.models.objects.conditions import set_condition
from chaoskube.models.objects.resources import Resource, resource_of

SECOND_NS = 1_000_000_000
_CREATED = Status(code=201)


# ---- pods/binding

# Copied from the node to the pod: plugin/pkg/admission/podtopologylabels/admission.go.
TOPOLOGY_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def bind(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """POST pods/NAME/binding (or bindings): put the pod on a node, once."""
    asked = resource if request.subresource else evolve(resource, plural="bindings", name="bindings")
    attributes = attributes_of(CREATE, request, asked, decode(order_of(request, "v1", "Binding")))
    attributes = yield from ctx.admission.admit(ctx, attributes)
    content, metadata = _content(evolve(request, body=attributes.obj))
    target = content.get("target") or {}
    node_name = target.get("name", "")
    wrong = _wrong_target(target.get("kind", ""), node_name)
    if wrong:
        raise plain_error(wrong)
    yield from ctx.admission.validate(ctx, attributes)
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


def _wrong_target(kind: str, name: str) -> str:
    """What is wrong with where a Binding points; it comes back as a bare error. (ValidatePodBinding, ToAggregate)"""
    wrong = []
    if kind not in ("", "Node"):
        wrong.append(f'target.kind: Unsupported value: "{kind}": supported values: "Node", "<empty>"')
    if not name:
        wrong.append("target.name: Required value")
    return wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]" if wrong else ""


def bind_named_in_body(ctx: Context, request: Request) -> Flow[Done]:
    """POST bindings: as pods/NAME/binding; the body says which pod."""
    _, metadata = _content(request)
    name = metadata.get("name", "")
    if not name:
        cause = Cause(reason="FieldValueRequired", message="Required value", field="metadata.name")
        raise invalid("Binding", "", "", [cause])
    return bind(ctx, evolve(request, name=name), resource_of("pods"))


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
    tree = order_of(request, "v1", "Binding")
    metadata = tree.get("metadata") or {}
    name = metadata.get("name", "")
    if name and request.name and name != request.name:
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
    ("create", "token"): create_token,
}
_ONLY_OF = {"binding": "pods", "eviction": "pods", "finalize": "namespaces", "token": "serviceaccounts"}


def handler_of(request: Request, resource: Resource) -> Handler:
    """Who handles this subresource, or 404/405."""
    handler = SUBRESOURCES.get((request.verb, request.subresource))
    name = request.subresource
    is_known = resource.has_scale if name == "scale" else _ONLY_OF.get(name) == resource.plural
    if handler is None or not is_known:
        raise method_not_allowed()
    return handler
