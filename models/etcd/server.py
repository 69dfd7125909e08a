"""The doors of a member: client connections, their calls, and their watches.

A session is one connection: requests come in, answers go out as they are ready, in no promised order. All watches
of a connection are one stream (`watch_stream.py`).

A slow client: a connection takes at most 64 messages that the client's process has not taken yet, about what
HTTP/2's window of 64 KiB holds; so a client that is paused, cut off or behind a slow link blocks its stream, and
only its own. Blocked streams are tried again every 10 ms, and the victims with them.

Streams that ask for a leader are refused when none is known, and end when none has been known for 3 election
time-outs (server/etcdserver/api/v3rpc/interceptor.go monitorLeader).

Made by `member.boot_member`. Not modelled: the size of messages in a connection's window, limits of streams and
requests a connection.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from chaoskube.models.constants import ETCD_ELECTION_TICKS
from chaoskube.models.etcd.calls import Calls
from chaoskube.models.etcd.errors import NO_LEADER, NOT_SUPPORTED_FOR_LEARNER
from chaoskube.models.etcd.lock_messages import ServiceRequest
from chaoskube.models.etcd.lock_service import LockService
from chaoskube.models.etcd.messages import (
    STREAM_WATCH_ID,
    Answer,
    Call,
    EtcdError,
    Response,
    WatchCancel,
    WatchCanceled,
    WatchCreate,
    WatchProgress,
)
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.etcd.session import Context
from chaoskube.models.etcd.watch_stream import WatchStream
from chaoskube.models.raft.messages import NONE
from chaoskube.sim import MILLISECOND, Connection, ModelBug, Timer, reached

NO_LEADER_CHECKS_MAX: Final = 3
BLOCKED_RETRY_NS: Final = 10 * MILLISECOND
"""server/storage/mvcc/watchable_store.go syncVictimsLoop."""


class Server:
    """All client connections of one member."""

    def __init__(self, replica: Replica, calls: Calls, locks: LockService, port: int) -> None:
        self.replica = replica
        self.calls = calls
        self.locks = locks
        self._streaming: dict[Session, None] = {}
        self._blocked: dict[Session, None] = {}
        self._is_retrying = False
        self._checks_without_leader = 0
        self.is_ready = False
        """Whether the log says that this life has started: until then clients are accepted, but not answered."""
        self._early: list[tuple[Session, object]] = []
        replica.reconfiguration.when_published(self._published)
        replica.process.listen(port, lambda connection: Session(self, connection).open())
        replica.on_tick.append(self._on_tick)

    def stream_opened(self, session: Session) -> None:
        """Keep it in mind for the loss of the leader."""
        self._streaming[session] = None

    def stream_closed(self, session: Session) -> None:
        """It is over."""
        self._streaming.pop(session, None)
        self._blocked.pop(session, None)

    def stream_blocked(self, session: Session) -> None:
        """Its connection takes no more: try again soon."""
        self._blocked[session] = None
        if not self._is_retrying:
            self._is_retrying = True
            self.replica.process.call_later(BLOCKED_RETRY_NS, self._retry)

    def _retry(self) -> None:
        for session in list(self._blocked):
            if not session.flush():
                del self._blocked[session]
        if self.replica.hub.has_victims:
            self.replica.hub.retry_victims()
        self._is_retrying = bool(self._blocked) or self.replica.hub.has_victims
        if self._is_retrying:
            self.replica.process.call_later(BLOCKED_RETRY_NS, self._retry)

    def wait_until_ready(self, session: Session, message: object) -> None:
        """Answer it once this member has published itself (server/embed/serve.go waits for ReadyNotify)."""
        self._early.append((session, message))

    def _published(self) -> None:
        """It is ready for what came early, after the entries that are being applied: nothing may begin between two of them."""
        self.replica.process.call_later(0, self._take_early)

    def _take_early(self) -> None:
        self.is_ready = True
        early, self._early = self._early, []
        for session, message in early:
            if session.is_open:
                session.take(message)

    def _on_tick(self, ticks: int) -> None:
        if ticks % ETCD_ELECTION_TICKS:
            return
        if self.replica.raft.lead != NONE:
            self._checks_without_leader = 0
            return
        self._checks_without_leader += 1
        if self._checks_without_leader >= NO_LEADER_CHECKS_MAX:
            for session in list(self._streaming):
                session.leader_lost()


class Session:
    """One client connection."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._replica = server.replica
        self._connection = connection
        self._waits: dict[int, Context] = {}
        self._stream: WatchStream | None = None
        self._needs_leader = False
        self._progress_timer: Timer | None = None

    @property
    def is_open(self) -> bool:
        """Whether the client is still there."""
        return self._connection.is_open

    def open(self) -> None:
        """Begin to listen."""
        self._connection.on_message = self._on_message
        self._connection.on_close = self._on_close

    def _on_message(self, message: object) -> None:
        if self._server.is_ready:
            self.take(message)
        else:
            self._server.wait_until_ready(self, message)

    def take(self, message: object) -> None:
        """What a client says."""
        if type(message) is Call:
            self._on_call(message)
        elif type(message) is WatchCreate:
            self._on_create(message)
        elif type(message) is WatchProgress:
            if self._stream is not None:
                self._stream.request_progress()
        elif type(message) is WatchCancel:
            if self._stream is not None:
                self._stream.cancel(message.watch_id)
        else:
            raise ModelBug(f"{self._replica.process.name} doesn't understand {message!r}")

    def _on_close(self, _reason: str) -> None:
        self._end_stream()
        for wait in self._waits.values():
            wait.cancel()

    def _on_call(self, call: Call) -> None:
        answer = partial(self._answer, call.id)
        if isinstance(call.request, ServiceRequest):
            self._waits = {number: wait for number, wait in self._waits.items() if not wait.is_done}
            self._waits[call.id] = self._server.locks.serve(call.request, answer)
        else:
            self._server.calls.handle(call.request, answer)

    def _answer(self, number: int, response: Response | EtcdError) -> None:
        replica = self._replica
        self._connection.send(Answer(number, response, member=replica.id, term=replica.raft.term))

    # -- watches

    def flush(self) -> bool:
        """Send what waits, as far as it goes; is anything left?"""
        if self._stream is None:
            return False
        self._stream.flush()
        return self._stream.is_blocked

    def leader_lost(self) -> None:
        """Too long without a leader: a stream that asked for one is over."""
        if self._needs_leader:
            reached("etcd: a watch ended for want of a leader")
            self._refuse_stream(NO_LEADER)

    def _on_create(self, create: WatchCreate) -> None:
        if self._replica.is_learner:
            self._refuse_stream(NOT_SUPPORTED_FOR_LEARNER)
        elif create.require_leader and self._replica.raft.lead == NONE:
            self._refuse_stream(NO_LEADER)
        else:
            self._needs_leader = self._needs_leader or create.require_leader
            self._open_stream().create(create)

    def _open_stream(self) -> WatchStream:
        if self._stream is None:
            connection, window = self._connection, self._replica.hub.limits.window
            self._stream = self._replica.hub.stream(
                connection.send,
                lambda: connection.backlog < window,
                partial(self._server.stream_blocked, self),
            )
            self._server.stream_opened(self)
            self._start_progress()
        return self._stream

    def _refuse_stream(self, error: EtcdError) -> None:
        """All its watches are over; the client has to open a new one."""
        self._connection.send(WatchCanceled(reason=error.message, watch_id=STREAM_WATCH_ID))
        self._end_stream()

    def _end_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            self._needs_leader = False
            self._server.stream_closed(self)
            if self._progress_timer is not None:
                self._progress_timer.cancel()

    def _start_progress(self) -> None:
        """Every 10 min and up to a tenth more, the same for the stream's life (v3rpc/watch.go)."""
        interval_ns = self._replica.options.progress_notify_ns
        jitter_ns = self._replica.process.rng.randrange(interval_ns // 10)
        self._schedule_progress(interval_ns + jitter_ns)

    def _schedule_progress(self, interval_ns: int) -> None:
        self._progress_timer = self._replica.process.call_later(interval_ns, self._progress, interval_ns)

    def _progress(self, interval_ns: int) -> None:
        self._schedule_progress(interval_ns)
        if self._stream is not None:
            self._stream.progress_is_due()
