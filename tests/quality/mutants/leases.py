"""Mutants of leases, and of the locks that hang on them."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.etcd.concurrency import Mutex
from chaoskube.models.etcd.lease import Lease, Lessor
from chaoskube.models.etcd.lease_keeper import LeaseKeeper
from chaoskube.models.etcd.messages import (
    Compare,
    CompareResult,
    CompareTarget,
    LeaseKeepAliveResponse,
)
from tests.quality.mutant import mutant


@mutant("leases-end", scenario="etcd-lease-lock")
def nobody_looks_for_the_end() -> Iterator[None]:
    """The leader doesn't look for leases that have run out."""
    with patched(LeaseKeeper, "_revoke_expired", lambda self: None):
        yield


@mutant("leases-do-not-end-early", scenario="etcd-lease-lock")
def keep_alives_change_nothing() -> Iterator[None]:
    """A keep-alive is answered as it should be, and the lease ends when it would have ended."""

    def look(self: Lessor, lease_id: int, now: int) -> Lease | None:
        lease = self.leases.get(lease_id)
        return None if lease is None or (lease.expires_at or 0) <= now else lease

    with patched(Lessor, "renew", look):
        yield


@mutant("keep-alives-are-true", scenario="etcd-lease-lock")
def everything_lives() -> Iterator[None]:
    """A keep-alive is answered with time left whether there is such a lease or not."""

    def alive(self: LeaseKeeper, lease_id: int, ttl: int) -> LeaseKeepAliveResponse:
        revision = self._member.state.store.revision
        return LeaseKeepAliveResponse(revision=revision, id=lease_id, ttl=max(ttl, 1))

    with patched(LeaseKeeper, "_alive", alive):
        yield


@mutant("a-lock-is-told-to-the-first-in-its-queue", scenario="etcd-lease-lock")
def whoever_queues_up_is_first() -> Iterator[None]:
    """A client that has put its key into the queue doesn't look who was there before."""
    with patched(Mutex, "_is_first", lambda self, acquired: True):
        yield


@mutant("guarded-writes-keep-their-order", scenario="etcd-lease-lock")
def any_owner_will_do() -> Iterator[None]:
    """A writer's condition holds whether its key is still there or not."""

    def always(self: Mutex) -> Compare:
        return Compare(key=self.key, target=CompareTarget.CREATE, result=CompareResult.GREATER, value=-1)

    with patched(Mutex, "is_owner", always):
        yield
