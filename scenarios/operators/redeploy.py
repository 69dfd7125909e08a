"""An operator and what it looks after are deployed anew, as a release of both in one does it."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, target
from chaoskube.models.kubectl import Kubectl
from chaoskube.models.kubectl.replace import replace
from chaoskube.scenarios.operations import by_kubectl, cluster_of
from chaoskube.sim import SECOND

SETTLES_NS = 1 * SECOND
"""From one step to the next."""
STARTS_NS = 10 * SECOND
"""Until the next replica is replaced: the one before has to be ready."""


@operation("redeploy", weight=3)
@attrs.frozen(kw_only=True)
class Redeploy(Action):
    """Make a custom object anew under its name, then replace all operators' replicas one after the other: who leads goes first."""

    custom: str = target("custom")

    def ready(self, stage: Stage) -> None:
        if not cluster_of(stage).operators:
            raise CannotApply("redeploy replaces operators, and this scenario runs none")

    def do(self, stage: Stage) -> None:
        """`kubectl replace --force -f FILE`, and SIGTERM to each replica in turn."""
        cluster = cluster_of(stage)
        document = cluster.custom_document(self.custom)

        async def redeploy(kubectl: Kubectl) -> None:
            await replace(kubectl, document, force=True)
            await kubectl.process.sleep(SETTLES_NS)
            for name in cluster.targets("leading-process"):
                stage.world.processes[name].terminate()
                await kubectl.process.sleep(STARTS_NS)

        by_kubectl(stage, redeploy)
