"""`kubectl cordon` and `uncordon`: read the node, and patch spec.unschedulable if it isn't as wanted.

A controller later turns it into the taint that the scheduler sees. Source: staging/src/k8s.io/kubectl/pkg/drain/cordon.go.
"""

from __future__ import annotations

from chaoskube.models.kubectl.session import STRATEGIC, Kubectl, Target, at
from chaoskube.models.objects.frozen import Tree


async def cordon(kubectl: Kubectl, node: str, *, unschedulable: bool = True) -> bool:
    """Close a node to new pods, or open it again; whether anything had to be changed."""
    target = Target(resource="nodes", name=node)
    live = await kubectl.get(target)
    if bool(at(live, "spec", "unschedulable")) == unschedulable:
        return False
    patch: Tree = {"spec": {"unschedulable": True if unschedulable else None}}
    await kubectl.patch(target, patch, type=STRATEGIC)
    return True
