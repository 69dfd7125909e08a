"""full-disk: one process's disk has no space left; when there is some again, what ended because of it starts."""

from __future__ import annotations

from functools import partial

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, duration, target
from chaoskube.faults import disk_of, start_if_it_ended


@fault("full-disk")
@frozen(kw_only=True)
class FullDisk(Action):
    """Refuse every write of a process: no space left on device."""

    process: str = target("process")
    lasting: int = duration("0.5s", "10s", "120s")

    def ready(self, stage: Stage) -> None:
        if disk_of(self.process, stage).is_full:
            raise CannotApply(f"the disk of {self.process} is full already")

    def do(self, stage: Stage) -> None:
        process = stage.world.processes[self.process]
        stage.defer(partial(start_if_it_ended, process))
        stage.defer(process.disk.fill().heal)

    def lasts(self) -> int:
        return self.lasting
