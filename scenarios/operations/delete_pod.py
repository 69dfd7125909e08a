"""`kubectl delete pod`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, integer, target
from chaoskube.models.kubectl import Target
from chaoskube.models.kubectl.delete import delete
from chaoskube.scenarios.operations import by_kubectl, cluster_of, split


@operation("delete-pod")
@attrs.frozen(kw_only=True)
class DeletePod(Action):
    """Delete one pod of a Deployment: the nth in the order of creation (names differ from run to run)."""

    deployment: str = target("deployment")
    nth: int = integer(1, 5, simplest=1)

    def ready(self, stage: Stage) -> None:
        """There must be so many pods."""
        pods = cluster_of(stage).observer.pods_of_deployment(self.deployment)
        if len(pods) < self.nth:
            raise CannotApply(f"{self.deployment} has {len(pods)} pods, there is no pod number {self.nth}")

    def do(self, stage: Stage) -> None:
        """`kubectl delete pod NAME --wait=false`."""
        pod = cluster_of(stage).observer.pods_of_deployment(self.deployment)[self.nth - 1]
        namespace, name = split(pod.key)
        pod_target = Target(resource="pods", namespace=namespace, name=name)
        by_kubectl(stage, lambda kubectl: delete(kubectl, pod_target, waits=False))
