"""A node gets a new kubelet, as the documentation of kubeadm says: drain, restart the kubelet, uncordon."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl import Kubectl
from chaoskube.models.kubectl.cordon import cordon
from chaoskube.models.kubectl.drain import drain
from chaoskube.models.kubectl.drain_filters import EVERYTHING
from chaoskube.scenarios.operations import by_kubectl


@operation("upgrade-node", weight=3)
@attrs.frozen(kw_only=True)
class UpgradeNode(Action):
    """Drain a node, restart its kubelet and open the node again. (kubernetes.io, "Upgrading Linux nodes".)"""

    node: str = target("node")

    def do(self, stage: Stage) -> None:
        """`kubectl drain NODE ...`, `systemctl restart kubelet`, `kubectl uncordon NODE`."""

        async def upgrade(kubectl: Kubectl) -> None:
            await drain(kubectl, self.node, EVERYTHING)
            kubelet = stage.world.processes[f"kubelet@{self.node}"]
            if kubelet.is_alive:
                kubelet.exit()
            await cordon(kubectl, self.node, unschedulable=False)

        by_kubectl(stage, upgrade)
