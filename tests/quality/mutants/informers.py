"""Mutants of caches: each tells a client something else than what was so, or keeps it for good."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.apiserver import watcher
from chaoskube.models.apiserver.api import DELETED, WatchEvent
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.watcher import Change
from chaoskube.models.client.store import Store
from chaoskube.models.objects import KubeObject
from chaoskube.scenarios.bugs.informer_drops_recreate_after_relist import informer_drops_recreate_after_relist
from chaoskube.scenarios.bugs.reflector_stuck_on_too_large_rv import reflector_stuck_on_too_large_rv
from tests.quality.mutant import mutant


@mutant("caches-only-go-forward", scenario="rolling-update")
def everything_is_news() -> Iterator[None]:
    """A watch is told of changes that its beginning held already."""
    with patched(watcher, "is_news", lambda watcher, change: True):
        yield


@mutant("list-and-watch-have-no-gap", scenario="api-machinery")
def nothing_is_too_old() -> Iterator[None]:
    """A server takes up a watch from any version, whether or not it still knows what happened since."""
    with patched(WatchCache, "is_too_old", lambda self, revision: None):
        yield


@mutant("what-a-cache-is-told-was-so", scenario="rolling-update")
def told_as_it_was_before() -> Iterator[None]:
    """A watch event about a change shows the object as it was before it."""
    make = watcher._make_event

    def before(kind: str, change: Change) -> WatchEvent:
        if kind == DELETED or change.prev is None:
            return make(kind, change)
        return WatchEvent(kind, watcher.last_state(change.prev, change.revision))

    with patched(watcher, "_make_event", before):
        yield


@mutant("caches-catch-up", scenario="api-machinery")
def lists_only_add() -> Iterator[None]:
    """An informer that lists anew puts what it is shown to what it has, and forgets nothing."""

    def put_all(self: Store, objects: tuple[KubeObject, ...]) -> dict[str, KubeObject]:
        known = dict(self.objects)
        for obj in objects:
            self.put(obj)
        return known

    with patched(Store, "replace", put_all):
        yield


@mutant("what-a-cache-was-told-it-keeps", scenario="api-machinery")
def made_anew_is_forgotten() -> Iterator[None]:
    """The planted bug informer-drops-recreate-after-relist: who is made anew while his deletion waits in a queue is dropped."""
    with informer_drops_recreate_after_relist.patch():
        yield


@mutant("nobody-insists-on-what-a-server-has-not-seen", scenario="api-machinery")
def the_same_again() -> Iterator[None]:
    """The planted bug reflector-stuck-on-too-large-rv: a list that a server is too young for is asked for once more."""
    with reflector_stuck_on_too_large_rv.patch():
        yield
