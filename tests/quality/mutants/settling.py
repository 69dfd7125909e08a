"""A mutant that never comes to rest: that everything settles is the harness's own claim."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.controllers.base import only
from chaoskube.models.controllers.node_lifecycle import NodeLifecycleController
from chaoskube.models.objects import Node
from tests.quality.mutant import mutant


@mutant("unsettled", scenario="rolling-update")
def cordoned_nodes_are_written_for_ever() -> Iterator[None]:
    """In each of its rounds the node controller notes the time on every cordoned node."""
    calm_round = NodeLifecycleController._round

    async def restless_round(self: NodeLifecycleController) -> None:
        await calm_round(self)
        for node in only(Node, self._nodes.list()):
            if node.spec.unschedulable:
                note = {"metadata": {"labels": {"seen": str(self._process.now)}}}
                await self._client.patch("nodes", "", node.name, note)

    with patched(NodeLifecycleController, "_round", restless_round):
        yield
