"""The real side: a server that is emptied before each history, and one watch over everything that happens in it."""

from __future__ import annotations

from chaoskube.models.etcd.messages import (
    Compact,
    DeleteRange,
    DeleteRangeResponse,
    EtcdError,
    Event,
    LeaseLeases,
    LeaseLeasesResponse,
    LeaseRevoke,
    Request,
    Response,
    WatchCreate,
)
from tests.differential.server import Server
from tests.differential.values import moved
from tests.differential.wire import events

EVERYTHING = WatchCreate(key="\0", range_end="\0", prev_kv=True)


class Oracle:
    """A real server, asked in revisions that begin at 1 with each history."""

    def __init__(self, server: Server) -> None:
        self.version = server.version
        self._server = server
        self._calls = server.connect()
        self._watching = server.connect()
        self._messages = self._watching.watch(EVERYTHING)
        next(self._messages)
        self._moved_by = 0
        self._unread: list[Event] = []

    def empty(self) -> None:
        """End all leases, delete all keys, forget all history."""
        leases = self._calls.ask(LeaseLeases())
        assert isinstance(leases, LeaseLeasesResponse), leases
        for one in leases.leases:
            self._calls.ask(LeaseRevoke(one))
        deleted = self._calls.ask(DeleteRange(key="\0", range_end="\0"))
        assert isinstance(deleted, DeleteRangeResponse), deleted
        self._calls.ask(Compact(deleted.revision, physical=True))
        self._moved_by = deleted.revision - 1

    def ask(self, request: Request) -> Response | EtcdError:
        """The real answer."""
        return moved(self._calls.ask(moved(request, self._moved_by)), -self._moved_by)

    def told(self, revision: int) -> list[Event]:
        """The live watch's events of this history, up to `revision`; a message splits no revision."""
        found: list[Event] = []
        while revision > 1 and (not found or found[-1].kv.mod_revision < revision):
            news = [moved(one, -self._moved_by) for one in events(next(self._messages))]
            if found and news:
                assert news[0].kv.mod_revision > found[-1].kv.mod_revision, "a message splits a revision"
            found += [one for one in news if one.kv.mod_revision > 1]
        return found

    def told_from(self, create: WatchCreate, revision: int) -> list[Event] | int:
        """The events of a watch that starts in the past, up to the sentinel at `revision`; a number when it was
        canceled because its start was compacted."""
        gateway = self._server.connect()
        found: list[Event] = []
        try:
            for message in gateway.watch(moved(create, self._moved_by)):
                if message.get("canceled"):
                    return int(str(message.get("compact_revision", 0))) - self._moved_by
                found += [moved(one, -self._moved_by) for one in events(message)]
                if found and found[-1].kv.mod_revision >= revision:
                    break
        finally:
            gateway.close()
        return found

    def close(self) -> None:
        """End the connections."""
        self._calls.close()
        self._watching.close()
