"""`kubectl drain`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import target
from chaoskube.models.kubectl.drain import drain
from chaoskube.models.kubectl.drain_filters import EVERYTHING
from chaoskube.scenarios.operations import by_kubectl


@operation("drain")
@attrs.frozen(kw_only=True)
class Drain(Action):
    """Cordon a node and evict what runs on it."""

    node: str = target("node")

    def do(self, stage: Stage) -> None:
        """`kubectl drain NODE --ignore-daemonsets --delete-emptydir-data --force`; it stays cordoned."""
        by_kubectl(stage, lambda kubectl: drain(kubectl, self.node, EVERYTHING))
