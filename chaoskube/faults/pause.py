"""pause: a process is frozen and thawed (SIGSTOP, a long garbage collection, a starved machine)."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, duration, target


@fault("pause", weight=2)
@frozen(kw_only=True)
class Pause(Action):
    """Freeze a process; its timers and messages come late, all at once, when it thaws."""

    process: str = target("process")
    down: int = duration("0.1s", "5s", "120s")

    def ready(self, stage: Stage) -> None:
        if not stage.world.processes[self.process].is_running:
            raise CannotApply(f"{self.process} is not running")

    def do(self, stage: Stage) -> None:
        process = stage.world.processes[self.process]
        process.pause()
        stage.defer(process.resume)

    def lasts(self) -> int:
        return self.down
