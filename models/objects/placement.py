"""Where a pod may run: affinities, tolerations, spreading, gates.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from chaoskube.models.objects.fields import Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import LabelSelector


@frozen(kw_only=True)
class NodeSelectorRequirement:
    """In, NotIn, Exists, DoesNotExist, Gt, Lt on a node's labels or fields."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NodeSelectorTerm:
    """All its requirements must hold; an empty term matches no node."""

    match_expressions: tuple[NodeSelectorRequirement, ...] = ()
    match_fields: tuple[NodeSelectorRequirement, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NodeSelector:
    """At least one term must hold."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PreferredSchedulingTerm:
    """A node that matches scores `weight` more."""

    weight: int = 0
    preference: NodeSelectorTerm = field(default=NodeSelectorTerm())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NodeAffinity:
    """Nodes a pod must or would like to run on."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodAffinityTerm:
    """Pods, and the topology in which they are counted."""

    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    topology_key: str = ""
    namespace_selector: LabelSelector | None = None
    match_label_keys: tuple[str, ...] = ()
    mismatch_label_keys: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class WeightedPodAffinityTerm:
    """A term that scores."""

    weight: int = 0
    pod_affinity_term: PodAffinityTerm = field(default=PodAffinityTerm())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodAffinity:
    """Pods to be near to, or (as anti-affinity) away from."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Affinity:
    """A pod's affinities."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Taint:
    """What keeps pods off a node (NoSchedule, PreferNoSchedule) or drives them away (NoExecute)."""

    key: str = ""
    value: str | None = None
    effect: str = ""
    time_added: Time | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Toleration:
    """A taint that a pod bears, for `toleration_seconds` or for ever."""

    SHARED: ClassVar[bool] = True
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None
    toleration_seconds: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class TopologySpreadConstraint:
    """How unevenly matching pods may be spread over a topology."""

    max_skew: int = 0
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PodSchedulingGate:
    """As long as a pod has one, the scheduler leaves it alone."""

    name: str = ""
    extra: FrozenDict[str, Any] = EMPTY
