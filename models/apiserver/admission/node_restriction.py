"""NodeRestriction: a kubelet writes its own Node, its own lease, and the pods that are bound to it; nothing else.

Source: plugin/pkg/admission/noderestriction/admission.go.

Not modelled: mirror pods beyond their first rules, claims, CSI nodes, resource slices, certificates, audiences of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.apiserver.admission.attributes import CREATE, DELETE, UPDATE, Attributes, Target
from chaoskube.models.apiserver.admission.plugin import Plugin
from chaoskube.models.apiserver.errors import not_found
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.objects import KubeObject, Node, Pod

MIRROR = "kubernetes.io/config.mirror"
LEASE_NAMESPACE = "kube-node-lease"
_RESOURCES = frozenset({"pods", "nodes", "leases", "serviceaccounts"})
KUBELET_LABELS = frozenset(
    [
        "kubernetes.io/hostname",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    ]
)
KUBELET_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")


class NodeRestriction(Plugin):
    """Holds kubelets to what is theirs."""

    name = "NodeRestriction"

    def admits(self, target: Target) -> bool:
        """Whatever a kubelet may write."""
        return target.resource in _RESOURCES and target.operation in (CREATE, UPDATE, DELETE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """Refuses a kubelet what isn't its own."""
        yield from ()
        node = attributes.identity.node_name
        if not node:
            return attributes
        kind = attributes.resource.name
        if kind == "pods":
            problem = _pod_problem(ctx, node, attributes)
        elif kind == "nodes":
            problem = _node_problem(node, attributes)
        elif kind == "leases":
            problem = _lease_problem(node, attributes)
        else:
            problem = _token_problem(ctx, node, attributes)
        if problem:
            raise attributes.forbidden(problem)
        return attributes


def _pod_problem(ctx: Context, node: str, attributes: Attributes) -> str:
    old, new = attributes.old, attributes.obj
    if attributes.subresource == "status":
        assert isinstance(old, Pod) and isinstance(new, Pod), f"{old!r} is no pod"
        if old.spec.node_name != node:
            return f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
        return f'node "{node}" cannot update labels through pod status' if old.labels != new.labels else ""
    if attributes.subresource == "eviction":
        found = ctx.cache("pods").get(f"/registry/pods/{attributes.namespace}/{attributes.name}")
        if not isinstance(found, Pod):
            raise not_found("pods", "", attributes.name)
        is_own = found.spec.node_name == node
        return "" if is_own else f"node {node} can only evict pods with spec.nodeName set to itself"
    if attributes.subresource:
        allowed = "only 'status' and 'eviction' are allowed"
        return f'unexpected pod subresource "{attributes.subresource}", {allowed}'
    if attributes.operation == DELETE:
        assert isinstance(old, Pod), f"{old!r} is no pod"
        return (
            ""
            if old.spec.node_name == node
            else f'node "{node}" can only delete pods with spec.nodeName set to itself'
        )
    if attributes.operation == CREATE:
        assert isinstance(new, Pod), f"{new!r} is no pod"
        if MIRROR not in new.metadata.annotations:
            return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
        return (
            ""
            if new.spec.node_name == node
            else f'node "{node}" can only create pods with spec.nodeName set to itself'
        )
    return (
        f'unexpected operation "{attributes.operation}", node "{node}" can only create and delete mirror pods'
    )


def _node_problem(node: str, attributes: Attributes) -> str:
    if attributes.name != node:
        return f'node "{node}" is not allowed to modify node "{attributes.name}"'
    old, new = attributes.old, attributes.obj
    if attributes.operation == CREATE and isinstance(new, Node):
        wrong = _forbidden_labels(_changed(new.labels, {}))
        return (
            f'node "{node}" is not allowed to set the following labels: {", ".join(wrong)}' if wrong else ""
        )
    if attributes.operation == UPDATE and isinstance(new, Node) and isinstance(old, Node):
        if new.spec.taints != old.spec.taints:
            return f'node "{node}" is not allowed to modify taints'
        if new.metadata.owner_references != old.metadata.owner_references:
            return f'node "{node}" is not allowed to modify ownerReferences'
        if new.labels != old.labels:
            wrong = _forbidden_labels(_changed(new.labels, old.labels))
            return f"is not allowed to modify labels: {', '.join(wrong)}" if wrong else ""
    return ""


def _changed(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {**old, **new} if new.get(name) != old.get(name))


def _forbidden_labels(names: list[str]) -> list[str]:
    """Labels of Kubernetes that aren't for kubelets, and those that only others may trust."""
    wrong = []
    for name in names:
        prefix = name.rpartition("/")[0]
        is_reserved = prefix == "node-restriction.kubernetes.io" or prefix.endswith(
            ".node-restriction.kubernetes.io"
        )
        is_ours = any(prefix == one or prefix.endswith(f".{one}") for one in ("kubernetes.io", "k8s.io"))
        is_kubelets = name in KUBELET_LABELS or any(
            prefix == one or prefix.endswith(f".{one}") for one in KUBELET_PREFIXES
        )
        if is_reserved or (is_ours and not is_kubelets):
            wrong.append(name)
    return wrong


def _lease_problem(node: str, attributes: Attributes) -> str:
    if attributes.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    if attributes.operation == CREATE and attributes.name != node:
        return "can only create node lease with the same name as the requesting node"
    return (
        ""
        if attributes.name == node
        else "can only access node lease with the same name as the requesting node"
    )


def _token_problem(ctx: Context, node: str, attributes: Attributes) -> str:
    if attributes.operation != CREATE or attributes.subresource != "token":
        return ""
    name, uid = _bound_pod(attributes.obj)
    if not name:
        return "node requested token not bound to a pod"
    if not uid:
        return "node requested token with a pod binding without a uid"
    pod = ctx.cache("pods").get(f"/registry/pods/{attributes.namespace}/{name}")
    if not isinstance(pod, Pod):
        raise not_found("pods", "", name)
    if pod.uid != uid:
        return (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
    return (
        ""
        if pod.spec.node_name == node
        else "node requested token bound to a pod scheduled on a different node"
    )


def _bound_pod(request: KubeObject | None) -> tuple[str, str]:
    content: Mapping[str, object] = getattr(request, "content", {})
    spec = content.get("spec")
    reference = spec.get("boundObjectRef") if isinstance(spec, Mapping) else None
    if not isinstance(reference, Mapping) or reference.get("kind") != "Pod":
        return "", ""
    return str(reference.get("name") or ""), str(reference.get("uid") or "")
