"""lose-answer: the next request of a process arrives, and its answer never comes back: the connection is reset.

Did it take effect? It did, or will; the client cannot know. Aimed (`before 2nd write of ...`), the request is that write.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import duration, target
from chaoskube.faults import stream_of
from chaoskube.sim import Connection, StreamName, StreamRule


@fault("lose-answer", weight=2, aimed="write")
@frozen(kw_only=True)
class LoseAnswer(Action):
    """Reset a connection as soon as the next request on it has arrived."""

    question: str = target("question")
    lasting: int = duration("0.5s", "20s", "60s")

    def ready(self, stage: Stage) -> None:
        stream_of(self.question)

    def do(self, stage: Stage) -> None:
        def over() -> None:
            stage.unwind()
            stage.end()

        stage.keep_open()
        rule = _NextQuestion(stream_of(self.question), lambda: stage.call_later(0, over))
        stage.defer(stage.world.network.rule(rule).heal)

    def lasts(self) -> int:
        """So long it waits for a request."""
        return self.lasting


class _NextQuestion(StreamRule):
    """Cuts the connection that brought the next message that is sent."""

    def __init__(self, stream: StreamName, over: Callable[[], object]) -> None:
        super().__init__(stream)
        self._over = over
        self._chosen: list[object] = []

    def holds_back(self, sender: Connection, message: object) -> bool:
        if not self._chosen:
            self._chosen.append(message)
        return False

    def taken(self, receiver: Connection, message: object) -> None:
        if self._chosen and self._chosen[0] is message:
            receiver.cut()
            self._over()
