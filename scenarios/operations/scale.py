"""`kubectl scale`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import integer, target
from chaoskube.models.kubectl.scale import scale
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("scale", weight=2)
@attrs.frozen(kw_only=True)
class Scale(Action):
    """Ask for another number of replicas of a Deployment."""

    deployment: str = target("deployment")
    replicas: int = integer(1, 5, simplest=1)

    def do(self, stage: Stage) -> None:
        """`kubectl scale deployment/NAME --replicas=N`."""
        by_kubectl(stage, lambda kubectl: scale(kubectl, deployment(self.deployment), self.replicas))
