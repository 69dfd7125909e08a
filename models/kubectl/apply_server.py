"""`kubectl apply --server-side`: one patch; the server merges, and says whose fields it would have to take.

The manager is `kubectl` unless --field-manager says otherwise; a conflict is a 409 that lists managers, and
--force-conflicts takes the fields. What client-side apply made before becomes the server's business: the annotation with the
last applied document gets a manager of its own, and the fields of `kubectl-client-side-apply` go over to ours, so that a
field that leaves the document is removed.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/apply/apply.go, staging/src/k8s.io/client-go/util/csaupgrade/upgrade.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaoskube.models.apiserver.api import APPLY
from chaoskube.models.client.api import is_conflict
from chaoskube.models.kubectl.last_applied import LAST_APPLIED
from chaoskube.models.kubectl.session import JSON, CommandFailed, Kubectl, Target, at
from chaoskube.models.objects import KubeObject, thaw
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import Refused, reached

MANAGER = "kubectl"
LAST_APPLIED_MANAGER = "kubectl-last-applied"
RETRIES_MAX = 5


async def apply_server_side(
    kubectl: Kubectl,
    given: KubeObject | Mapping[str, Any],
    *,
    manager: str = MANAGER,
    force_conflicts: bool = False,
) -> Tree:
    """Apply one document; the object as the server has it then."""
    document = kubectl.document(given)
    target = kubectl.target_of(document)
    if not target.name:
        raise CommandFailed("cannot use generate name with apply")
    live = await kubectl.patch(target, document, type=APPLY, manager=manager, force=force_conflicts)
    live = await _keep_annotation(kubectl, target, live, manager)
    migrated = await _migrate(kubectl, target, live, manager)
    if migrated is None:
        return live
    return await kubectl.patch(target, document, type=APPLY, manager=manager, force=force_conflicts)


async def _keep_annotation(kubectl: Kubectl, target: Target, live: Tree, manager: str) -> Tree:
    value = (at(live, "metadata", "annotations") or {}).get(LAST_APPLIED)
    if manager != MANAGER or value is None or owners_of_annotation(live, "Apply"):
        return live
    only: Tree = {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": {"name": target.name, "annotations": {LAST_APPLIED: value}},
    }
    if target.namespace:
        only["metadata"]["namespace"] = target.namespace
    return await kubectl.patch(target, only, type=APPLY, manager=LAST_APPLIED_MANAGER)


async def _migrate(kubectl: Kubectl, target: Target, live: Tree, manager: str) -> Tree | None:
    """Hand the fields of client-side apply over; None when there is nothing to hand over."""
    for _ in range(RETRIES_MAX):
        entries = migrated_entries(live, owners_of_annotation(live, "Update"), manager)
        if entries is None:
            return None
        patch = (
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": at(live, "metadata", "resourceVersion"),
            },
        )
        try:
            reached("server-side apply takes over from client-side apply")
            return await kubectl.patch(target, patch, type=JSON)
        except Refused as refused:
            if not is_conflict(refused):
                raise
        live = await kubectl.get(target)
    return None


def owners_of_annotation(live: Mapping[str, Any], operation: str) -> tuple[str, ...]:
    """The managers that own the last-applied annotation by this operation, in the order of the list."""
    path = ("fieldsV1", "f:metadata", "f:annotations", f"f:{LAST_APPLIED}")
    entries: Sequence[Mapping[str, Any]] = at(live, "metadata", "managedFields") or ()
    return tuple(
        [one["manager"] for one in entries if one["operation"] == operation and at(one, *path) is not None]
    )


def migrated_entries(live: Mapping[str, Any], managers: Sequence[str], manager: str) -> list[Tree] | None:
    """managedFields with the Update entries of `managers` handed over to the Apply entry of `manager`; None: nothing to do."""
    entries: list[Tree] = thaw(at(live, "metadata", "managedFields") or ())
    theirs = [one for one in entries if _is(one, managers, "Update")]
    if not theirs:
        return None
    ours = next((one for one in entries if _is(one, (manager,), "Apply")), None)
    if ours is None:
        ours = theirs.pop(0)
        ours |= {"manager": manager, "operation": "Apply"}
    for one in theirs:
        if one["apiVersion"] == ours["apiVersion"]:
            ours["fieldsV1"] = _union(ours.get("fieldsV1") or {}, one.get("fieldsV1") or {})
    return [one for one in entries if one not in theirs]


def _is(entry: Mapping[str, Any], managers: Sequence[str], operation: str) -> bool:
    return entry["manager"] in managers and entry["operation"] == operation and not entry.get("subresource")


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> Tree:
    both: Tree = dict(one)
    for key, value in other.items():
        both[key] = _union(both[key], value) if key in both else value
    return both
