"""Mutants of a member's state, and of what it answers to calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.etcd import txn
from chaoskube.models.etcd.calls import Answerer, Calls
from chaoskube.models.etcd.database_file import DatabaseFile
from chaoskube.models.etcd.lease import Lessor
from chaoskube.models.etcd.messages import EtcdError, Put, PutResponse, Range, RangeResponse, Txn, TxnResponse
from chaoskube.models.etcd.mvcc import Store
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.etcd.state import Applied, State
from tests.quality.mutant import mutant


@mutant("members-have-one-state", scenario="etcd-register")
def database_claims_too_much() -> Iterator[None]:
    """A database says of itself that it covers one entry more than it does."""
    cover = DatabaseFile._cover

    def cover_one_more(self: DatabaseFile) -> None:
        claim = self._claim
        index, term = claim()
        self._claim = lambda: (index + 1, term)
        cover(self)
        self._claim = claim

    with patched(DatabaseFile, "_cover", cover_one_more):
        yield


@mutant("reads-are-linearizable", scenario="etcd-register")
def reads_are_answered_at_once() -> Iterator[None]:
    """A member answers linearizable reads from what it has, without asking the leader how far that must be."""

    def go_on_at_once(_replica: Replica, go_on: Callable[[EtcdError | None], None]) -> None:
        go_on(None)

    with patched(Replica, "when_current", go_on_at_once):
        yield


@mutant("writes-are-linearizable", scenario="etcd-register")
def puts_name_the_revision_before() -> Iterator[None]:
    """The answer to a put names the revision that was there when it came."""
    put = txn.put

    def put_with_old_header(request: Put, store: Store, lessor: Lessor) -> PutResponse:
        return evolve(put(request, store, lessor), revision=store.revision)

    with patched(txn, "put", put_with_old_header):
        yield


@mutant("serializable-reads-come-from-the-past", scenario="etcd-register")
def serializable_reads_are_of_the_day_before() -> Iterator[None]:
    """A serializable read is answered with the revision before the one that it names."""
    read_current = Calls._read_current

    def read_before(self: Calls, request: Range | Txn, answer: Answerer, error: EtcdError | None) -> None:
        before = self._replica.state.store.revision - 1
        is_possible = self._replica.state.store.check_revision(before) is None
        if isinstance(request, Range) and request.serializable and not request.revision and is_possible:
            request = evolve(request, revision=before)
        read_current(self, request, answer, error)

    with patched(Calls, "_read_current", read_before):
        yield


@mutant("revisions-only-grow", scenario="etcd-register")
def reading_transactions_name_what_they_read() -> Iterator[None]:
    """A transaction that changes nothing names the revision of the newest key that it read, not the store's."""
    apply_txn = State._apply_txn

    def apply_with_own_header(self: State, request: Txn) -> Applied:
        applied = apply_txn(self, request)
        response = applied.response
        if applied.events or not isinstance(response, TxnResponse):
            return applied
        reads = [one for one in response.responses if isinstance(one, RangeResponse)]
        newest = max((kv.mod_revision for one in reads for kv in one.kvs), default=1)
        return Applied(evolve(response, revision=newest))

    with patched(State, "_apply_txn", apply_with_own_header):
        yield
