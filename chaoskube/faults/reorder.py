"""reorder: datagrams overtake one another, between some machines and the rest, for a while.

Connections are not touched: TCP repairs losses and order, and pays with latency (`slow-link`).
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, group
from chaoskube.faults import against_the_rest


@fault("reorder")
@frozen(kw_only=True)
class Reorder(Action):
    """Let datagrams take up to `window` longer, each by its own luck."""

    hosts: tuple[str, ...] = group("host")
    window: int = duration("1ms", "20ms", "2s")
    lasting: int = duration("0.5s", "10s", "60s")

    def ready(self, stage: Stage) -> None:
        against_the_rest(self.hosts, stage)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.reorder(*against_the_rest(self.hosts, stage), self.window).heal)

    def lasts(self) -> int:
        return self.lasting
