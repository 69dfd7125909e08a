"""Clients take turns under a lock of etcd, die, fall asleep, and lose their leases, while members suffer too.

Each client opens a session (a lease that it keeps alive), waits for the lock, writes a few times under it, each time on
condition that its key still exists, and leaves: in order most times, sometimes without a word, so that only its lease's
end frees the lock. Clients are killed and paused like members, and an operator ends leases that somebody relies on.
A writer of its own keeps the log growing and ends leases as well, tenants renew theirs all the time,
and a guest renews none.

What is promised of locks, and what is not, stands in `etcd/locking.py`. Leaders note how long leases have every two
seconds, so that a lease's end does not depend on how often the leader changes (etcd's feature LeaseCheckpoint, off by default).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.concurrency import Context, Mutex, Session
from chaoskube.models.etcd.messages import (
    LeaseGrant,
    LeaseGrantResponse,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseLeases,
    LeaseLeasesResponse,
    LeaseRevoke,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Put,
    Txn,
    TxnResponse,
)
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.etcd import locking
from chaoskube.scenarios.etcd.client import Worker
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.scenarios.etcd.locking import GUARDED, LOCK, LockHeld, LockLeft, Token
from chaoskube.scenarios.etcd.menus import FAULTS, INVARIANTS
from chaoskube.scenarios.etcd.operations.compact import Compact
from chaoskube.scenarios.etcd.operations.lease_revoke import LeaseRevoke as RevokeLease
from chaoskube.scenarios.etcd.operations.move_leader import MoveLeader
from chaoskube.scenarios.etcd.shape import SETUP, simpler
from chaoskube.sim import MILLISECOND, SECOND, Address, Process, Refused, Unsure, World

CLIENTS = 3
TTLS = (3, 5, 10, 20)
CHECKPOINT_SECONDS = 2
"""More than the election time-out (1 s) that a new leader adds to each lease: what still has its whole time when its note is
due is passed over, and not looked at again (server/lease/lessor.go checkpointScheduledLeases)."""
WAIT_NS = 12 * SECOND
"""How long a client waits for the lock."""
WORK_STEP_NS = 400 * MILLISECOND
PAUSE_NS = 500 * MILLISECOND
WRITE_NS = 600 * MILLISECOND
RENEW_NS = 300 * MILLISECOND
GUEST_NS = 4 * SECOND
WORK_NS = 36 * SECOND


class LockCluster(EtcdCluster):
    """One that isn't at rest while a lease is there: nobody keeps any alive by then."""

    def unsettled(self) -> str | None:
        """None when, besides, the leases have ended."""
        left = self.observer.etcd.leases.alive
        return super().unsettled() or (f"{len(left)} leases have not ended" if left else None)


class LockClient:
    """One client: a session, the lock, a few writes, again."""

    def __init__(self, process: Process, servers: tuple[Address, ...], until: int) -> None:
        self._process = process
        self._client = EtcdClient(process, servers, history=True)
        self._until = until

    async def run(self) -> None:
        """Until the end of work."""
        process = self._process
        await process.sleep(process.rng.randrange(SECOND))
        while process.now < self._until:
            try:
                session = await Session.open(self._client, process.rng.choice(TTLS))
                await self._with_session(session)
            except (Refused, Unsure):
                pass
            await process.sleep(PAUSE_NS)

    async def _with_session(self, session: Session) -> None:
        """Some turns; then the end of the session, said or not."""
        try:
            for _ in range(self._process.rng.randint(1, 3)):
                if not session.is_alive or self._process.now >= self._until:
                    break
                await self._turn(session)
            if self._process.rng.randrange(3):
                await session.close()
        finally:
            session.orphan()

    async def _turn(self, session: Session) -> None:
        process = self._process
        mutex = Mutex(session, LOCK)
        revision = await mutex.lock(Context(process, WAIT_NS))
        key = mutex.key
        process.record(LockHeld(key=key, token=mutex.revision, revision=revision))
        try:
            for number in range(process.rng.randint(1, 4)):
                await process.sleep(WORK_STEP_NS)
                if not await self._write(mutex, number):
                    break
            if process.rng.randrange(4):
                await mutex.unlock()
        finally:
            process.record(LockLeft(key))

    async def _write(self, mutex: Mutex, number: int) -> bool:
        """Under the lock, as far as etcd knows when it is done; False when it is lost."""
        token = Token(mutex.revision, f"{self._process.name}.{self._process.life}.{number}")
        put = Put(key=GUARDED, value=token)
        response = await self._client.call(Txn(compare=(mutex.is_owner(),), success=(put,)))
        return isinstance(response, TxnResponse) and response.succeeded


class Writer(Worker):
    """Keeps the log growing, and tidies up: ends leases that no key hangs on, whoever relies on them."""

    def act(self) -> None:
        """One write, or one lease less."""
        if self.luck.randrange(2):
            self.ask(Put(key="/other", value=self.value()), self.rest)
        else:
            self.ask(LeaseLeases(), self._on_leases)

    def _on_leases(self, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseLeasesResponse) and outcome.leases:
            self.ask(LeaseTimeToLive(self.luck.choice(outcome.leases), keys=True), self._on_lease)
        else:
            self.rest()

    def _on_lease(self, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseTimeToLiveResponse) and outcome.ttl > 0 and not outcome.keys:
            self.ask(LeaseRevoke(outcome.id), self.rest)
        else:
            self.rest()


class Tenant(Worker):
    """Asks again and again for one lease to be kept alive, and for another when that is gone, of one member all the time."""

    _lease = 0

    def act(self) -> None:
        """Renew it, if there is one."""
        if self._lease:
            self.ask(LeaseKeepAlive(self._lease), self._on_alive)
        else:
            self.ask(LeaseGrant(ttl=self.luck.choice(TTLS)), self._on_granted)

    def _on_granted(self, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseGrantResponse):
            self._lease = outcome.id
        self.rest()

    def _on_alive(self, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseKeepAliveResponse) and outcome.ttl <= 0:
            self._lease = 0
        self.rest()


class Guest(Worker):
    """Puts keys that shall go away by themselves: each on a lease that nobody renews."""

    def act(self) -> None:
        """A lease first."""
        self.ask(LeaseGrant(ttl=self.luck.choice(TTLS[-2:])), self._on_granted)

    def _on_granted(self, outcome: Outcome) -> None:
        if isinstance(outcome, LeaseGrantResponse):
            self.ask(Put(key=f"/guest/{outcome.id:x}", value=self.value(), lease=outcome.id), self.rest)
        else:
            self.rest()


def build(world: World, setup: Setup) -> EtcdCluster:
    """The members, a writer, clients that lock, and others that have leases."""
    cluster = LockCluster(world, setup, "etcd-lease-lock", work_ns=WORK_NS)

    def boot(place: int, process: Process) -> None:
        process.spawn(LockClient(process, cluster.servers_from(place), WORK_NS).run)

    for place in range(CLIENTS):
        cluster.add_client(f"client-{place}", partial(boot, place), is_fragile=True)
    cluster.add_client(
        "writer",
        lambda process: Writer(process, cluster.servers_from(1), WORK_NS, think_ns=WRITE_NS).start(),
    )

    def boot_tenant(place: int) -> Callable[[Process], None]:
        return lambda process: Tenant(
            process, cluster.servers_from(place)[:1], WORK_NS, think_ns=RENEW_NS
        ).start()

    for place in range(len(cluster.members)):
        cluster.add_client(f"tenant-{place}", boot_tenant(place))
    cluster.add_client(
        "guest",
        lambda process: Guest(process, cluster.servers_from(0), WORK_NS, think_ns=GUEST_NS).start(),
    )
    return cluster


@scenario("etcd-lease-lock")
def etcd_lease_lock() -> Scenario:
    """Clients that lock, die and fall asleep, on an etcd whose leaders change."""
    return Scenario(
        name="etcd-lease-lock",
        doc="Clients take turns under a lock of etcd and lose their leases, while its members suffer.",
        setup={**SETUP, "checkpoints": CHECKPOINT_SECONDS},
        build=build,
        menu=(*FAULTS, Compact, RevokeLease, MoveLeader),
        invariants=(*INVARIANTS, *locking.INVARIANTS),
        duration_ns=30 * SECOND,
        warm_ns=30 * SECOND,
        settle_ns=120 * SECOND,
        actions_max=24,
        simpler=simpler,
    )
