"""The watches that API servers serve, and when each was last due a bookmark: told by the servers, not by their clients.

A server looks at each watch that wants bookmarks once a minute; whether there was something to say, and whether the
client took it, is another matter. Called by the observer.
"""

from __future__ import annotations

from attrs import define, field, frozen

from chaoskube.models.apiserver.events import BookmarkDue, WatchOver, WatchServed
from chaoskube.models.apiserver.watcher import BOOKMARK_PERIOD_NS
from chaoskube.sim import SECOND, Entry, FaultEnded, Journal, ProcessStopped

LATE_NS = 5 * SECOND
"""model: how late a bookmark may be, and how long a server that was paused takes to work off what it has missed."""


@define(eq=False)
class _Server:
    """Which of its watches are due when."""

    due: dict[tuple[str, int], int] = field(factory=dict)
    look_at: int = 0
    """Nothing is late before."""


@frozen(kw_only=True)
class LateBookmark:
    """A watch that has waited for its bookmark longer than it may."""

    server: str
    resource: str
    since: int


class ServedWatches:
    """What every server serves now."""

    def __init__(self, journal: Journal) -> None:
        self._servers: dict[str, _Server] = {}
        journal.subscribe(WatchServed, self._served)
        journal.subscribe(BookmarkDue, self._looked_at)
        journal.subscribe(WatchOver, self._over)
        journal.subscribe(ProcessStopped, self._stopped)
        journal.subscribe(FaultEnded, self._relieved)

    def late(self, server: str, now: int) -> LateBookmark | None:
        """A watch of this server that should have been looked at, or None."""
        known = self._servers.get(server)
        if known is None or now <= known.look_at:
            return None
        (resource, _), since = min(known.due.items(), key=lambda one: one[1], default=(("", 0), now))
        known.look_at = since + BOOKMARK_PERIOD_NS + LATE_NS
        return LateBookmark(server=server, resource=resource, since=since) if now > known.look_at else None

    def _served(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchServed), "subscribed to it"
        if event.wants_bookmarks:
            self._servers.setdefault(entry.by, _Server()).due[event.resource, event.watch] = entry.at

    def _looked_at(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, BookmarkDue), "subscribed to it"
        self._servers[entry.by].due[event.resource, event.watch] = entry.at

    def _over(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchOver), "subscribed to it"
        known = self._servers.get(entry.by)
        if known is not None:
            known.due.pop((event.resource, event.watch), None)

    def _stopped(self, entry: Entry) -> None:
        self._servers.pop(entry.by, None)

    def _relieved(self, entry: Entry) -> None:
        for known in self._servers.values():
            known.look_at = max(known.look_at, entry.at + LATE_NS)
