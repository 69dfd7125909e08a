"""One watch: a connection of its own, opened again by itself while it hasn't begun, and heard of once when it ends.

Until the server has taken the watch, client-go tries again: after a second when the connection broke or could
not be made in time, after what Retry-After says when the server asked for it; ten times. Then, and for whatever
happens to a watch that runs, `on_end` hears why: "closed" or "reset" (the stream ended), "refused" (nobody
listens), or a Status (an ERROR event, a refusal, or the error 500 that client-go makes of a peer that went silent).

Called by the transport. Sources: staging/src/k8s.io/client-go/rest/request.go (Watch),
staging/src/k8s.io/apimachinery/pkg/watch/streamwatcher.go, pkg/util/net/http.go (IsProbableEOF).
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.apiserver.api import ERROR, WATCH, Request, Response, Status, WatchEvent
from chaoskube.models.client.attempts import BROKEN_RETRY, REFUSED, RETRIES_MAX, asked_to_wait
from chaoskube.models.constants import HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT
from chaoskube.sim import Address, Connection, Process, Timer

OnEvent = Callable[[WatchEvent], None]
OnEnd = Callable[[Status | str], None]
CONNECTION_LOST = Status(
    code=500,
    reason="InternalError",
    message=(
        'an error on the server ("unable to decode an event from the watch stream: http2: client connection lost") '
        "has prevented the request from succeeding"
    ),
)


class WatchHandle:
    """One running watch. `on_end` hears once why it ended: a Status, or how the connection closed."""

    def __init__(
        self,
        process: Process,
        request: Request,
        on_event: OnEvent,
        on_end: OnEnd,
        *,
        choose: Callable[[], Address],
        avoid: Callable[[Address], None],
        retries_max: int = RETRIES_MAX,
    ) -> None:
        assert request.verb == WATCH, f"a watch, not {request.verb}"
        self._process = process
        self._request = request
        self._on_event = on_event
        self._on_end = on_end
        self._choose = choose
        self._avoid = avoid
        self._retries_left = retries_max
        self._ended = False
        self._has_begun = False
        self._retry: Timer | None = None
        self._open()

    def cancel(self) -> None:
        """Stop; nothing is heard of it any more."""
        self._ended = True
        if self._retry is not None:
            self._retry.cancel()
        self._connection.close()

    def _open(self) -> None:
        self.server = self._choose()
        self._connection: Connection = self._process.connect(
            self.server,
            label=f"watch/{self._request.resource}",
            on_open=self._opened,
            on_message=self._message,
            on_close=self._closed,
        )
        self._connection.keepalive(HTTP2_PING_INTERVAL, HTTP2_PING_TIMEOUT)
        self._connection.send(self._request)

    def _opened(self) -> None:
        self._has_begun = True

    def _message(self, message: object) -> None:
        if self._ended:
            return
        if isinstance(message, WatchEvent) and message.type != ERROR:
            self._on_event(message)
            return
        self._connection.close()
        if isinstance(message, WatchEvent):
            assert isinstance(message.object, Status), f"an error holds a Status, not {message.object!r}"
            self._end(message.object)
        else:
            assert isinstance(message, Response), f"a watch carries events or a refusal, not {message!r}"
            assert isinstance(message.body, Status), f"a refusal holds a Status, not {message.body!r}"
            self._turned_away(message.body)

    def _turned_away(self, status: Status) -> None:
        delay = asked_to_wait(status)
        if delay is None or not self._try_again(delay):
            self._end(status)

    def _closed(self, reason: str) -> None:
        if self._ended:
            return
        if reason != "closed":
            self._avoid(self.server)
        if self._has_begun:
            self._end(CONNECTION_LOST if reason == "timeout" else reason)
        elif reason == REFUSED:
            self._end(reason)
        elif not self._try_again(BROKEN_RETRY):
            self._end("closed")

    def _try_again(self, delay_ns: int) -> bool:
        if self._retries_left <= 0:
            return False
        self._retries_left -= 1
        self._has_begun = False
        self._retry = self._process.call_later(delay_ns, self._open)
        return True

    def _end(self, why: Status | str) -> None:
        self._ended = True
        self._on_end(why)
