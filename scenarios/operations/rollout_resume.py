"""`kubectl rollout resume`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.rollout import resume
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("rollout-resume")
@attrs.frozen(kw_only=True)
class RolloutResume(Action):
    """Let a Deployment roll out what gathered while it was paused."""

    deployment: str = target("deployment")

    def do(self, stage: Stage) -> None:
        """`kubectl rollout resume deployment/NAME`."""
        by_kubectl(stage, lambda kubectl: resume(kubectl, deployment(self.deployment)))
