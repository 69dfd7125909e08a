"""TaintNodesByCondition: a new node takes no pods before the node controller has seen it ready.

Source: plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.admission.attributes import CREATE, Attributes, Target
from chaoskube.models.apiserver.admission.default_tolerations import NOT_READY
from chaoskube.models.apiserver.admission.plugin import Plugin
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.objects import Node, Taint


class TaintNodesByCondition(Plugin):
    """Puts the not-ready taint on new nodes."""

    name = "TaintNodesByCondition"

    def admits(self, target: Target) -> bool:
        """New nodes."""
        return target.is_on("nodes", CREATE)

    def admit(self, ctx: Context, attributes: Attributes) -> Flow[Attributes]:
        """The node with the taint."""
        yield from ()
        assert isinstance(attributes.obj, Node), f"{attributes.obj!r} is no node"
        return attributes.with_object(with_not_ready_taint(attributes.obj))


def with_not_ready_taint(node: Node) -> Node:
    """The node with the not-ready taint, once."""
    if any(taint.key == NOT_READY and taint.effect == "NoSchedule" for taint in node.spec.taints):
        return node
    taint = Taint(key=NOT_READY, effect="NoSchedule")
    return evolve(node, spec=evolve(node.spec, taints=(*node.spec.taints, taint)))
