"""The store against a naive model, and etcd's own surprises one by one (reference: differential runs against a real etcd)."""

from __future__ import annotations

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.models.etcd.messages import (
    COMPACTED,
    DUPLICATE_KEY,
    EMPTY_KEY,
    FUTURE_REVISION,
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
    EventType,
    LeaseGrant,
    LeaseRevoke,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Request,
    Txn,
    TxnResponse,
    in_range,
    prefix_end,
)
from chaoskube.models.etcd.state import State, check_request

KEYS = ("/a", "/b", "/b/c", "/d")


@define
class Naive:
    """Every revision kept as a whole dictionary: key -> (value, create, mod, version, lease)."""

    past: dict[int, dict[str, tuple[object, int, int, int, int]]] = field(factory=lambda: {1: {}})
    revision: int = 1
    compacted: int = -1
    leases: set[int] = field(factory=set)

    def apply(self, request: Request) -> object:
        now = dict(self.past[self.revision])
        changed = False
        answer: object = None
        if isinstance(request, Txn):
            holds = all(self.compare(one, now) for one in request.compare)
            operations = list(request.success if holds else request.failure)
            answer = holds
        elif isinstance(request, LeaseGrant):
            self.leases.add(request.id)
            return "granted"
        elif isinstance(request, LeaseRevoke):
            if request.id not in self.leases:
                return LEASE_NOT_FOUND
            self.leases.discard(request.id)
            operations = [DeleteRange(key=key) for key, kv in now.items() if kv[4] == request.id]
        elif isinstance(request, Compact):
            if request.revision <= max(0, self.compacted):
                return COMPACTED
            if request.revision > self.revision:
                return FUTURE_REVISION
            self.compacted = request.revision
            return "compacted"
        else:
            assert isinstance(request, Put | DeleteRange)
            operations = [request]
        if any(isinstance(one, Put) and one.lease and one.lease not in self.leases for one in operations):
            return LEASE_NOT_FOUND
        for one in operations:
            if isinstance(one, Put):
                old = now.get(one.key)
                create, version = (old[1], old[3] + 1) if old else (self.revision + 1, 1)
                now[one.key] = (one.value, create, self.revision + 1, version, one.lease)
                changed = True
            elif isinstance(one, DeleteRange):
                for key in [key for key in now if in_range(key, one.key, one.range_end)]:
                    del now[key]
                    changed = True
        if changed:
            self.revision += 1
            self.past[self.revision] = now
        return answer

    def compare(self, one: Compare, now: dict[str, tuple[object, int, int, int, int]]) -> bool:
        kv = now.get(one.key)
        if one.target is CompareTarget.VALUE:
            return kv is not None and (kv[0] == one.value) == (one.result is CompareResult.EQUAL)
        place = {
            CompareTarget.CREATE: 1,
            CompareTarget.MOD: 2,
            CompareTarget.VERSION: 3,
            CompareTarget.LEASE: 4,
        }
        ours = kv[place[one.target]] if kv else 0
        assert isinstance(ours, int)
        theirs = one.value
        assert isinstance(theirs, int)
        return {
            CompareResult.EQUAL: ours == theirs,
            CompareResult.NOT_EQUAL: ours != theirs,
            CompareResult.GREATER: ours > theirs,
            CompareResult.LESS: ours < theirs,
        }[one.result]

    def range(self, key: str, range_end: str, revision: int) -> object:
        at = revision if revision > 0 else self.revision
        if at > self.revision:
            return FUTURE_REVISION
        if at < self.compacted:
            return COMPACTED
        return sorted((name, *kv) for name, kv in self.past[at].items() if in_range(name, key, range_end))


keys = st.sampled_from(KEYS)
ends = st.sampled_from(("", "/c", "\0", "/z", "/a"))
puts = st.builds(Put, key=keys, value=st.integers(0, 3), lease=st.sampled_from((0, 0, 0, 1, 2)))
deletes = st.builds(DeleteRange, key=keys, range_end=ends)
compares = st.one_of(
    st.builds(
        Compare,
        key=keys,
        target=st.sampled_from([one for one in CompareTarget if one is not CompareTarget.VALUE]),
        result=st.sampled_from(list(CompareResult)),
        value=st.integers(0, 6),
    ),
    st.builds(
        Compare,
        key=keys,
        target=st.just(CompareTarget.VALUE),
        result=st.sampled_from((CompareResult.EQUAL, CompareResult.NOT_EQUAL)),
        value=st.integers(0, 3),
    ),
)
branches = st.lists(st.one_of(puts, deletes), max_size=3).map(tuple)
requests = st.one_of(
    puts,
    puts,
    deletes,
    st.builds(
        Txn, compare=st.lists(compares, max_size=2).map(tuple), success=branches, failure=branches
    ).filter(lambda txn: check_request(txn) is None),
    st.builds(Compact, st.integers(0, 12)),
    st.builds(LeaseGrant, ttl=st.just(5), id=st.sampled_from((1, 2))),
    st.builds(LeaseRevoke, st.sampled_from((1, 2))),
)


@given(st.lists(requests, max_size=25))
@settings(deadline=None, max_examples=150)
def test_the_store_agrees_with_a_naive_model(script: list[Request]) -> None:
    """Answers, every readable revision, and the events of every revision since the compaction."""
    state, naive = State(), Naive()
    made: dict[int, tuple[Event, ...]] = {}
    for request in script:
        if isinstance(request, LeaseGrant) and request.id in naive.leases:
            continue
        applied = state.apply(request, 0)
        expected = naive.apply(request)

        if isinstance(expected, EtcdError):
            assert applied.response == expected
        elif isinstance(expected, bool):
            assert isinstance(applied.response, TxnResponse) and applied.response.succeeded is expected
        assert state.store.revision == naive.revision
        if applied.events:
            made[naive.revision] = applied.events
            before, after = naive.past[naive.revision - 1], naive.past[naive.revision]
            for event in applied.events:
                key = event.kv.key
                old = before.get(key)
                assert (event.prev_kv is None) == (old is None or event.is_create)
                assert event.prev_kv is None or event.prev_kv.value == before[key][0]
            last = {event.kv.key: event for event in applied.events}
            assert set(last) >= {key for key in {*before, *after} if before.get(key) != after.get(key)}
            for key, event in last.items():
                assert (event.type is EventType.PUT) == (key in after)

    for revision in range(max(naive.compacted, 1), naive.revision + 2):
        for key, end in (("/a", "\0"), ("/b", "/c"), ("/d", "")):
            expected = naive.range(key, end, revision)
            found = state.store.range(Range(key=key, range_end=end, revision=revision))
            if isinstance(found, EtcdError):
                assert found == expected
            else:
                assert [
                    (kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)
                    for kv in found.kvs
                ] == expected
    first = max(naive.compacted, 2)
    history = state.store.events_since(first)
    assert len(history) == max(0, naive.revision - first + 1)
    for place, events in enumerate(history):
        assert [event.kv for event in events] == [event.kv for event in made[first + place]]


def state_with(*requests: Request) -> State:
    state = State()
    for request in requests:
        state.apply(request, 0)
    return state


def test_a_range_can_be_limited_counted_and_stripped() -> None:
    """`count` ignores the limit; `more` tells of it."""
    state = state_with(*[Put(key=f"/k{number}", value=number) for number in range(5)])
    everything = Range(key="/k", range_end=prefix_end("/k"), limit=2)

    found = state.read(everything)
    assert isinstance(found, RangeResponse)
    assert ([kv.value for kv in found.kvs], found.more, found.count) == ([0, 1], True, 5)
    counted = state.read(Range(key="/k", range_end="/l", count_only=True))
    assert isinstance(counted, RangeResponse) and (counted.kvs, counted.count) == ((), 5)
    bare = state.read(Range(key="/k1", keys_only=True))
    assert isinstance(bare, RangeResponse) and bare.kvs[0].value is None


def test_a_compacted_revision_itself_can_be_read() -> None:
    """Compact at r, then range at r is allowed and r - 1 is not."""
    state = state_with(Put(key="/a", value=1), Put(key="/a", value=2), Put(key="/a", value=3))
    assert state.apply(Compact(3), 0).response == CompactResponse(revision=4)

    assert state.read(Range(key="/a", revision=2)) == COMPACTED
    found = state.read(Range(key="/a", revision=3))
    assert isinstance(found, RangeResponse) and found.kvs[0].value == 2
    assert state.apply(Compact(3), 0).response == COMPACTED
    assert state.apply(Compact(9), 0).response == FUTURE_REVISION


def test_a_deletion_at_the_compacted_revision_can_still_be_watched() -> None:
    """Etcd issue 18089: a watch from r must deliver the deletion that was made at r."""
    state = state_with(Put(key="/a", value=1), DeleteRange(key="/a"), Compact(3))

    events = state.store.events_since(3)
    assert [[event.type for event in revision] for revision in events] == [[EventType.DELETE]]
    assert events[0][0].prev_kv is None, "revision 2 is compacted"


def test_a_transaction_is_checked_before_anything_is_done() -> None:
    """First all its puts, then all its ranges, whatever their order; an error changes nothing."""
    state = state_with(Put(key="/a", value=1))
    future = Range(key="/a", revision=99)

    failed = state.apply(Txn(success=(Put(key="/b", value=1), future)), 0)
    both = state.apply(Txn(success=(future, Put(key="/b", value=1, lease=7))), 0)

    assert (failed.response, both.response) == (FUTURE_REVISION, LEASE_NOT_FOUND)
    assert state.store.revision == 2
    before_all = Txn(success=(Range(key="/a", revision=-1),))
    assert isinstance(state.read(before_all), TxnResponse), "nothing was compacted yet"
    state.apply(Compact(2), 0)
    assert state.read(before_all) == COMPACTED


def test_a_transaction_sees_its_own_writes_and_makes_one_revision() -> None:
    """Operations act in order; the header has the new revision."""
    state = State()

    applied = state.apply(Txn(success=(Put(key="/a", value=1), Range(key="/a"), DeleteRange(key="/a"))), 0)

    response = applied.response
    assert isinstance(response, TxnResponse) and response.revision == 2
    put, seen, deleted = response.responses
    assert put == PutResponse(revision=2)
    assert isinstance(seen, RangeResponse) and seen.kvs[0].mod_revision == 2
    assert deleted == DeleteRangeResponse(revision=2, deleted=1)
    assert [event.prev_kv for event in applied.events] == [None, None], "looked up at revision - 1"


def test_comparing_the_value_of_a_missing_key_never_holds() -> None:
    """Not even "not equal" (txn.go applyCompare)."""
    for result in (CompareResult.EQUAL, CompareResult.NOT_EQUAL):
        compare = Compare(key="/no", target=CompareTarget.VALUE, result=result, value=1)
        response = State().apply(Txn(compare=(compare,)), 0).response
        assert isinstance(response, TxnResponse) and not response.succeeded


def test_requests_are_checked_at_the_door() -> None:
    """Before anything goes into the log (v3rpc/key.go), with etcd's own quirk about "from key on"."""
    put = Put(key="/a", value=1)
    assert check_request(Txn(success=(put, put))) == DUPLICATE_KEY
    assert check_request(Txn(success=(put, DeleteRange(key="/", range_end="/z")))) == DUPLICATE_KEY
    assert check_request(Txn(success=(put, DeleteRange(key="/", range_end="\0")))) is None
    assert check_request(Txn(success=(put,) * 129)) == TOO_MANY_OPERATIONS
    assert check_request(Put(key="", value=1)) == EMPTY_KEY


def test_a_put_without_its_lease_detaches_the_key() -> None:
    """Only keys that still hang on a lease end with it."""
    state = state_with(
        LeaseGrant(ttl=5, id=1),
        Put(key="/a", value=1, lease=1),
        Put(key="/b", value=1, lease=1),
        Put(key="/a", value=2),
        LeaseRevoke(1),
    )

    found = state.read(Range(key="/", range_end="\0"))
    assert isinstance(found, RangeResponse) and [kv.key for kv in found.kvs] == ["/a"]
