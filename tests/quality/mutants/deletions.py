"""Mutants of those who delete."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.controllers.garbage_collector import GarbageCollector
from chaoskube.models.controllers.garbage_core import Owner
from chaoskube.models.controllers.garbage_graph import Node
from chaoskube.models.node import status
from chaoskube.models.objects import OwnerReference
from tests.quality.mutant import mutant


@mutant("each-deletion-has-its-reason", scenario="rolling-update")
def owners_that_were_not_seen_are_absent() -> Iterator[None]:
    """The garbage collector believes its graph, and does not ask the server whether an owner that it never saw is there."""
    classify = GarbageCollector.classify

    async def by_the_graph(self: GarbageCollector, node: Node, reference: OwnerReference) -> Owner | None:
        owner = self._graph.node(reference.uid)
        if owner is None or owner.is_virtual:
            return Owner.DANGLING
        return await classify(self, node, reference)

    with patched(GarbageCollector, "classify", by_the_graph):
        yield


@mutant("a-pod-is-gone-when-it-is-over", scenario="rolling-update")
def marked_is_as_good_as_ended() -> Iterator[None]:
    """A kubelet takes away the object of each pod that is being deleted, without waiting for its containers."""
    with patched(status, "_can_be_deleted", lambda live, held: live.metadata.deletion_timestamp is not None):
        yield
