"""`kubectl replace --force` of a custom object."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.replace import replace
from chaoskube.scenarios.operations import by_kubectl, cluster_of


@operation("recreate-custom", weight=2)
@attrs.frozen(kw_only=True)
class RecreateCustom(Action):
    """Delete a custom object, wait until it is gone, and create it anew: the same name, another uid."""

    custom: str = target("custom")

    def do(self, stage: Stage) -> None:
        """`kubectl replace --force -f FILE`."""
        document = cluster_of(stage).custom_document(self.custom)
        by_kubectl(stage, lambda kubectl: replace(kubectl, document, force=True))
