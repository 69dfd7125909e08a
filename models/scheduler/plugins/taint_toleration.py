"""TaintToleration: taints nobody bears. (plugins/tainttoleration/taint_toleration.go)"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.scheduler.framework import (
    ClusterEvent,
    Happening,
    NodeCheck,
    Plugin,
    Rejection,
    normalized,
    plugin,
)
from chaoskube.models.scheduler.matching import first_untolerated, tolerates
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View

_REASON = "node(s) had untolerated taint(s)"


@plugin
class TaintToleration(Plugin):
    """Rejects NoSchedule and NoExecute taints; scores down PreferNoSchedule ones."""

    name = "TaintToleration"
    order = 40
    weight = 3

    def check(self, pod: PodInfo, view: View) -> NodeCheck:
        """Ask for a taint that the pod doesn't tolerate."""
        tolerations = pod.pod.spec.tolerations
        rejection = Rejection(plugin=self.name, reasons=(_REASON,), is_resolvable=False)

        def ask(node: NodeInfo) -> Rejection | None:
            taints = node.node.spec.taints
            return rejection if taints and first_untolerated(taints, tolerations) is not None else None

        return ask

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int]:
        """The fewer PreferNoSchedule taints that aren't borne, the better."""
        soft = [each for each in pod.pod.spec.tolerations if each.effect in (None, "", "PreferNoSchedule")]
        raw = [
            sum(
                taint.effect == "PreferNoSchedule" and not any(tolerates(each, taint) for each in soft)
                for taint in info.node.spec.taints
            )
            for info in feasible
        ]
        return normalized(raw, is_reversed=True)

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A node whose taints are borne now and weren't, or a new toleration."""
        if event.what is Happening.OWN_TOLERATIONS:
            return True
        if event.what not in (Happening.NODE_ADDED, Happening.NODE_TAINTS):
            return False
        tolerations = pod.pod.spec.tolerations
        if first_untolerated(event.node.spec.taints, tolerations) is not None:
            return False
        old = event.old_node
        return old is None or first_untolerated(old.spec.taints, tolerations) is not None
