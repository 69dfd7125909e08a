"""`kubectl scale` of a custom object."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import integer, target
from chaoskube.models.kubectl.scale import scale
from chaoskube.scenarios.operations import by_kubectl, cluster_of


@operation("scale-custom", weight=3)
@attrs.frozen(kw_only=True)
class ScaleCustom(Action):
    """Ask for another number of replicas of a custom object, through its scale subresource."""

    custom: str = target("custom")
    replicas: int = integer(1, 4, simplest=1)

    def do(self, stage: Stage) -> None:
        """`kubectl scale KIND NAME --replicas=N`."""
        document = cluster_of(stage).custom_document(self.custom)
        by_kubectl(
            stage,
            lambda kubectl: scale(kubectl, kubectl.target_of(kubectl.document(document)), self.replicas),
        )
