"""`kubectl rollout restart`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.rollout import restart
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("rollout-restart")
@attrs.frozen(kw_only=True)
class RolloutRestart(Action):
    """Replace all pods of a Deployment with new ones of the same template, by a rolling update."""

    deployment: str = target("deployment")

    def do(self, stage: Stage) -> None:
        """`kubectl rollout restart deployment/NAME`."""
        by_kubectl(stage, lambda kubectl: restart(kubectl, deployment(self.deployment)))
