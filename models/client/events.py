"""The journal events of the client machinery: what a cache or a lease holder came to believe."""

from __future__ import annotations

from attrs import frozen


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
