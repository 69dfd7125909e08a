"""Sizes are those of etcd's protobuf messages, and decide what is too large (recording etcd-limits)."""

from __future__ import annotations

import pytest

from chaoskube.models.etcd.messages import (
    Compare,
    CompareTarget,
    DeleteRange,
    Event,
    EventType,
    KeyValue,
    LeaseGrant,
    Put,
    Range,
    Txn,
)
from chaoskube.models.etcd.sizes import (
    MAX_MESSAGE_BYTES,
    MAX_REQUEST_BYTES,
    OBJECT_BYTES,
    event_bytes,
    log_bytes,
    request_bytes,
    value_size,
)


@pytest.mark.parametrize(
    ("size", "is_fine", "is_read"),
    [(1_000_000, True, True), (1_572_000, True, True), (1_600_000, False, True), (3_000_000, False, False)],
)
def test_the_recorded_puts_fall_on_the_recorded_side(size: int, is_fine: bool, is_read: bool) -> None:
    """1572000 bytes went into the log, 1600000 not, 3000000 not even through gRPC, which counted 3000010."""
    put = Put(key="big", value="x" * size)

    assert (log_bytes(request_bytes(put)) <= MAX_REQUEST_BYTES, request_bytes(put) <= MAX_MESSAGE_BYTES) == (
        is_fine,
        is_read,
    )
    assert is_read or request_bytes(put) == 3_000_010


def test_every_part_of_a_transaction_counts() -> None:
    """Compares and both branches, however deep: worked out by hand from the wire format."""
    put = Put(key="k", value="xyz")
    compare = Compare(key="k", target=CompareTarget.MOD, value=300)
    inner = Txn(success=(put, Range(key="a", range_end="b", limit=7)))
    whole = Txn(compare=(compare,), success=(inner,), failure=(DeleteRange(key="k"),))

    assert request_bytes(put) == 3 + 5
    assert request_bytes(inner) == (8 + 4) + (8 + 4)
    assert request_bytes(whole) == (2 + 3 + 3 + 2) + (24 + 4) + (3 + 4)
    assert request_bytes(LeaseGrant(ttl=1)) == 0


def test_an_event_counts_with_its_previous_version() -> None:
    """Type, versions, and each in an envelope."""
    old = KeyValue(key="k", value="v", create_revision=2, mod_revision=2, version=1)
    new = KeyValue(key="k", value="vw", create_revision=2, mod_revision=300, version=2, lease=5)

    assert event_bytes(Event(type=EventType.PUT, kv=old)) == 2 + 2 + (3 + 6 + 3)
    assert event_bytes(Event(type=EventType.DELETE, kv=new, prev_kv=old)) == 2 + 2 + (2 + 3 + 7 + 4 + 2) + 14


def test_values_count_as_bytes() -> None:
    """Text in UTF-8; what is no text counts as an object of Kubernetes does on average."""
    assert [value_size(one) for one in (None, "abc", "é", b"12", 7, object())] == [
        0,
        3,
        2,
        2,
        1,
        OBJECT_BYTES,
    ]
