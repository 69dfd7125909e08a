"""slow-link: everything between two machines takes longer for a while."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, choice, duration, target


@fault("slow-link")
@frozen(kw_only=True)
class SlowLink(Action):
    """Add latency between two hosts."""

    host: str = target("host")
    other: str = target("host")
    extra: int = duration("10ms", "200ms", "5s")
    way: str = choice("both", "out")
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        if self.host == self.other:
            raise CannotApply("a link has two ends")

    def do(self, stage: Stage) -> None:
        network = stage.world.network
        stage.defer(network.slow([self.host], [self.other], self.extra, one_way=self.way == "out").heal)

    def lasts(self) -> int:
        return self.lasting
