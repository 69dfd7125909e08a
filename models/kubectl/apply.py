"""`kubectl apply -f`, on the client's side: a three-way patch of what was applied last, the document, and what is live.

What the document lost since it was applied last is deleted, what differs from the live object is set, and whatever only
the server has stays. A conflict (the document names a version) is tried again five times, from the second retry on a
second apart; `force` then deletes the object and makes it anew, as it does when the server calls the patch invalid.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/apply/{apply,patcher}.go. `apply_server.py` is `--server-side`.
Not modelled: OpenAPI of the server (built-in kinds have their schema here, custom ones get JSON merge patches).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from chaoskube.models.client.api import is_conflict, status_of
from chaoskube.models.kubectl.last_applied import annotated, has_annotation, original
from chaoskube.models.kubectl.prune import Pruned, prune
from chaoskube.models.kubectl.session import MERGE, STRATEGIC, CommandFailed, Kubectl, Target, at
from chaoskube.models.kubectl.wait import DeletePolicy, delete_options, wait_until_gone
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.patch_diff import json_merge_diff, strategic_diff
from chaoskube.sim import SECOND, Refused, reached

MANAGER = "kubectl-client-side-apply"
RETRIES_MAX = 5
TRIES_BEFORE_BACKOFF = 1
RETRY_NS = 1 * SECOND
CREATED, CONFIGURED, UNCHANGED = "created", "configured", "unchanged"


@frozen(kw_only=True)
class Applied:
    """What kubectl prints of one document, and the object as the server has it now."""

    outcome: str
    live: Tree
    patch: Tree = field(factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def uid(self) -> str:
        """Of the live object."""
        return str(at(self.live, "metadata", "uid") or "")


async def apply(
    kubectl: Kubectl,
    given: KubeObject | Mapping[str, Any],
    *,
    force: bool = False,
    policy: DeletePolicy | None = None,
) -> Applied:
    """Apply one document."""
    document = kubectl.document(given)
    target = kubectl.target_of(document)
    if not target.name:
        raise CommandFailed("cannot use generate name with apply")
    live = await kubectl.find(target)
    if live is None:
        made = await kubectl.create(_without_nulls(annotated(document)), manager=MANAGER)
        return Applied(outcome=CREATED, live=made)
    warnings = () if has_annotation(live) else (f"{target} was not made by apply: the annotation is missing",)
    patch, after = await _patch(kubectl, target, document, live, force, policy or DeletePolicy())
    outcome = CONFIGURED if patch else UNCHANGED
    return Applied(outcome=outcome, live=after, patch=patch, warnings=warnings)


async def apply_all(
    kubectl: Kubectl,
    documents: tuple[KubeObject | Mapping[str, Any], ...],
    *,
    prunes: bool = False,
    selector: str = "",
) -> tuple[tuple[Applied, ...], tuple[Pruned, ...]]:
    """`kubectl apply -f DIR [--prune -l SELECTOR]`: each document, then what was applied once and isn't any more."""
    applied = [await apply(kubectl, document) for document in documents]
    if not prunes:
        return tuple(applied), ()
    namespaces = [kubectl.target_of(kubectl.document(document)).namespace for document in documents]
    visited = frozenset(one.uid for one in applied)
    return tuple(applied), await prune(
        kubectl, tuple(dict.fromkeys(filter(None, namespaces))), visited, selector=selector
    )


def apply_patch(document: Mapping[str, Any], live: Mapping[str, Any], *, is_custom: bool) -> Tree:
    """The patch that applying a document over a live object is; {} when there is nothing to do."""
    wanted = annotated(document)
    diff = json_merge_diff if is_custom else strategic_diff
    return diff(original(live), wanted, live)


async def _patch(
    kubectl: Kubectl, target: Target, document: Tree, live: Tree, force: bool, policy: DeletePolicy
) -> tuple[Tree, Tree]:
    retries = 0
    while True:
        try:
            return await _patch_once(kubectl, target, document, live)
        except Refused as refused:
            if is_conflict(refused) and retries < RETRIES_MAX:
                retries += 1
            elif force and (is_conflict(refused) or status_of(refused).reason == "Invalid"):
                return await _make_anew(kubectl, target, document, live, policy)
            else:
                raise
        reached("kubectl apply tries again after a conflict")
        if retries > TRIES_BEFORE_BACKOFF:
            await kubectl.process.sleep(RETRY_NS)
        live = await kubectl.get(target)


async def _patch_once(kubectl: Kubectl, target: Target, document: Tree, live: Tree) -> tuple[Tree, Tree]:
    is_custom = kubectl.is_custom(target)
    patch = apply_patch(document, live, is_custom=is_custom)
    if not patch:
        return {}, live
    kind = MERGE if is_custom else STRATEGIC
    return patch, await kubectl.patch(target, patch, type=kind, manager=MANAGER)


async def _make_anew(
    kubectl: Kubectl, target: Target, document: Tree, live: Tree, policy: DeletePolicy
) -> tuple[Tree, Tree]:
    """--force: delete, wait until it is gone, create; when that fails, put the old one back."""
    reached("kubectl apply --force makes an object anew")
    wanted = annotated(document)
    await kubectl.delete(target, delete_options(policy))
    await wait_until_gone(kubectl, target)
    try:
        return wanted, await kubectl.create(wanted, manager=MANAGER)
    except Refused:
        await kubectl.create(live, manager=MANAGER)
        raise


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value
