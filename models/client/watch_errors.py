"""What an error means to a reflector: the questions that client-go asks of it, one function each.

Sources: staging/src/k8s.io/client-go/tools/cache/{reflector,retry_with_deadline}.go, apimachinery/pkg/api/errors.
"""

from __future__ import annotations

from chaoskube.models.apiserver.api import Status
from chaoskube.models.client.attempts import REFUSED
from chaoskube.sim import SECOND

QUIET_RESETS = 60 * SECOND


def is_expired(why: Status | str) -> bool:
    """The server no longer has what came after that version (410)."""
    return isinstance(why, Status) and (why.code == 410 or why.reason in ("Expired", "Gone"))


def is_too_large(why: Status | str) -> bool:
    """The server hasn't reached that version yet: it lags behind what this client saw elsewhere."""
    return isinstance(why, Status) and any(cause.reason == "ResourceVersionTooLarge" for cause in why.causes)


def is_worth_waiting(why: Status | str) -> bool:
    """Nobody listens, or too many ask (429): the same watch again later, no list."""
    return why == REFUSED or (isinstance(why, Status) and why.code == 429)


def is_stream_end(why: Status | str) -> bool:
    """The stream ended without an error of its own."""
    return why in ("closed", "reset")


def is_internal(why: Status | str) -> bool:
    """The server says that it is its own fault (500)."""
    return isinstance(why, Status) and why.reason == "InternalError"


class InternalErrorRetry:
    """For how long a watch that ends with 500 is opened again at once instead of listing anew; 0: never."""

    def __init__(self, duration_ns: int) -> None:
        self._duration = duration_ns
        self._first: int | None = None
        self._last = 0

    def should_retry(self, now: int) -> bool:
        """One more such error at `now`; errors a minute apart don't belong together."""
        if self._first is None or now - self._last >= QUIET_RESETS:
            self._first = now
        self._last = now
        if self._duration <= 0:
            return False
        if now - self._first <= self._duration:
            return True
        self._first = None
        return False
