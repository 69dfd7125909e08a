"""lose: datagrams are lost, between some machines and the rest, for a while.

Connections are not touched: TCP repairs losses and order, and pays with latency (`slow-link`).
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, group, integer
from chaoskube.faults import against_the_rest


@fault("lose")
@frozen(kw_only=True)
class Lose(Action):
    """Lose datagrams with a chance of `permille` in a thousand."""

    hosts: tuple[str, ...] = group("host")
    permille: int = integer(50, 1000, simplest=1000)
    lasting: int = duration("0.5s", "10s", "60s")

    def ready(self, stage: Stage) -> None:
        against_the_rest(self.hosts, stage)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.lose(*against_the_rest(self.hosts, stage), self.permille).heal)

    def lasts(self) -> int:
        return self.lasting
