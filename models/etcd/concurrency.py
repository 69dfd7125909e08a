"""Locks and elections over etcd, for tasks (client/v3/concurrency: mutex.go, election.go).

A session is a lease that a task keeps alive. A lock (`Mutex`) is a key under the lock's prefix that hangs on the
session's lease; whoever's key is the oldest holds it, the others each wait for the one before theirs to go. When it
has waited a mutex reads its own key again: its session may have ended in the meantime (`_is_still_queued`). An
election is the same with a value, and without that look.

    session = await Session.open(client, ttl=10)
    mutex = Mutex(session, "jobs")
    await mutex.lock()
    ...                 # whoever writes now should compare `mutex.is_owner()` in the same transaction
    await mutex.unlock()

Failures are `Refused` (with Go's words) and `Unsure`; what is tried again is in `session.py`.

Used by scenarios on an `EtcdClient`, and by a member's lock service on the member itself.
Not modelled: software transactional memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from chaoskube.models.etcd.errors import EtcdError
from chaoskube.models.etcd.messages import (
    Compare,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    Event,
    EventType,
    KeyValue,
    Put,
    Range,
    RangeResponse,
    SortOrder,
    Txn,
    TxnResponse,
    WatchCreate,
    prefix_end,
)
from chaoskube.models.etcd.session import Context, Session, by_creation, read_again, wait_deletes, watch_until
from chaoskube.sim import Refused, Unsure

__all__ = ["Context", "Election", "Mutex", "Session"]


def _unknown(message: str) -> EtcdError:
    return EtcdError(code="Unknown", message=message)


LOCKED: Final = _unknown("mutex: Locked by another session")
SESSION_EXPIRED: Final = _unknown("mutex: session is expired")
LOCK_RELEASED: Final = _unknown("mutex: lock has already been released")
NOT_ELECTED: Final = _unknown("election: not leader")
NOBODY_ELECTED: Final = _unknown("election: no leader")


class Mutex:
    """A lock among sessions. `key` and `revision` are this session's place in its queue."""

    def __init__(self, session: Session, name: str) -> None:
        self.key = ""
        self.revision = -1
        self._session = session
        self._prefix = f"{name}/"

    async def lock(self, context: Context | None = None) -> int:
        """Wait until the lock is ours; the store's revision when it was found so."""
        acquired = await self._queue_up()
        if self._is_first(acquired):
            return acquired.revision
        client = self._session.client
        try:
            await wait_deletes(client, context or Context(client.process), self._prefix, self.revision - 1)
            revision = await self._is_still_queued()
        except (Refused, Unsure):
            with suppress(Refused, Unsure):  # as Go's does: the first failure is the one to tell
                await self.unlock()
            raise
        if revision is None:
            raise Refused(SESSION_EXPIRED)
        return revision

    async def try_lock(self) -> int:
        """The lock if nobody has it, else Refused at once."""
        acquired = await self._queue_up()
        if self._is_first(acquired):
            return acquired.revision
        await self.unlock()
        raise Refused(LOCKED)

    async def unlock(self) -> int:
        """Leave the queue; the store's revision then."""
        if self.revision <= 0:
            raise Refused(LOCK_RELEASED)
        deleted = await self._session.client.call(DeleteRange(key=self.key))
        assert isinstance(deleted, DeleteRangeResponse)
        self.key, self.revision = "", -1
        return deleted.revision

    def is_owner(self) -> Compare:
        """A condition for transactions that only the holder may make."""
        return Compare(key=self.key, target=CompareTarget.CREATE, value=self.revision)

    async def _queue_up(self) -> TxnResponse:
        """Put our key, unless this session has one, and see who is first."""
        lease = self._session.lease
        self.key = f"{self._prefix}{lease:x}"
        first = by_creation(self._prefix, SortOrder.ASCEND)
        put = Put(key=self.key, value="", lease=lease)
        response = await self._session.client.call(
            Txn(
                compare=(Compare(key=self.key, target=CompareTarget.CREATE, value=0),),
                success=(put, first),
                failure=(Range(key=self.key), first),
            )
        )
        assert isinstance(response, TxnResponse)
        self.revision = response.revision if response.succeeded else _kvs(response, 0)[0].create_revision
        return response

    def _is_first(self, acquired: TxnResponse) -> bool:
        owner = _kvs(acquired, 1)
        return not owner or owner[0].create_revision == self.revision

    async def _is_still_queued(self) -> int | None:
        """The store's revision if our key is still there; without this look two may hold the lock (mutex.go Lock)."""
        found = await read_again(self._session.client, Range(key=self.key))
        return found.revision if found.kvs else None


class Election:
    """Sessions that want to be the one. `key` and `revision` are our candidacy."""

    def __init__(self, session: Session, name: str, key: str = "", revision: int = 0) -> None:
        self.key = key
        self.revision = revision
        self._session = session
        self._prefix = f"{name}/"
        self._is_candidate = key != ""

    async def campaign(self, value: object, context: Context | None = None) -> int:
        """Wait until we are elected; the revision of the header, from when we became a candidate."""
        client, lease = self._session.client, self._session.lease
        self.key = f"{self._prefix}{lease:x}"
        response = await client.call(
            Txn(
                compare=(Compare(key=self.key, target=CompareTarget.CREATE, value=0),),
                success=(Put(key=self.key, value=value, lease=lease),),
                failure=(Range(key=self.key),),
            )
        )
        assert isinstance(response, TxnResponse)
        self.revision, self._is_candidate = response.revision, True
        if not response.succeeded:
            await self._take_up(_kvs(response, 0)[0], value)
        await self._wait_for_turn(context or Context(client.process))
        return response.revision

    async def proclaim(self, value: object) -> int:
        """Another value, without another election."""
        if not self._is_candidate:
            raise Refused(NOT_ELECTED)
        put = Put(key=self.key, value=value, lease=self._session.lease)
        response = await self._session.client.call(Txn(compare=(self._is_ours(),), success=(put,)))
        assert isinstance(response, TxnResponse)
        if not response.succeeded:
            self.key = ""
            raise Refused(NOT_ELECTED)
        return response.revision

    async def resign(self) -> int:
        """Let another be elected; the store's revision, 0 when we were no candidate."""
        if not self._is_candidate:
            return 0
        delete = DeleteRange(key=self.key)
        compare = self._is_ours()
        self.key, self._is_candidate = "", False
        response = await self._session.client.call(Txn(compare=(compare,), success=(delete,)))
        assert isinstance(response, TxnResponse)
        return response.revision

    async def leader(self) -> RangeResponse:
        """Who is elected: the response has its one key."""
        found = await read_again(self._session.client, by_creation(self._prefix, SortOrder.ASCEND))
        if not found.kvs:
            raise Refused(NOBODY_ELECTED)
        return found

    async def observe(self, tell: Callable[[KeyValue, int], None], context: Context | None = None) -> None:
        """Tell who is elected now, and each value and each leader from then on, until the context is cancelled."""
        client = self._session.client
        context = context or Context(client.process)
        while True:
            found = await read_again(client, by_creation(self._prefix, SortOrder.ASCEND))
            kv, revision = (found.kvs[0], found.revision) if found.kvs else await self._first(found, context)
            tell(kv, revision)

            def is_gone(event: Event, revision: int) -> bool:
                if event.type is EventType.PUT:
                    tell(event.kv, revision)
                return event.type is EventType.DELETE

            await watch_until(client, context, WatchCreate(key=kv.key, start_revision=revision + 1), is_gone)

    async def _first(self, found: RangeResponse, context: Context) -> tuple[KeyValue, int]:
        """Nobody is elected: wait until somebody is."""
        first: list[KeyValue] = []

        def is_put(event: Event, _revision: int) -> bool:
            first.append(event.kv)
            return event.type is EventType.PUT

        create = WatchCreate(
            key=self._prefix, range_end=prefix_end(self._prefix), start_revision=found.revision
        )
        await watch_until(self._session.client, context, create, is_put)
        return first[-1], first[-1].mod_revision

    async def _take_up(self, known: KeyValue, value: object) -> None:
        """This session was a candidate before."""
        self.revision = known.create_revision
        if known.value != value:
            try:
                await self.proclaim(value)
            except (Refused, Unsure):
                await self.resign()
                raise

    async def _wait_for_turn(self, context: Context) -> None:
        try:
            await wait_deletes(self._session.client, context, self._prefix, self.revision - 1)
        except (Refused, Unsure):
            if context.is_over:
                await self.resign()
            self._is_candidate = False
            raise

    def _is_ours(self) -> Compare:
        return Compare(key=self.key, target=CompareTarget.CREATE, value=self.revision)


def _kvs(response: TxnResponse, place: int) -> tuple[KeyValue, ...]:
    found = response.responses[place]
    assert isinstance(found, RangeResponse), f"a range was answered with {found!r}"
    return found.kvs
