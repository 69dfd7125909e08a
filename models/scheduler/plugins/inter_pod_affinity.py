"""InterPodAffinity: near to these pods, away from those. (plugins/interpodaffinity: filtering.go, scoring.go)

Required anti-affinity is symmetric: pods that are there keep a newcomer away as well as the other way round.
The first of a group that wants to be together may go anywhere. Never asked again once a pod is placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chaoskube.models.objects import LabelSelector, Node, Pod
from chaoskube.models.objects.meta import LabelSelectorRequirement
from chaoskube.models.objects.placement import PodAffinity, PodAffinityTerm, WeightedPodAffinityTerm
from chaoskube.models.scheduler.framework import (
    MAX_NODE_SCORE,
    ClusterEvent,
    Happening,
    NodeCheck,
    Plugin,
    Rejection,
    plugin,
)
from chaoskube.models.scheduler.matching import selects
from chaoskube.models.scheduler.nodes import NodeInfo, Owners, PodInfo, View

HARD_POD_AFFINITY_WEIGHT = 1
"""pkg/scheduler/apis/config/v1/defaults.go, hardPodAffinityWeight."""

_AFFINITY = "node(s) didn't match pod affinity rules"
_ANTI = "node(s) didn't match pod anti-affinity rules"
_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"

Places = dict[tuple[str, str], int]
"""How much is at each (topology key, value)."""


@plugin
class InterPodAffinity(Plugin):
    """Rejects and scores by the pods that are near."""

    name = "InterPodAffinity"
    order = 130
    weight = 2

    def check(self, pod: PodInfo, view: View) -> NodeCheck | None:
        """Find the forbidden and the wanted places once, then look where each node is."""
        near, apart = required_terms(pod.pod, is_anti=False), required_terms(pod.pod, is_anti=True)
        wanted = _wanted_places(near, pod.pod, view)
        forbidden = _places(apart, pod.pod, view)
        existing = _places_of_existing(pod.pod, view)
        if not near and not forbidden and not existing:
            return None
        is_first = not wanted and _matches_all(near, pod.pod, pod.pod, view.owners)

        def ask(node: NodeInfo) -> Rejection | None:
            if not all(_at(node, each.topology_key, wanted, is_first=is_first) for each in near):
                return Rejection(plugin=self.name, reasons=(_AFFINITY,), is_resolvable=False)
            if any((key, value) in forbidden for key, value in node.labels.items()):
                return Rejection(plugin=self.name, reasons=(_ANTI,))
            if any((key, value) in existing for key, value in node.labels.items()):
                return Rejection(plugin=self.name, reasons=(_EXISTING,))
            return None

        return ask

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int] | None:
        """The sum of the weights of what is near, both ways, stretched to 0..100."""
        places = _scored_places(pod.pod, view)
        if not places:
            return None
        raw = [sum(places.get(item, 0) for item in info.labels.items()) for info in feasible]
        lowest, spread = min(raw), max(raw) - min(raw)
        return [MAX_NODE_SCORE * (score - lowest) // spread if spread else 0 for score in raw]

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """A pod that is wanted came, one that is in the way went, or a node entered another topology."""
        if event.what is Happening.OWN_LABELS:
            return True
        near, apart = required_terms(pod.pod, is_anti=False), required_terms(pod.pod, is_anti=True)
        if event.what in (Happening.NODE_ADDED, Happening.NODE_LABELS):
            return _node_helps((*near, *apart), event)
        if event.what not in (Happening.POD_ASSIGNED, Happening.POD_GONE, Happening.POD_LABELS):
            return False
        # Without the cache at hand, a namespace selector is taken to match: one try too many costs little.
        is_wanted = bool(near) and all(_selects_loosely(each, pod.pod, event.pod) for each in near)
        theirs = required_terms(event.pod, is_anti=True)
        is_in_the_way = any(
            _selects_loosely(each, pod.pod, event.old_pod or event.pod) for each in apart
        ) or any(_selects_loosely(each, event.pod, pod.pod) for each in theirs)
        if event.what is Happening.POD_ASSIGNED:
            return is_wanted
        return is_in_the_way if event.what is Happening.POD_GONE else is_wanted or is_in_the_way


def required_terms(pod: Pod, *, is_anti: bool) -> tuple[PodAffinityTerm, ...]:
    """The terms that must hold."""
    affinity = _affinity(pod, is_anti=is_anti)
    return () if affinity is None else affinity.required_during_scheduling_ignored_during_execution


def preferred_terms(pod: Pod, *, is_anti: bool) -> tuple[WeightedPodAffinityTerm, ...]:
    """The terms that score."""
    affinity = _affinity(pod, is_anti=is_anti)
    return () if affinity is None else affinity.preferred_during_scheduling_ignored_during_execution


def term_selects(term: PodAffinityTerm, owner: Pod, other: Pod, owners: Owners) -> bool:
    """Whether `owner`'s term means the pod `other`."""
    return _in_namespace(term, owner, other, owners) and _labels_match(term, owner, other)


def _affinity(pod: Pod, *, is_anti: bool) -> PodAffinity | None:
    affinity = pod.spec.affinity
    if affinity is None:
        return None
    return affinity.pod_anti_affinity if is_anti else affinity.pod_affinity


def _in_namespace(term: PodAffinityTerm, owner: Pod, other: Pod, owners: Owners) -> bool:
    if not term.namespaces and term.namespace_selector is None:
        return other.namespace == owner.namespace
    if other.namespace in term.namespaces:
        return True
    return selects(term.namespace_selector, owners.namespace_labels(other.namespace))


def _labels_match(term: PodAffinityTerm, owner: Pod, other: Pod) -> bool:
    if not selects(term.label_selector, other.labels):
        return False
    own = [
        LabelSelectorRequirement(key=key, operator=operator, values=(owner.labels[key],))
        for keys, operator in ((term.match_label_keys, "In"), (term.mismatch_label_keys, "NotIn"))
        for key in keys
        if key in owner.labels
    ]
    return not own or selects(LabelSelector(match_expressions=tuple(own)), other.labels)


def _selects_loosely(term: PodAffinityTerm, owner: Pod, other: Pod) -> bool:
    is_own = not term.namespaces and term.namespace_selector is None
    if is_own and other.namespace != owner.namespace:
        return False
    return _labels_match(term, owner, other)


def _matches_all(terms: Iterable[PodAffinityTerm], owner: Pod, other: Pod, owners: Owners) -> bool:
    return all(term_selects(term, owner, other, owners) for term in terms)


def _wanted_places(terms: Sequence[PodAffinityTerm], pod: Pod, view: View) -> Places:
    """Where pods are that every term means."""
    places: Places = {}
    for info in view.nodes if terms else ():
        if any(_matches_all(terms, pod, other.pod, view.owners) for other in info.pods.values()):
            for term in terms:
                _mark(places, term, info, 1)
    return places


def _places(terms: Sequence[PodAffinityTerm], pod: Pod, view: View) -> Places:
    """Where pods are that any of the terms means."""
    places: Places = {}
    for info in view.nodes if terms else ():
        for term in terms:
            if any(term_selects(term, pod, other.pod, view.owners) for other in info.pods.values()):
                _mark(places, term, info, 1)
    return places


def _places_of_existing(pod: Pod, view: View) -> Places:
    """Where pods are that don't want the newcomer near."""
    places: Places = {}
    for info in view.nodes:
        for other in _with_opinions(info):
            for term in required_terms(other.pod, is_anti=True):
                if term_selects(term, other.pod, pod, view.owners):
                    _mark(places, term, info, 1)
    return places


def _scored_places(pod: Pod, view: View) -> Places:
    """The weight of every place, by the newcomer's preferences and by those of the pods that are there."""
    places: Places = {}
    mine = _weighted(pod)
    for info in view.nodes:
        for other in info.pods.values() if mine else ():
            for weight, term in mine:
                if term_selects(term, pod, other.pod, view.owners):
                    _mark(places, term, info, weight)
        for other in _with_opinions(info):
            hard = required_terms(other.pod, is_anti=False)
            for weight, term in (*_weighted(other.pod), *((HARD_POD_AFFINITY_WEIGHT, term) for term in hard)):
                if term_selects(term, other.pod, pod, view.owners):
                    _mark(places, term, info, weight)
    return places


def _with_opinions(info: NodeInfo) -> list[PodInfo]:
    """The pods on a node that have affinities of their own."""
    return [each for each in info.pods.values() if each.pod.spec.affinity is not None]


def _weighted(pod: Pod) -> list[tuple[int, PodAffinityTerm]]:
    """The pod's preferences; those of anti-affinity count against."""
    near = [(each.weight, each.pod_affinity_term) for each in preferred_terms(pod, is_anti=False)]
    apart = [(-each.weight, each.pod_affinity_term) for each in preferred_terms(pod, is_anti=True)]
    return near + apart


def _mark(places: Places, term: PodAffinityTerm, info: NodeInfo, weight: int) -> None:
    value = info.labels.get(term.topology_key)
    if value is not None:
        place = (term.topology_key, value)
        places[place] = places.get(place, 0) + weight


def _at(node: NodeInfo, key: str, wanted: Places, *, is_first: bool) -> bool:
    value = node.labels.get(key)
    return value is not None and (is_first or (key, value) in wanted)


def _node_helps(terms: Sequence[PodAffinityTerm], event: ClusterEvent) -> bool:
    """Without own terms it was an existing pod's anti-affinity; any new place may be free of that."""
    old: Node | None = event.old_node
    if old is None or not terms:
        return True
    return any(
        old.labels.get(each.topology_key) != event.node.labels.get(each.topology_key) for each in terms
    )
