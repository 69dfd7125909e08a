"""crash-host: a machine loses power with everything on it, and comes back later."""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, choice, duration, target
from chaoskube.sim import Unsynced


@fault("crash-host", weight=2)
@frozen(kw_only=True)
class CrashHost(Action):
    """Cut a machine's power: its processes die without a word to their peers."""

    host: str = target("host")
    down: int = duration("0.1s", "10s", "600s")
    unsynced: str = choice("lost", "torn", "kept")

    def ready(self, stage: Stage) -> None:
        if not stage.world.host(self.host).is_up:
            raise CannotApply(f"{self.host} has no power already")

    def do(self, stage: Stage) -> None:
        host = stage.world.host(self.host)
        host.crash(unsynced=Unsynced(self.unsynced))
        stage.defer(host.start)

    def lasts(self) -> int:
        return self.down
