"""What becomes of an event before it is sent: counted, combined with similar ones, or dropped as spam. Pure.

The same event about the same object counts up. Ten different messages for one reason within ten minutes of each other
become one event, "(combined from similar events)", from then on. And of one component's events about one object 25 go
through at once, then one each five minutes: what is dropped has been counted.

Called by the recorder. Source: staging/src/k8s.io/client-go/tools/record/events_cache.go.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

from chaoskube.models.client.backoff import TokenBucket
from chaoskube.sim import SECOND, reached

SIMILAR_MAX = 10
SIMILAR_WITHIN = 600 * SECOND
SPAM_BURST = 25
SPAM_INTERVAL = 300 * SECOND
REMEMBERED_MAX = 4096
COMBINED = "(combined from similar events): "

About: TypeAlias = tuple[str, str, str, str]
"""Kind, namespace, name and uid of the object."""


@frozen(kw_only=True)
class Correlated:
    """What to send: under which key it counts, in which words."""

    key: tuple[str, ...]
    message: str
    is_spam: bool = False


class _Similar:
    __slots__ = ("last", "messages")

    def __init__(self, last: int) -> None:
        self.last = last
        self.messages: dict[str, None] = {}


class Correlator:
    """What one component said lately."""

    def __init__(self) -> None:
        self._similar: dict[tuple[str, ...], _Similar] = {}
        self._buckets: dict[tuple[str, ...], TokenBucket] = {}

    def correlate(self, about: About, type: str, reason: str, message: str, now: int) -> Correlated:
        """What to do with one more event."""
        kind_of_event = (*about, type, reason)
        similar = self._similar.pop(kind_of_event, None)
        if similar is None or now - similar.last > SIMILAR_WITHIN:
            similar = _Similar(now)
        similar.messages[message] = None
        similar.last = now
        self._similar[kind_of_event] = similar
        _forget_oldest(self._similar)
        key: tuple[str, ...] = (*kind_of_event, message)
        if len(similar.messages) >= SIMILAR_MAX:
            reached("similar events are combined")
            del similar.messages[next(iter(similar.messages))]
            key, message = kind_of_event, COMBINED + message
        return Correlated(key=key, message=message, is_spam=not self._may_pass((*about, type), now))

    def _may_pass(self, spam_key: tuple[str, ...], now: int) -> bool:
        bucket = self._buckets.pop(spam_key, None)
        if bucket is None:
            bucket = TokenBucket(interval_ns=SPAM_INTERVAL, burst=SPAM_BURST)
        self._buckets[spam_key] = bucket
        _forget_oldest(self._buckets)
        passes = bucket.try_take(now)
        if not passes:
            reached("event dropped as spam")
        return passes


def _forget_oldest(remembered: dict[tuple[str, ...], _Similar] | dict[tuple[str, ...], TokenBucket]) -> None:
    if len(remembered) > REMEMBERED_MAX:
        del remembered[next(iter(remembered))]
