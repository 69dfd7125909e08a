"""`kubectl rollout undo`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.rollout_undo import undo
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("rollout-undo")
@attrs.frozen(kw_only=True)
class RolloutUndo(Action):
    """Go back to the revision of a Deployment before the newest; refused where there is none."""

    deployment: str = target("deployment")

    def do(self, stage: Stage) -> None:
        """`kubectl rollout undo deployment/NAME`."""
        by_kubectl(stage, lambda kubectl: undo(kubectl, deployment(self.deployment)))
