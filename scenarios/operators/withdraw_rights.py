"""Rights that are taken from a service account for a while: `kubectl delete clusterrolebinding`, and later `kubectl apply`."""

from __future__ import annotations

from contextlib import suppress

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import duration, target
from chaoskube.models.cluster import APPLY_RETRY_NS
from chaoskube.models.kubectl import Kubectl, Target
from chaoskube.models.kubectl.apply import apply
from chaoskube.models.kubectl.delete import delete
from chaoskube.scenarios.operations import by_kubectl, cluster_of
from chaoskube.sim import Refused, Unsure


@operation("withdraw-rights", weight=3)
@attrs.frozen(kw_only=True)
class WithdrawRights(Action):
    """Delete a ClusterRoleBinding, and apply it again some time later, as often as it takes."""

    binding: str = target("clusterrolebinding")
    after: int = duration("1s", "20s", "40s")

    def do(self, stage: Stage) -> None:
        """`kubectl delete clusterrolebinding NAME`, `sleep`, `kubectl apply -f FILE`."""
        document = cluster_of(stage).document("ClusterRoleBinding", self.binding)
        bound = Target(resource="clusterrolebindings", namespace="", name=self.binding)

        async def withdraw(kubectl: Kubectl) -> None:
            with suppress(Refused, Unsure):  # it may be gone all the same
                await delete(kubectl, bound, waits=False)
            await kubectl.process.sleep(self.after)
            while True:
                with suppress(Refused, Unsure):
                    await apply(kubectl, document)
                    return
                await kubectl.process.sleep(APPLY_RETRY_NS)

        by_kubectl(stage, withdraw)
