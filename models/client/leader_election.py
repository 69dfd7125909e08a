"""The lease dance: one candidate tries every 2 s (and up to 2.4 s more), renews every 2 s, gives up after 10 s.

The core (`election.py`) judges, this shell waits and asks. A leader writes at once over what it wrote last; when
that fails, it reads first like everybody. When it could not renew for 10 s it stops, and its process ends itself.
Nothing fences: a request already sent by the old leader can land after the new one has begun, and work that is under
way when the lease is lost goes on until the process has ended.

`cancel()` is a clean end (SIGTERM): with `release_on_cancel` the lease is let go, so that the next leader need not
wait; kube-controller-manager 1.36 doesn't do that.

Source: staging/src/k8s.io/client-go/tools/leaderelection/{leaderelection,resourcelock/leaselock}.go.

Not modelled: coordinated leader election, the health check that watches a leader.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from chaoskube.models.client.api import ApiClient, is_conflict, is_not_found
from chaoskube.models.client.election import (
    RETRY_JITTER_TENTHS,
    Election,
    ElectionOptions,
    LeaderRecord,
    to_record,
    to_spec,
)
from chaoskube.models.client.events import LeaderStarted, LeaderStopped
from chaoskube.models.objects import Lease, ObjectMeta
from chaoskube.sim import Process, Refused, Reply, Unsure, reached

LEASE_NAMESPACE = "kube-system"


class LeaderElector:
    """Runs one candidate for `lease_name` in kube-system from `start()` to the end of its life."""

    def __init__(
        self,
        client: ApiClient,
        lease_name: str,
        identity: str,
        on_started: Callable[[], None],
        on_stopped: Callable[[], None],
        *,
        on_new_leader: Callable[[str], None] | None = None,
        options: ElectionOptions | None = None,
        namespace: str = LEASE_NAMESPACE,
    ) -> None:
        self._client = client
        self._process: Process = client.process
        self._lease_name = lease_name
        self._namespace = namespace
        self._on_started = on_started
        self._on_stopped = on_stopped
        self._on_new_leader = on_new_leader
        self._options = options or ElectionOptions()
        self._election = Election(identity, self._options)
        self._is_cancelled = False
        self._alarm: Reply[None] = self._process.reply()
        self._reported_leader = ""
        self._lease: Lease | None = None

    @property
    def is_leader(self) -> bool:
        """What this candidate believes."""
        return self._election.is_leader

    @property
    def leader(self) -> str:
        """Who leads, as far as is known here; "" when nobody was seen to."""
        return self._election.observed.holder

    def start(self) -> None:
        """Begin to try."""
        self._process.spawn(self._run)

    def cancel(self) -> None:
        """End it cleanly: no renewal begins any more."""
        self._is_cancelled = True
        self._alarm.set(None)

    async def _run(self) -> None:
        if await self._acquire():
            identity = self._election.identity
            self._process.record(LeaderStarted(lease=self._lease_name, identity=identity))
            self._on_started()
            await self._keep()
            self._process.record(LeaderStopped(lease=self._lease_name, identity=identity))
        self.stop_leading()

    def stop_leading(self) -> None:
        """It may not act any more: who leads ends itself here, and all its work with it."""
        self._on_stopped()

    async def _acquire(self) -> bool:
        period = self._options.retry_period_ns
        while not self._is_cancelled:
            succeeded = await self._try(None)
            self._report()
            if succeeded:
                return True
            await self._pause(period + self._process.rng.randrange(period * RETRY_JITTER_TENTHS // 10))
        return False

    async def _keep(self) -> None:
        """Renew until that fails for as long as it may, or the end is asked for."""
        while not self._is_cancelled and await self._renew():
            self._report()
            await self._pause(self._options.retry_period_ns)
        if self._options.release_on_cancel:
            await self._release()

    async def _renew(self) -> bool:
        """One renewal: tried every 2 s, from the beginning of one try to that of the next, for 10 s."""
        deadline = self._process.now + self._options.renew_deadline_ns
        while True:
            next_try = self._process.now + self._options.retry_period_ns
            if await self._try(deadline):
                return True
            await self._pause(min(next_try, deadline) - self._process.now)
            if self._is_cancelled or self._process.now >= deadline:
                return False

    async def _pause(self, duration_ns: int) -> None:
        """Sleep, unless the end is asked for."""
        if self._is_cancelled or duration_ns <= 0:
            return
        self._alarm = self._process.reply()
        timer = self._process.call_later(duration_ns, self._alarm.set, None)
        await self._alarm.wait()
        timer.cancel()

    def _report(self) -> None:
        if self.leader != self._reported_leader:
            self._reported_leader = self.leader
            if self._on_new_leader is not None:
                self._on_new_leader(self.leader)

    # -- the lock

    async def _try(self, deadline: int | None) -> bool:
        """tryAcquireOrRenew: True when the lease is ours afterwards. Judged as of its beginning."""
        now, wall = self._process.now, self._process.wall_ns()
        try:
            if self._lease is not None and self._election.may_renew(now):
                try:
                    await self._write(self._lease, self._election.claim(wall), deadline)
                    return True
                except (Refused, Unsure):
                    reached("leader reads its lease after a failed renewal")
                    if deadline is not None and self._process.now >= deadline:
                        return False
            lease = await self._read(deadline)
            if lease is None:
                await self._create(self._election.first_claim(wall), deadline)
                return True
            if not self._election.may_take(now):
                return False
            await self._write(lease, self._election.claim(wall), deadline)
            return True
        except (Refused, Unsure):
            return False

    async def _release(self) -> None:
        """Let go of the lease, if it is still ours; a renewal that was under way may come in between."""
        deadline = self._process.now + self._options.renew_deadline_ns
        while self._process.now < deadline:
            try:
                lease = await self._read(deadline)
                if lease is None or not self._election.is_leader:
                    return
                await self._write(lease, self._election.release(self._process.wall_ns()), deadline)
                reached("leader released its lease")
                return
            except (Refused, Unsure) as error:
                if not is_conflict(error):
                    return

    async def _read(self, deadline: int | None) -> Lease | None:
        try:
            found = await self._client.get(
                "leases", self._namespace, self._lease_name, timeout_ns=self._timeout(deadline)
            )
        except Refused as refusal:
            if is_not_found(refusal):
                return None
            raise
        self._lease = lease = _lease(found)
        self._election.read(to_record(lease), self._process.now)
        return lease

    async def _create(self, record: LeaderRecord, deadline: int | None) -> None:
        metadata = ObjectMeta(name=self._lease_name, namespace=self._namespace)
        lease = Lease(metadata=metadata, spec=to_spec(record))
        self._lease = _lease(await self._client.create(lease, timeout_ns=self._timeout(deadline)))
        self._election.wrote(record, self._process.now)

    async def _write(self, lease: Lease, record: LeaderRecord, deadline: int | None) -> None:
        changed = evolve(lease, spec=to_spec(record))
        self._lease = _lease(await self._client.update(changed, timeout_ns=self._timeout(deadline)))
        self._election.wrote(record, self._process.now)

    def _timeout(self, deadline: int | None) -> int:
        """resourcelock.NewFromKubeconfig: a client whose requests may take half the deadline."""
        longest = self._options.renew_deadline_ns // 2
        return longest if deadline is None else max(1, min(longest, deadline - self._process.now))


def _lease(found: object) -> Lease:
    assert isinstance(found, Lease), f"a lease, not {found!r}"
    return found
