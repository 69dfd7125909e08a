"""The lease dance: who may act as the leader of a component.

The core (`Election`) judges by its own clock only: a record that changed was alive when it was *seen* to
change, whatever its times say. The shell (`LeaderElector`) tries every 2 s (plus up to 2.4 s while another
holds the lease), renews every 2 s, and gives up after 10 s without a renewal; then the process ends itself.
Nothing fences: a request already sent by the old leader can land after the new one has begun.

Source: staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go.

Not modelled: release on a clean exit, coordinated leader election.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from chaoskube.models.apiserver.api import Status
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.events import LeaderStarted, LeaderStopped
from chaoskube.models.constants import LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD
from chaoskube.models.objects import Lease, LeaseSpec, ObjectMeta
from chaoskube.sim import MICROSECOND, SECOND, Process, Refused, Unsure

RETRY_JITTER_TENTHS = 12
REQUEST_TIMEOUT = RENEW_DEADLINE // 2
LEASE_NAMESPACE = "kube-system"


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

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.observed = LeaderRecord()
        self.observed_at = 0

    @property
    def is_leader(self) -> bool:
        """The record seen last names this candidate."""
        return self.observed.holder == self.identity

    def observe(self, record: LeaderRecord, now: int) -> None:
        """Take in a record as read or as written; only a change counts as a sign of life."""
        if record != self.observed:
            self.observed = record
            self.observed_at = now

    def is_valid(self, now: int) -> bool:
        """Whether the lease, as last seen to change, still runs by our own clock."""
        return self.observed_at + self.observed.lease_duration_seconds * SECOND > now

    def may_take(self, now: int) -> bool:
        """Whether this candidate may write itself into the lease."""
        return self.is_leader or not self.observed.holder or not self.is_valid(now)

    def claim(self, wall_ns: int) -> LeaderRecord:
        """The record to write: a renewal, or the start of our own term."""
        seconds = LEASE_DURATION // SECOND
        if self.is_leader:
            return evolve(self.observed, renew_time=wall_ns, lease_duration_seconds=seconds)
        return LeaderRecord(
            holder=self.identity,
            lease_duration_seconds=seconds,
            acquire_time=wall_ns,
            renew_time=wall_ns,
            transitions=self.observed.transitions + 1 if self.observed.holder else self.observed.transitions,
        )


class LeaderElector:
    """Runs one candidate for `lease_name` in kube-system from `start()` to the end of its life."""

    def __init__(
        self,
        client: ApiClient,
        lease_name: str,
        identity: str,
        on_started: Callable[[], None],
        on_stopped: Callable[[], None],
    ) -> None:
        self._client = client
        self._process: Process = client.process
        self._lease_name = lease_name
        self._on_started = on_started
        self._on_stopped = on_stopped
        self._election = Election(identity)
        self._lease: Lease | None = None

    @property
    def is_leader(self) -> bool:
        """What this candidate believes."""
        return self._election.is_leader

    def start(self) -> None:
        """Begin to try."""
        self._process.spawn(self._run)

    async def _run(self) -> None:
        while not await self._try():
            await self._process.sleep(
                RETRY_PERIOD + self._process.rng.randrange(RETRY_PERIOD * RETRY_JITTER_TENTHS // 10)
            )
        identity = self._election.identity
        self._process.record(LeaderStarted(lease=self._lease_name, identity=identity))
        self._on_started()
        while await self._renew():
            await self._process.sleep(RETRY_PERIOD)
        self._process.record(LeaderStopped(lease=self._lease_name, identity=identity))
        self._on_stopped()

    async def _renew(self) -> bool:
        """One renewal, tried every 2 s for 10 s."""
        deadline = self._process.now + RENEW_DEADLINE
        while True:
            if await self._try(deadline):
                return True
            if self._process.now + RETRY_PERIOD >= deadline:
                await self._process.sleep(max(0, deadline - self._process.now))
                return False
            await self._process.sleep(RETRY_PERIOD)

    async def _try(self, deadline: int | None = None) -> bool:
        """tryAcquireOrRenew: True when the lease is ours afterwards."""
        try:
            if (
                self._election.is_leader
                and self._lease is not None
                and self._election.is_valid(self._process.now)
            ):
                try:
                    return await self._write(self._lease, deadline)
                except (Refused, Unsure):
                    if deadline is not None and self._process.now >= deadline:
                        return False
            lease = await self._read(deadline)
            if lease is None:
                return await self._create(deadline)
            if not self._election.may_take(self._process.now):
                return False
            return await self._write(lease, deadline)
        except (Refused, Unsure):
            return False

    async def _read(self, deadline: int | None) -> Lease | None:
        try:
            found = await self._client.get(
                "leases", LEASE_NAMESPACE, self._lease_name, timeout_ns=self._timeout(deadline)
            )
        except Refused as refusal:
            if isinstance(refusal.status, Status) and refusal.status.code == 404:
                return None
            raise
        assert isinstance(found, Lease), f"a lease, not {found!r}"
        self._saw(found)
        return found

    async def _create(self, deadline: int | None) -> bool:
        record = self._election.claim(self._wall())
        lease = Lease(
            metadata=ObjectMeta(name=self._lease_name, namespace=LEASE_NAMESPACE), spec=_spec(record)
        )
        made = await self._client.create(lease, timeout_ns=self._timeout(deadline))
        assert isinstance(made, Lease), f"a lease, not {made!r}"
        self._saw(made)
        return True

    async def _write(self, lease: Lease, deadline: int | None) -> bool:
        record = self._election.claim(self._wall())
        written = await self._client.update(
            evolve(lease, spec=_spec(record)), timeout_ns=self._timeout(deadline)
        )
        assert isinstance(written, Lease), f"a lease, not {written!r}"
        self._saw(written)
        return True

    def _saw(self, lease: Lease) -> None:
        self._lease = lease
        self._election.observe(_record(lease), self._process.now)

    def _timeout(self, deadline: int | None) -> int:
        if deadline is None:
            return REQUEST_TIMEOUT
        return max(1, min(REQUEST_TIMEOUT, deadline - self._process.now))

    def _wall(self) -> int:
        return self._process.wall_ns() // MICROSECOND * MICROSECOND


def _spec(record: LeaderRecord) -> LeaseSpec:
    return LeaseSpec(
        holder_identity=record.holder,
        lease_duration_seconds=record.lease_duration_seconds,
        acquire_time=record.acquire_time,
        renew_time=record.renew_time,
        lease_transitions=record.transitions,
    )


def _record(lease: Lease) -> LeaderRecord:
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
