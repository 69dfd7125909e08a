"""cut-initial-list: a stream that is opened anew is reset after its nth message: mostly while it still tells what there is.

A watch that begins with the whole state must not be taken for complete when it breaks off in the middle. It bites when
the client opens its stream again: after a crash, a reset, or when the server has forgotten where it was.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, integer, target
from chaoskube.faults import stream_of
from chaoskube.sim import Connection, StreamName, StreamRule


@fault("cut-initial-list", weight=3)
@frozen(kw_only=True)
class CutInitialList(Action):
    """Reset each new connection of a stream after its nth message."""

    stream: str = target("stream")
    nth: int = integer(1, 20)
    lasting: int = duration("0.5s", "20s", "60s")

    def ready(self, stage: Stage) -> None:
        stream_of(self.stream)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.rule(_Cutter(stream_of(self.stream), self.nth)).heal)

    def lasts(self) -> int:
        return self.lasting


class _Cutter(StreamRule):
    """Counts the messages of connections that it has seen from their first on."""

    def __init__(self, stream: StreamName, nth: int) -> None:
        super().__init__(stream)
        self._nth = nth
        self._counts: dict[Connection, int] = {}

    def taken(self, receiver: Connection, message: object) -> None:
        if receiver in self._counts or receiver.delivered == 1:
            count = self._counts[receiver] = self._counts.get(receiver, 0) + 1
            if count == self._nth:
                receiver.cut()
