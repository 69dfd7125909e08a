"""Answers held against the history: what the store itself answers is never called wrong, and what differs always is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.invariants.etcd import (
    reads_are_linearizable,
    serializable_reads_come_from_the_past,
    writes_are_linearizable,
)
from chaoskube.models.etcd.events import Applied
from chaoskube.models.etcd.messages import (
    COMPACTED,
    FUTURE_REVISION,
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
    KeyValue,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Request,
    Response,
    SortOrder,
    SortTarget,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.state import State, check_request
from chaoskube.models.etcd.view import (
    CallAnswered,
    CallMade,
    Compacted,
    Restored,
    WatchDelivered,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.models.etcd.view.effects import mistake_in
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.sim import Journal
from tests.invariants.journals import judge, put, version
from tests.models.etcd.test_state import compares, ends, keys, puts

# -- whatever is asked

ranges = st.builds(
    Range,
    key=keys,
    range_end=ends,
    limit=st.integers(0, 2),
    revision=st.sampled_from((0, 0, 0, 2, 3)),
    keys_only=st.booleans(),
    count_only=st.booleans(),
    sort_order=st.sampled_from(SortOrder),
    sort_target=st.sampled_from((SortTarget.KEY, SortTarget.MOD, SortTarget.VERSION)),
    max_mod_revision=st.sampled_from((0, 0, 3)),
)
writes = st.one_of(
    puts.map(lambda one: evolve(one, lease=0, prev_kv=True)),
    st.builds(Put, key=keys, ignore_value=st.just(True)),
    st.builds(DeleteRange, key=keys, range_end=ends, prev_kv=st.booleans()),
)
branches = st.lists(st.one_of(writes, ranges), max_size=3).map(tuple)
conditions = st.lists(compares, max_size=2).map(tuple)
inner = st.builds(Txn, compare=conditions, success=branches, failure=branches)
outer = st.lists(st.one_of(writes, ranges, inner), max_size=3).map(tuple)
txns = st.builds(Txn, compare=conditions, success=outer, failure=outer)
requests = st.lists(st.one_of(writes, txns, ranges), max_size=12)


def carried_out(asked: list[Request]) -> Iterator[tuple[Request, Response, StoreView]]:
    """Each request that isn't refused, its answer, and the history up to then."""
    journal, state = Journal(), State()
    past = StoreView(journal)
    for number, request in enumerate(asked, start=1):
        if check_request(request) is not None:
            continue
        if isinstance(request, Range):
            response: Response | EtcdError = state.read(request)
        else:
            done = state.apply(request, 0)
            response = done.response
            journal.record(
                number,
                "etcd-0",
                Applied(
                    index=number,
                    term=1,
                    revision=state.store.revision,
                    request_id=number,
                    events=done.events,
                    failed=False,
                ),
            )
        if not isinstance(response, EtcdError):
            yield request, response, past


@given(requests)
def test_what_the_store_answers_is_never_called_wrong(asked: list[Request]) -> None:
    """Transactions inside transactions, ranges between writes, previous versions: all of it is worked out twice."""
    for request, response, past in carried_out(asked):
        assert isinstance(request, Range | Put | DeleteRange | Txn)
        assert isinstance(response, RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse)
        assert mistake_in(request, response, past) == ""


@given(requests)
def test_a_transaction_that_says_the_other_branch_ran_is_told(asked: list[Request]) -> None:
    """Compare-and-swap is what locks are made of. A branch that does the same tells as much."""
    for request, response, past in carried_out(asked):
        if isinstance(request, Txn) and isinstance(response, TxnResponse):
            other = evolve(response, succeeded=not response.succeeded)
            assert mistake_in(request, other, past) != ""


# -- case by case: the history is /a at revisions 2, 3, 4

HISTORY = tuple(
    (
        "etcd-0",
        Applied(
            index=revision,
            term=1,
            revision=revision,
            request_id=revision,
            events=(put("/a", revision, f"v{revision}", created=2, number=revision - 1),),
            failed=False,
        ),
    )
    for revision in (2, 3, 4)
)


def kv(revision: int) -> KeyValue:
    return version("/a", revision, f"v{revision}", created=2, number=revision - 1)


def deleted(key: str, revision: int) -> Event:
    gone = KeyValue(key=key, value=None, create_revision=0, mod_revision=revision, version=0)
    return Event(type=EventType.DELETE, kv=gone)


def asked(
    request: object, answer: object, client: str = "client", number: int = 1
) -> tuple[tuple[str, object], ...]:
    """A call and its answer: a response, or etcd's error."""
    if isinstance(answer, EtcdError):
        told = CallAnswered(number=number, error=answer.message)
    else:
        told = CallAnswered(number=number, response=answer)
    return (client, CallMade(number=number, request=request)), (client, told)


def swap(seen: int, value: str) -> Txn:
    unchanged = Compare(key="/a", target=CompareTarget.MOD, result=CompareResult.EQUAL, value=seen)
    return Txn(compare=(unchanged,), success=(Put(key="/a", value=value),), failure=(Range(key="/a"),))


def swapped(revision: int) -> TxnResponse:
    return TxnResponse(revision=revision, succeeded=True, responses=(PutResponse(revision=revision),))


def missed(revision: int, found: KeyValue) -> TxnResponse:
    read = RangeResponse(revision=revision, kvs=(found,), count=1)
    return TxnResponse(revision=revision, succeeded=False, responses=(read,))


@pytest.mark.parametrize(
    ("request_", "response", "told"),
    [
        (swap(3, "v4"), swapped(4), None),
        (swap(2, "v4"), swapped(4), "that its conditions hold, and they do not"),
        (swap(2, "v5"), missed(4, kv(4)), None),
        (swap(4, "v5"), missed(4, kv(4)), "made nothing, where the request makes PUT /a"),
        (swap(2, "v5"), missed(4, kv(3)), "/a of revision 3, where there was /a of revision 4"),
        (DeleteRange(key="/a"), DeleteRangeResponse(revision=4), "which made"),
        (DeleteRange(key="/b"), DeleteRangeResponse(revision=4, deleted=1), "1 deleted, where there were 0"),
        (Put(key="/a", value="v4"), PutResponse(revision=3), "which made PUT /a"),
    ],
)
def test_a_swap_is_what_it_says(request_: object, response: object, told: str | None) -> None:
    """Conditions are judged anew on the state before, and reads inside are compared with it."""
    message = judge(writes_are_linearizable, *HISTORY, *asked(request_, response))

    assert message is None if told is None else message is not None and told in message


def test_a_deletion_that_came_second_is_no_violation() -> None:
    """It found nothing at the revision that somebody else's deletion made."""
    gone = (
        "etcd-0",
        Applied(index=5, term=1, revision=5, request_id=5, events=(deleted("/a", 5),), failed=False),
    )

    for deleted_keys in (0, 1):
        answer = DeleteRangeResponse(revision=5, deleted=deleted_keys)
        assert judge(writes_are_linearizable, *HISTORY, gone, *asked(DeleteRange(key="/a"), answer)) is None


def test_a_request_that_takes_effect_twice_is_told() -> None:
    """A retry that nobody asked for; told at the next answer."""
    twice = Applied(index=9, term=1, revision=5, request_id=4, events=(put("/a", 5),), failed=False)
    again = ("etcd-0", twice)
    read = asked(Put(key="/a", value="x"), PutResponse(revision=5))

    assert judge(writes_are_linearizable, *HISTORY, again, *read) == (
        "request 4 took effect twice, as the entries 4 and 9"
    )


def test_what_a_watch_or_a_serializable_read_told_is_known() -> None:
    """It was committed, so that a linearizable read that begins afterwards must have it; a new cluster's needn't."""
    opened = ("watcher", WatchOpened(watch="w", member="etcd-0", key="/a", range_end="", next_revision=2))
    came = ("watcher", WatchDelivered(watch="w", events=(put("/a", 4, "v4", created=2, number=3),)))
    noticed = ("watcher", WatchProgressed(watch="w", revision=4))
    seen = asked(
        Range(key="/a", serializable=True), RangeResponse(revision=4, kvs=(kv(4),), count=1), "other"
    )
    old = asked(Range(key="/a"), RangeResponse(revision=3, kvs=(kv(3),), count=1))
    restored = ("etcd-0", Restored(revision=3, cluster=2))

    for story in ((opened, came), (opened, noticed), seen):
        told = judge(reads_are_linearizable, *HISTORY, *story, *old)
        assert told is not None and told.endswith("revision 3; revision 4 was known before it was asked")
    assert judge(reads_are_linearizable, *HISTORY, opened, restored, came, *old) is None
    assert judge(reads_are_linearizable, *HISTORY, *old) is None


def test_a_limited_or_sorted_range_is_compared_too() -> None:
    """`count` counts what is left out."""
    request = Range(key="/a", range_end="/z", limit=1, sort_order=SortOrder.DESCEND)
    whole = RangeResponse(revision=4, kvs=(kv(4),), count=1)

    assert judge(reads_are_linearizable, *HISTORY, *asked(request, whole)) is None
    for wrong in (evolve(whole, more=True), evolve(whole, kvs=(kv(3),)), evolve(whole, count=2)):
        assert judge(reads_are_linearizable, *HISTORY, *asked(request, wrong)) is not None


@pytest.mark.parametrize(
    ("request_", "answer", "is_wrong"),
    [
        (Range(key="/a", revision=2), COMPACTED, False),
        (Range(key="/a", revision=3), COMPACTED, True),
        (Range(key="/a", revision=3), RangeResponse(revision=4, kvs=(kv(3),), count=1), False),
        (Range(key="/a", revision=2), RangeResponse(revision=4, kvs=(kv(2),), count=1), True),
        (Range(key="/a", revision=5), RangeResponse(revision=4, kvs=(kv(4),), count=1), True),
        (Range(key="/a", revision=5), FUTURE_REVISION, False),
        (Range(key="/a", revision=4), FUTURE_REVISION, True),
        (Range(key="/a", revision=4, serializable=True), FUTURE_REVISION, False),
        (Txn(success=(Range(key="/b", revision=2),), failure=(Range(key="/b"),)), COMPACTED, False),
    ],
)
def test_what_is_compacted_or_to_come_is_held_against_what_is_known(
    request_: object, answer: object, is_wrong: bool
) -> None:
    """History was compacted to 3, and somebody had seen 4. A member that is behind may not know of 4."""
    known = (("etcd-0", Compacted(revision=3)), *asked(Range(key="/b"), RangeResponse(revision=4), "other"))

    told = [
        judge(one, *HISTORY, *known, *asked(request_, answer))
        for one in (reads_are_linearizable, serializable_reads_come_from_the_past)
    ]

    assert any(told) == is_wrong


def test_a_compaction_is_refused_only_when_it_must_be() -> None:
    """Once is enough; and its answer is no older than what was known."""
    once = ("etcd-0", Compacted(revision=3))
    known = asked(Range(key="/b"), RangeResponse(revision=4), "other")

    def told(revision: int, answer: object) -> str | None:
        return judge(writes_are_linearizable, *HISTORY, once, *known, *asked(Compact(revision), answer))

    assert told(3, COMPACTED) is None
    assert told(4, COMPACTED) is not None
    assert told(4, FUTURE_REVISION) is not None
    assert told(5, FUTURE_REVISION) is None
    assert told(4, CompactResponse(revision=4)) is None
    assert told(4, CompactResponse(revision=3)) is not None
    assert told(2, CompactResponse(revision=4)) is not None
