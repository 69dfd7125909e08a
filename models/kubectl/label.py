"""`kubectl label` and `kubectl annotate`: read, change, and send a merge patch of the difference.

A value that stands is overwritten with --overwrite only. The patch names no version unless --resource-version does, so
two people's labels don't get into each other's way. A label command that changes nothing sends nothing; an annotate
command sends its empty patch.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/label/label.go, pkg/cmd/annotate/annotate.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.kubectl.session import MERGE, CommandFailed, Kubectl, Target, at
from chaoskube.models.objects.frozen import Tree

LABEL_MANAGER = "kubectl-label"
ANNOTATE_MANAGER = "kubectl-annotate"


async def label(
    kubectl: Kubectl,
    target: Target,
    changes: Mapping[str, str | None],
    *,
    overwrite: bool = False,
    resource_version: str = "",
) -> None:
    """Set labels; None removes one."""
    live = await kubectl.get(target)
    patch = change(live, "labels", changes, overwrite=overwrite)
    if patch:
        body = _body("labels", patch, resource_version)
        await kubectl.patch(target, body, type=MERGE, manager=LABEL_MANAGER)


async def annotate(
    kubectl: Kubectl,
    target: Target,
    changes: Mapping[str, str | None],
    *,
    overwrite: bool = False,
    resource_version: str = "",
) -> None:
    """Set annotations; None removes one."""
    live = await kubectl.get(target)
    patch = change(live, "annotations", changes, overwrite=overwrite)
    body = _body("annotations", patch, resource_version)
    await kubectl.patch(target, body, type=MERGE, manager=ANNOTATE_MANAGER)


def change(
    live: Mapping[str, Any], field: str, changes: Mapping[str, str | None], *, overwrite: bool
) -> dict[str, str | None]:
    """What differs from what stands; CommandFailed when a value stands that may not be overwritten."""
    stands: Mapping[str, str] = at(live, "metadata", field) or {}
    if not overwrite:
        for key, value in changes.items():
            if value is not None and stands.get(key, value) != value:
                raise CommandFailed(f"'{key}' already has a value ({stands[key]}), and --overwrite is false")
    return {
        key: value
        for key, value in changes.items()
        if (value is None and key in stands) or value != stands.get(key)
    }


def _body(field: str, patch: Mapping[str, str | None], resource_version: str) -> Tree:
    metadata: Tree = {field: dict(patch)} if patch else {}
    if resource_version:
        metadata["resourceVersion"] = resource_version
    return {"metadata": metadata} if metadata else {}
