"""bit-rot: bits flip in one stored record of one process; later somebody puts a good copy back.

The process notices when it reads the record, mostly when it starts. The end of the fault repairs the record (there
is always a good copy somewhere) and starts a process that ended itself because of it.
"""

from __future__ import annotations

from functools import partial

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, duration, integer, target
from chaoskube.faults import disk_of, start_if_it_ended


@fault("bit-rot")
@frozen(kw_only=True)
class BitRot(Action):
    """Flip bits in a stored record: `back` records before the newest of the nth file (by name)."""

    process: str = target("process")
    file: int = integer(1, 4)
    back: int = integer(0, 50)
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        disk = disk_of(self.process, stage)
        if self.file > len(disk.files):
            raise CannotApply(f"{self.process} has {len(disk.files)} files, no number {self.file}")
        name = disk.files[self.file - 1]
        if self.back >= disk.stored_count(name):
            raise CannotApply(
                f"{name} of {self.process} has {disk.stored_count(name)} stored records, none {self.back} back"
            )

    def do(self, stage: Stage) -> None:
        process = stage.world.processes[self.process]
        disk = process.disk
        stage.defer(partial(start_if_it_ended, process))
        stage.defer(disk.rot(disk.files[self.file - 1], -1 - self.back).heal)

    def lasts(self) -> int:
        return self.lasting
