"""The watch cache without a world: ring, transitions, bookmarks, lists of the past."""

from __future__ import annotations

from chaoskube.models.apiserver.api import Status, WatchEvent
from chaoskube.models.apiserver.storage import stamped
from chaoskube.models.apiserver.watch_cache import CAPACITY_MIN, WatchCache
from chaoskube.models.apiserver.watcher import Predicate, Watcher, next_bookmark_at
from chaoskube.models.objects import ConfigMap, FrozenDict, KubeObject, ObjectMeta
from chaoskube.sim import SECOND

PREFIX = "/registry/configmaps/"


def item(name: str, revision: int, **labels: str) -> KubeObject:
    obj = ConfigMap(metadata=ObjectMeta(name=name, namespace="ns", labels=FrozenDict(labels)))
    return stamped(obj, revision)


def key(name: str) -> str:
    return f"{PREFIX}ns/{name}"


def cache_of(*names: str, revision: int = 10) -> WatchCache:
    cache = WatchCache(kind="ConfigMap", api_version="v1")
    cache.replace([(key(name), item(name, 5)) for name in names], revision)
    return cache


def watcher(after: int = 0, matches: Predicate | None = None, number: int = 1) -> Watcher:
    return Watcher(
        id=number,
        prefix=PREFIX,
        exact=False,
        matches=matches,
        after=after,
        bookmarks=True,
        bookmark_at=60 * SECOND,
        ends_at=3600 * SECOND,
    )


def put(
    cache: WatchCache, name: str, revision: int, at: int = 0, **labels: str
) -> list[tuple[int, WatchEvent]]:
    return cache.dispatch(cache.apply(key(name), item(name, revision, **labels), revision, at))


def version(event: WatchEvent) -> str:
    assert not isinstance(event.object, Status)
    return event.object.resource_version


def told(events: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.type, version(event)) for event in events]


def test_a_selector_turns_changes_into_added_and_deleted() -> None:
    """What stops matching is DELETED with its last state and the new version; what never matched is silence."""
    cache = cache_of()
    cache.add_watcher(watcher(matches=lambda obj: obj.labels.get("on") == "y"), initial_state=True)
    sends = [
        *put(cache, "a", 11),
        *put(cache, "a", 12, on="y"),
        *put(cache, "a", 13, on="y"),
        *put(cache, "a", 14),
        *cache.dispatch(cache.apply(key("a"), None, 15, 0)),
    ]

    assert told([event for _, event in sends]) == [("ADDED", "12"), ("MODIFIED", "13"), ("DELETED", "14")]


def test_a_watch_resumes_from_any_version_in_the_ring() -> None:
    """Everything after it, once, in order; nothing when it asks for the future."""
    cache = cache_of("a")
    for revision in (11, 12, 13):
        put(cache, "a", revision)

    assert told(cache.add_watcher(watcher(after=11, number=1), initial_state=False)) == [
        ("MODIFIED", "12"),
        ("MODIFIED", "13"),
    ]
    assert cache.add_watcher(watcher(after=20, number=2), initial_state=False) == []
    assert [number for number, _ in put(cache, "a", 14)] == [1]


def test_too_old_is_judged_by_the_list_and_then_by_the_ring() -> None:
    """watch_cache.go getAllEventsSinceLocked: after a relist its revision is the oldest."""
    cache = cache_of(revision=10)

    assert cache.is_too_old(10) is None
    refused = cache.is_too_old(9)
    assert refused is not None and refused.code == 410
    for revision in range(11, 11 + CAPACITY_MIN + 1):
        put(cache, "a", revision, at=revision * 100 * SECOND)
    assert cache.is_too_old(11) is None and cache.is_too_old(10) is not None


def test_the_ring_grows_while_its_oldest_event_is_fresh_and_shrinks_later() -> None:
    """75 s of history under load, 100 events at least."""
    cache = cache_of()
    revision = 10
    for _ in range(3 * CAPACITY_MIN):
        revision += 1
        put(cache, "a", revision, at=SECOND)
    assert cache.is_too_old(11) is None
    for _ in range(10 * CAPACITY_MIN):
        revision += 1
        put(cache, "a", revision, at=revision * 100 * SECOND)

    assert cache.is_too_old(revision - CAPACITY_MIN) is None
    assert cache.is_too_old(revision - CAPACITY_MIN - 1) is not None


def test_a_ring_of_a_set_size_keeps_that_many_events() -> None:
    """However fresh they are: for stories that are too short to fill a real one."""
    cache = WatchCache(kind="ConfigMap", api_version="v1", window=3)
    cache.replace([], 10)
    for revision in range(11, 31):
        put(cache, "a", revision)

    assert cache.is_too_old(27) is None and cache.is_too_old(26) is not None


def test_the_past_is_read_backwards_from_the_ring() -> None:
    """Exact lists: as far as the ring reaches, and no farther."""
    cache = cache_of("a", revision=10)
    put(cache, "b", 11)
    cache.apply(key("a"), None, 12, 0)
    put(cache, "a", 13)

    def names(revision: int) -> list[str] | None:
        found = cache.select_at(revision, PREFIX)
        return None if found is None else [obj.name for _, obj in found]

    assert [names(revision) for revision in (9, 10, 11, 12, 13, 14)] == [
        None,
        ["a"],
        ["a", "b"],
        ["b"],
        ["a", "b"],
        None,
    ]


def test_a_prefix_is_one_namespace() -> None:
    """`ns` must not show what is in `ns-2`."""
    cache = cache_of("a")
    put(cache, "a", 11)
    cache.apply(f"{PREFIX}ns-2/b", item("b", 12), 12, 0)

    assert [found for found, _ in cache.select(f"{PREFIX}ns/")] == [key("a")]
    assert [found for found, _ in cache.select(PREFIX)] == [f"{PREFIX}ns-2/b", key("a")]


def test_a_reset_ends_all_watches_and_empties_the_ring() -> None:
    """The cache was blind for a while: nobody may go on as if nothing had happened."""
    cache = cache_of("a")
    cache.add_watcher(watcher(number=7), initial_state=True)
    put(cache, "a", 11)

    assert cache.reset(0) == (7,) and not cache.is_ready
    cache.replace([(key("a"), item("a", 11))], 20)
    assert cache.is_too_old(19) is not None and cache.is_too_old(20) is None


def test_bookmarks_come_each_minute_and_shortly_before_the_end() -> None:
    """cacher.go nextBookmarkTime."""
    cache = cache_of()
    cache.add_watcher(watcher(), initial_state=True)
    cache.progress(42)

    assert cache.due_bookmarks(59 * SECOND) == [] and cache.due_bookmarks(60 * SECOND) == [1]
    assert cache.has_news(1)
    assert cache.due_bookmarks(61 * SECOND) == []
    assert version(cache.bookmark()) == "42"
    assert next_bookmark_at(3550 * SECOND, 3600 * SECOND) == 3598 * SECOND


def test_a_bookmark_that_tells_nothing_is_not_sent() -> None:
    """A watch may begin ahead of the cache; the cache has news for it once it has gone past that."""
    cache = cache_of(revision=10)
    cache.add_watcher(watcher(after=15), initial_state=False)

    assert cache.due_bookmarks(60 * SECOND) == [1] and not cache.has_news(1)
    cache.progress(16)
    assert cache.has_news(1)


def test_who_begins_between_a_change_and_its_dispatch_hears_of_it_once() -> None:
    """Whoever waited for a revision begins right after it was applied, and is among the watchers it is shown to."""
    cache = cache_of("a")
    change = cache.apply(key("a"), item("a", 11), 11, 0)
    first = cache.add_watcher(watcher(number=1), initial_state=True)
    resumed = cache.add_watcher(watcher(after=10, number=2), initial_state=False)

    assert told(first) == [("ADDED", "11")] and told(resumed) == [("MODIFIED", "11")]
    assert cache.dispatch(change) == []
