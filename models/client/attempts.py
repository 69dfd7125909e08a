"""Which answers a client tries again by itself, and after how long: the rules, without a clock.

The server said when to come back (429, or any 5xx with Retry-After): every request waits so long. The connection
broke: reads alone are sent again, after a second, because nobody knows of a write. Ten times at most; then the
caller hears the last answer. A refused connection is nobody's retry: the caller hears of it at once.

Sources: staging/src/k8s.io/client-go/rest/{with_retry,request}.go (maxRetries 10).
"""

from __future__ import annotations

from chaoskube.models.apiserver.api import GET, LIST, Response, Status
from chaoskube.sim import SECOND, Unsure

RETRIES_MAX = 10
BROKEN_RETRY = 1 * SECOND
REFUSED = "refused"


class ConnectionLost(Unsure):
    """The connection ended before the answer; `reason` says how, `was_open` whether it had ever been open."""

    def __init__(self, server: str, reason: str, *, was_open: bool) -> None:
        super().__init__(f"connection to {server}: {reason}")
        self.reason = reason
        self.was_open = was_open


def retry_delay(verb: str, answer: Response | Unsure) -> int | None:
    """How long to wait before the same request is sent again; None: the caller has to hear of it."""
    if isinstance(answer, Response):
        return asked_to_wait(answer.body) if isinstance(answer.body, Status) else None
    if verb not in (GET, LIST) or not isinstance(answer, ConnectionLost) or answer.reason == REFUSED:
        return None
    return BROKEN_RETRY if answer.was_open else None


def asked_to_wait(status: Status) -> int | None:
    """What the server's Retry-After says, where it counts."""
    counts = status.code == 429 or status.code >= 500
    return status.retry_after_seconds * SECOND if counts and status.retry_after_seconds > 0 else None
