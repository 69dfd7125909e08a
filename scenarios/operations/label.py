"""`kubectl label`: something is written down about a Deployment, and its pods don't care."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target, word
from chaoskube.models.kubectl.label import label
from chaoskube.scenarios.operations import by_kubectl, deployment


@operation("label")
@attrs.frozen(kw_only=True)
class Label(Action):
    """Label a Deployment with the team that owns it; nothing may move because of it."""

    deployment: str = target("deployment")
    team: str = word("team")

    def do(self, stage: Stage) -> None:
        """`kubectl label deployment/NAME team=TEAM --overwrite`."""
        changes = {"team": self.team}
        by_kubectl(
            stage, lambda kubectl: label(kubectl, deployment(self.deployment), changes, overwrite=True)
        )
