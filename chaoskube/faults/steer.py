"""steer: a process's connections go to one server, and to no other: the failover that nobody asked for.

Its connections to the others are reset and new ones refused. The one that is left may be behind.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, duration, target

SERVER = "server"


@fault("steer", weight=3)
@frozen(kw_only=True)
class Steer(Action):
    """Let a process reach one server alone."""

    process: str = target("process")
    server: str = target(SERVER)
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        if not self._others(stage):
            raise CannotApply(f"there must be another server than {self.server}")
        if self.process in stage.subject.targets(SERVER):
            raise CannotApply(f"{self.process} is a server itself")

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.refuse(self.process, self._others(stage)).heal)

    def lasts(self) -> int:
        return self.lasting

    def _others(self, stage: Stage) -> tuple[str, ...]:
        return tuple(one for one in stage.subject.targets(SERVER) if one != self.server)
