"""Mutants of those who delete."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.controllers.garbage_collector import GarbageCollector
from chaoskube.models.controllers.garbage_graph import Identity
from chaoskube.models.node import status
from chaoskube.models.objects import KubeObject
from tests.quality.mutant import mutant


@mutant("each-deletion-has-its-reason", scenario="cascading-delete")
def what_is_cached_is_believed() -> Iterator[None]:
    """The garbage collector looks for owners in its caches, and does not ask the server."""

    async def read_cached(self: GarbageCollector, identity: Identity) -> KubeObject | None:
        resource = self._resource_of(identity)
        namespace = identity.namespace if resource.namespaced else ""
        return self._manager.monitor(resource.name).get(namespace, identity.name)

    with patched(GarbageCollector, "read_live", read_cached):
        yield


@mutant("a-pod-is-gone-when-it-is-over", scenario="rolling-update")
def marked_is_as_good_as_ended() -> Iterator[None]:
    """A kubelet takes away the object of each pod that is being deleted, without waiting for its containers."""
    with patched(status, "_can_be_deleted", lambda live, held: live.metadata.deletion_timestamp is not None):
        yield
