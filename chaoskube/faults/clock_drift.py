"""clock-drift: one machine's clocks run fast or slow for a while, and all its timers with them.

A good crystal is off by less than 100 ppm (parts in a million), a virtual machine that was starved by much more.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import choice, duration, integer, target


@fault("clock-drift")
@frozen(kw_only=True)
class ClockDrift(Action):
    """Let a machine's time run fast or slow by `ppm` parts in a million."""

    host: str = target("host")
    ppm: int = integer(100, 200_000)
    way: str = choice("fast", "slow")
    lasting: int = duration("0.5s", "20s", "120s")

    def do(self, stage: Stage) -> None:
        host = stage.world.host(self.host)
        stage.defer(host.drift(self.ppm if self.way == "fast" else -self.ppm).heal)

    def lasts(self) -> int:
        return self.lasting
