"""`kubectl apply --server-side`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.apply_server import apply_server_side
from chaoskube.scenarios.operations import by_kubectl, cluster_of


@operation("apply-server-side")
@attrs.frozen(kw_only=True)
class ApplyServerSide(Action):
    """Apply a Deployment's document once more, the server merging: whoever set a field of it since loses it."""

    deployment: str = target("deployment")

    def do(self, stage: Stage) -> None:
        """`kubectl apply --server-side --force-conflicts -f FILE`."""
        document = cluster_of(stage).document("Deployment", self.deployment)
        by_kubectl(stage, lambda kubectl: apply_server_side(kubectl, document, force_conflicts=True))
