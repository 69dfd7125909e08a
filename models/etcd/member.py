"""An etcd member as a process, and its doors: client connections with calls, watches with a connection each.

`boot_member` builds a whole member on a process; `add_members` puts a cluster into a world. A session is one
connection: requests come in, answers go out as they are ready, in no promised order.

Watches that ask for a leader are refused or cancelled when none has been known for 3 election time-outs
(server/etcdserver/api/v3rpc/interceptor.go monitorLeader).
Not modelled: several watches on one stream, the limits of requests in flight.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from chaoskube.models.constants import ETCD_ELECTION_TICKS
from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.lease_keeper import LeaseKeeper
from chaoskube.models.etcd.messages import (
    NO_LEADER,
    Answer,
    Call,
    EtcdError,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseTimeToLive,
    Range,
    Request,
    Response,
    Txn,
    WatchCancel,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchProgress,
)
from chaoskube.models.etcd.replica import Replica, ReplicaOptions
from chaoskube.models.etcd.state import check_request, is_read_only
from chaoskube.models.etcd.watch import EMPTY_RANGE_REASON, Watcher
from chaoskube.models.raft.messages import NONE
from chaoskube.sim import Address, Connection, ModelBug, Process, World, reached

NO_LEADER_CHECKS_MAX: Final = 3


def boot_member(
    process: Process,
    name: str,
    members: Sequence[str],
    client_port: int = CLIENT_PORT,
    options: ReplicaOptions | None = None,
) -> None:
    """Start a member's life on its process; `members` are the names of all members' processes."""
    if name != process.name or name not in members:
        raise ModelBug(f"member {name!r} of {', '.join(members)} boots on the process {process.name!r}")
    replica = Replica(process, tuple(members), options if options is not None else ReplicaOptions())
    _Server(replica, LeaseKeeper(replica), client_port)
    replica.start()


def add_members(
    world: World, hosts: Sequence[str], options: ReplicaOptions | None = None
) -> tuple[Process, ...]:
    """Processes etcd-0, etcd-1, ... one on each host, not yet started."""
    names = tuple(f"etcd-{place}" for place in range(len(hosts)))
    return tuple(
        world.process(name, host=host, boot=partial(boot_member, name=name, members=names, options=options))
        for name, host in zip(names, hosts, strict=True)
    )


def endpoints(members: Sequence[Process], port: int = CLIENT_PORT) -> tuple[Address, ...]:
    """Where clients find the members."""
    return tuple(Address(one.world.network.ip_of(one.host), port) for one in members)


class _Server:
    """All client connections of one member."""

    def __init__(self, replica: Replica, leases: LeaseKeeper, port: int) -> None:
        self.replica = replica
        self.leases = leases
        self._watches: dict[_Session, None] = {}
        self._checks_without_leader = 0
        replica.process.listen(port, lambda connection: _Session(self, connection).open())
        replica.on_tick.append(self._on_tick)
        self._schedule_progress()

    def watch_opened(self, session: _Session) -> None:
        """Keep it in mind for notices and for the loss of the leader."""
        self._watches[session] = None

    def watch_closed(self, session: _Session) -> None:
        """It is over."""
        self._watches.pop(session, None)

    def _on_tick(self, ticks: int) -> None:
        if ticks % ETCD_ELECTION_TICKS:
            return
        if self.replica.raft.lead != NONE:
            self._checks_without_leader = 0
            return
        self._checks_without_leader += 1
        if self._checks_without_leader >= NO_LEADER_CHECKS_MAX:
            for session in list(self._watches):
                session.leader_lost()

    def _schedule_progress(self) -> None:
        """Every 10 min and up to a tenth more (v3rpc/watch.go GetProgressReportInterval)."""
        process, interval = self.replica.process, self.replica.options.progress_notify_ns
        process.call_later(interval + process.rng.randrange(interval // 10), self._progress)

    def _progress(self) -> None:
        self.replica.hub.progress_all()
        self._schedule_progress()


class _Session:
    """One client connection."""

    def __init__(self, server: _Server, connection: Connection) -> None:
        self._server = server
        self._replica = server.replica
        self._connection = connection
        self._watcher: Watcher | None = None

    def open(self) -> None:
        """Begin to listen."""
        self._connection.on_message = self._on_message
        self._connection.on_close = self._on_close

    def _on_message(self, message: object) -> None:
        if type(message) is Call:
            self._on_call(message.request, partial(self._answer, message.id))
        elif type(message) is WatchCreate:
            self._on_watch(message)
        elif type(message) is WatchProgress:
            if self._watcher is not None:
                self._replica.hub.progress(self._watcher)
        elif type(message) is WatchCancel:
            self._end_watch()
        else:
            raise ModelBug(f"{self._replica.process.name} doesn't understand {message!r}")

    def _on_close(self, _reason: str) -> None:
        self._end_watch()

    def _answer(self, number: int, response: Response | EtcdError) -> None:
        self._connection.send(Answer(number, response))

    # -- calls

    def _on_call(self, request: Request, answer: partial[None]) -> None:
        error = check_request(request)
        if error is not None:
            answer(error)
        elif isinstance(request, LeaseKeepAlive | LeaseTimeToLive):
            self._server.leases.request(request, answer)
        elif isinstance(request, Range | Txn) and is_read_only(request):
            self._read(request, answer)
        elif isinstance(request, LeaseGrant) and request.id == 0:
            self._replica.write(LeaseGrant(ttl=request.ttl, id=self._replica.new_id()), answer)
        else:
            self._replica.write(request, answer)

    def _read(self, request: Range | Txn, answer: partial[None]) -> None:
        state = self._replica.state
        if isinstance(request, Range) and request.serializable:
            answer(state.read(request))
            return

        def go_on(error: EtcdError | None) -> None:
            answer(error if error is not None else state.read(request))

        self._replica.when_current(go_on)

    # -- watches

    def _on_watch(self, create: WatchCreate) -> None:
        if create.require_leader and self._replica.raft.lead == NONE:
            self._connection.send(WatchCanceled(reason=NO_LEADER.message))
            return
        hub = self._replica.hub
        self._connection.send(WatchCreated(revision=self._replica.state.store.revision))
        if create.range_end not in ("", "\0") and create.range_end <= create.key:
            self._connection.send(WatchCanceled(reason=EMPTY_RANGE_REASON))
            return
        self._watcher = hub.add(create, self._connection.send)
        self._server.watch_opened(self)

    def leader_lost(self) -> None:
        """Too long without a leader: a watch that asked for one is over."""
        if self._watcher is not None and self._watcher.create.require_leader:
            reached("etcd: a watch ended for want of a leader")
            self._connection.send(WatchCanceled(reason=NO_LEADER.message))
            self._end_watch()

    def _end_watch(self) -> None:
        if self._watcher is not None:
            self._replica.hub.remove(self._watcher)
            self._watcher = None
            self._server.watch_closed(self)
