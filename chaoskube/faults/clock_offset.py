"""clock-offset: one machine's wall clock is wrong for a while, then right again (NTP found out)."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import choice, duration, target


@fault("clock-offset")
@frozen(kw_only=True)
class ClockOffset(Action):
    """Let a machine's wall clock be ahead or behind; timers don't notice."""

    host: str = target("host")
    offset: int = duration("1ms", "2s", "1h")
    way: str = choice("ahead", "behind")
    lasting: int = duration("0.5s", "20s", "120s")

    def do(self, stage: Stage) -> None:
        host = stage.world.host(self.host)
        stage.defer(host.step_wall(self.offset if self.way == "ahead" else -self.offset).heal)

    def lasts(self) -> int:
        return self.lasting
