"""`kubectl apply --prune`: delete what was applied once and is no longer among the documents.

For each namespace that the documents were applied to, and each kind of the list below: objects that match the selector,
have the last-applied annotation, and weren't applied just now. What other tools made is safe; a selector that
says too little deletes too much.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/apply/prune.go, pkg/util/prune/prune.go.
Not modelled: --prune-allowlist, the newer --applyset.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.apiserver.api import ListOptions
from chaoskube.models.client.pager import list_pages
from chaoskube.models.kubectl.last_applied import has_annotation
from chaoskube.models.kubectl.session import Kubectl, Target
from chaoskube.models.kubectl.wait import DeletePolicy, delete_options
from chaoskube.models.objects import encode

NAMESPACED = (
    "configmaps",
    "endpoints",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "secrets",
    "services",
    "jobs",
    "cronjobs",
    "ingresses",
    "daemonsets",
    "deployments",
    "replicasets",
    "statefulsets",
)
CLUSTER_WIDE = ("namespaces", "persistentvolumes")


@frozen(kw_only=True)
class Pruned:
    """One object that was deleted."""

    target: Target
    uid: str


async def prune(
    kubectl: Kubectl,
    namespaces: tuple[str, ...],
    visited: frozenset[str],
    *,
    selector: str = "",
    whole_cluster: bool = True,
    policy: DeletePolicy | None = None,
) -> tuple[Pruned, ...]:
    """Delete what isn't `visited` (uids); `whole_cluster` looks at namespaces and volumes as well."""
    places = [(resource, namespace) for namespace in namespaces for resource in NAMESPACED]
    if whole_cluster:
        places += [(resource, "") for resource in CLUSTER_WIDE]
    pruned: list[Pruned] = []
    for resource, namespace in places:
        listed = await list_pages(
            kubectl.client, resource, namespace, ListOptions(label_selector=selector), page_size=0
        )
        for obj in listed.items:
            if not has_annotation(encode(obj)) or obj.uid in visited:
                continue
            target = Target(resource=resource, namespace=namespace, name=obj.name)
            await kubectl.delete(target, delete_options(policy or DeletePolicy()))
            pruned.append(Pruned(target=target, uid=obj.uid))
    return tuple(pruned)
