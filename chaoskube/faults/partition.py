"""partition: nothing passes between two sets of machines, both ways or one way, for a while.

`from` and `to` are sets of hosts; without `to` it is everybody else. Connections stay open and silent, as
TCP's do; whoever waits finds out by time-out or keepalive.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, choice, duration, group


@fault("partition", weight=3)
@frozen(kw_only=True)
class Partition(Action):
    """Cut the links between some hosts and others."""

    hosts: tuple[str, ...] = group("host")
    others: tuple[str, ...] = group("host", or_none=True)
    way: str = choice("both", "out", "in")
    lasting: int = duration("0.5s", "10s", "120s")

    def sides(self, stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Who cannot send to whom."""
        all_hosts = tuple(stage.subject.targets("host"))
        others = self.others or tuple(host for host in all_hosts if host not in self.hosts)
        return (others, self.hosts) if self.way == "in" else (self.hosts, others)

    def ready(self, stage: Stage) -> None:
        sources, targets = self.sides(stage)
        if not sources or not targets or set(sources) & set(targets):
            raise CannotApply("a partition needs two sides that share no host")

    def do(self, stage: Stage) -> None:
        sources, targets = self.sides(stage)
        cut = stage.world.network.partition(sources, targets, one_way=self.way != "both")
        stage.defer(cut.heal)

    def lasts(self) -> int:
        return self.lasting
