"""Does a toleration bear a taint, does a term match a node, does a selector match labels. Pure.

Sources: staging/src/k8s.io/component-helpers/scheduling/corev1 (helpers.go, nodeaffinity/nodeaffinity.go),
staging/src/k8s.io/api/core/v1/toleration.go, staging/src/k8s.io/apimachinery/pkg/labels/selector.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chaoskube.models.objects import LabelSelector, Node, Pod
from chaoskube.models.objects.placement import (
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Taint,
    Toleration,
)
from chaoskube.models.objects.selectors import matches

HARD_EFFECTS = ("NoSchedule", "NoExecute")


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether this toleration bears this taint."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    operator = toleration.operator or "Equal"
    if operator == "Exists":
        return True
    if operator == "Equal":
        return (toleration.value or "") == (taint.value or "")
    return _compares(operator, toleration.value or "", taint.value or "")


def first_untolerated(
    taints: Iterable[Taint], tolerations: Iterable[Toleration], effects: tuple[str, ...] = HARD_EFFECTS
) -> Taint | None:
    """The first taint of these effects that nothing bears."""
    borne = tuple(tolerations)
    for taint in taints:
        if taint.effect in effects and not any(tolerates(each, taint) for each in borne):
            return taint
    return None


def fits_required_affinity(pod: Pod, node: Node) -> bool:
    """nodeSelector and the required node affinity, both."""
    labels = node.labels
    if any(labels.get(key) != value for key, value in pod.spec.node_selector.items()):
        return False
    terms = required_terms(pod)
    return terms is None or any(term_matches(term, node) for term in terms)


def required_terms(pod: Pod) -> tuple[NodeSelectorTerm, ...] | None:
    """The terms of which one must match; None when nothing is required."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None
    return None if required is None else required.node_selector_terms


def term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    """Whether every requirement of the term holds; an empty term matches nothing."""
    if not term.match_expressions and not term.match_fields:
        return False
    fields = {"metadata.name": node.name}
    return all(_holds(each, node.labels) for each in term.match_expressions) and all(
        _holds(each, fields) for each in term.match_fields
    )


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether the selector matches; a missing one matches nothing, an empty one everything."""
    if selector is None:
        return False
    if not selector.match_expressions:  # most selectors; asked for each counted pod
        return selector.match_labels.items() <= labels.items()
    return matches(selector, labels)


def _holds(requirement: NodeSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    operator = requirement.operator
    if operator == "In":
        return value is not None and value in requirement.values
    if operator == "NotIn":
        return value is None or value not in requirement.values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    bound = requirement.values[0] if len(requirement.values) == 1 else ""
    return value is not None and _compares(operator, bound, value)


def _compares(operator: str, bound: str, value: str) -> bool:
    """Gt and Lt: whole numbers; what isn't one doesn't match."""
    try:
        number, limit = int(value), int(bound)
    except ValueError:
        return False
    if operator == "Gt":
        return number > limit
    return operator == "Lt" and number < limit
