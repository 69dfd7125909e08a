"""Locks and elections as a service of a member, for clients that have no code of their own for them.

Thin over `concurrency.py`: the member is its own client (server/etcdserver/api/v3client), with the caller's lease and
without keeping it alive. What waits is a task of the member's process, and ends when the caller's connection does: then
its place in the queue is given up.

Made by `member.boot_member`, called by sessions.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.etcd.calls import Answerer, Calls
from chaoskube.models.etcd.concurrency import Election, Mutex
from chaoskube.models.etcd.errors import EtcdError
from chaoskube.models.etcd.lock_messages import (
    Campaign,
    CampaignResponse,
    Leader,
    LeaderKey,
    LeaderResponse,
    Lock,
    LockResponse,
    Observe,
    Proclaim,
    ProclaimResponse,
    Resign,
    ResignResponse,
    ServiceRequest,
    ServiceResponse,
    Unlock,
    UnlockResponse,
)
from chaoskube.models.etcd.messages import (
    DeleteRange,
    DeleteRangeResponse,
    Event,
    Request,
    Response,
    WatchCanceled,
    WatchCreate,
    WatchEvents,
    WatchMessage,
)
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.etcd.session import DEFAULT_TTL, Context, Session
from chaoskube.models.etcd.watch_stream import WatchStream
from chaoskube.sim import Process, Refused, Reply, Unsure


class LockService:
    """The services of one member."""

    def __init__(self, replica: Replica, calls: Calls) -> None:
        self._client = OwnClient(replica, calls)

    def serve(self, request: ServiceRequest, answer: Answerer) -> Context:
        """Answer `request` once, maybe much later; cancelling the context ends the wait."""
        process = self._client.process
        context = Context(process)
        process.spawn(self._serve, request, answer, context)
        return context

    async def _serve(self, request: ServiceRequest, answer: Answerer, context: Context) -> None:
        try:
            if isinstance(request, Observe):
                await self._observe(request, answer, context)
                return
            response: Response | EtcdError = await self._carry_out(request, context)
        except Refused as refused:
            assert isinstance(refused.status, EtcdError)
            response = refused.status
        except Unsure as unsure:
            response = EtcdError(code="Unavailable", message=str(unsure), is_definite=False)
        context.is_done = True
        answer(response)

    async def _observe(self, request: Observe, answer: Answerer, context: Context) -> None:
        election = Election(await self._session(), request.name)
        await election.observe(lambda kv, revision: answer(LeaderResponse(revision=revision, kv=kv)), context)

    async def _carry_out(self, request: ServiceRequest, context: Context) -> ServiceResponse:
        if isinstance(request, Lock):
            mutex = Mutex(await self._session(request.lease), request.name)
            revision = await mutex.lock(context)
            return LockResponse(revision=revision, key=mutex.key)
        if isinstance(request, Unlock):
            deleted = await self._client.call(DeleteRange(key=request.key))
            assert isinstance(deleted, DeleteRangeResponse)
            return UnlockResponse(revision=deleted.revision)
        if isinstance(request, Campaign):
            return await self._campaign(request, context)
        if isinstance(request, Leader):
            found = await Election(await self._session(), request.name).leader()
            return LeaderResponse(revision=found.revision, kv=found.kvs[0])
        assert isinstance(request, Proclaim | Resign), f"{request!r} is answered elsewhere"
        known = request.leader
        election = Election(await self._session(known.lease), known.name, known.key, known.revision)
        if isinstance(request, Proclaim):
            return ProclaimResponse(revision=await election.proclaim(request.value))
        return ResignResponse(revision=await election.resign())

    async def _campaign(self, request: Campaign, context: Context) -> CampaignResponse:
        session = await self._session(request.lease)
        election = Election(session, request.name)
        revision = await election.campaign(request.value, context)
        leader = LeaderKey(
            name=request.name, key=election.key, revision=election.revision, lease=session.lease
        )
        return CampaignResponse(revision=revision, leader=leader)

    async def _session(self, lease: int = -1) -> Session:
        """The caller's lease, or (0) one that the member grants; -1 where none is needed."""
        if lease == 0:
            session = await Session.open(self._client)
            session.orphan()
            return session
        return Session(self._client, lease, DEFAULT_TTL)


class OwnClient:
    """A member as a client of itself: no connection, the same doors."""

    def __init__(self, replica: Replica, calls: Calls) -> None:
        self.process: Process = replica.process
        self._replica = replica
        self._calls = calls

    async def call(self, request: Request) -> Response:
        """The response, or Refused or Unsure."""
        reply: Reply[Response | EtcdError] = self.process.reply()
        self._calls.handle(request, reply.set)
        outcome = await reply.wait()
        if not isinstance(outcome, EtcdError):
            return outcome
        if outcome.is_definite:
            raise Refused(outcome)
        raise Unsure(outcome.message)

    def watch(
        self,
        create: WatchCreate,
        *,
        on_events: Callable[[tuple[Event, ...], int], None],
        on_end: Callable[[str], None],
    ) -> OwnWatch:
        """Open a watch."""
        return OwnWatch(self._replica, create, on_events, on_end)


class OwnWatch:
    """A watch of the member's own."""

    def __init__(
        self,
        replica: Replica,
        create: WatchCreate,
        on_events: Callable[[tuple[Event, ...], int], None],
        on_end: Callable[[str], None],
    ) -> None:
        self.compact_revision = 0
        self._on_events = on_events
        self._on_end = on_end
        self._stream: WatchStream = replica.hub.stream(self._take)
        self._stream.create(create)

    def cancel(self) -> None:
        """End it."""
        self._stream.close()

    def _take(self, message: WatchMessage) -> None:
        if isinstance(message, WatchEvents):
            self._on_events(message.events, message.revision)
        elif isinstance(message, WatchCanceled):
            self.compact_revision = message.compact_revision
            self._on_end(message.reason)
