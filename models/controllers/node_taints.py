"""Writing a node's taints: read the node, change its list, patch it on the version that was read.

A taint that is to replace another is added first and the other taken off afterwards, in two writes. A conflict is
tried again, five times in all. Called by the node lifecycle controller.

Source: pkg/controller/util/node/controller_utils.go (SwapNodeControllerTaint), pkg/controller/controller_utils.go
(AddOrUpdateTaintOnNode, RemoveTaintOffNode).
"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.apiserver.api import GET, Request
from chaoskube.models.client.api import ApiClient, is_conflict
from chaoskube.models.controllers.node_health import with_taints, without_taints
from chaoskube.models.objects import Node, Taint, time_text
from chaoskube.sim import MILLISECOND, Refused

TRIES = 5
RETRY_DELAY = 100 * MILLISECOND


async def swap_taints(
    client: ApiClient, node: str, add: Sequence[str], remove: Sequence[str], effect: str
) -> None:
    """Put the taints `add` on a node, then take `remove` off. Raises Refused or Unsure."""
    if add:
        await _change(client, node, add, effect, adding=True)
    if remove:
        await _change(client, node, remove, effect, adding=False)


async def _change(client: ApiClient, name: str, keys: Sequence[str], effect: str, *, adding: bool) -> None:
    for attempt in range(TRIES):
        # The first read may come from the server's cache, later ones must be fresh.
        request = Request(verb=GET, resource="nodes", name=name, resource_version="" if attempt else "0")
        node = (await client.call(request)).body
        assert isinstance(node, Node), f"a node was asked for, not {node!r}"
        if adding:
            taints = with_taints(node.spec.taints, keys, effect, client.process.wall_ns())
        else:
            taints = without_taints(node.spec.taints, keys, effect)
        if taints is None:
            return
        patch = {
            "metadata": {"resourceVersion": node.resource_version},
            "spec": {"taints": tuple([_tree(taint) for taint in taints]) or None},
        }
        try:
            await client.patch("nodes", "", name, patch)
        except Refused as refusal:
            if not is_conflict(refusal) or attempt == TRIES - 1:
                raise
            await client.process.sleep(RETRY_DELAY)
        else:
            return


def _tree(taint: Taint) -> dict[str, object]:
    tree: dict[str, object] = {**taint.extra, "key": taint.key, "effect": taint.effect}
    if taint.value is not None:
        tree["value"] = taint.value
    if taint.time_added is not None:
        tree["timeAdded"] = time_text(taint.time_added)
    return tree
