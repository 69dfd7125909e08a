"""Leases: keys that live as long as somebody renews them.

Every member knows which leases exist and which keys hang on them, because grants and revocations go through
Raft. Only the leader keeps time: it alone answers keep-alives, and asks Raft to revoke what has run out.
A new leader gives every lease its full time again (etcd server/lease/lessor.go Promote).

Called by `state.py` (grant, revoke, attach) and by the member that leads (renew, expired).
Not modelled: checkpoints of the remaining time, the spreading out of many expiries after an election.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field

from chaoskube.sim import SECOND

MIN_TTL: Final = 2
"""Seconds: 1.5 election timeouts, rounded up (server/etcdserver/server.go minLeaseTTL)."""


@define(kw_only=True)
class Lease:
    """One lease. `expires_at` is the leader's business; None where nobody keeps time."""

    id: int
    ttl: int
    keys: dict[str, None] = field(factory=dict)
    expires_at: int | None = None
    is_ending: bool = False
    """It has run out and Raft was asked to revoke it: nobody can renew it any more."""


class Lessor:
    """All leases of one member."""

    def __init__(self) -> None:
        self.leases: dict[int, Lease] = {}
        self._lease_of: dict[str, int] = {}
        self.is_primary = False

    def grant(self, lease_id: int, ttl: int, now: int) -> Lease | None:
        """A new lease, or None when the id is taken."""
        if lease_id in self.leases:
            return None
        lease = self.leases[lease_id] = Lease(id=lease_id, ttl=max(ttl, MIN_TTL))
        if self.is_primary:
            lease.expires_at = now + lease.ttl * SECOND
        return lease

    def revoke(self, lease_id: int) -> list[str] | None:
        """End a lease: its keys, sorted, for the caller to delete; None when there is none."""
        lease = self.leases.pop(lease_id, None)
        if lease is None:
            return None
        for key in lease.keys:
            del self._lease_of[key]
        return sorted(lease.keys)

    def attach(self, key: str, lease_id: int) -> None:
        """`key` hangs on this lease from now on, or (0) on none."""
        old = self._lease_of.pop(key, 0)
        if old:
            del self.leases[old].keys[key]
        if lease_id:
            self.leases[lease_id].keys[key] = None
            self._lease_of[key] = lease_id

    # -- the leader's clock

    def promote(self, now: int) -> None:
        """This member leads: every lease has its full time from now on."""
        self.is_primary = True
        for lease in self.leases.values():
            lease.expires_at = now + lease.ttl * SECOND
            lease.is_ending = False

    def demote(self) -> None:
        """This member leads no more."""
        self.is_primary = False
        for lease in self.leases.values():
            lease.expires_at = None
            lease.is_ending = False

    def renew(self, lease_id: int, now: int) -> Lease | None:
        """Begin the time anew; None when there is no such lease, or it has run out (lessor.go Renew)."""
        lease = self.leases.get(lease_id)
        if lease is None or lease.is_ending or (lease.expires_at is not None and lease.expires_at <= now):
            return None
        lease.expires_at = now + lease.ttl * SECOND
        return lease

    def expired(self, now: int) -> list[int]:
        """The leases whose time is over, oldest id first."""
        return sorted(
            lease.id
            for lease in self.leases.values()
            if lease.expires_at is not None and lease.expires_at <= now
        )

    def remaining(self, lease_id: int, now: int) -> int | None:
        """Whole seconds left, rounded up; None when nobody knows."""
        lease = self.leases.get(lease_id)
        if lease is None or lease.expires_at is None:
            return None
        return max(0, -((now - lease.expires_at) // SECOND))
