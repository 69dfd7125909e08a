"""clock-drift: one machine's clocks run fast or slow for a while, and all its timers with them.

One drift at a time: a crystal has one rate. A good one is off by less than 100 ppm (parts in a million), a virtual
machine that was starved by much more.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, choice, duration, integer, target


@fault("clock-drift")
@frozen(kw_only=True)
class ClockDrift(Action):
    """Let a machine's time run fast or slow by `ppm` parts in a million."""

    host: str = target("host")
    ppm: int = integer(100, 200_000)
    way: str = choice("fast", "slow")
    lasting: int = duration("0.5s", "20s", "120s")

    @property
    def by_ppm(self) -> int:
        """Below zero for a slow clock."""
        return self.ppm if self.way == "fast" else -self.ppm

    def ready(self, stage: Stage) -> None:
        if stage.world.host(self.host).drift_ppm:
            raise CannotApply(f"the clocks of {self.host} drift already")

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.host(self.host).drift(self.by_ppm).heal)

    def lasts(self) -> int:
        return self.lasting
