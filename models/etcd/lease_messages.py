"""Requests and answers about leases (api/etcdserverpb/rpc.proto, service Lease). Times are whole seconds.

Used through `messages.py`. `LeaseCheckpoint` never comes from a client: the leader sends it through Raft.
"""

from __future__ import annotations

from attrs import field, frozen


@frozen(kw_only=True)
class LeaseGrant:
    """A new lease of `ttl` seconds; `id` 0 lets the server choose."""

    ttl: int
    id: int = 0


@frozen
class LeaseRevoke:
    """End a lease now, and delete its keys."""

    id: int


@frozen
class LeaseKeepAlive:
    """Begin the lease's time anew."""

    id: int


@frozen
class LeaseTimeToLive:
    """How long a lease has, and (`keys`) what hangs on it."""

    id: int
    keys: bool = field(default=False, kw_only=True)


@frozen
class LeaseLeases:
    """Which leases exist."""


@frozen
class LeaseCheckpoint:
    """The leader's note of how long leases have: (id, seconds that remain; 0: the full time again)."""

    checkpoints: tuple[tuple[int, int], ...]


# -- answers; `revision` is the header's


@frozen(kw_only=True)
class LeaseGrantResponse:
    """The lease."""

    revision: int
    id: int
    ttl: int


@frozen(kw_only=True)
class LeaseRevokeResponse:
    """Revoked."""

    revision: int


@frozen(kw_only=True)
class LeaseKeepAliveResponse:
    """`ttl` in seconds; 0 when there is no such lease."""

    revision: int
    id: int
    ttl: int


@frozen(kw_only=True)
class LeaseTimeToLiveResponse:
    """`ttl` in whole seconds left; -1 when there is no such lease. `keys` are sorted."""

    revision: int
    id: int
    ttl: int
    granted_ttl: int = 0
    keys: tuple[str, ...] = ()


@frozen(kw_only=True)
class LeaseLeasesResponse:
    """The ids of all leases."""

    revision: int
    leases: tuple[int, ...] = ()


@frozen(kw_only=True)
class LeaseCheckpointResponse:
    """Noted."""

    revision: int
