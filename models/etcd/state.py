"""What a member does with a committed request: the same on every member, whatever it knows besides.

Store and leases together on one backend, and the requests applied to them (etcd server/etcdserver/apply/,
txn/). Given the same requests in the same order, every member has the same state: nothing here looks at clocks or at
who asks, or at what only one member knows. `now` only sets the leader's own lease clock.

Called by the member for each committed entry, and directly for reads. Made from a database, it goes on where that ends.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.etcd import txn as txns
from chaoskube.models.etcd.backend import Backend
from chaoskube.models.etcd.lease import Lessor
from chaoskube.models.etcd.messages import (
    KEY_NOT_FOUND,
    LEASE_NOT_FOUND,
    Compact,
    CompactResponse,
    DeleteRange,
    EtcdError,
    Event,
    LeaseCheckpoint,
    LeaseCheckpointResponse,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseLeasesResponse,
    LeaseRevoke,
    LeaseRevokeResponse,
    Put,
    Range,
    RangeResponse,
    Request,
    Response,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.mvcc import COMPACTION_BATCH, Store
from chaoskube.models.etcd.txn import MAX_TXN_OPS, check_request, compare_holds, is_read_only, is_serializable
from chaoskube.sim import ModelBug

__all__ = [
    "MAX_TXN_OPS",
    "Applied",
    "State",
    "check_request",
    "compare_holds",
    "is_read_only",
    "is_serializable",
]


@frozen
class Applied:
    """The answer to a request, and the events of the revision it made (if it made one)."""

    response: Response | EtcdError
    events: tuple[Event, ...] = ()


class State:
    """One member's store and leases."""

    def __init__(
        self,
        backend: Backend | None = None,
        *,
        compaction_batch: int = COMPACTION_BATCH,
        lease_checkpoint_ns: int = 0,
        lease_checkpoint_persist: bool = False,
    ) -> None:
        self.backend = Backend() if backend is None else backend
        self.store = Store(self.backend, compaction_batch=compaction_batch)
        self.lessor = Lessor(
            self.backend, checkpoint_ns=lease_checkpoint_ns, checkpoint_persist=lease_checkpoint_persist
        )
        for kv in self.store.leased():
            self.lessor.attach_restored(kv.key, kv.lease)

    def apply(self, request: Request, now: int) -> Applied:
        """Carry out a committed request."""
        if isinstance(request, Txn):
            return self._apply_txn(request)
        if isinstance(request, Put):
            return self._apply_put(request)
        if isinstance(request, DeleteRange):
            return self._apply_delete(request)
        if isinstance(request, Compact):
            error = self.store.compact(request.revision)
            return Applied(error if error is not None else CompactResponse(revision=self.store.revision))
        if isinstance(request, LeaseGrant):
            return self._apply_grant(request, now)
        if isinstance(request, LeaseRevoke):
            return self._apply_revoke(request)
        if isinstance(request, LeaseCheckpoint):
            self.lessor.checkpoint(request.checkpoints, now)
            return Applied(LeaseCheckpointResponse(revision=self.store.revision))
        raise ModelBug(f"a {type(request).__name__} doesn't go through Raft to the store")

    def read(self, request: Range | Txn) -> RangeResponse | TxnResponse | EtcdError:
        """Answer a request that changes nothing, from what this member has."""
        if isinstance(request, Range):
            return self.store.range(request)
        assert is_read_only(request), "what may change something goes through apply"
        response = self._apply_txn(request).response
        assert isinstance(response, TxnResponse | EtcdError)
        return response

    def lease_leases(self) -> LeaseLeasesResponse:
        """Which leases this member knows."""
        return LeaseLeasesResponse(revision=self.store.revision, leases=self.lessor.ids())

    def _apply_put(self, request: Put) -> Applied:
        if request.lease and request.lease not in self.lessor.leases:
            return Applied(LEASE_NOT_FOUND)
        if (request.ignore_value or request.ignore_lease) and self.store.get(request.key) is None:
            return Applied(KEY_NOT_FOUND)
        self.store.begin()
        answer = txns.put(request, self.store, self.lessor)
        events = self.store.end()
        return Applied(answer, events)

    def _apply_delete(self, request: DeleteRange) -> Applied:
        self.store.begin()
        deleted = txns.delete_range(request, self.store, self.lessor)
        events = self.store.end()
        return Applied(deleted, events)

    def _apply_txn(self, request: Txn) -> Applied:
        chosen = txns.choose(request, self.store)
        error = txns.check(chosen, self.store, self.lessor)
        if error is not None:
            return Applied(error)
        self.store.begin()
        answers = txns.execute(chosen, self.store, self.lessor)
        events = self.store.end()
        response = TxnResponse(revision=self.store.revision, succeeded=chosen.succeeded, responses=answers)
        return Applied(response, events)

    def _apply_grant(self, request: LeaseGrant, now: int) -> Applied:
        lease = self.lessor.grant(request.id, request.ttl, now)
        if isinstance(lease, EtcdError):
            return Applied(lease)
        return Applied(LeaseGrantResponse(revision=self.store.revision, id=lease.id, ttl=lease.ttl))

    def _apply_revoke(self, request: LeaseRevoke) -> Applied:
        keys = self.lessor.revoke(request.id)
        if keys is None:
            return Applied(LEASE_NOT_FOUND)
        self.store.begin()
        for key in keys:
            self.store.delete(key)
        events = self.store.end()
        return Applied(LeaseRevokeResponse(revision=self.store.revision), events)
