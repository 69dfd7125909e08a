"""`kubectl delete deployment`: not for menus that take for granted that the workload is there."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import choice, target
from chaoskube.models.apiserver.api import BACKGROUND, FOREGROUND, ORPHAN
from chaoskube.models.kubectl.delete import delete
from chaoskube.models.kubectl.wait import DeletePolicy
from chaoskube.scenarios.operations import by_kubectl, deployment

CASCADES = {"background": BACKGROUND, "foreground": FOREGROUND, "orphan": ORPHAN}


@operation("delete-deployment")
@attrs.frozen(kw_only=True)
class DeleteDeployment(Action):
    """Delete a Deployment, with what it owns, before or after, or without."""

    deployment: str = target("deployment")
    cascade: str = choice("background", "foreground", "orphan")

    def do(self, stage: Stage) -> None:
        """`kubectl delete deployment NAME --cascade=CASCADE --wait=false`."""
        policy = DeletePolicy(cascade=CASCADES[self.cascade])
        by_kubectl(
            stage,
            lambda kubectl: delete(kubectl, deployment(self.deployment), policy=policy, waits=False),
        )
