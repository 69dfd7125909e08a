"""One scheduling decision, pure: a pod, a view of the nodes and some luck in; a node or a diagnosis out.

Nodes are asked in the view's order from a rotating start until enough feasible ones are found; each node's
answer is that of the first plugin that says no. One feasible node is taken as it is; of several the one with
the highest weighted sum of scores, and luck decides between equals.
(pkg/scheduler/schedule_one.go: schedulePod, findNodesThatFitPod, prioritizeNodes, selectHost)

Called by the shell, and by `diagnosis` to ask "what if other pods were gone".

Not modelled: a nominated node is not tried first (that comes with preemption); sixteen nodes are not asked at
once, so the scan stops exactly at the last node that was needed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from attrs import frozen

from chaoskube.models.scheduler.framework import NodeCheck, Plugin, Rejection
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View

# pkg/scheduler/schedule_one.go: minFeasibleNodesToFind, minFeasibleNodesPercentageToFind.
FEASIBLE_MIN = 100
FEASIBLE_PERCENT_MIN = 5


@frozen(kw_only=True)
class Chosen:
    """A node was found."""

    node: str
    feasible: tuple[str, ...]
    best: tuple[str, ...]
    """The nodes with the highest score, of which luck took one."""
    processed: int


@frozen(kw_only=True)
class Diagnosis:
    """No node was found, and why."""

    all_nodes: int
    rejections: Mapping[str, Rejection]
    """By node, in the order of asking."""
    narrowed_by: tuple[str, ...] = ()
    """Plugins that left the nodes without a rejection of their own out from the start."""
    blocked: Rejection | None = None
    """A plugin that said no to all nodes at once."""

    @property
    def rejected_by(self) -> tuple[str, ...]:
        """The plugins whose answer would have to change."""
        if self.blocked is not None:
            return (self.blocked.plugin,)
        named = [*self.narrowed_by, *(each.plugin for each in self.rejections.values())]
        return tuple(dict.fromkeys(named))

    @property
    def processed(self) -> int:
        """How many nodes were asked."""
        return len(self.rejections)


def decide(
    pod: PodInfo, view: View, plugins: Sequence[Plugin], *, start: int, luck: random.Random
) -> Chosen | Diagnosis:
    """Find the node for `pod`; the scan begins at `start`."""
    if not view.nodes:
        return Diagnosis(all_nodes=0, rejections={})
    checks = prepare(pod, view, plugins)
    if isinstance(checks, Rejection):
        return Diagnosis(all_nodes=len(view.nodes), rejections={}, blocked=checks)
    nodes, narrowed_by = _candidates(pod, view, plugins)
    feasible, rejections = _scan(nodes, checks, start=start, wanted=nodes_to_find(len(nodes)))
    if not feasible:
        return Diagnosis(all_nodes=len(view.nodes), rejections=rejections, narrowed_by=narrowed_by)
    best = _best(pod, view, plugins, feasible)
    chosen = best[0] if len(best) == 1 else best[luck.randrange(len(best))]
    return Chosen(
        node=chosen.name,
        feasible=tuple([info.name for info in feasible]),
        best=tuple([info.name for info in best]),
        processed=len(feasible) + len(rejections),
    )


def prepare(pod: PodInfo, view: View, plugins: Sequence[Plugin]) -> list[NodeCheck] | Rejection:
    """How to ask one node, plugin by plugin; a Rejection when one says no to all. (PreFilter)"""
    checks: list[NodeCheck] = []
    for plugin in plugins:
        check = plugin.check(pod, view)
        if isinstance(check, Rejection):
            return check
        if check is not None:
            checks.append(check)
    return checks


def ask(checks: Sequence[NodeCheck], node: NodeInfo) -> Rejection | None:
    """The first no, or None. (RunFilterPlugins)"""
    for check in checks:
        rejection = check(node)
        if rejection is not None:
            return rejection
    return None


def nodes_to_find(count: int) -> int:
    """How many feasible nodes are enough. (numFeasibleNodesToFind, percentageOfNodesToScore 0)"""
    if count < FEASIBLE_MIN:
        return count
    percent = max(50 - count // 125, FEASIBLE_PERCENT_MIN)
    return max(count * percent // 100, FEASIBLE_MIN)


def totals(pod: PodInfo, view: View, plugins: Sequence[Plugin], feasible: Sequence[NodeInfo]) -> list[int]:
    """The weighted sum of all scores for each feasible node."""
    sums = [0] * len(feasible)
    for plugin in plugins:
        scores = plugin.scores(pod, view, feasible) if plugin.weight else None
        if scores is not None:
            sums = [total + plugin.weight * score for total, score in zip(sums, scores, strict=True)]
    return sums


def _candidates(
    pod: PodInfo, view: View, plugins: Sequence[Plugin]
) -> tuple[Sequence[NodeInfo], tuple[str, ...]]:
    """All nodes, or those that plugins narrowed the choice to, with the names of these plugins."""
    allowed: set[str] | None = None
    narrowed_by: list[str] = []
    for plugin in plugins:
        names = plugin.candidates(pod)
        if names is not None:
            allowed = set(names) if allowed is None else allowed & set(names)
            narrowed_by.append(plugin.name)
    if allowed is None:
        return view.nodes, ()
    return [info for info in view.nodes if info.name in allowed], tuple(sorted(narrowed_by))


def _scan(
    nodes: Sequence[NodeInfo], checks: Sequence[NodeCheck], *, start: int, wanted: int
) -> tuple[list[NodeInfo], dict[str, Rejection]]:
    feasible: list[NodeInfo] = []
    rejections: dict[str, Rejection] = {}
    for step in range(len(nodes)):
        info = nodes[(start + step) % len(nodes)]
        rejection = ask(checks, info)
        if rejection is not None:
            rejections[info.name] = rejection
        else:
            feasible.append(info)
            if len(feasible) == wanted:
                break
    return feasible, rejections


def _best(
    pod: PodInfo, view: View, plugins: Sequence[Plugin], feasible: Sequence[NodeInfo]
) -> list[NodeInfo]:
    if len(feasible) == 1:
        return [feasible[0]]
    sums = totals(pod, view, plugins, feasible)
    highest = max(sums)
    return [info for info, total in zip(feasible, sums, strict=True) if total == highest]
