"""Delays before another try: the numbers of reference and source."""

from __future__ import annotations

import random

from chaoskube.models.client.backoff import Backoff, FastSlow, ItemBackoff, TokenBucket
from chaoskube.sim import MILLISECOND, SECOND


def test_a_keys_delay_doubles_from_5_ms_to_1000_s() -> None:
    """default_rate_limiters.go: 5 ms x 2^failures, at most 1000 s."""
    backoff = ItemBackoff()

    delays = [backoff.next_delay("a", step * 2000 * SECOND) for step in range(20)]

    assert delays[:4] == [5 * MILLISECOND, 10 * MILLISECOND, 20 * MILLISECOND, 40 * MILLISECOND]
    assert delays[-1] == 1000 * SECOND
    backoff.forget("a")
    assert backoff.next_delay("a", 10**18) == 5 * MILLISECOND


def test_the_bucket_lets_100_through_and_then_10_a_second() -> None:
    """All keys of a queue share one bucket: 10 qps, burst 100."""
    bucket = TokenBucket()

    delays = [bucket.reserve(0) for _ in range(102)]

    assert delays[:100] == [0] * 100
    assert delays[100:] == [100 * MILLISECOND, 200 * MILLISECOND]


def test_a_bucket_of_one_fills_again_after_its_interval() -> None:
    """The zone limiter: one node each 10 s."""
    bucket = TokenBucket(interval_ns=10 * SECOND, burst=1)

    assert bucket.try_take(0)
    assert not bucket.try_take(9 * SECOND)
    assert bucket.try_take(10 * SECOND)


def test_the_reflectors_backoff_doubles_with_jitter_and_starts_over() -> None:
    """reflector.go: 0.8 s x2 up to 30 s, each in [d, 2d), reset after 2 min of quiet."""
    backoff, luck = Backoff(), random.Random(1)
    now = 0
    for expected in (0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30):
        delay = backoff.next_delay(now, luck)
        assert expected * SECOND <= delay < 2 * expected * SECOND
        now += delay

    delay = backoff.next_delay(now + 121 * SECOND, luck)

    assert 0.8 * SECOND <= delay < 1.6 * SECOND


def test_a_key_is_tried_fast_a_few_times_and_then_slowly() -> None:
    """ItemFastSlowRateLimiter."""
    limiter = FastSlow(fast_ns=1, slow_ns=9, fast_tries_max=2)

    assert [limiter.next_delay("a", 0) for _ in range(4)] == [1, 1, 9, 9]
    assert limiter.failures("a") == 4
    limiter.forget("a")
    assert limiter.next_delay("a", 0) == 1
