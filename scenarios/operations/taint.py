"""`kubectl taint nodes`: pods that don't tolerate it stay away, or have to go."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import choice, target
from chaoskube.models.kubectl.taint import taint
from chaoskube.scenarios.operations import by_kubectl

TAINT = "maintenance"


@operation("taint")
@attrs.frozen(kw_only=True)
class Taint(Action):
    """Taint a node: new pods stay away, and with NoExecute those that run there are deleted."""

    node: str = target("node")
    effect: str = choice("NoSchedule", "NoExecute")

    def do(self, stage: Stage) -> None:
        """`kubectl taint nodes NODE maintenance:EFFECT --overwrite`."""
        spec = f"{TAINT}:{self.effect}"
        by_kubectl(stage, lambda kubectl: taint(kubectl, self.node, [spec], overwrite=True))
