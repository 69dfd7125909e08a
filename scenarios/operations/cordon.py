"""`kubectl cordon`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.cordon import cordon
from chaoskube.scenarios.operations import by_kubectl


@operation("cordon")
@attrs.frozen(kw_only=True)
class Cordon(Action):
    """Let no more pods be scheduled to a node; those that run there stay."""

    node: str = target("node")

    def do(self, stage: Stage) -> None:
        """`kubectl cordon NODE`."""
        by_kubectl(stage, lambda kubectl: cordon(kubectl, self.node))
