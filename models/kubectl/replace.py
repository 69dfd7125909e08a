"""`kubectl replace -f`: a PUT of the whole document, over the version that it names or else over the live one.

--force deletes the object, waits until it is gone, and makes it anew.
Sources: staging/src/k8s.io/kubectl/pkg/cmd/replace/replace.go, cli-runtime/pkg/resource/helper.go (Replace).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.kubectl.delete import delete
from chaoskube.models.kubectl.last_applied import annotated, has_annotation
from chaoskube.models.kubectl.session import Kubectl, at
from chaoskube.models.kubectl.wait import DeletePolicy
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import SECOND

MANAGER = "kubectl-replace"
FORCE_TIMEOUT_NS = 300 * SECOND


async def replace(
    kubectl: Kubectl,
    given: KubeObject | Mapping[str, Any],
    *,
    force: bool = False,
    save_config: bool = False,
    policy: DeletePolicy | None = None,
) -> Tree:
    """Put the document in place of what is there."""
    document = kubectl.document(given)
    if save_config or has_annotation(document):
        document = annotated(document)
    target = kubectl.target_of(document)
    if force:
        await delete(kubectl, target, policy=policy, timeout_ns=FORCE_TIMEOUT_NS)
        return await kubectl.create(document, manager=MANAGER)
    if not at(document, "metadata", "resourceVersion"):
        live = await kubectl.find(target)
        if live is not None:
            document["metadata"]["resourceVersion"] = at(live, "metadata", "resourceVersion")
    return await kubectl.replace(target, document, manager=MANAGER)
