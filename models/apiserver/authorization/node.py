"""The node authorizer: what a kubelet may do, for the objects of its own node alone where that can be told.

Secrets, ConfigMaps and claims may be read one by one when a pod of the node uses them; tokens may be made for the
accounts of its pods; pods may be listed by its own name; leases and its Node are its own. Which pods are on a node is
known from the server's cache, so it lags as everything does.
Sources: plugin/pkg/auth/authorizer/node/{node_authorizer,graph,graph_populator}.go.

Not modelled: volume attachments, resource claims and slices, pod certificates, CSI; the `system:node` rules decide there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chaoskube.models.apiserver.authentication import Identity
from chaoskube.models.apiserver.authorization.default_roles import node_rules
from chaoskube.models.apiserver.authorization.pod_references import names_in
from chaoskube.models.apiserver.authorization.rules import Action, any_allows
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.objects import Pod, parse_field_selector

LEASE_NAMESPACE = "kube-node-lease"
_READS = ("get", "list", "watch")
_USED_BY_PODS = ("secrets", "configmaps", "persistentvolumeclaims")


class NodeAuthorizer:
    """Kubelets' authorizer of one server."""

    def __init__(self, cache: Callable[[str], WatchCache]) -> None:
        self._cache = cache

    def problem(self, identity: Identity, action: Action) -> str | None:
        """None when the action is allowed; else what the refusal adds to its words ("" for nothing)."""
        node = identity.node_name
        if not node:
            return ""
        if action.group == "" and action.resource == "pods":
            return self._pods(node, action)
        if action.group == "" and action.resource == "nodes":
            return _nodes(node, action)
        if action.group == "" and action.resource in _USED_BY_PODS:
            return self._used(node, action)
        if action.group == "" and action.resource == "serviceaccounts":
            return self._token(node, action)
        if action.group == "coordination.k8s.io" and action.resource == "leases":
            return _leases(node, action)
        return None if any_allows(node_rules(), action) else ""

    def _pods(self, node: str, action: Action) -> str | None:
        verb = action.verb
        if not action.subresource:
            if verb in ("create", "delete"):
                return None
            if verb in ("list", "watch") and selects_node(action.field_selector, node):
                return None
            if verb in _READS and action.name:
                return None if self._is_here(node, action) else _unrelated(node)
            return "can only list/watch pods with spec.nodeName field selector" if verb in _READS else ""
        allowed = {"status": ("update", "patch"), "eviction": ("create",)}
        return None if verb in allowed.get(action.subresource, ()) else ""

    def _is_here(self, node: str, action: Action) -> bool:
        pod = self._cache("pods").get(f"/registry/pods/{action.namespace}/{action.name}")
        return isinstance(pod, Pod) and pod.spec.node_name == node

    def _used(self, node: str, action: Action) -> str | None:
        is_claim = action.resource == "persistentvolumeclaims"
        if is_claim and action.subresource == "status":
            if action.verb not in ("update", "patch"):
                return "can only get/update/patch this type"
        elif action.verb not in (("get",) if is_claim else _READS):
            return f"can only {'get individual' if is_claim else 'read'} resources of this type"
        elif action.subresource:
            return f"cannot {'get' if is_claim else 'read'} subresource"
        if not action.namespace and not is_claim:
            return "can only read namespaced object of this type"
        if not action.name:
            return "No Object name found"
        uses = any(
            action.name in names_in(pod, action.resource) for pod in self._pods_of(node, action.namespace)
        )
        return None if uses else _unrelated(node)

    def _token(self, node: str, action: Action) -> str | None:
        if action.verb == "get" and not action.subresource:
            return None if any_allows(node_rules(), action) else ""
        if action.verb != "create" or not action.name:
            return "can only create tokens for individual service accounts"
        if action.subresource != "token":
            return "can only create token subresource of serviceaccount"
        runs = any(
            pod.spec.service_account_name == action.name for pod in self._pods_of(node, action.namespace)
        )
        return None if runs else _unrelated(node)

    def _pods_of(self, node: str, namespace: str) -> Iterable[Pod]:
        for _, pod in self._cache("pods").select(f"/registry/pods/{namespace}/"):
            if isinstance(pod, Pod) and pod.spec.node_name == node:
                yield pod


def is_lasting(action: Action) -> bool:
    """Whether a decision for a kubelet holds until rules change, and not only until pods move."""
    if action.resource == "pods":
        return bool(action.subresource) or action.verb in ("create", "delete", "list", "watch")
    return action.resource not in (*_USED_BY_PODS, "serviceaccounts")


def _nodes(node: str, action: Action) -> str | None:
    if not action.subresource:
        if action.verb in ("create", "update", "patch"):
            return None
        if action.verb in _READS:
            if action.name == node:
                return None
            if not action.name:
                return f"node '{node}' cannot read all nodes, only its own Node object"
            return f"node '{node}' cannot read '{action.name}', only its own Node object"
    return None if action.subresource == "status" and action.verb in ("update", "patch") else ""


def _leases(node: str, action: Action) -> str | None:
    if action.verb not in ("get", "create", "update", "patch", "delete"):
        return "can only get, create, update, patch, or delete a node lease"
    if action.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    if action.verb != "create" and action.name != node:
        return "can only access node lease with the same name as the requesting node"
    return None


def _unrelated(node: str) -> str:
    return f"no relationship found between node '{node}' and this object"


def selects_node(field_selector: str, node: str) -> bool:
    """Whether a field selector lets pods of that node pass alone."""
    return bool(field_selector) and any(
        one.path == "spec.nodeName" and one.equal and one.value == node
        for one in parse_field_selector(field_selector)
    )
