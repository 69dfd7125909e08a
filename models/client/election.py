"""Who may lead, judged by one's own clock: the core of a leader election, without waiting or asking.

A record that changed was alive when it was *seen* to change, whatever its times say, and for as long as the record
itself says, not as long as this candidate would have written. So clocks may be set differently, and may not run at
rates that differ by more than the lease outlasts the deadline of renewing it.

Called by `leader_election.py`. Source: staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go.
"""

from __future__ import annotations

from attrs import evolve, frozen

from chaoskube.models.constants import LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD
from chaoskube.models.objects import Lease, LeaseSpec
from chaoskube.sim import MICROSECOND, SECOND, UsageError

RETRY_JITTER_TENTHS = 12


@frozen(kw_only=True)
class ElectionOptions:
    """How long a lease lasts, how long its leader tries to renew it, and how often anybody tries."""

    lease_duration_ns: int = LEASE_DURATION
    renew_deadline_ns: int = RENEW_DEADLINE
    retry_period_ns: int = RETRY_PERIOD
    release_on_cancel: bool = False

    def __attrs_post_init__(self) -> None:
        if self.lease_duration_ns <= self.renew_deadline_ns:
            raise UsageError(
                f"a lease of {self.lease_duration_ns} ns must outlast the deadline of renewing it, "
                f"{self.renew_deadline_ns} ns; make it longer"
            )
        if self.renew_deadline_ns * 10 <= self.retry_period_ns * RETRY_JITTER_TENTHS:
            raise UsageError(
                f"a deadline of {self.renew_deadline_ns} ns must outlast a try with its jitter, 1.2 times "
                f"{self.retry_period_ns} ns; try more often"
            )


@frozen(kw_only=True)
class LeaderRecord:
    """What a lease says about its holder. Times are Unix ns, and nobody judges by them."""

    holder: str = ""
    lease_duration_seconds: int = 0
    acquire_time: int = 0
    renew_time: int = 0
    transitions: int = 0


class Election:
    """What one candidate knows: the record it saw last and when it saw it change."""

    def __init__(self, identity: str, options: ElectionOptions | None = None) -> None:
        self.identity = identity
        self.options = options or ElectionOptions()
        self.observed = LeaderRecord()
        self.observed_at = 0
        self._last_read: LeaderRecord | None = None

    @property
    def is_leader(self) -> bool:
        """The record seen last names this candidate."""
        return self.observed.holder == self.identity

    def read(self, record: LeaderRecord, now: int) -> None:
        """Take in a record as read; only one that differs from what was read before is a sign of life."""
        if record != self._last_read:
            self._last_read = record
            self.wrote(record, now)

    def wrote(self, record: LeaderRecord, now: int) -> None:
        """Take in a record that this candidate wrote itself."""
        self.observed = record
        self.observed_at = now

    def is_valid(self, now: int) -> bool:
        """Whether the lease, as last seen to change, still runs by our own clock."""
        return self.observed_at + self.observed.lease_duration_seconds * SECOND > now

    def may_renew(self, now: int) -> bool:
        """Whether it may be written at once, without a look at what others did."""
        return self.is_leader and self.is_valid(now)

    def may_take(self, now: int) -> bool:
        """Whether this candidate may write itself into the lease that it has just read."""
        return self.is_leader or not self.observed.holder or not self.is_valid(now)

    def first_claim(self, wall_ns: int) -> LeaderRecord:
        """The record of a lease that nobody has made yet."""
        return LeaderRecord(
            holder=self.identity,
            lease_duration_seconds=self.options.lease_duration_ns // SECOND,
            acquire_time=wall_ns,
            renew_time=wall_ns,
        )

    def claim(self, wall_ns: int) -> LeaderRecord:
        """The record to write over the one that is there: a renewal, or the start of our own term."""
        claim = self.first_claim(wall_ns)
        if self.is_leader:
            return evolve(
                claim, acquire_time=self.observed.acquire_time, transitions=self.observed.transitions
            )
        return evolve(claim, transitions=self.observed.transitions + 1)

    def release(self, wall_ns: int) -> LeaderRecord:
        """The record that lets go: nobody holds it, and it lasts a second."""
        return LeaderRecord(
            lease_duration_seconds=1,
            acquire_time=wall_ns,
            renew_time=wall_ns,
            transitions=self.observed.transitions,
        )


def to_spec(record: LeaderRecord) -> LeaseSpec:
    """The record as a lease holds it: times in microseconds."""
    return LeaseSpec(
        holder_identity=record.holder,
        lease_duration_seconds=record.lease_duration_seconds,
        acquire_time=record.acquire_time // MICROSECOND * MICROSECOND,
        renew_time=record.renew_time // MICROSECOND * MICROSECOND,
        lease_transitions=record.transitions,
    )


def to_record(lease: Lease) -> LeaderRecord:
    """What a lease says."""
    spec = lease.spec
    if spec is None:
        return LeaderRecord()
    return LeaderRecord(
        holder=spec.holder_identity or "",
        lease_duration_seconds=spec.lease_duration_seconds or 0,
        acquire_time=spec.acquire_time or 0,
        renew_time=spec.renew_time or 0,
        transitions=spec.lease_transitions or 0,
    )
