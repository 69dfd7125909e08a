"""`kubectl label`: something is written down about a Deployment, and its pods don't care."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target, word
from chaoskube.models.apiserver.api import MERGE
from chaoskube.scenarios.operations import by_kubectl, split


@operation("label")
@attrs.frozen(kw_only=True)
class Label(Action):
    """Label a Deployment with the team that owns it; nothing may move because of it."""

    deployment: str = target("deployment")
    team: str = word("team")

    def do(self, stage: Stage) -> None:
        """`kubectl label deployment/NAME team=TEAM --overwrite`."""
        namespace, name = split(self.deployment)
        patch = {"metadata": {"labels": {"team": self.team}}}
        by_kubectl(
            stage, lambda kubectl: kubectl.client.patch("deployments", namespace, name, patch, type=MERGE)
        )
