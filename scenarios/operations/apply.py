"""`kubectl apply`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.apply import apply
from chaoskube.scenarios.operations import by_kubectl, cluster_of


@operation("apply")
@attrs.frozen(kw_only=True)
class Apply(Action):
    """Apply a Deployment's document once more: whatever was scaled or rolled goes back to it."""

    deployment: str = target("deployment")

    def do(self, stage: Stage) -> None:
        """`kubectl apply -f FILE`."""
        document = cluster_of(stage).document("Deployment", self.deployment)
        by_kubectl(stage, lambda kubectl: apply(kubectl, document))
