"""Which watches servers owe bookmarks, as it is told from outside."""

from __future__ import annotations

from chaoskube.models.apiserver.events import BookmarkDue, WatchOver, WatchServed
from chaoskube.models.observer.served_watches import LateBookmark, ServedWatches
from chaoskube.sim import SECOND, ProcessStopped, World

SERVER = "apiserver-0"


class Told:
    """A world in which only time passes, and what a server has told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watches = ServedWatches(world.journal)
        world.call_later(600 * SECOND, lambda: None)

    def mention(self, event: object) -> None:
        self.world.journal.mention(self.world.now, SERVER, event)

    def serve(self, watch: int, *, wants_bookmarks: bool = True) -> None:
        self.mention(WatchServed(resource="pods", watch=watch, wants_bookmarks=wants_bookmarks))

    def late(self, after_seconds: int) -> LateBookmark | None:
        self.world.advance(after_seconds * SECOND)
        return self.watches.late(SERVER, self.world.now)


def test_a_watch_is_late_a_minute_and_a_little_after_it_was_last_looked_at() -> None:
    """And stays late until it is looked at."""
    with World() as world:
        told = Told(world)
        told.serve(1)

        assert told.late(64) is None
        told.mention(BookmarkDue(resource="pods", watch=1))
        assert told.late(64) is None
        assert told.late(2) == LateBookmark(server=SERVER, resource="pods", since=64 * SECOND)
        assert told.late(1) is not None
        told.mention(BookmarkDue(resource="pods", watch=1))
        assert told.late(1) is None


def test_nobody_owes_a_watch_that_is_over_or_never_asked() -> None:
    """Nor one whose server has gone."""
    with World() as world:
        told = Told(world)
        told.serve(1)
        told.serve(2, wants_bookmarks=False)
        told.mention(WatchOver(resource="pods", watch=1))
        assert told.late(70) is None

        told.serve(3)
        world.journal.record(world.now, SERVER, ProcessStopped(life=1, reason="crash"))
        assert told.late(70) is None
