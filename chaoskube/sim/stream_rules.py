"""Rules about streams: what one process sends another on connections with one label, watched or disturbed.

A stream is named `label@sender>receiver`; `*` is any process. A rule is asked about each message on its streams:
when it is sent (it may be late, or held back: then all that follows it on that connection waits behind it, because a
connection keeps its order), when it has arrived and its process is about to take it, and when that has taken it.
Pings and their answers are never held back: the stream is silent, the connection is alive.

Called by `Network` and `Connection`, and only while there are rules; made by faults and by aims of the harness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from .errors import UsageError

if TYPE_CHECKING:
    from .stream import Connection

ANY = "*"


@frozen(kw_only=True)
class StreamName:
    """Which messages: of connections with this label, from a process to a process."""

    label: str
    sender: str = ANY
    receiver: str = ANY

    def __str__(self) -> str:
        return f"{self.label}@{self.sender}>{self.receiver}"

    def fits(self, label: str, sender: str, receiver: str) -> bool:
        """Is a message of this label between these two meant?"""
        return self.label == label and self.sender in (ANY, sender) and self.receiver in (ANY, receiver)

    @classmethod
    def parse(cls, text: str) -> StreamName:
        """The name that stands in a text; UsageError when it is none."""
        label, at, ends = text.partition("@")
        sender, arrow, receiver = ends.partition(">")
        if not (label and at and sender and arrow and receiver):
            raise UsageError(f"{text!r} must read label@sender>receiver (* is any process)")
        return cls(label=label, sender=sender, receiver=receiver)


class StreamRule:
    """One opinion about the messages of a stream. A subclass overrides what it cares for."""

    def __init__(self, stream: StreamName) -> None:
        self.stream = stream

    def delay_ns(self) -> int:
        """How much later than the link says a message arrives."""
        return 0

    def holds_back(self, sender: Connection, message: object) -> bool:
        """Must this message (and all behind it) wait until `Connection.release`?"""
        return False

    def arriving(self, receiver: Connection, message: object) -> None:
        """The message is there, and its process has not seen it yet."""

    def taken(self, receiver: Connection, message: object) -> None:
        """Its process has been handed the message."""


class LateStream(StreamRule):
    """Everything comes later by `extra_ns`."""

    def __init__(self, stream: StreamName, extra_ns: int) -> None:
        super().__init__(stream)
        self._extra_ns = extra_ns

    def delay_ns(self) -> int:
        return self._extra_ns


class FrozenStream(StreamRule):
    """From the `nth` message on nothing passes until `thaw`; then all of it does, in order."""

    def __init__(self, stream: StreamName, *, nth: int = 1) -> None:
        super().__init__(stream)
        self._to_come = nth - 1
        self._waiting: dict[Connection, int] = {}

    def holds_back(self, sender: Connection, message: object) -> bool:
        if self._to_come > 0:
            self._to_come -= 1
            return False
        self._waiting[sender] = self._waiting.get(sender, 0) + 1
        return True

    @property
    def held(self) -> int:
        """How many messages have been held back so far."""
        return sum(self._waiting.values())

    def thaw(self) -> None:
        """Let what waits go on its way. The rule must be out of the network already."""
        waiting, self._waiting = self._waiting, {}
        for connection in waiting:
            connection.release()
