"""Who may lead, judged by one's own clock (client-go tools/leaderelection)."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.client.leader_election import Election, LeaderRecord
from chaoskube.sim import SECOND

HELD = LeaderRecord(holder="other", lease_duration_seconds=15, renew_time=1, transitions=3)


def test_a_held_lease_is_left_alone_until_15_s_after_it_was_seen_to_change() -> None:
    """Times written by the other's clock play no part."""
    election = Election("me")
    election.observe(HELD, 100 * SECOND)

    assert not election.may_take(114 * SECOND)
    assert election.may_take(115 * SECOND)


def test_each_renewal_seen_starts_the_wait_anew() -> None:
    """A record that changed was alive when it was seen to change."""
    election = Election("me")
    election.observe(HELD, 100 * SECOND)
    election.observe(evolve(HELD, renew_time=2), 110 * SECOND)
    election.observe(evolve(HELD, renew_time=2), 120 * SECOND)

    assert not election.may_take(124 * SECOND)
    assert election.may_take(125 * SECOND)


def test_a_takeover_counts_a_transition_and_a_renewal_keeps_the_start() -> None:
    """leaderTransitions and acquireTime are the history that people read."""
    election = Election("me")
    election.observe(HELD, 0)

    taken = election.claim(50)
    election.observe(taken, 20 * SECOND)
    renewed = election.claim(60)

    assert (taken.transitions, taken.acquire_time, taken.renew_time) == (4, 50, 50)
    assert (renewed.transitions, renewed.acquire_time, renewed.renew_time) == (4, 50, 60)


def test_a_released_lease_is_taken_at_once() -> None:
    """An empty holder has let go."""
    election = Election("me")
    election.observe(evolve(HELD, holder=""), 0)

    assert election.may_take(0)
    assert election.claim(5).transitions == 3
