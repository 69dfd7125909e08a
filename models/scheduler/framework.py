"""What a scheduler plugin is, what it may answer, and which happenings can wake a rejected pod.

A plugin is a stateless object of one small class in `plugins/`; the decorator `@plugin` files it by its
Kubernetes name, and `enabled()` hands all of them out in the default order. Every method has a default,
so that a plugin overrides only what it takes part in. (pkg/scheduler/framework/interface.go)

Preparing and checking are one: `check` looks at the pod and the view once and answers with a function
from node to rejection, which stands for PreFilter and Filter together; `scores` stands for PreScore,
Score and NormalizeScore together.

Not modelled: Reserve, Permit and PreBind plugins; profiles other than default-scheduler; extenders.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from chaoskube.models.objects import Node, Pod
from chaoskube.sim import Catalogue, ModelBug, load_all

if TYPE_CHECKING:
    from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo, View

MAX_NODE_SCORE = 100
"""pkg/scheduler/framework/interface.go, MaxNodeScore."""


@frozen(kw_only=True)
class Rejection:
    """A plugin's no to one node, or to all of them."""

    plugin: str
    reasons: tuple[str, ...]
    is_resolvable: bool = True
    """False is UnschedulableAndUnresolvable: the death of other pods would not help."""


class Happening(enum.Enum):
    """Changes in the cluster that can make a rejected pod fit. (pkg/scheduler/framework/events.go)"""

    NODE_ADDED = "node added"
    NODE_DELETED = "node deleted"
    NODE_ALLOCATABLE = "node allocatable changed"
    NODE_LABELS = "node labels changed"
    NODE_TAINTS = "node taints or unschedulable changed"
    NODE_CONDITIONS = "node conditions changed"
    POD_ASSIGNED = "a pod was assigned"
    POD_LABELS = "an assigned pod's labels changed"
    POD_SCALED_DOWN = "an assigned pod's requests fell"
    POD_GONE = "an assigned pod went"
    CLAIM_CHANGED = "a claim appeared or changed"
    OWN_GATES_GONE = "the pod's scheduling gates went"
    OWN_TOLERATIONS = "the pod's tolerations changed"
    OWN_LABELS = "the pod's labels changed"
    OWN_SCALED_DOWN = "the pod's requests fell"


OWN = frozenset(
    {Happening.OWN_GATES_GONE, Happening.OWN_TOLERATIONS, Happening.OWN_LABELS, Happening.OWN_SCALED_DOWN}
)
"""Happenings that concern nobody but the pod itself."""


@frozen(kw_only=True)
class ClusterEvent:
    """One happening, with the object before and after."""

    what: Happening
    old: Pod | Node | None = None
    new: Pod | Node | None = None
    claim: tuple[str, str] | None = None
    """Namespace and name, for CLAIM_CHANGED."""

    @property
    def node(self) -> Node:
        """The node as it is now, for the NODE_ happenings."""
        assert isinstance(self.new, Node), f"{self.what} carries no node"
        return self.new

    @property
    def old_node(self) -> Node | None:
        """The node as it was; None for one that is new."""
        assert self.old is None or isinstance(self.old, Node), f"{self.what} carries no node"
        return self.old

    @property
    def pod(self) -> Pod:
        """The pod as it is now, or as it last was."""
        pod = self.new if self.new is not None else self.old
        assert isinstance(pod, Pod), f"{self.what} carries no pod"
        return pod

    @property
    def old_pod(self) -> Pod | None:
        """The pod as it was."""
        assert self.old is None or isinstance(self.old, Pod), f"{self.what} carries no pod"
        return self.old


NodeCheck = Callable[["NodeInfo"], Rejection | None]


class Plugin:
    """The extension points, each with the answer of a plugin that takes no part in it."""

    name: str = ""
    order: int = 0
    weight: int = 0

    def pre_enqueue(self, pod: Pod) -> str | None:
        """Why the pod must not even be tried yet. (PreEnqueue)"""
        return None

    def candidates(self, pod: PodInfo) -> tuple[str, ...] | None:
        """The only nodes that can be right, or None for all. (PreFilterResult)"""
        return None

    def check(self, pod: PodInfo, view: View) -> NodeCheck | Rejection | None:
        """How to ask a node; a Rejection is for all of them; None: nothing to ask. (PreFilter, Filter)"""
        return None

    def scores(self, pod: PodInfo, view: View, feasible: Sequence[NodeInfo]) -> Sequence[int] | None:
        """0..100 for each feasible node; None: no opinion. (PreScore, Score, NormalizeScore)"""
        return None

    def may_help(self, pod: PodInfo, event: ClusterEvent) -> bool:
        """Whether a pod that this plugin rejected is worth another try now. (QueueingHintFn)"""
        return False


P = TypeVar("P", bound=type[Plugin])
PLUGINS: Catalogue[type[Plugin]] = Catalogue("scheduler plugin")


def plugin(cls: P) -> P:
    """File a plugin class under its Kubernetes name."""
    PLUGINS.register(cls.name, cls)
    return cls


def enabled() -> tuple[Plugin, ...]:
    """All plugins in the default order. (pkg/scheduler/apis/config/v1/default_plugins.go)"""
    load_all("chaoskube.models.scheduler.plugins")
    found = sorted((cls() for cls in PLUGINS), key=lambda each: each.order)
    for earlier, later in pairwise(found):
        if earlier.order == later.order:
            raise ModelBug(f"plugins {earlier.name} and {later.name} have the same order {later.order}")
    return tuple(found)


def normalized(raw: Sequence[int], *, is_reversed: bool) -> list[int]:
    """Stretch to 0..100 by the highest. (framework/plugins/helper, DefaultNormalizeScore)"""
    highest = max(raw, default=0)
    if highest == 0:
        return [MAX_NODE_SCORE if is_reversed else 0] * len(raw)
    scaled = [MAX_NODE_SCORE * score // highest for score in raw]
    return [MAX_NODE_SCORE - score for score in scaled] if is_reversed else scaled
