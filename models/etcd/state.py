"""What a member does with a committed request: the same on every member, whatever it knows besides.

Store and leases together, and the requests applied to them (etcd server/etcdserver/apply/, txn/). Given the same
requests in the same order, every member has the same state: nothing here looks at clocks or at who asks.
`now` only sets the leader's own lease clock.

Called by the member for each committed entry, and directly for reads.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.etcd.lease import Lessor
from chaoskube.models.etcd.messages import (
    COMPACTED,
    DUPLICATE_KEY,
    EMPTY_KEY,
    LEASE_EXISTS,
    LEASE_NOT_FOUND,
    TOO_MANY_OPERATIONS,
    Compact,
    CompactResponse,
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    EtcdError,
    Event,
    KeyValue,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseRevoke,
    LeaseRevokeResponse,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Request,
    RequestOp,
    Response,
    ResponseOp,
    Txn,
    TxnResponse,
    in_range,
)
from chaoskube.models.etcd.mvcc import Store
from chaoskube.sim import ModelBug

MAX_TXN_OPS = 128
"""server/embed/config.go DefaultMaxTxnOps."""


@frozen
class Applied:
    """The answer to a request, and the events of the revision it made (if it made one)."""

    response: Response | EtcdError
    events: tuple[Event, ...] = ()


class State:
    """One member's store and leases."""

    def __init__(self) -> None:
        self.store = Store()
        self.lessor = Lessor()

    def apply(self, request: Request, now: int) -> Applied:
        """Carry out a committed request."""
        if isinstance(request, Txn):
            return self._apply_txn(request)
        if isinstance(request, Put):
            return self._apply_put(request)
        if isinstance(request, DeleteRange):
            self.store.begin()
            deleted = self._delete_range(request)
            events = self.store.end()
            return Applied(_at(deleted, self.store.revision), events)
        if isinstance(request, Compact):
            error = self.store.compact(request.revision)
            return Applied(error if error is not None else CompactResponse(revision=self.store.revision))
        if isinstance(request, LeaseGrant):
            lease = self.lessor.grant(request.id, request.ttl, now)
            if lease is None:
                return Applied(LEASE_EXISTS)
            return Applied(LeaseGrantResponse(revision=self.store.revision, id=lease.id, ttl=lease.ttl))
        if isinstance(request, LeaseRevoke):
            return self._apply_revoke(request)
        raise ModelBug(f"a {type(request).__name__} doesn't go through Raft")

    def read(self, request: Range | Txn) -> RangeResponse | TxnResponse | EtcdError:
        """Answer a request that changes nothing, from what this member has."""
        if isinstance(request, Range):
            return self.store.range(request)
        response = self._apply_txn(request).response
        assert isinstance(response, TxnResponse | EtcdError)
        return response

    def _apply_put(self, request: Put) -> Applied:
        if request.lease and request.lease not in self.lessor.leases:
            return Applied(LEASE_NOT_FOUND)
        self.store.begin()
        answer = self._put(request)
        events = self.store.end()
        return Applied(_at(answer, self.store.revision), events)

    def _apply_revoke(self, request: LeaseRevoke) -> Applied:
        keys = self.lessor.revoke(request.id)
        if keys is None:
            return Applied(LEASE_NOT_FOUND)
        self.store.begin()
        for key in keys:
            self.store.delete(key)
        events = self.store.end()
        return Applied(LeaseRevokeResponse(revision=self.store.revision), events)

    def _apply_txn(self, request: Txn) -> Applied:
        succeeded = all(compare_holds(one, self.store.get(one.key)) for one in request.compare)
        branch = request.success if succeeded else request.failure
        error = self._check_branch(branch)
        if error is not None:
            return Applied(error)
        self.store.begin()
        answers = [self._do(operation) for operation in branch]
        events = self.store.end()
        revision = self.store.revision
        return Applied(
            TxnResponse(
                revision=revision,
                succeeded=succeeded,
                responses=tuple(_at(answer, revision) for answer in answers),
            ),
            events,
        )

    def _check_branch(self, branch: tuple[RequestOp, ...]) -> EtcdError | None:
        """First every put, then every range, before anything is done (apply txn.go checkTxn...)."""
        for operation in branch:
            if isinstance(operation, Put) and operation.lease and operation.lease not in self.lessor.leases:
                return LEASE_NOT_FOUND
        for operation in branch:
            if isinstance(operation, Range) and operation.revision:
                error = COMPACTED if operation.revision < 0 else self.store.check_revision(operation.revision)
                if error is not None:
                    return error
        return None

    def _do(self, operation: RequestOp) -> ResponseOp:
        if isinstance(operation, Put):
            return self._put(operation)
        if isinstance(operation, DeleteRange):
            return self._delete_range(operation)
        answer = self.store.range(operation)
        assert isinstance(answer, RangeResponse), f"{operation} was checked before"
        return answer

    def _put(self, request: Put) -> PutResponse:
        previous = self.store.put(request.key, request.value, request.lease)
        self.lessor.attach(request.key, request.lease)
        return PutResponse(revision=0, prev_kv=previous if request.prev_kv else None)

    def _delete_range(self, request: DeleteRange) -> DeleteRangeResponse:
        gone: list[KeyValue] = []
        for key in self.store.keys_in(request.key, request.range_end):
            previous = self.store.delete(key)
            assert previous is not None
            gone.append(previous)
            self.lessor.attach(key, 0)
        return DeleteRangeResponse(
            revision=0, deleted=len(gone), prev_kvs=tuple(gone) if request.prev_kv else ()
        )


def _at(answer: ResponseOp, revision: int) -> ResponseOp:
    """The answer with the header revision, which is known only when the transaction has ended."""
    if isinstance(answer, PutResponse):
        return PutResponse(revision=revision, prev_kv=answer.prev_kv)
    if isinstance(answer, DeleteRangeResponse):
        return DeleteRangeResponse(revision=revision, deleted=answer.deleted, prev_kvs=answer.prev_kvs)
    return answer


def compare_holds(compare: Compare, kv: KeyValue | None) -> bool:
    """One condition of a transaction (server/etcdserver/txn/txn.go applyCompare).

    Without the key, version, revisions and lease are 0, and no comparison of the value holds.
    """
    if compare.target is CompareTarget.VALUE:
        if kv is None:
            return False
        if compare.result is CompareResult.EQUAL:
            return kv.value == compare.value
        if compare.result is CompareResult.NOT_EQUAL:
            return kv.value != compare.value
        raise ModelBug("values are opaque here: only = and != can be compared")
    ours = 0 if kv is None else _number(compare.target, kv)
    theirs = compare.value
    assert isinstance(theirs, int), f"{compare.target.value} is compared with {theirs!r}, not a whole number"
    if compare.result is CompareResult.EQUAL:
        return ours == theirs
    if compare.result is CompareResult.NOT_EQUAL:
        return ours != theirs
    return ours > theirs if compare.result is CompareResult.GREATER else ours < theirs


def _number(target: CompareTarget, kv: KeyValue) -> int:
    if target is CompareTarget.MOD:
        return kv.mod_revision
    if target is CompareTarget.CREATE:
        return kv.create_revision
    return kv.version if target is CompareTarget.VERSION else kv.lease


def is_read_only(request: Request) -> bool:
    """Does this need no entry in the log?"""
    if isinstance(request, Txn):
        return all(isinstance(operation, Range) for operation in (*request.success, *request.failure))
    return isinstance(request, Range)


def check_request(request: Request) -> EtcdError | None:
    """What a member refuses before anybody else hears of it (server/etcdserver/api/v3rpc/key.go)."""
    if isinstance(request, Range | Put | DeleteRange):
        return EMPTY_KEY if not request.key else None
    if not isinstance(request, Txn):
        return None
    if max(len(request.compare), len(request.success), len(request.failure)) > MAX_TXN_OPS:
        return TOO_MANY_OPERATIONS
    if not all(one.key for one in (*request.compare, *request.success, *request.failure)):
        return EMPTY_KEY
    if _puts_twice(request.success) or _puts_twice(request.failure):
        return DUPLICATE_KEY
    return None


def _puts_twice(branch: tuple[RequestOp, ...]) -> bool:
    puts = [operation.key for operation in branch if isinstance(operation, Put)]
    if len(set(puts)) < len(puts):
        return True
    # A delete range with the end "\0" isn't seen as overlapping: etcd's own quirk, kept.
    return any(
        in_range(key, operation.key, operation.range_end)
        for operation in branch
        if isinstance(operation, DeleteRange) and operation.range_end != "\0"
        for key in puts
    )
