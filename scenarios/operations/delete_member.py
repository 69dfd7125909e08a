"""`kubectl delete pod`, of a StatefulSet."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, integer, target
from chaoskube.models.kubectl import Target
from chaoskube.models.kubectl.delete import delete
from chaoskube.models.objects import Pod
from chaoskube.scenarios.operations import by_kubectl, cluster_of, split


@operation("delete-member")
@attrs.frozen(kw_only=True)
class DeleteMember(Action):
    """Delete one pod of a StatefulSet, by its number; its name comes back. Gracefully: nothing is forced."""

    statefulset: str = target("statefulset")
    ordinal: int = integer(0, 4, simplest=0)

    def ready(self, stage: Stage) -> None:
        """There must be such a pod."""
        if cluster_of(stage).observer.get(Pod, f"{self.statefulset}-{self.ordinal}") is None:
            raise CannotApply(f"there is no pod {self.statefulset}-{self.ordinal}")

    def do(self, stage: Stage) -> None:
        """`kubectl delete pod NAME-N --wait=false`."""
        namespace, name = split(self.statefulset)
        pod = Target(resource="pods", namespace=namespace, name=f"{name}-{self.ordinal}")
        by_kubectl(stage, lambda kubectl: delete(kubectl, pod, waits=False))
