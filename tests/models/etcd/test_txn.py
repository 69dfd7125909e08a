"""Transactions: what is refused at the door, what is judged first, and what opaque values can do."""

from __future__ import annotations

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.bug import patched
from chaoskube.models.etcd import txn as txns
from chaoskube.models.etcd.messages import (
    COMPACTED,
    DUPLICATE_KEY,
    EMPTY_KEY,
    KEY_NOT_FOUND,
    LEASE_PROVIDED,
    TOO_MANY_OPERATIONS,
    VALUE_PROVIDED,
    Compact,
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    Put,
    Range,
    RangeResponse,
    RequestOp,
    SortTarget,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.state import State
from chaoskube.models.etcd.txn import check_request, is_read_only, is_serializable
from chaoskube.sim import ModelBug


def put(key: str, value: object = "x") -> Put:
    return Put(key=key, value=value)


def do(*operations: RequestOp, compare: tuple[Compare, ...] = ()) -> Txn:
    return Txn(compare=compare, success=operations)


@frozen
class Opaque:
    """A value that etcd doesn't look into."""

    name: str


@pytest.mark.parametrize(
    ("txn", "error"),
    [
        (do(do(put("a")), put("a")), DUPLICATE_KEY),
        (do(do(put("a")), do(put("a"))), DUPLICATE_KEY),
        (do(do(DeleteRange(key="a")), do(put("a"))), DUPLICATE_KEY),
        (do(do(put("a")), do(DeleteRange(key="a"))), None),
        (do(DeleteRange(key="a"), do(put("a"))), DUPLICATE_KEY),
        (do(Txn(success=(put("a"),), failure=(put("a"),))), None),
        (do(Txn(success=(put("a"),), failure=(DeleteRange(key="a"),))), None),
        (Txn(success=(put("a"),), failure=(put("a"),)), None),
        (do(do(Txn(failure=(put("a"), put("a"))))), DUPLICATE_KEY),
    ],
)
def test_keys_meet_across_depths_as_in_etcd(txn: Txn, error: object) -> None:
    """Key.go checkIntervals, with its blind spots; each of these was answered so by a real one."""
    assert check_request(txn) == error


def test_what_a_transaction_uses_is_missing_to_those_inside() -> None:
    """128 operations for all depths together, branch by branch."""
    many = tuple(put(f"k{number}") for number in range(128))

    assert check_request(do(*many)) is None
    assert check_request(do(*many[:127], do())) is None
    assert check_request(do(*many[:126], do(put("z"), put("y")))) == TOO_MANY_OPERATIONS
    assert check_request(do(do(*many))) == TOO_MANY_OPERATIONS


def test_puts_that_contradict_themselves_are_refused() -> None:
    """At any depth."""
    for wrap in (lambda one: one, lambda one: do(do(one))):
        assert check_request(wrap(Put(key="a", value="x", ignore_value=True))) == VALUE_PROVIDED
        assert check_request(wrap(Put(key="a", lease=1, ignore_lease=True))) == LEASE_PROVIDED
        assert check_request(wrap(Put(key="a", value="", ignore_value=True))) is None
        assert check_request(wrap(Put(key="", value="x"))) == EMPTY_KEY


def test_conditions_inside_are_judged_before_anything_is_done() -> None:
    """An inner condition does not see what the outer transaction wrote (compareToPath)."""
    exists = Compare(key="a", target=CompareTarget.VERSION, result=CompareResult.GREATER, value=0)
    state = State()

    answer = state.apply(do(put("a"), Txn(compare=(exists,), success=(put("b"),))), 0).response

    assert isinstance(answer, TxnResponse)
    inner = answer.responses[1]
    assert isinstance(inner, TxnResponse) and not inner.succeeded and state.store.get("b") is None


def test_a_put_keeps_what_it_is_told_to_keep() -> None:
    """Value or lease; without the key it is refused, alone and in a transaction."""
    state = State()
    keep = Put(key="a", ignore_value=True)
    assert state.apply(keep, 0).response == KEY_NOT_FOUND == state.apply(do(keep), 0).response
    state.apply(put("a", "kept"), 0)

    state.apply(do(keep), 0)
    state.apply(Put(key="a", value="new", ignore_lease=True), 0)

    kv = state.store.get("a")
    assert kv is not None and (kv.value, kv.version) == ("new", 3)
    assert [events[0].kv.value for events in state.store.events_since(2)] == ["kept", "kept", "new"]


def test_a_condition_over_a_range_holds_for_every_key() -> None:
    """Over none it is as for a missing key."""
    state = State()
    for key, value in (("a", "5"), ("b", "5"), ("c", "6")):
        state.apply(put(key, value), 0)

    def holds(end: str, value: object, target: CompareTarget = CompareTarget.VALUE, key: str = "a") -> bool:
        compare = Compare(key=key, range_end=end, target=target, value=value)
        response = state.apply(do(compare=(compare,)), 0).response
        assert isinstance(response, TxnResponse)
        return response.succeeded

    assert holds("c", "5") and not holds("\0", "5")
    assert holds("z", 0, CompareTarget.MOD, key="x") and not holds("z", "", key="x")


letters = st.text("aZ9\x7f\xe9\u4e2d\U0001f600", max_size=4)


@given(letters, letters)
def test_text_is_ordered_as_its_bytes_are(ours: str, theirs: str) -> None:
    """bytes.Compare, whatever the letters."""
    state = State()
    state.apply(put("a", ours), 0)
    for result, expected in (
        (CompareResult.LESS, ours.encode() < theirs.encode()),
        (CompareResult.GREATER, ours.encode() > theirs.encode()),
        (CompareResult.EQUAL, ours == theirs),
    ):
        compare = Compare(key="a", target=CompareTarget.VALUE, result=result, value=theirs)
        response = state.apply(do(compare=(compare,)), 0).response
        assert isinstance(response, TxnResponse) and response.succeeded is expected


def test_opaque_values_are_equal_or_not_and_have_no_order() -> None:
    state = State()
    state.apply(put("a", Opaque("x")), 0)
    same = Compare(key="a", target=CompareTarget.VALUE, value=Opaque("x"))
    response = state.apply(do(compare=(same,)), 0).response
    assert isinstance(response, TxnResponse) and response.succeeded

    less = Compare(key="a", target=CompareTarget.VALUE, result=CompareResult.LESS, value=Opaque("y"))
    with pytest.raises(ModelBug, match="has no order"):
        state.apply(do(compare=(less,)), 0)
    with pytest.raises(ModelBug, match="has no order"):
        state.read(Range(key="a", range_end="\0", sort_target=SortTarget.VALUE))


def test_what_goes_through_the_log() -> None:
    """A transaction inside makes it a write, whatever it holds (IsTxnReadonly)."""
    read = Range(key="a")
    assert is_read_only(do(read)) and not is_read_only(do(do(read))) and not is_read_only(put("a"))
    local = Range(key="a", serializable=True)
    assert is_serializable(do(local)) and not is_serializable(do(local, read)) and is_serializable(local)


def test_a_range_that_must_fail_fails_the_transaction_everywhere() -> None:
    """Etcd issue 18667: a member that leaves ranges unchecked applies what the others refuse; one function."""

    def compacted() -> State:
        state = State()
        for request in (put("a"), put("a"), Compact(3)):
            state.apply(request, 0)
        return state

    txn = do(Range(key="a", revision=2), put("b"))
    member = compacted()
    assert member.apply(txn, 0).response == COMPACTED and member.store.revision == 3
    with patched(txns, "check_range", lambda operation, store: None), pytest.raises(AssertionError):
        compacted().apply(txn, 0)


def test_a_range_sees_what_its_transaction_did_but_not_in_older_revisions() -> None:
    """Its explicit revision is the store's before the transaction, whatever was written since."""
    state = State()
    state.apply(put("a", "old"), 0)

    response = state.apply(do(put("a", "new"), Range(key="a"), Range(key="a", revision=2)), 0).response

    assert isinstance(response, TxnResponse)
    _, now, before = response.responses
    assert isinstance(now, RangeResponse) and isinstance(before, RangeResponse)
    assert (now.kvs[0].value, before.kvs[0].value) == ("new", "old")
