"""`kubectl uncordon`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.cordon import cordon
from chaoskube.scenarios.operations import by_kubectl


@operation("uncordon")
@attrs.frozen(kw_only=True)
class Uncordon(Action):
    """Let pods be scheduled to a node again."""

    node: str = target("node")

    def do(self, stage: Stage) -> None:
        """`kubectl uncordon NODE`."""
        by_kubectl(stage, lambda kubectl: cordon(kubectl, self.node, unschedulable=False))
