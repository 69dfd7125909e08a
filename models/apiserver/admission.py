"""Admission: the small true part that other components rely on. Flows, as handlers are.

In the real order: NamespaceLifecycle, TaintNodesByCondition, Priority, DefaultTolerationSeconds.
Sources: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go,
plugin/pkg/admission/{nodetaint,priority,defaulttolerationseconds}/admission.go.

Not modelled: ServiceAccount (off, as in the recordings), LimitRanger, ResourceQuota, PodSecurity, webhooks, policies,
the 30 s of live look-ups after a namespace was deleted.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.api import Cause
from chaoskube.models.apiserver.errors import forbidden, not_found
from chaoskube.models.apiserver.flow import Context, Flow, Pause
from chaoskube.models.apiserver.priority import (
    check_default_class,
    known_classes,
    listed_classes,
    with_old_priority,
    with_priority,
)
from chaoskube.models.apiserver.storage import read
from chaoskube.models.objects import (
    KubeObject,
    Namespace,
    Node,
    Pod,
    Taint,
    Toleration,
)
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import MILLISECOND

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")
NAMESPACE_WAIT_NS = 50 * MILLISECOND
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
TOLERATION_SECONDS = 300


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
