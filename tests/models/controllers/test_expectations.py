"""Expectations and the consistency guard (pkg/controller/controller_utils.go, util/consistency)."""

from __future__ import annotations

from chaoskube.models.controllers.expectations import ConsistencyGuard, CountingExpectations, Expectations
from chaoskube.sim import SECOND


def test_creations_are_counted_down() -> None:
    """Nothing is counted again before all of one's own creations were seen."""
    expectations = Expectations()
    expectations.expect_creations("rs", 2, 0)

    assert not expectations.is_satisfied("rs", 0)
    expectations.creation_observed("rs")
    assert expectations.creations_left("rs") == 1
    expectations.creation_observed("rs")
    assert expectations.is_satisfied("rs", 0)


def test_a_deletion_counts_once_a_pod() -> None:
    """Marked for deletion and then gone is one deletion, not two."""
    expectations = Expectations()
    expectations.expect_deletions("rs", ["ns/a", "ns/b"], 0)

    expectations.deletion_observed("rs", "ns/a")
    expectations.deletion_observed("rs", "ns/a")

    assert not expectations.is_satisfied("rs", 0)
    expectations.deletion_observed("rs", "ns/b")
    assert expectations.is_satisfied("rs", 0)


def test_expectations_expire_after_five_minutes() -> None:
    """A lost event must not stop a controller for ever."""
    expectations = Expectations()
    expectations.expect_creations("rs", 1, 0)

    assert not expectations.is_satisfied("rs", 300 * SECOND)
    assert expectations.is_satisfied("rs", 300 * SECOND + 1)


def test_setting_expectations_overwrites_them() -> None:
    """They aren't summed."""
    expectations = Expectations()
    expectations.expect_creations("rs", 5, 0)
    expectations.expect_deletions("rs", ["ns/a"], 0)

    expectations.deletion_observed("rs", "ns/a")

    assert expectations.is_satisfied("rs", 0)


def test_a_cache_behind_our_own_writes_must_not_be_read() -> None:
    """1.36: the newest version of our own writes is a lower bound for the cache."""
    guard = ConsistencyGuard()
    guard.wrote("rs", "pods", "12")
    guard.wrote("rs", "pods", "9")

    assert guard.behind("rs", {"pods": 11}) == "pods"
    assert guard.behind("rs", {"pods": 12}) == ""
    assert guard.behind("other", {"pods": 0}) == ""
    guard.forget("rs")
    assert guard.behind("rs", {"pods": 0}) == ""


def test_a_guard_that_is_off_asks_for_nothing() -> None:
    """As before 1.36: a controller may read a cache that doesn't show its own writes yet."""
    guard = ConsistencyGuard(is_on=False)
    guard.wrote("rs", "pods", "12")

    assert guard.behind("rs", {"pods": 0}) == ""


def test_counted_expectations_are_met_when_both_counts_are() -> None:
    """ControllerExpectations: a count may be raised, goes below zero, and is given up after five minutes."""
    expectations = CountingExpectations()
    expectations.expect("ds", creations=1, deletions=1, now=0)
    expectations.raise_by("ds", creations=1)
    expectations.creation_observed("ds", 3)
    assert not expectations.is_satisfied("ds", 0)
    expectations.deletion_observed("ds")
    assert expectations.is_satisfied("ds", 0)

    expectations.expect("ds", creations=1, now=0)
    assert not expectations.is_satisfied("ds", 300 * SECOND)
    assert expectations.is_satisfied("ds", 300 * SECOND + 1)
    expectations.expect("ds", creations=1, now=0)
    expectations.forget("ds")
    assert expectations.is_satisfied("ds", 0)
