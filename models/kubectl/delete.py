"""`kubectl delete`: ask for the deletion, then wait until finalizers and grace periods are over.

Background propagation unless --cascade says otherwise. --force with no grace period takes the object out of the API at
once; zero seconds without --force are one second, to be on the safe side.

Source: staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go.
"""

from __future__ import annotations

from chaoskube.models.apiserver.api import ListOptions
from chaoskube.models.client.api import is_not_found
from chaoskube.models.client.pager import list_pages
from chaoskube.models.kubectl.session import Kubectl, Target
from chaoskube.models.kubectl.wait import FOREVER_NS, DeletePolicy, delete_options, wait_until_gone
from chaoskube.sim import Refused


async def delete(
    kubectl: Kubectl,
    target: Target,
    *,
    policy: DeletePolicy | None = None,
    waits: bool = True,
    timeout_ns: int = FOREVER_NS,
    ignore_not_found: bool = False,
) -> None:
    """Delete one object by name."""
    try:
        uid = await kubectl.delete(target, delete_options(policy or DeletePolicy()))
    except Refused as refused:
        if ignore_not_found and is_not_found(refused):
            return
        raise
    if waits:
        await wait_until_gone(kubectl, target, uid=uid, timeout_ns=timeout_ns)


async def delete_selected(
    kubectl: Kubectl,
    resource: str,
    namespace: str,
    selector: str,
    *,
    policy: DeletePolicy | None = None,
    waits: bool = True,
) -> tuple[Target, ...]:
    """`kubectl delete RESOURCE -l SELECTOR`: each one by name, in the order of the list, then wait for all."""
    listed = await list_pages(kubectl.client, resource, namespace, ListOptions(label_selector=selector))
    targets = [Target(resource=resource, namespace=one.namespace, name=one.name) for one in listed.items]
    uids = [await kubectl.delete(target, delete_options(policy or DeletePolicy())) for target in targets]
    if waits:
        for target, uid in zip(targets, uids, strict=True):
            await wait_until_gone(kubectl, target, uid=uid)
    return tuple(targets)
