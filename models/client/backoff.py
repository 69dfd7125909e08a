"""How long to wait before trying again: small pure rules that client-go's parts share.

`ItemBackoff` counts failures by key and doubles the delay, `FastSlow` has two delays; `TokenBucket` spreads what is too frequent;
`Backoff` is the reflector's manager (doubling, jitter, forgotten after a quiet time). None reads a clock
or luck: both are handed in. Called by the work queue and the reflector.

Sources: staging/src/k8s.io/client-go/util/workqueue/default_rate_limiters.go, tools/cache/reflector.go.
"""

from __future__ import annotations

import random
from typing import Protocol

from chaoskube.models.constants import (
    REFLECTOR_BACKOFF_INITIAL,
    REFLECTOR_BACKOFF_MAX,
    REFLECTOR_BACKOFF_RESET,
)
from chaoskube.sim import MILLISECOND, SECOND

ITEM_BASE = 5 * MILLISECOND
ITEM_MAX = 1000 * SECOND
BUCKET_INTERVAL = 100 * MILLISECOND
BUCKET_BURST = 100


class TokenBucket:
    """One token an interval, `burst` saved at most; `reserve` says how long the next one takes."""

    def __init__(self, *, interval_ns: int = BUCKET_INTERVAL, burst: int = BUCKET_BURST) -> None:
        self._interval = interval_ns
        self._burst = burst
        self._full_at = 0

    def reserve(self, now: int) -> int:
        """Take a token; the delay until it is there."""
        start = max(self._full_at, now)
        self._full_at = start + self._interval
        return max(0, start - (self._burst - 1) * self._interval - now)

    def try_take(self, now: int) -> bool:
        """Take a token if one is there now."""
        start = max(self._full_at, now)
        if start - (self._burst - 1) * self._interval > now:
            return False
        self._full_at = start + self._interval
        return True


class RateLimiter(Protocol):
    """How long a key that failed has to wait."""

    def next_delay(self, key: str, now: int) -> int:
        """Count one more failure of `key`; how long it has to wait."""

    def failures(self, key: str) -> int:
        """How often `key` failed since it was forgotten."""

    def forget(self, key: str) -> None:
        """`key` went well: the next failure counts from one again."""


class ItemBackoff:
    """5 ms, 10 ms, 20 ms, ... 1000 s by key, and never faster than the bucket all keys share."""

    def __init__(self, *, base_ns: int = ITEM_BASE, max_ns: int = ITEM_MAX) -> None:
        self._base = base_ns
        self._max = max_ns
        self._failures: dict[str, int] = {}
        self._bucket = TokenBucket()

    def next_delay(self, key: str, now: int) -> int:
        """Count one more failure of `key`; how long it has to wait."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        own = min(self._base << min(failures, 40), self._max)
        return max(own, self._bucket.reserve(now))

    def failures(self, key: str) -> int:
        """How often `key` failed since it was forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """`key` went well: the next failure counts from one again."""
        self._failures.pop(key, None)


class FastSlow:
    """A short delay for the first few failures of a key, a long one from then on (ItemFastSlowRateLimiter)."""

    def __init__(self, *, fast_ns: int, slow_ns: int, fast_tries_max: int) -> None:
        self._fast = fast_ns
        self._slow = slow_ns
        self._fast_tries_max = fast_tries_max
        self._failures: dict[str, int] = {}

    def next_delay(self, key: str, now: int) -> int:
        """Count one more failure of `key`; how long it has to wait."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return self._fast if failures <= self._fast_tries_max else self._slow

    def failures(self, key: str) -> int:
        """How often `key` failed since it was forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: str) -> None:
        """`key` went well."""
        self._failures.pop(key, None)


class Backoff:
    """0.8 s doubling to 30 s, each stretched by up to itself; starts over after 2 min without use."""

    def __init__(
        self,
        *,
        initial_ns: int = REFLECTOR_BACKOFF_INITIAL,
        max_ns: int = REFLECTOR_BACKOFF_MAX,
        reset_ns: int = REFLECTOR_BACKOFF_RESET,
    ) -> None:
        self._initial = initial_ns
        self._max = max_ns
        self._reset = reset_ns
        self._next = initial_ns
        self._used_at: int | None = None

    def next_delay(self, now: int, luck: random.Random) -> int:
        """The delay before the next try, in [d, 2d)."""
        if self._used_at is not None and now - self._used_at > self._reset:
            self._next = self._initial
        self._used_at = now
        delay = self._next
        self._next = min(self._next * 2, self._max)
        return delay + luck.randrange(delay)
