"""NodeAffinity: nodeSelector, required and preferred node affinity. (plugins/nodeaffinity/node_affinity.go)"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.objects.placement import NodeSelectorTerm
from chaoskube.models.scheduler.framework import (
    ClusterEvent,
    Happening,
    NodeCheck,
    Plugin,
    Rejection,
    normalized,
    plugin,
)
from chaoskube.models.scheduler.matching import fits_required_affinity, required_terms, term_matches
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View

_REASON = "node(s) didn't match Pod's node affinity/selector"
_CONFLICT = "pod affinity terms conflict"


@plugin
class NodeAffinity(Plugin):
    """Rejects nodes that don't match; prefers those that the pod prefers."""

    name = "NodeAffinity"
    order = 50
    weight = 2

    def candidates(self, pod: PodInfo) -> tuple[str, ...] | None:
        """The nodes named by matchFields, if every term names some (as DaemonSet pods do)."""
        terms = required_terms(pod.pod)
        if not terms:
            return None
        named: set[str] = set()
        for term in terms:
            names = _named(term)
            if names is None:
                return None
            named |= names
        return tuple(sorted(named))

    def check(self, pod: PodInfo, view: View) -> NodeCheck | Rejection | None:
        """Ask for labels and name."""
        if not pod.pod.spec.node_selector and required_terms(pod.pod) is None:
            return None
        if self.candidates(pod) == ():
            return Rejection(plugin=self.name, reasons=(_CONFLICT,), is_resolvable=False)
        rejection = Rejection(plugin=self.name, reasons=(_REASON,), is_resolvable=False)

        def ask(node: NodeInfo) -> Rejection | None:
            return None if fits_required_affinity(pod.pod, node.node) else rejection

        return ask

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int] | None:
        """The sum of the weights of the preferences that hold."""
        affinity = pod.pod.spec.affinity.node_affinity if pod.pod.spec.affinity is not None else None
        if affinity is None or not affinity.preferred_during_scheduling_ignored_during_execution:
            return None
        preferred = affinity.preferred_during_scheduling_ignored_during_execution
        raw = [
            sum(each.weight for each in preferred if term_matches(each.preference, info.node))
            for info in feasible
        ]
        return normalized(raw, is_reversed=False)

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A node that matches now and didn't."""
        if event.what not in (Happening.NODE_ADDED, Happening.NODE_LABELS):
            return False
        if not fits_required_affinity(pod.pod, event.node):
            return False
        return event.old_node is None or not fits_required_affinity(pod.pod, event.old_node)


def _named(term: NodeSelectorTerm) -> set[str] | None:
    """The only nodes that can match the term, by its metadata.name fields; None: any."""
    names: set[str] | None = None
    for each in term.match_fields:
        if each.key == "metadata.name" and each.operator == "In":
            names = set(each.values) if names is None else names & set(each.values)
    return names
