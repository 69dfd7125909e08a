"""What an informer tells its handlers, and when: tombstones, resyncs, transforms, handlers that come late or take long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from chaoskube.models.apiserver.api import WatchEvent
from chaoskube.models.client import informer as informers
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.deltas import (
    DELETED,
    REPLACED,
    DeletedFinalStateUnknown,
    Delta,
    DeltaFifo,
)
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.store import Store
from chaoskube.models.objects import KubeObject, LabelSelector, freeze
from chaoskube.sim import SECOND

from .scripted import EXPIRED, Script, Turn, added, bookmark, cut, deleted, fails, modified, pod, stream

Prepare = Callable[["Watcher"], None]


class Watcher:
    """An informer, and what one handler of it heard."""

    def __init__(self, client: ApiClient, **more: object) -> None:
        self.told: list[str] = []
        self.store_at: list[list[str]] = []
        self.client = client
        self.informer = Informer(client, "pods", **more)  # type: ignore[arg-type]  # what a test asks for

    def listen(self, *, resync_ns: int = 0, mark: str = "") -> None:
        """Add a handler that writes down everything."""

        def heard(word: str) -> None:
            self.told.append(mark + word)
            self.store_at.append([each.name for each in self.informer.list()])

        self.informer.add_handler(
            on_add=lambda new: heard(f"+{new.name}"),
            on_update=lambda old, new: heard(f"~{new.name}{old.resource_version}>{new.resource_version}"),
            on_delete=lambda old: heard(f"-{old.name}@{old.resource_version}"),
            resync_ns=resync_ns,
        )


def play(prepare: Prepare, *turns: Turn, seconds: float = 5, **more: object) -> Watcher:
    """Let an informer meet these answers."""
    watchers: list[Watcher] = []

    def boot(client: ApiClient) -> None:
        watchers.append(Watcher(client, **more))
        prepare(watchers[-1])
        watchers[-1].informer.start()

    script = Script(boot, *turns)
    script.advance(seconds)
    script.world.close()
    return watchers[-1]


A, B, C = pod("a", 5), pod("b", 9), pod("c", 7)
MISSED = (
    fails(EXPIRED, *added(A, B), bookmark(10, end=True), modified(pod("b", 12))),
    stream(*added(A, C), bookmark(30, end=True)),
)


def test_a_deletion_that_nobody_saw_is_told_with_the_last_state_known_here() -> None:
    """Deletions first, then what is there; the store is new before anybody hears of it."""
    watcher = play(lambda each: each.listen(), *MISSED)

    assert watcher.told == ["+a", "+b", "~b9>12", "-b@12", "~a5>5", "+c"]
    assert watcher.store_at[3] == ["a", "c"]


def test_a_handler_may_ask_for_the_tombstone_itself() -> None:
    """Who must not act on a state that may be long out of date."""
    tombstones: list[DeletedFinalStateUnknown] = []
    seen: list[KubeObject] = []

    def prepare(watcher: Watcher) -> None:
        watcher.informer.add_handler(on_tombstone=tombstones.append, on_delete=seen.append)

    play(prepare, *MISSED)

    assert tombstones == [DeletedFinalStateUnknown("ns/b", pod("b", 12))]
    assert seen == []


def test_a_deletion_of_what_was_never_known_is_told_all_the_same() -> None:
    """RealFIFO passes every delta on."""
    watcher = play(lambda each: each.listen(), stream(bookmark(10, end=True), deleted(pod("x", 11))))

    assert watcher.told == ["-x@11"]


def test_a_resync_repeats_what_is_known_and_asks_nobody() -> None:
    """Only to the handler that wanted it, at its own pace; versions are equal."""

    def prepare(watcher: Watcher) -> None:
        watcher.listen(resync_ns=2 * SECOND, mark="2")
        watcher.listen(mark="0")

    watcher = play(prepare, stream(*added(A), bookmark(10, end=True)), seconds=4.7)

    assert watcher.told == ["2+a", "0+a", "2~a5>5", "2~a5>5"]


def test_after_a_resync_a_relist_repeats_nothing_to_who_didnt_ask() -> None:
    """isSyncing: true for all at first, then for who is due."""

    def prepare(watcher: Watcher) -> None:
        watcher.listen(resync_ns=2 * SECOND, mark="2")
        watcher.listen(mark="0")

    def late(connection: object, request: object) -> None:
        stream(*added(A), bookmark(10, end=True))(connection, request)  # type: ignore[arg-type]
        connection.process.call_later(  # type: ignore[attr-defined]
            11 * SECOND // 5, fails(EXPIRED), connection, request
        )

    watcher = play(prepare, late, stream(*added(A), bookmark(11, end=True)), seconds=4)

    assert watcher.told == ["2+a", "0+a", "2~a5>5", "2~a5>5"]


def test_a_handler_that_comes_late_is_told_of_what_is_there() -> None:
    """Synthetic adds, in the order of keys; one that was removed hears nothing more."""
    watcher = play(lambda each: each.listen(), cut(*added(B, A), bookmark(10, end=True)), seconds=0.1)
    late: list[str] = []
    handler = watcher.informer.add_handler(on_add=lambda new: late.append(new.name))
    watcher.informer.remove_handler(handler)
    watcher.informer.apply(WatchEvent("ADDED", C))

    assert late == ["a", "b"]


def test_a_transform_sees_each_object_once_before_it_is_stored() -> None:
    """What components leave out to save memory never reaches the store."""

    def bare(obj: KubeObject) -> KubeObject:
        return evolve(obj, metadata=evolve(obj.metadata, uid=""))

    watcher = play(
        lambda each: each.listen(),
        stream(*added(A), bookmark(10, end=True), modified(B)),
        transform=bare,
    )

    assert [each.uid for each in watcher.informer.list()] == ["", ""]


def test_the_lister_selects_by_namespace_and_labels() -> None:
    """As a typed lister does."""
    labelled = evolve(A, metadata=evolve(A.metadata, labels=freeze({"app": "web"})))
    watcher = play(lambda each: None, stream(*added(labelled, B), bookmark(10, end=True)))

    found = watcher.informer.select("ns", LabelSelector(match_labels=freeze({"app": "web"})))

    assert [each.name for each in found] == ["a"]
    assert watcher.informer.select("other", LabelSelector()) == ()
    assert watcher.informer.revision == 10


class OldFifo(DeltaFifo):
    """The queue as it was before kubernetes#83911: news after a queued deletion is dropped."""

    def is_dropped(self, queued: tuple[Delta, ...], delta: Delta) -> bool:
        """The bug."""
        return bool(queued) and queued[-1].type == DELETED and delta.type == REPLACED


@pytest.mark.parametrize(("old", "known"), [(False, ["a"]), (True, [])], ids=["right", "as it was"])
def test_a_recreated_object_is_told_of_however_slow_the_handlers_are(
    monkeypatch: pytest.MonkeyPatch, old: bool, known: list[str]
) -> None:
    """kubernetes#83810, planted by patching `make_queue` alone: a deletion waits while a relist brings the object back."""

    def slow(store: Store) -> DeltaFifo:
        kind = OldFifo if old else DeltaFifo
        return kind(lambda: store.objects, handling_ns=2 * SECOND)

    monkeypatch.setattr(informers, "make_queue", slow)
    watcher = play(
        lambda each: each.listen(),
        fails(EXPIRED, *added(A), bookmark(10, end=True), modified(pod("b", 11)), deleted(pod("a", 12))),
        stream(*added(pod("a", 15, uid="again")), bookmark(15, end=True)),
        seconds=20,
    )

    assert [each.name for each in watcher.informer.list()] == known
