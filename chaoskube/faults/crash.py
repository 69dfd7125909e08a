"""crash: a process is killed and started again later; its disk may lose what was not synced."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, choice, duration, target
from chaoskube.sim import Unsynced


@fault("crash", weight=3)
@frozen(kw_only=True)
class Crash(Action):
    """Kill a process (SIGKILL); it starts again after `down`."""

    process: str = target("process")
    down: int = duration("0.1s", "2s", "60s")
    unsynced: str = choice("lost", "torn", "kept")

    def ready(self, stage: Stage) -> None:
        if not stage.world.processes[self.process].is_alive:
            raise CannotApply(f"{self.process} is down already")

    def do(self, stage: Stage) -> None:
        process = stage.world.processes[self.process]
        process.crash(unsynced=Unsynced(self.unsynced))
        stage.defer(process.start)

    def lasts(self) -> int:
        return self.down
