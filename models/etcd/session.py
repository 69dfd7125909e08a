"""A lease that a task keeps alive, and the waits that locks and elections are made of, over any client of etcd.

client/v3/concurrency/session.go, key.go; client/v3/lease.go. `Etcd` is what is needed of a client: an `EtcdClient` has
it, and so has a member for its own lock service. Reads and watches are tried again after a lost connection, as the Go
client does; writes are not.

Used through `concurrency.py`. Not modelled: the Go client's stream for keep-alives (each is a call here).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from attrs import evolve

from chaoskube.models.etcd.errors import COMPACTED, REQUEST_CANCELED
from chaoskube.models.etcd.messages import (
    Event,
    EventType,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseRevoke,
    Range,
    RangeResponse,
    Request,
    Response,
    SortOrder,
    SortTarget,
    WatchCreate,
    prefix_end,
)
from chaoskube.sim import MILLISECOND, SECOND, Process, Refused, Reply, TimedOut, Unsure

DEFAULT_TTL: Final = 60
"""Seconds (session.go defaultSessionTTL)."""
RETRY_NS: Final = 500 * MILLISECOND
"""client/v3/lease.go retryConnWait; also the pause before a read or a watch is tried again."""
READ_TRIES_MAX: Final = 10


class Cancellable(Protocol):
    """A watch that can be ended."""

    @property
    def compact_revision(self) -> int:
        """Not 0 when it ended because its start is compacted."""

    def cancel(self) -> None:
        """End it."""


class Etcd(Protocol):
    """What sessions, locks and elections need of a client."""

    process: Process

    async def call(self, request: Request) -> Response:
        """The response, or Refused or Unsure."""

    def watch(
        self,
        create: WatchCreate,
        *,
        on_events: Callable[[tuple[Event, ...], int], None],
        on_end: Callable[[str], None],
    ) -> Cancellable:
        """Open a watch."""


class Context:
    """How long a wait may last: until its time is over, or until somebody cancels it (Go's context)."""

    def __init__(self, process: Process, timeout_ns: int | None = None) -> None:
        self.is_over = False
        self.is_done = False
        """Whatever it was made for has ended."""
        self._process = process
        self._deadline = None if timeout_ns is None else process.monotonic_ns() + timeout_ns
        self._waiting: Reply[bool] | None = None

    def cancel(self) -> None:
        """Whoever waits is Refused."""
        self.is_over = True
        if self._waiting is not None:
            self._waiting.fail(Refused(REQUEST_CANCELED))

    async def wait(self, reply: Reply[bool]) -> bool:
        """What arrives, or TimedOut, or Refused when it was cancelled."""
        if self.is_over:
            raise Refused(REQUEST_CANCELED)
        self._waiting = reply
        try:
            return await reply.wait(self._left())
        finally:
            self._waiting = None

    def _left(self) -> int | None:
        if self._deadline is None:
            return None
        left = self._deadline - self._process.monotonic_ns()
        if left <= 0:
            raise TimedOut("the time for waiting is over")
        return left


class Session:
    """A lease that is kept alive until it is closed, lost, or its process dies."""

    def __init__(self, client: Etcd, lease: int, ttl: int) -> None:
        self.client = client
        self.lease = lease
        self.ttl = ttl
        self.is_alive = True

    @classmethod
    async def open(cls, client: Etcd, ttl: int = DEFAULT_TTL, lease: int = 0) -> Session:
        """A new lease, or (`lease`) one that exists; its keep-alives begin now."""
        if lease == 0:
            granted = await client.call(LeaseGrant(ttl=ttl))
            assert isinstance(granted, LeaseGrantResponse)
            lease, ttl = granted.id, granted.ttl
        session = cls(client, lease, ttl)
        client.process.spawn(session._keep_alive)
        return session

    def orphan(self) -> None:
        """Keep it alive no more; it ends when its time is over."""
        self.is_alive = False

    async def close(self) -> None:
        """Keep it alive no more, and revoke it."""
        self.orphan()
        await self.client.call(LeaseRevoke(self.lease))

    async def _keep_alive(self) -> None:
        """Every third of the time; tried again every 500 ms until the time is over (client/v3/lease.go)."""
        process = self.client.process
        deadline = process.monotonic_ns() + self.ttl * SECOND
        while self.is_alive and process.monotonic_ns() < deadline:
            try:
                response = await self.client.call(LeaseKeepAlive(self.lease))
            except (Refused, Unsure):
                await process.sleep(RETRY_NS)
                continue
            assert isinstance(response, LeaseKeepAliveResponse)
            if response.ttl <= 0:
                break
            deadline = process.monotonic_ns() + response.ttl * SECOND
            await process.sleep(response.ttl * SECOND // 3)
        self.is_alive = False


async def wait_deletes(client: Etcd, context: Context, prefix: str, max_create_revision: int) -> None:
    """Wait until no key with the prefix is as old as that revision (key.go waitDeletes)."""
    while True:
        before = by_creation(prefix, SortOrder.DESCEND, max_create_revision)
        found = await read_again(client, before)
        if not found.kvs:
            return
        await _wait_delete(client, context, found.kvs[0].key, found.revision)


async def _wait_delete(client: Etcd, context: Context, key: str, revision: int) -> None:
    """Wait until `key` is deleted at `revision` or later."""
    create = WatchCreate(key=key, start_revision=revision)
    await watch_until(client, context, create, lambda event, _revision: event.type is EventType.DELETE)


async def watch_until(
    client: Etcd, context: Context, create: WatchCreate, is_enough: Callable[[Event, int], bool]
) -> None:
    """Show `is_enough` each event, with its message's revision, until it says yes.

    A watch that breaks is opened again where it ended; one whose history is compacted is Refused.
    """
    next_revision = create.start_revision
    while True:
        reply: Reply[bool] = client.process.reply()

        def on_events(events: tuple[Event, ...], revision: int, reply: Reply[bool] = reply) -> None:
            nonlocal next_revision
            for event in events:
                next_revision = event.kv.mod_revision + 1
                if not reply.is_set and is_enough(event, revision):
                    reply.set(True)

        handle = client.watch(
            evolve(create, start_revision=next_revision),
            on_events=on_events,
            on_end=partial(_note_end, reply),
        )
        try:
            is_done = await context.wait(reply)
        finally:
            handle.cancel()
        if is_done:
            return
        if handle.compact_revision:
            raise Refused(COMPACTED)
        await client.process.sleep(RETRY_NS)


def _note_end(reply: Reply[bool], _reason: str) -> None:
    reply.set(False)


async def read_again(client: Etcd, request: Range) -> RangeResponse:
    for _ in range(READ_TRIES_MAX - 1):
        try:
            return _range_response(await client.call(request))
        except Unsure:
            await client.process.sleep(RETRY_NS)
    return _range_response(await client.call(request))


def _range_response(response: Response) -> RangeResponse:
    assert isinstance(response, RangeResponse), f"a range was answered with {response!r}"
    return response


def by_creation(prefix: str, order: SortOrder, max_create_revision: int = 0) -> Range:
    """The oldest (or newest) key with the prefix."""
    return Range(
        key=prefix,
        range_end=prefix_end(prefix),
        limit=1,
        sort_target=SortTarget.CREATE,
        sort_order=order,
        max_create_revision=max_create_revision,
    )
