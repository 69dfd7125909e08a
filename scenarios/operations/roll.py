"""`kubectl set image`: a rolling update."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import integer, target
from chaoskube.models.kubectl.set_image import FIRST, set_image
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("roll", weight=3)
@attrs.frozen(kw_only=True)
class Roll(Action):
    """Give a Deployment's first container a new image, so that its pods are replaced."""

    deployment: str = target("deployment")
    version: int = integer(2, 9, simplest=2)

    def do(self, stage: Stage) -> None:
        """`kubectl set image deployment/NAME CONTAINER=IMAGE:vN`."""
        workload = deployment(self.deployment)
        image = f"registry.example/{workload.name}:v{self.version}"
        by_kubectl(stage, lambda kubectl: set_image(kubectl, workload, {FIRST: image}))
