"""`kubectl rollout undo` and `history`: revisions of a workload, and going back to one.

A Deployment's revisions are its ReplicaSets; going back patches the template of one into the spec (a JSON patch), which
makes that ReplicaSet the newest, under the next number. A StatefulSet's and a DaemonSet's are ControllerRevisions,
each of which holds the patch that restores it. A paused Deployment is refused; the same template again is a no-op.

Sources: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/{rollback,history}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from chaoskube.models.apiserver.api import ListOptions
from chaoskube.models.client.pager import list_pages
from chaoskube.models.kubectl.rollout import MANAGER
from chaoskube.models.kubectl.session import JSON, STRATEGIC, CommandFailed, Kubectl, Target, at
from chaoskube.models.objects import LabelSelector, decode_as, encode, thaw
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.selectors import as_selector

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
HASH_LABEL = "pod-template-hash"
KEPT = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that stay the Deployment's own; all others come back with the revision."""


@frozen(kw_only=True)
class Revision:
    """One revision: its number, the object that holds it, and why it was made, if anybody said so."""

    number: int
    tree: Tree
    cause: str = ""


async def history(kubectl: Kubectl, target: Target) -> tuple[Revision, ...]:
    """The revisions that are still there, oldest first."""
    live = await kubectl.get(target)
    resource = "replicasets" if live["kind"] == "Deployment" else "controllerrevisions"
    selector = decode_as(LabelSelector, at(live, "spec", "selector") or {})
    options = ListOptions(label_selector=str(as_selector(selector)))
    listed = await list_pages(kubectl.client, resource, target.namespace, options, page_size=0)
    uid = at(live, "metadata", "uid")
    owned = [encode(one) for one in listed.items if _owner(encode(one)) == uid]
    revisions = [_revision(one) for one in owned]
    return tuple(sorted((one for one in revisions if one.number > 0), key=lambda one: one.number))


async def undo(kubectl: Kubectl, target: Target, *, to_revision: int = 0) -> bool:
    """Go back to a revision (0: the one before the newest); False when that is what runs already."""
    live = await kubectl.get(target)
    wanted = chosen(await history(kubectl, target), to_revision, target)
    if live["kind"] == "Deployment":
        return await _undo_deployment(kubectl, target, live, wanted)
    if live["kind"] not in ("StatefulSet", "DaemonSet"):
        raise CommandFailed(f"no rollbacker has been implemented for {live['kind']}")
    patch: Tree = thaw(wanted.tree.get("data") or {})
    if patch == restoring(live):
        return False
    await kubectl.patch(target, patch, type=STRATEGIC, manager=MANAGER)
    return True


def chosen(revisions: tuple[Revision, ...], number: int, target: Target) -> Revision:
    """The revision of that number, or the one before the newest."""
    if number == 0:
        if len(revisions) < 2:
            raise CommandFailed(f'no rollout history found for {target.resource} "{target.name}"')
        return revisions[-2]
    for revision in revisions:
        if revision.number == number:
            return revision
    raise CommandFailed(f"unable to find specified revision {number} in history")


def restoring(live: Mapping[str, Any]) -> Tree:
    """What a ControllerRevision of the live object would hold: its template, to be put in place whole."""
    template: Tree = thaw(at(live, "spec", "template"))
    return {"spec": {"template": {**template, "$patch": "replace"}}}


async def _undo_deployment(kubectl: Kubectl, target: Target, live: Tree, wanted: Revision) -> bool:
    if at(live, "spec", "paused"):
        raise CommandFailed(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    template = _without_hash(at(wanted.tree, "spec", "template"))
    if template == _without_hash(at(live, "spec", "template")):
        return False
    own: Mapping[str, str] = at(live, "metadata", "annotations") or {}
    back: Mapping[str, str] = at(wanted.tree, "metadata", "annotations") or {}
    annotations = {key: value for key, value in own.items() if key in KEPT}
    annotations |= {key: value for key, value in back.items() if key not in KEPT}
    patch = (
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    )
    await kubectl.patch(target, patch, type=JSON, manager=MANAGER)
    return True


def _without_hash(template: Mapping[str, Any]) -> Tree:
    tree: Tree = thaw(template)
    metadata = tree.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    if labels or metadata:
        tree["metadata"] = {**metadata, "labels": labels}
    return tree


def _revision(tree: Tree) -> Revision:
    annotations: Mapping[str, str] = at(tree, "metadata", "annotations") or {}
    number = tree["revision"] if tree["kind"] == "ControllerRevision" else annotations.get(REVISION, "0")
    return Revision(number=int(number), tree=tree, cause=annotations.get(CHANGE_CAUSE, ""))


def _owner(tree: Tree) -> str:
    for owner in at(tree, "metadata", "ownerReferences") or ():
        if owner.get("controller"):
            return str(owner["uid"])
    return ""
