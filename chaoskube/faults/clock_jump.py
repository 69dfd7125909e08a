"""clock-jump: one machine's wall clock jumps, once, and stays there until everything is healed."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import choice, duration, target


@fault("clock-jump")
@frozen(kw_only=True)
class ClockJump(Action):
    """Let a machine's wall clock jump forwards or backwards for good; timers don't notice."""

    host: str = target("host")
    jump: int = duration("1ms", "2s", "1h")
    way: str = choice("forwards", "backwards")

    def do(self, stage: Stage) -> None:
        host = stage.world.host(self.host)
        stage.defer(host.step_wall(self.jump if self.way == "forwards" else -self.jump).heal)
