"""freeze-stream: one client's stream of one kind stands still until it is healed: the frozen view.

The connection is alive (pings are answered), so nobody notices; what was held back comes in order when it thaws. Of a
client's watch it is a client that knows nothing new of one kind, of an API server's own watch a cache that stands still.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, target
from chaoskube.faults import stream_of
from chaoskube.sim import FrozenStream


@fault("freeze-stream", weight=3)
@frozen(kw_only=True)
class FreezeStream(Action):
    """Hold back the messages of one labelled stream."""

    stream: str = target("stream")
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        stream_of(self.stream)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.freeze_stream(FrozenStream(stream_of(self.stream))).heal)

    def lasts(self) -> int:
        return self.lasting
