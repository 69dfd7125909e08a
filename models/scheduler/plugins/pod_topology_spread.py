"""PodTopologySpread: pods spread evenly over zones, hosts and the like. (plugins/podtopologyspread)

Hard constraints (DoNotSchedule) reject, soft ones score; a pod without any gets the system's soft defaults,
counted by what owns it. Only pods of the same namespace that aren't terminating are counted, and only when a
pod is placed: what is deleted later may unbalance.

Scores use double precision as the original does; nothing keeps the floats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from attrs import frozen

from chaoskube.models.objects import LabelSelector, Node, Pod
from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.objects.placement import TopologySpreadConstraint
from chaoskube.models.scheduler.framework import (
    MAX_NODE_SCORE,
    ClusterEvent,
    Happening,
    NodeCheck,
    Plugin,
    Rejection,
    plugin,
)
from chaoskube.models.scheduler.matching import first_untolerated, fits_required_affinity, selects
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
SYSTEM_DEFAULTS = ((HOSTNAME, 3), (ZONE, 5))
"""Topology key and maxSkew. (plugins/podtopologyspread/plugin.go, systemDefaultConstraints)"""

_REASON = "node(s) didn't match pod topology spread constraints"
_MISSING = f"{_REASON} (missing required label)"


@frozen(kw_only=True)
class Constraint:
    """One constraint, ready for counting; every selector must match."""

    key: str
    max_skew: int
    selectors: tuple[LabelSelector, ...]
    min_domains: int = 1
    honours_affinity: bool = True
    honours_taints: bool = False

    def includes(self, pod: Pod, node: Node) -> bool:
        """Whether the node's pods count at all (nodeAffinityPolicy, nodeTaintsPolicy)."""
        if self.honours_affinity and not fits_required_affinity(pod, node):
            return False
        return not (self.honours_taints and first_untolerated(node.spec.taints, pod.spec.tolerations))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod with these labels is counted."""
        return bool(self.selectors) and all(selects(each, labels) for each in self.selectors)

    def count(self, info: NodeInfo, namespace: str) -> int:
        """The pods on a node that are counted; an empty selector counts none."""
        if all(not each.match_labels and not each.match_expressions for each in self.selectors):
            return 0
        return sum(
            each.pod.namespace == namespace
            and each.pod.metadata.deletion_timestamp is None
            and self.matches(each.pod.labels)
            for each in info.pods.values()
        )


@plugin
class PodTopologySpread(Plugin):
    """Rejects nodes that would pass maxSkew; prefers the emptiest domains."""

    name = "PodTopologySpread"
    order = 120
    weight = 2

    def check(self, pod: PodInfo, view: View) -> NodeCheck | None:
        """Count once, then ask each node for its domains."""
        constraints = declared(pod.pod, "DoNotSchedule")
        if not constraints:
            return None
        counts = [_count_domains(each, constraints, pod.pod, view) for each in constraints]
        rejection = Rejection(plugin=self.name, reasons=(_REASON,))
        missing = Rejection(plugin=self.name, reasons=(_MISSING,), is_resolvable=False)

        def ask(node: NodeInfo) -> Rejection | None:
            for constraint, domains in zip(constraints, counts, strict=True):
                value = node.labels.get(constraint.key)
                if value is None:
                    return missing
                least = min(domains.values(), default=0) if len(domains) >= constraint.min_domains else 0
                itself = constraint.matches(pod.pod.labels)
                if domains.get(value, 0) + itself - least > constraint.max_skew:
                    return rejection
            return None

        return ask

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int] | None:
        """The fewer counted pods in a node's domains, the better."""
        if pod.pod.spec.topology_spread_constraints:
            constraints, needs_all_keys = declared(pod.pod, "ScheduleAnyway"), True
        else:
            constraints, needs_all_keys = _defaults(pod.pod, view), False
        if not constraints:
            return None
        scored = [
            info
            for info in feasible
            if not needs_all_keys or all(each.key in info.labels for each in constraints)
        ]
        raw = _raw_scores(constraints, pod.pod, view, scored, needs_all_keys=needs_all_keys)
        return _normalized([raw.get(info.name) for info in feasible])

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A counted pod that came, went or changed, or a node that changes the domains."""
        constraints = declared(pod.pod, "DoNotSchedule")
        if event.what is Happening.OWN_LABELS:
            return True
        if event.what in (Happening.POD_ASSIGNED, Happening.POD_GONE, Happening.POD_LABELS):
            return _pod_counts(constraints, pod.pod, event)
        if event.what in (Happening.NODE_ADDED, Happening.NODE_DELETED, Happening.NODE_LABELS):
            before, now = _domains_of(event.old, constraints), _domains_of(event.new, constraints)
            return before != now
        return False


def declared(pod: Pod, when_unsatisfiable: str) -> tuple[Constraint, ...]:
    """The pod's own constraints of one kind."""
    return tuple(
        Constraint(
            key=each.topology_key,
            max_skew=each.max_skew,
            selectors=_selectors(each, pod),
            min_domains=each.min_domains or 1,
            honours_affinity=(each.node_affinity_policy or "Honor") == "Honor",
            honours_taints=each.node_taints_policy == "Honor",
        )
        for each in pod.spec.topology_spread_constraints
        if each.when_unsatisfiable == when_unsatisfiable
    )


def _selectors(constraint: TopologySpreadConstraint, pod: Pod) -> tuple[LabelSelector, ...]:
    """The constraint's selector, and the pod's own values of matchLabelKeys."""
    if constraint.label_selector is None:
        return ()
    own = {key: pod.labels[key] for key in constraint.match_label_keys if key in pod.labels}
    return (constraint.label_selector, *((LabelSelector(match_labels=FrozenDict(own)),) if own else ()))


def _defaults(pod: Pod, view: View) -> tuple[Constraint, ...]:
    """The system's constraints, counting whatever the pod's services and controller select."""
    selectors = view.owners.selectors_of(pod)
    if not selectors:
        return ()
    return tuple(Constraint(key=key, max_skew=skew, selectors=selectors) for key, skew in SYSTEM_DEFAULTS)


def _count_domains(
    constraint: Constraint, constraints: Sequence[Constraint], pod: Pod, view: View
) -> dict[str, int]:
    """Counted pods by value of the topology key, over the nodes that are eligible."""
    domains: dict[str, int] = {}
    for info in view.nodes:
        if all(each.key in info.labels for each in constraints) and constraint.includes(pod, info.node):
            value = info.labels[constraint.key]
            domains[value] = domains.get(value, 0) + constraint.count(info, pod.namespace)
    return domains


def _raw_scores(
    constraints: Sequence[Constraint],
    pod: Pod,
    view: View,
    scored: Sequence[NodeInfo],
    *,
    needs_all_keys: bool,
) -> dict[str, int]:
    """Weighted counts by node. (scoring.go: initPreScoreState, Score)"""
    sums = {info.name: 0.0 for info in scored}
    for constraint in constraints:
        is_host = constraint.key == HOSTNAME
        domains = {} if is_host else {info.labels.get(constraint.key, ""): 0 for info in scored}
        weight = math.log((len(scored) if is_host else len(domains)) + 2)
        for info in () if is_host else view.nodes:
            has_keys = not needs_all_keys or all(each.key in info.labels for each in constraints)
            value = info.labels.get(constraint.key, "")
            if has_keys and value in domains and constraint.includes(pod, info.node):
                domains[value] += constraint.count(info, pod.namespace)
        for info in scored:
            if constraint.key in info.labels:
                value = info.labels[constraint.key]
                count = constraint.count(info, pod.namespace) if is_host else domains[value]
                sums[info.name] += count * weight + (constraint.max_skew - 1)
    return {name: int(total + 0.5) for name, total in sums.items()}


def _normalized(raw: Sequence[int | None]) -> list[int]:
    """Reverse and stretch by the highest; a node that isn't scored gets 0. (NormalizeScore)"""
    known = [score for score in raw if score is not None]
    highest, lowest = max(known, default=0), min(known, default=0)
    if highest == 0:
        return [0 if score is None else MAX_NODE_SCORE for score in raw]
    return [0 if score is None else MAX_NODE_SCORE * (highest + lowest - score) // highest for score in raw]


def _pod_counts(constraints: Sequence[Constraint], pod: Pod, event: ClusterEvent) -> bool:
    if event.pod.namespace != pod.namespace:
        return False
    if event.what is Happening.POD_LABELS and event.old_pod is not None:
        before, now = event.old_pod.labels, event.pod.labels
        return any(each.matches(before) != each.matches(now) for each in constraints)
    return any(each.matches(event.pod.labels) for each in constraints)


def _domains_of(node: object, constraints: Sequence[Constraint]) -> tuple[str, ...] | None:
    """Where a node belongs, or None when it lacks a key (or isn't there)."""
    if not isinstance(node, Node) or any(each.key not in node.labels for each in constraints):
        return None
    return tuple(node.labels[each.key] for each in constraints)
