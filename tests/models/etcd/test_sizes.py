"""Sizes are near enough to protobuf's to decide what is too large (recording etcd-limits)."""

from __future__ import annotations

import pytest

from chaoskube.models.etcd.messages import Compare, CompareTarget, DeleteRange, LeaseGrant, Put, Range, Txn
from chaoskube.models.etcd.sizes import (
    FIELDS_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_REQUEST_BYTES,
    OBJECT_BYTES,
    request_bytes,
    value_size,
)


@pytest.mark.parametrize(
    ("size", "is_fine", "is_read"),
    [(1_000_000, True, True), (1_572_000, True, True), (1_600_000, False, True), (3_000_000, False, False)],
)
def test_the_recorded_puts_fall_on_the_recorded_side(size: int, is_fine: bool, is_read: bool) -> None:
    """1572000 bytes went into the log, 1600000 not, 3000000 not even through gRPC."""
    measured = request_bytes(Put(key="big", value="x" * size))

    assert (measured <= MAX_REQUEST_BYTES, measured <= MAX_MESSAGE_BYTES) == (is_fine, is_read)


def test_every_part_of_a_transaction_counts() -> None:
    """Compares and both branches, however deep."""
    put = Put(key="k", value="xyz")
    compare = Compare(key="k", target=CompareTarget.VERSION, value=1)
    inner = Txn(success=(put, Range(key="a", range_end="b")))
    whole = Txn(compare=(compare,), success=(inner,), failure=(DeleteRange(key="k"),))

    assert request_bytes(whole) == FIELDS_BYTES * 6 + 9 + 4 + 2 + 1
    assert request_bytes(LeaseGrant(ttl=1)) == FIELDS_BYTES


def test_values_count_as_bytes() -> None:
    """Text in UTF-8; what is no text counts as an object of Kubernetes does on average."""
    assert [value_size(one) for one in (None, "abc", "é", b"12", 7, object())] == [
        0,
        3,
        2,
        2,
        8,
        OBJECT_BYTES,
    ]
