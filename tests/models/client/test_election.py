"""Who may lead, judged by one's own clock (client-go tools/leaderelection)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.client.election import Election, ElectionOptions, LeaderRecord, to_record, to_spec
from chaoskube.models.objects import Lease
from chaoskube.sim import SECOND, UsageError

HELD = LeaderRecord(holder="other", lease_duration_seconds=15, renew_time=1, transitions=3)


def test_a_held_lease_is_left_alone_until_15_s_after_it_was_seen_to_change() -> None:
    """Times written by the other's clock play no part."""
    election = Election("me")
    election.read(HELD, 100 * SECOND)

    assert not election.may_take(114 * SECOND)
    assert election.may_take(115 * SECOND)


def test_a_lease_lasts_as_long_as_its_holder_wrote_not_as_we_would() -> None:
    """client-go b4217e149: a candidate with a shorter duration must not steal a valid lease."""
    short = ElectionOptions(
        lease_duration_ns=3 * SECOND, renew_deadline_ns=2 * SECOND, retry_period_ns=SECOND
    )
    election = Election("me", short)
    election.read(HELD, 0)

    assert not election.may_take(14 * SECOND)
    assert election.may_take(15 * SECOND)


def test_each_renewal_seen_starts_the_wait_anew() -> None:
    """A record that changed was alive when it was seen to change."""
    election = Election("me")
    election.read(HELD, 100 * SECOND)
    election.read(evolve(HELD, renew_time=2), 110 * SECOND)
    election.read(evolve(HELD, renew_time=2), 120 * SECOND)

    assert not election.may_take(124 * SECOND)
    assert election.may_take(125 * SECOND)


def test_a_takeover_counts_a_transition_and_a_renewal_keeps_the_start() -> None:
    """leaderTransitions and acquireTime are the history that people read."""
    election = Election("me")
    election.read(HELD, 0)

    taken = election.claim(50)
    election.wrote(taken, 20 * SECOND)
    renewed = election.claim(60)

    assert (taken.transitions, taken.acquire_time, taken.renew_time) == (4, 50, 50)
    assert (renewed.transitions, renewed.acquire_time, renewed.renew_time) == (4, 50, 60)
    assert election.first_claim(5).transitions == 0


def test_a_released_lease_is_taken_at_once() -> None:
    """An empty holder has let go; taking it over is a transition all the same."""
    election = Election("other")
    election.read(HELD, 0)
    released = election.release(7)
    next_one = Election("me")
    next_one.read(released, 0)

    assert (released.holder, released.lease_duration_seconds, released.transitions) == ("", 1, 3)
    assert next_one.may_take(0)
    assert next_one.claim(8).transitions == 4


def test_a_leader_writes_at_once_only_while_its_own_lease_runs() -> None:
    """After a pause it has to look first: somebody may have taken it."""
    election = Election("me")
    election.wrote(election.first_claim(0), 0)

    assert election.may_renew(14 * SECOND)
    assert not election.may_renew(15 * SECOND)


def test_times_are_kept_in_microseconds() -> None:
    """metav1.MicroTime."""
    record = LeaderRecord(holder="me", renew_time=1_234_567, acquire_time=999)

    assert to_record(Lease(spec=to_spec(record))) == evolve(record, renew_time=1_234_000, acquire_time=0)


def test_options_that_could_never_hold_a_lease_are_refused() -> None:
    """NewLeaderElector: leaseDuration > renewDeadline > retryPeriod * 1.2."""
    with pytest.raises(UsageError, match="make it longer"):
        ElectionOptions(lease_duration_ns=10 * SECOND)
    with pytest.raises(UsageError, match="try more often"):
        ElectionOptions(retry_period_ns=9 * SECOND)
