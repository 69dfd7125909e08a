"""expire-watch: an API server tells one client's watch that it has forgotten where it was (410, Expired): the relist.

Whatever happened since is not told one by one any more: the client lists anew, and what came and went in between it never
sees. Real servers say so after they have restarted, after compaction, or when a client comes back late. It bites while
something happens: a hunt aims it at an event of a client.
"""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, target
from chaoskube.faults import stream_of
from chaoskube.models.apiserver.api import ERROR, Status, WatchEvent
from chaoskube.sim import Connection

EXPIRED = WatchEvent(ERROR, Status(code=410, reason="Expired", message="too old resource version"))


@fault("expire-watch", weight=4, aimed="event")
@frozen(kw_only=True)
class ExpireWatch(Action):
    """End a client's watch with 410 Expired, so that it lists anew."""

    aimed_share: ClassVar[float] = 0.4
    """A client that hears of nothing, as its server is behind, has no events to aim at."""

    watch: str = target("watch")

    def ready(self, stage: Stage) -> None:
        if not self._ends(stage):
            raise CannotApply(f"no connection of {self.watch} is open")

    def do(self, stage: Stage) -> None:
        for end in self._ends(stage):
            end.send(EXPIRED)

    def lasts(self) -> int:
        """It is over at once."""
        return 0

    def _ends(self, stage: Stage) -> tuple[Connection, ...]:
        return stage.world.network.open_ends(stream_of(self.watch))
