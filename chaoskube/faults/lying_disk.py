"""lying-disk: one process's disk says that a sync is done and has saved nothing; a crash in that time loses it.

No consensus survives this on enough members: what a scenario's invariants promise takes honest disks for granted.
So menus of everything leave it out; a scenario whose invariants allow for it names it.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, target
from chaoskube.faults import disk_of


@fault("lying-disk")
@frozen(kw_only=True)
class LyingDisk(Action):
    """Report syncs of a process as done and save nothing: what it wrote since is lost in a crash."""

    process: str = target("process")
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        disk_of(self.process, stage)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.processes[self.process].disk.lie().heal)

    def lasts(self) -> int:
        return self.lasting
