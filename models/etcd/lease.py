"""Leases: keys that live as long as somebody renews them.

Every member knows which leases exist and which keys hang on them, because grants and revocations go through
Raft. Only the leader keeps time: it alone answers keep-alives, and asks Raft to revoke what has run out (etcd
server/lease/lessor.go). All times given in and out are the leader's own, in ns.

A new leader gives every lease its full time again, or, with checkpoints (`checkpoint_ns` > 0), what the last leader had
noted: it asks Raft for a `LeaseCheckpoint` each time a lease has run for that long. Noted times survive a restart only with
`checkpoint_persist` (always so from etcd 3.6 on).

Called by `state.py` (grant, revoke, attach, checkpoint) and by the member that leads (promote, renew, expired, ...).
"""

from __future__ import annotations

from typing import Final

from attrs import define, field, frozen

from chaoskube.models.etcd.backend import LEASE, Backend
from chaoskube.models.etcd.messages import LEASE_EXISTS, LEASE_NOT_FOUND, LEASE_TTL_TOO_LARGE, EtcdError
from chaoskube.sim import SECOND

MIN_TTL: Final = 2
"""Seconds: 1.5 election timeouts, rounded up (server/etcdserver/server.go minLeaseTTL)."""
MAX_TTL: Final = 9_000_000_000
"""Seconds (lessor.go MaxLeaseTTL)."""
REVOCATIONS_A_SECOND: Final = 1000
"""lessor.go defaultLeaseRevokeRate; half of it is found in each look, every 500 ms."""
RETRY_NS: Final = 3 * SECOND
"""A lease that Raft was asked to revoke is asked for again after this (defaultExpiredleaseRetryInterval)."""
CHECKPOINTS_MAX: Final = 1000
"""Leases in one request (maxLeaseCheckpointBatchSize)."""


@frozen(kw_only=True)
class LeaseRecord:
    """What the database holds of a lease; which keys hang on it is known from the keys."""

    id: int
    ttl: int
    remaining_ttl: int = 0


@define(kw_only=True)
class Lease:
    """One lease. `expires_at`, `checkpoint_at` are the leader's business; None where nobody keeps time."""

    id: int
    ttl: int
    remaining_ttl: int = 0
    """Seconds, as last noted by a checkpoint; 0: nothing is noted."""
    keys: dict[str, None] = field(factory=dict)
    expires_at: int | None = None
    checkpoint_at: int | None = None
    retry_at: int = 0
    is_ending: bool = False
    """It has run out and Raft was asked to revoke it: nobody can renew it any more."""


class Lessor:
    """All leases of one member."""

    def __init__(
        self, backend: Backend | None = None, *, checkpoint_ns: int = 0, checkpoint_persist: bool = False
    ) -> None:
        self.backend = Backend() if backend is None else backend
        self.leases: dict[int, Lease] = {}
        self.is_primary = False
        self.checkpoint_ns = checkpoint_ns
        self.checkpoint_persist = checkpoint_persist
        self._lease_of: dict[str, int] = {}
        for _, record in self.backend.items(LEASE):
            assert isinstance(record, LeaseRecord), record
            ttl = max(record.ttl, MIN_TTL)
            self.leases[record.id] = Lease(id=record.id, ttl=ttl, remaining_ttl=record.remaining_ttl)

    def ids(self) -> tuple[int, ...]:
        """All leases, those that end first first."""
        leases = self.leases.values()
        return tuple(one.id for one in sorted(leases, key=lambda one: (one.expires_at or 0, one.id)))

    # -- what Raft has agreed on

    def grant(self, lease_id: int, ttl: int, now: int) -> Lease | EtcdError:
        """A new lease; one that is too short gets the shortest time, also when it is negative."""
        if lease_id == 0:
            return LEASE_NOT_FOUND
        if ttl > MAX_TTL:
            return LEASE_TTL_TOO_LARGE
        if lease_id in self.leases:
            return LEASE_EXISTS
        lease = self.leases[lease_id] = Lease(id=lease_id, ttl=max(ttl, MIN_TTL))
        self._persist(lease)
        if self.is_primary:
            self._refresh(lease, now)
        return lease

    def revoke(self, lease_id: int) -> list[str] | None:
        """End a lease: its keys, sorted, for the caller to delete; None when there is none."""
        lease = self.leases.pop(lease_id, None)
        if lease is None:
            return None
        for key in lease.keys:
            del self._lease_of[key]
        self.backend.delete(LEASE, lease_id)
        return sorted(lease.keys)

    def attach(self, key: str, lease_id: int) -> None:
        """`key` hangs on this lease from now on, or (0) on none."""
        old = self._lease_of.pop(key, 0)
        if old:
            del self.leases[old].keys[key]
        if lease_id:
            self.leases[lease_id].keys[key] = None
            self._lease_of[key] = lease_id

    def attach_restored(self, key: str, lease_id: int) -> None:
        """As `attach`, from a database: a lease that isn't there is passed over (kvstore.go restore)."""
        if lease_id in self.leases:
            self.attach(key, lease_id)

    def checkpoint(self, checkpoints: tuple[tuple[int, int], ...], now: int) -> None:
        """Note how long leases have, for the next leader."""
        for lease_id, remaining in checkpoints:
            lease = self.leases.get(lease_id)
            if lease is not None:
                lease.remaining_ttl = remaining
                if self.checkpoint_persist:
                    self._persist(lease)
                if self.is_primary:
                    self._schedule_checkpoint(lease, now)

    def _persist(self, lease: Lease) -> None:
        record = LeaseRecord(id=lease.id, ttl=lease.ttl, remaining_ttl=lease.remaining_ttl)
        self.backend.put(LEASE, lease.id, record)

    # -- the leader's clock

    def promote(self, now: int, extend: int = 0) -> None:
        """This member leads: every lease has its time from now on, and `extend` ns more."""
        self.is_primary = True
        for lease in self.leases.values():
            lease.is_ending = False
            self._refresh(lease, now, extend)
        if len(self.leases) >= REVOCATIONS_A_SECOND:
            self._spread(now, extend)

    def demote(self) -> None:
        """This member leads no more."""
        self.is_primary = False
        for lease in self.leases.values():
            lease.expires_at = lease.checkpoint_at = None
            lease.is_ending = False

    def renew(self, lease_id: int, now: int) -> Lease | None:
        """Begin the time anew; None when there is no such lease, or it has run out (lessor.go Renew).

        Where `needs_clearing`, a checkpoint of 0 must have been applied before.
        """
        lease = self.leases.get(lease_id)
        if lease is None or lease.is_ending or (lease.expires_at is not None and lease.expires_at <= now):
            return None
        lease.expires_at = now + seconds_to_run(lease) * SECOND
        return lease

    def needs_clearing(self, lease_id: int) -> bool:
        """Is a remaining time noted, which the next leader would use although the lease was renewed?"""
        lease = self.leases.get(lease_id)
        return self.checkpoint_ns > 0 and lease is not None and lease.remaining_ttl > 0

    def expired(self, now: int) -> list[int]:
        """The leases whose time is over, lowest id first."""
        return sorted(
            lease.id
            for lease in self.leases.values()
            if lease.expires_at is not None and lease.expires_at <= now
        )

    def due(self, now: int) -> list[int]:
        """The expired leases to be revoked by this look: those that ended first, half a second's worth at most.

        One that was given out comes again after 3 s (lessor.go findExpiredLeases).
        """
        late = [self.leases[one] for one in self.expired(now) if self.leases[one].retry_at <= now]
        late.sort(key=lambda lease: (lease.expires_at or 0, lease.id))
        for lease in late[: REVOCATIONS_A_SECOND // 2]:
            lease.retry_at = now + RETRY_NS
        return [lease.id for lease in late[: REVOCATIONS_A_SECOND // 2]]

    def due_checkpoints(self, now: int) -> tuple[tuple[int, int], ...]:
        """(id, seconds that remain) of the leases whose time should be noted now, those due first first."""
        late = [
            one for one in self.leases.values() if one.checkpoint_at is not None and one.checkpoint_at <= now
        ]
        late.sort(key=lambda lease: (lease.checkpoint_at or 0, lease.id))
        found: list[tuple[int, int]] = []
        for lease in late[:CHECKPOINTS_MAX]:
            lease.checkpoint_at = None
            left = -((now - (lease.expires_at or 0)) // SECOND)
            if lease.expires_at is not None and now < lease.expires_at and left < lease.ttl:
                found.append((lease.id, left))
        return tuple(found)

    def remaining(self, lease_id: int, now: int) -> int | None:
        """Whole seconds left, cut off as etcd does (v3_server.go LeaseTimeToLive); None when nobody knows."""
        lease = self.leases.get(lease_id)
        if lease is None or lease.expires_at is None:
            return None
        left = lease.expires_at - now
        return left // SECOND if left >= 0 else -(-left // SECOND)

    def _refresh(self, lease: Lease, now: int, extend: int = 0) -> None:
        lease.expires_at = now + extend + seconds_to_run(lease) * SECOND
        lease.retry_at = 0
        self._schedule_checkpoint(lease, now)

    def _schedule_checkpoint(self, lease: Lease, now: int) -> None:
        if self.checkpoint_ns and seconds_to_run(lease) > self.checkpoint_ns // SECOND:
            lease.checkpoint_at = now + self.checkpoint_ns

    def _spread(self, now: int, extend: int) -> None:
        """Many leases would end in the same second: later ones get a little more (lessor.go Promote)."""
        leases = sorted(self.leases.values(), key=lambda one: (one.expires_at or 0, one.id))
        a_second = 3 * REVOCATIONS_A_SECOND // 4
        base = (leases[0].expires_at or 0) - now
        window, count = base + SECOND, 0
        for lease in leases:
            left = (lease.expires_at or 0) - now
            if left > window:
                base, window, count = left, left + SECOND, 1
                continue
            count += 1
            if count > a_second:
                delay = SECOND * count // a_second - (left - base)
                window = base + delay
                self._refresh(lease, now, delay + extend)


def seconds_to_run(lease: Lease) -> int:
    """How long a lease has when its time begins: what a checkpoint noted, else all (lessor.go getRemainingTTL).

    Without the first, leases of dead clients live on as long as leaders change (etcd issue 9888).
    """
    return lease.remaining_ttl or lease.ttl
