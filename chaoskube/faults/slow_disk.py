"""slow-disk: writes and syncs of one process take longer for a while (a busy or dying device)."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, integer, target
from chaoskube.faults import disk_of


@fault("slow-disk", weight=3)
@frozen(kw_only=True)
class SlowDisk(Action):
    """Let writes and syncs of a process take `factor` times as long, and syncs `extra` longer."""

    process: str = target("process")
    factor: int = integer(1, 100)
    extra: int = duration("1ms", "100ms", "2s")
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        disk_of(self.process, stage)

    def do(self, stage: Stage) -> None:
        disk = stage.world.processes[self.process].disk
        stage.defer(disk.slow(factor=self.factor, extra_ns=self.extra).heal)

    def lasts(self) -> int:
        return self.lasting
