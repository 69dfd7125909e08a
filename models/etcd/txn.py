"""Transactions: which branch runs, what is refused before anything is done, and doing it.

Etcd server/etcdserver/txn/txn.go and api/v3rpc/key.go. A transaction may hold transactions. All conditions, also
those inside, are judged first, against the store as it was (`choose`); then every put that would run is checked, then every
range (`check`); then the operations run in order, each seeing what those before it did (`execute`).

At the door (`check_request`, before anybody else hears of the request): limits of operations, empty keys, and the rule
that a branch puts no key twice and deletes none that it puts (`_puts_and_deletions`).

Called by `state.py` and the member. Everything here is a function of the store, the leases and the request.
Not modelled: a put that ignores the value of a key that the same transaction deleted (etcd panics there).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from attrs import define

from chaoskube.models.etcd.key_values import FROM_KEY, KeyValue, value_bytes
from chaoskube.models.etcd.lease import Lessor
from chaoskube.models.etcd.messages import (
    DUPLICATE_KEY,
    EMPTY_KEY,
    KEY_NOT_FOUND,
    LEASE_NOT_FOUND,
    LEASE_PROVIDED,
    TOO_MANY_OPERATIONS,
    VALUE_PROVIDED,
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    EtcdError,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Request,
    RequestOp,
    ResponseOp,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.mvcc import Store

MAX_TXN_OPS: Final = 128
"""server/embed/config.go DefaultMaxTxnOps."""


# -- at the door


def check_request(request: Request) -> EtcdError | None:
    """What a member refuses before anybody else hears of it (server/etcdserver/api/v3rpc/key.go)."""
    if not isinstance(request, Txn):
        return (
            _check_operation(request, MAX_TXN_OPS) if isinstance(request, Range | Put | DeleteRange) else None
        )
    error = _check_operation(request, MAX_TXN_OPS)
    if error is not None:
        return error
    for branch in (request.success, request.failure):
        found = _puts_and_deletions(branch)
        if isinstance(found, EtcdError):
            return found
    return None


def _check_operation(operation: RequestOp, operations_max: int) -> EtcdError | None:
    if isinstance(operation, Txn):
        return _check_txn(operation, operations_max)
    if not operation.key:
        return EMPTY_KEY
    if isinstance(operation, Put):
        if operation.ignore_value and operation.value not in (None, "", b""):
            return VALUE_PROVIDED
        if operation.ignore_lease and operation.lease:
            return LEASE_PROVIDED
    return None


def _check_txn(txn: Txn, operations_max: int) -> EtcdError | None:
    """What a transaction uses of the limit is missing to those inside it."""
    count = max(len(txn.compare), len(txn.success), len(txn.failure))
    if count > operations_max:
        return TOO_MANY_OPERATIONS
    if not all(one.key for one in txn.compare):
        return EMPTY_KEY
    for operation in (*txn.success, *txn.failure):
        error = _check_operation(operation, operations_max - count)
        if error is not None:
            return error
    return None


Deletions: TypeAlias = list[tuple[str, str]]


def _puts_and_deletions(branch: tuple[RequestOp, ...]) -> tuple[set[str], Deletions] | EtcdError:
    """The keys that a branch may put and the ranges that it may delete, if they don't meet (key.go checkIntervals).

    Both branches of an inner transaction count, though only one will run; they may put the same key. Its puts are
    compared with the deletions of the branch it stands in and of the transactions before it.
    """
    deletions = [(one.key, one.range_end) for one in branch if isinstance(one, DeleteRange)]
    puts: set[str] = set()
    for operation in branch:
        if isinstance(operation, Txn):
            then, otherwise = _puts_and_deletions(operation.success), _puts_and_deletions(operation.failure)
            if isinstance(then, EtcdError) or isinstance(otherwise, EtcdError):
                return DUPLICATE_KEY
            new = then[0] | otherwise[0]
            if new & puts or _meet(new, deletions):
                return DUPLICATE_KEY
            puts |= new
            deletions += [*then[1], *otherwise[1]]
    own = [one.key for one in branch if isinstance(one, Put)]
    if len(set(own)) < len(own) or not puts.isdisjoint(own) or _meet(own, deletions):
        return DUPLICATE_KEY
    return puts | set(own), deletions


def _meet(keys: Iterable[str], deletions: Deletions) -> bool:
    """A deletion with the end "\\0" isn't seen as meeting anything: etcd's own quirk, kept."""
    if not deletions:
        return False
    return any(
        key == start if end == "" else end != FROM_KEY and start <= key < end
        for key in keys
        for start, end in deletions
    )


def is_read_only(request: Request) -> bool:
    """Does this need no entry in the log? A transaction inside always does (txn.go IsTxnReadonly)."""
    if isinstance(request, Txn):
        return all(isinstance(operation, Range) for operation in (*request.success, *request.failure))
    return isinstance(request, Range)


def is_serializable(request: Request) -> bool:
    """May it be answered from what this member has, however old (txn.go IsTxnSerializable)?"""
    if isinstance(request, Txn):
        return all(
            isinstance(operation, Range) and operation.serializable
            for operation in (*request.success, *request.failure)
        )
    return isinstance(request, Range) and request.serializable


# -- conditions


@define
class Chosen:
    """What of a transaction runs; `inner` has the same for each transaction in `operations`, in order."""

    succeeded: bool
    operations: tuple[RequestOp, ...]
    inner: tuple[Chosen, ...] = ()


def choose(txn: Txn, store: Store) -> Chosen:
    """Judge the conditions of `txn`, and of the transactions that will run inside it (txn.go compareToPath)."""
    succeeded = True
    for compare in txn.compare:
        if not _holds(compare, store):
            succeeded = False
            break
    operations = txn.success if succeeded else txn.failure
    for operation in operations:
        if isinstance(operation, Txn):
            inner = tuple([choose(one, store) for one in operations if isinstance(one, Txn)])
            return Chosen(succeeded, operations, inner)
    return Chosen(succeeded, operations)


def _holds(compare: Compare, store: Store) -> bool:
    if not compare.range_end:
        return compare_holds(compare, store.get(compare.key))
    keys = store.keys_in(compare.key, compare.range_end)
    if not keys:
        return compare_holds(compare, None)
    return all(compare_holds(compare, store.get(key)) for key in keys)


def compare_holds(compare: Compare, kv: KeyValue | None) -> bool:
    """One condition about one key (txn.go applyCompare, compareKV).

    Without the key, version, revisions and lease are 0, and no comparison of the value holds, not even "!=".
    """
    if compare.target is CompareTarget.VALUE:
        return kv is not None and _value_holds(compare.result, kv.value, compare.value)
    ours = 0 if kv is None else _number(compare.target, kv)
    theirs = compare.value
    assert isinstance(theirs, int), f"{compare.target.value} is compared with {theirs!r}, not a whole number"
    if compare.result is CompareResult.EQUAL:
        return ours == theirs
    if compare.result is CompareResult.NOT_EQUAL:
        return ours != theirs
    return ours > theirs if compare.result is CompareResult.GREATER else ours < theirs


def _value_holds(result: CompareResult, ours: object, theirs: object) -> bool:
    if result is CompareResult.EQUAL:
        return ours == theirs
    if result is CompareResult.NOT_EQUAL:
        return ours != theirs
    if result is CompareResult.GREATER:
        return value_bytes(ours) > value_bytes(theirs)
    return value_bytes(ours) < value_bytes(theirs)


def _number(target: CompareTarget, kv: KeyValue) -> int:
    if target is CompareTarget.MOD:
        return kv.mod_revision
    if target is CompareTarget.CREATE:
        return kv.create_revision
    return kv.version if target is CompareTarget.VERSION else kv.lease


# -- checks


def check(chosen: Chosen, store: Store, lessor: Lessor) -> EtcdError | None:
    """First every put that would run, then every range, before anything is done; an error changes nothing."""
    range_error = None
    for operation in _flat(chosen) if chosen.inner else chosen.operations:
        if isinstance(operation, Put):
            if operation.lease or operation.ignore_value or operation.ignore_lease:
                error = check_put(operation, store, lessor)
                if error is not None:
                    return error
        elif isinstance(operation, Range) and range_error is None:
            range_error = check_range(operation, store)
    return range_error


def _flat(chosen: Chosen) -> list[RequestOp]:
    inner = iter(chosen.inner)
    found: list[RequestOp] = []
    for operation in chosen.operations:
        found += _flat(next(inner)) if isinstance(operation, Txn) else [operation]
    return found


def check_put(operation: Put, store: Store, lessor: Lessor) -> EtcdError | None:
    """What it keeps and its lease must exist (apply.go checkRequestPut)."""
    if (operation.ignore_value or operation.ignore_lease) and store.get(operation.key) is None:
        return KEY_NOT_FOUND
    if operation.lease and operation.lease not in lessor.leases:
        return LEASE_NOT_FOUND
    return None


def check_range(operation: Range, store: Store) -> EtcdError | None:
    """Its revision must be readable; a negative one isn't the newest here, as it is outside a transaction."""
    return store.check_revision(operation.revision) if operation.revision else None


# -- execution


def execute(chosen: Chosen, store: Store, lessor: Lessor) -> tuple[ResponseOp, ...]:
    """Run the operations, inside an open write transaction of the store."""
    inner = iter(chosen.inner)
    answers: list[ResponseOp] = []
    for operation in chosen.operations:
        if isinstance(operation, Put):
            answers.append(put(operation, store, lessor))
        elif isinstance(operation, DeleteRange):
            answers.append(delete_range(operation, store, lessor))
        elif isinstance(operation, Txn):
            deeper = next(inner)
            responses = execute(deeper, store, lessor)
            answers.append(
                TxnResponse(revision=store.newest, succeeded=deeper.succeeded, responses=responses)
            )
        else:
            answer = store.range(operation)
            assert isinstance(answer, RangeResponse), f"{operation} was checked before"
            answers.append(answer)
    return tuple(answers)


def put(request: Put, store: Store, lessor: Lessor) -> PutResponse:
    """Write a key; what was checked before can't go wrong."""
    value, lease = request.value, request.lease
    if request.ignore_value or request.ignore_lease:
        kept = store.get(request.key)
        if kept is not None:
            value = kept.value if request.ignore_value else value
            lease = kept.lease if request.ignore_lease else lease
    previous = store.put(request.key, value, lease)
    lessor.attach(request.key, lease)
    return PutResponse(revision=store.revision + 1, prev_kv=previous if request.prev_kv else None)


def delete_range(request: DeleteRange, store: Store, lessor: Lessor) -> DeleteRangeResponse:
    """Delete what exists of a range."""
    gone: list[KeyValue] = []
    for key in store.keys_in(request.key, request.range_end):
        previous = store.delete(key)
        assert previous is not None, key
        gone.append(previous)
        lessor.attach(key, 0)
    prev_kvs = tuple(gone) if request.prev_kv else ()
    return DeleteRangeResponse(revision=store.newest, deleted=len(gone), prev_kvs=prev_kvs)
