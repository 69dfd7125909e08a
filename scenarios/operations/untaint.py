"""`kubectl taint nodes NODE KEY-`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.taint import taint
from chaoskube.scenarios.operations import by_kubectl
from chaoskube.scenarios.operations.taint import TAINT


@operation("untaint")
@attrs.frozen(kw_only=True)
class Untaint(Action):
    """Take the maintenance taint off a node; refused where there is none."""

    node: str = target("node")

    def do(self, stage: Stage) -> None:
        """`kubectl taint nodes NODE maintenance-`."""
        by_kubectl(stage, lambda kubectl: taint(kubectl, self.node, [f"{TAINT}-"]))
