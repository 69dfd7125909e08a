"""hide-event: an event of a stream, and all behind it, is held back until later ones have passed elsewhere.

So a client acts on one kind as it is now and on another as it was, or sees two changes of a thing at once, where it would
have seen one after the other. A connection keeps its order: what follows the hidden event waits behind it.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, group, integer, target
from chaoskube.faults import stream_of
from chaoskube.sim import Connection, FrozenStream, StreamName, StreamRule

_Tell = Callable[[], None]


@fault("hide-event", weight=2)
@frozen(kw_only=True)
class HideEvent(Action):
    """Hold back the nth message of a stream until `later` have passed on others (or gathered behind it)."""

    stream: str = target("stream")
    nth: int = integer(1, 10)
    until: tuple[str, ...] = group("stream", or_none=True)
    later: int = integer(1, 10)
    lasting: int = duration("0.5s", "20s", "120s")

    def ready(self, stage: Stage) -> None:
        for name in (self.stream, *self.until):
            stream_of(name)

    def do(self, stage: Stage) -> None:
        """Freeze from the nth message on; over when enough has passed, or when its time is up."""

        def over() -> None:
            stage.unwind()
            stage.end()

        def enough() -> None:
            stage.call_later(0, over)

        network = stage.world.network
        hidden = _Hidden(
            stream_of(self.stream), nth=self.nth, wanted=0 if self.until else self.later, tell=enough
        )
        stage.keep_open()
        stage.defer(network.freeze_stream(hidden).heal)
        passing = _Passing(hidden, self.later, enough)
        for name in self.until:
            stage.defer(network.rule(_Watched(stream_of(name), passing)).heal)

    def lasts(self) -> int:
        return self.lasting


class _Hidden(FrozenStream):
    """Tells when so many messages wait behind the first."""

    def __init__(self, stream: StreamName, *, nth: int, wanted: int, tell: _Tell) -> None:
        super().__init__(stream, nth=nth)
        self._wanted = wanted
        self._tell = tell

    def holds_back(self, sender: Connection, message: object) -> bool:
        is_held = super().holds_back(sender, message)
        if is_held and self._wanted and self.held == self._wanted + 1:
            self._tell()
        return is_held


class _Passing:
    """Counts what passes elsewhere while something is hidden."""

    def __init__(self, hidden: _Hidden, wanted: int, tell: _Tell) -> None:
        self._hidden = hidden
        self._wanted = wanted
        self._tell = tell

    def count(self) -> None:
        """One message has passed."""
        if self._hidden.held and self._wanted:
            self._wanted -= 1
            if not self._wanted:
                self._tell()


class _Watched(StreamRule):
    def __init__(self, stream: StreamName, passing: _Passing) -> None:
        super().__init__(stream)
        self._passing = passing

    def taken(self, receiver: Connection, message: object) -> None:
        self._passing.count()
