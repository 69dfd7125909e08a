"""A sight waits for the moment that an aim names, and then fires, once.

What is aimed before a journal event is done while the process writes it: if that kills the process, nothing that would
come next in its code happens. After one with a pair (a write and its answer) means the pair of the nth; when the
process dies first, the next one counts instead. On a stream, before a message means that it has arrived and nobody has
seen it, after it that the process's handler of messages has run. Called by `run.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.aim import Aim
from chaoskube.moment import AFTER, BEFORE, Moment
from chaoskube.sim import (
    Connection,
    Disturbance,
    Entry,
    Journal,
    ProcessStopped,
    StreamName,
    StreamRule,
    World,
)


class Sight:
    """One aim that is waited for. `fire` is called at its moment; `close` gives up."""

    def __init__(self, world: World, aim: Aim, fire: Callable[[], None]) -> None:
        self.aim = aim
        self.seen = 0
        """How many moments of the kind have come."""
        self._fire = fire
        one = aim.mark.definition
        if one.is_of_stream:
            self._end = self._watch_stream(world, one)
        else:
            self._end = self._watch_journal(world.journal, one)

    def close(self) -> None:
        """Wait no more."""
        self._end.heal()

    def told(self) -> str:
        """Why it has not fired."""
        times = {0: "there was none", 1: "there was only one"}.get(self.seen, f"there were only {self.seen}")
        return f"its moment never came: {times}"

    def _hit(self) -> None:
        self.close()
        self._fire()

    # -- journal events

    def _watch_journal(self, journal: Journal, one: Moment) -> Disturbance:
        mark = self.aim.mark
        is_paired = self.aim.side == AFTER and bool(one.paired_by)
        counted = one.before if self.aim.side == BEFORE or is_paired else one.after
        assert counted is not None, f"a {one.name} has {one.sides}, not {self.aim.side}"
        pair: list[object] = []

        def count(entry: Entry) -> None:
            if pair or entry.by != mark.process or not one.is_meant(entry.event, mark.kinds):
                return
            self.seen += 1
            if self.seen == self.aim.nth:
                if is_paired:
                    pair.append(getattr(entry.event, one.paired_by))
                else:
                    self._hit()

        def answered(entry: Entry) -> None:
            if pair and entry.by == mark.process and getattr(entry.event, one.paired_by) == pair[0]:
                self._hit()

        def died(entry: Entry) -> None:
            if pair and entry.by == mark.process:
                pair.clear()
                self.seen -= 1

        listeners: list[tuple[type, Callable[[Entry], None]]] = [(counted, count)]
        if is_paired and one.after is not None:
            listeners += [(one.after, answered), (ProcessStopped, died)]
        for event_type, listener in listeners:
            journal.subscribe(event_type, listener)

        def forget() -> None:
            for event_type, listener in listeners:
                journal.unsubscribe(event_type, listener)

        return Disturbance(forget)

    # -- streams

    def _watch_stream(self, world: World, one: Moment) -> Disturbance:
        mark = self.aim.mark
        stream = StreamName(label=one.stream_label(mark.kinds), receiver=mark.process)
        return world.network.rule(_Counter(stream, self._count_message, is_before=self.aim.side == BEFORE))

    def _count_message(self) -> None:
        self.seen += 1
        if self.seen == self.aim.nth:
            self._hit()


class _Counter(StreamRule):
    """Tells of each message on one side of its arrival."""

    def __init__(self, stream: StreamName, tell: Callable[[], None], *, is_before: bool) -> None:
        super().__init__(stream)
        self._tell = tell
        self._is_before = is_before

    def arriving(self, receiver: Connection, message: object) -> None:
        if self._is_before:
            self._tell()

    def taken(self, receiver: Connection, message: object) -> None:
        if not self._is_before:
            self._tell()
