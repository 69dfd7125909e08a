"""crash-renaming: a process is killed while a new file takes the place of an old one, and started again later.

What is stored in two places is safe only as long as nobody dies in between, and such moments are too short to be met by
a crash at any time. Files are replaced whole where it matters: a database is compacted, or another one is received. (etcd's
robustness tests crash it at named points for the same reason: before and after the renaming in a defragmentation, and
around the installation of a snapshot.)
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import choice, duration, integer, target
from chaoskube.faults import disk_of
from chaoskube.sim import Unsynced


@fault("crash-renaming", weight=3)
@frozen(kw_only=True)
class CrashRenaming(Action):
    """Kill a process when it has replaced a file for the `nth` time from now on; it starts again after `down`."""

    process: str = target("process")
    nth: int = integer(1, 2)
    down: int = duration("0.1s", "2s", "60s")
    unsynced: str = choice("lost", "torn", "kept")

    def ready(self, stage: Stage) -> None:
        disk_of(self.process, stage)

    def do(self, stage: Stage) -> None:
        """Wait for the moment; the handler that replaces the file comes to its end, what it wrote isn't safe yet."""
        process = stage.world.processes[self.process]
        left = self.nth

        def on_replaced() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                stage.call_later(0, kill, process.life)

        def kill(life: int) -> None:
            if process.is_alive and process.life == life:
                process.crash(unsynced=Unsynced(self.unsynced))
            stage.call_later(self.down, over)

        def over() -> None:
            stage.unwind()
            stage.end()

        stage.keep_open()
        stage.defer(process.start)
        stage.defer(process.disk.when_replaced(on_replaced).heal)
