"""`kubectl patch`: what the user wrote, as it is; strategic unless said otherwise (custom kinds know only the other two).

Source: staging/src/k8s.io/kubectl/pkg/cmd/patch/patch.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.kubectl.session import STRATEGIC, Kubectl, Target
from chaoskube.models.objects.frozen import Tree

MANAGER = "kubectl-patch"


async def patch(
    kubectl: Kubectl,
    target: Target,
    body: Mapping[str, Any] | tuple[Any, ...],
    *,
    type: str = STRATEGIC,
    subresource: str = "",
) -> Tree:
    """Patch one object: it is read first, so one that isn't there is said to be not found."""
    await kubectl.get(target)
    return await kubectl.patch(target, body, type=type, subresource=subresource, manager=MANAGER)
