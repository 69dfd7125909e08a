"""drop-stream: the connections of one stream are reset, once: a client's watch, say, that has to be opened again.

Whoever watches goes on from the last version it saw, and may do so at another server.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, target
from chaoskube.faults import stream_of


@fault("drop-stream", weight=2)
@frozen(kw_only=True)
class DropStream(Action):
    """Reset the connections of one labelled stream."""

    stream: str = target("stream")

    def ready(self, stage: Stage) -> None:
        if not stage.world.network.open_ends(stream_of(self.stream)):
            raise CannotApply(f"no connection of {self.stream} is open")

    def do(self, stage: Stage) -> None:
        for end in stage.world.network.open_ends(stream_of(self.stream)):
            end.cut()

    def lasts(self) -> int:
        """It is over at once."""
        return 0
