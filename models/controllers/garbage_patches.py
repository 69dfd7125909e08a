"""The garbage collector's patches of owner references: taking owners off an object, and no longer holding them up.

By strategic merge with the uid as precondition, or whole, with the version, where a (custom) resource knows no strategic
merge.

Source: pkg/controller/garbagecollector/patch.go.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.api import MERGE
from chaoskube.models.client.api import ApiClient, is_not_found, status_of
from chaoskube.models.controllers.garbage_graph import Identity, Node
from chaoskube.models.objects import KubeObject, OwnerReference
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import Refused, reached

UNSUPPORTED = 415
Merged = Callable[[KubeObject], list[dict[str, object]]]


class OwnerPatches:
    """Writes owner references."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def remove_owners(self, resource: Resource, identity: Identity, uids: tuple[str, ...]) -> None:
        """Take these owners off the object."""
        removals: tuple[dict[str, object], ...] = tuple([{"$patch": "delete", "uid": uid} for uid in uids])

        def merged(live: KubeObject) -> list[dict[str, object]]:
            return [reference_tree(one) for one in live.metadata.owner_references if one.uid not in uids]

        await self._patch(resource, identity, removals, merged)

    async def unblock(self, resource: Resource, node: Node) -> None:
        """The object no longer holds its owners up: it waits for a dependent that may wait for it."""
        reached("garbage collector broke a circle")
        freed = tuple([_freed(one) for one in node.owners if one.block_owner_deletion])

        def merged(live: KubeObject) -> list[dict[str, object]]:
            return [_freed(one) for one in live.metadata.owner_references]

        await self._patch(resource, node.identity, freed, merged)

    async def _patch(
        self, resource: Resource, identity: Identity, strategic: tuple[dict[str, object], ...], merged: Merged
    ) -> None:
        namespace = identity.namespace if resource.namespaced else ""
        patch: dict[str, object] = {"metadata": {"uid": identity.uid, "ownerReferences": strategic}}
        try:
            await self._client.patch(resource.name, namespace, identity.name, patch)
            return
        except Refused as refusal:
            if status_of(refusal).code != UNSUPPORTED:
                raise
        try:
            live = await self._client.get(resource.name, namespace, identity.name)
        except Refused as refusal:
            if is_not_found(refusal):
                return
            raise
        patch = {
            "metadata": {"resourceVersion": live.resource_version, "ownerReferences": tuple(merged(live))}
        }
        await self._client.patch(resource.name, namespace, identity.name, patch, type=MERGE)


def _freed(owner: OwnerReference) -> dict[str, object]:
    tree = reference_tree(owner)
    return {**tree, "blockOwnerDeletion": False} if owner.block_owner_deletion else tree


def reference_tree(owner: OwnerReference) -> dict[str, object]:
    """A reference as JSON."""
    tree: dict[str, object] = {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
    }
    if owner.controller is not None:
        tree["controller"] = owner.controller
    if owner.block_owner_deletion is not None:
        tree["blockOwnerDeletion"] = owner.block_owner_deletion
    return tree
