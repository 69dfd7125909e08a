"""`kubectl annotate`: something is written down about a Deployment, and its pods don't care."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target, word
from chaoskube.models.kubectl.label import annotate
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("annotate")
@attrs.frozen(kw_only=True)
class Annotate(Action):
    """Write down why a Deployment was changed; nothing may move because of it."""

    deployment: str = target("deployment")
    cause: str = word("team")

    def do(self, stage: Stage) -> None:
        """`kubectl annotate deployment/NAME kubernetes.io/change-cause=CAUSE --overwrite`."""
        changes = {"kubernetes.io/change-cause": self.cause}
        by_kubectl(
            stage, lambda kubectl: annotate(kubectl, deployment(self.deployment), changes, overwrite=True)
        )
