"""`kubectl rollout pause`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.rollout import pause
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("rollout-pause")
@attrs.frozen(kw_only=True)
class RolloutPause(Action):
    """Stop a Deployment from rolling out; changes gather until it is resumed, scaling works."""

    deployment: str = target("deployment")

    def do(self, stage: Stage) -> None:
        """`kubectl rollout pause deployment/NAME`."""
        by_kubectl(stage, lambda kubectl: pause(kubectl, deployment(self.deployment)))
