"""The journal events of the client machinery: what a cache or a lease holder came to believe."""

from __future__ import annotations

from attrs import frozen

UNSURE = 0
"""The code of a write whose answer never came."""


@frozen(kw_only=True)
class InformerSynced:
    """A cache holds its first whole state: `count` objects as of `resource_version`."""

    resource: str
    resource_version: str
    count: int
    server: str


@frozen(kw_only=True)
class InformerRelisted:
    """A cache was replaced after its watch could not go on; `missed` objects were gone meanwhile."""

    resource: str
    resource_version: str
    missed: int
    server: str


@frozen(kw_only=True)
class WatchResumed:
    """A watch was opened again from where it ended."""

    resource: str
    resource_version: str
    server: str


@frozen(kw_only=True)
class LeaderStarted:
    """A process believes from now on that it holds `lease`."""

    lease: str
    identity: str


@frozen(kw_only=True)
class LeaderStopped:
    """A process no longer believes that it holds `lease`."""

    lease: str
    identity: str


@frozen(kw_only=True)
class WriteSent:
    """A client is about to send its write `number`; what listens here still acts before it leaves.

    `number` is unique within one life of the process; `key` is namespace/name (a generated name isn't known yet).
    """

    verb: str
    resource: str
    key: str
    number: int
    subresource: str = ""

    def digest_text(self) -> str:
        """Short, because there are many."""
        return f"WriteSent {self.number} {self.verb} {self.resource}/{self.subresource} {self.key}"


@frozen(kw_only=True)
class WriteAnswered:
    """The answer to a write arrived, and the component hasn't looked at it yet; 0: nobody knows what became of it."""

    number: int
    code: int

    @property
    def is_unsure(self) -> bool:
        """Whether the write may have taken effect or not."""
        return self.code == UNSURE

    def digest_text(self) -> str:
        """Short, because there are many."""
        return f"WriteAnswered {self.number} {self.code}"
