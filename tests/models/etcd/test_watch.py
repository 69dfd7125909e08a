"""The hub: for any schedule each watcher gets each matching event once in order, or hears what is compacted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.bug import patched
from chaoskube.models.etcd.messages import (
    DeleteRange,
    Put,
    Txn,
    WatchCreate,
    WatchFilter,
)
from chaoskube.models.etcd.watch import WatchHub, WatchLimits
from chaoskube.models.etcd.watch_stream import Watcher
from tests.models.etcd.watch_model import Client, Scene, compaction

Step = Callable[[Scene], None]

places = st.integers(0, 1)
keys = st.sampled_from(("/a", "/b", "/c"))
writes = st.one_of(
    st.builds(lambda key, value: Put(key=key, value=value), keys, st.integers(0, 9)),
    st.builds(lambda key, end: DeleteRange(key=key, range_end=end), keys, st.sampled_from(("", "/z"))),
    st.builds(
        lambda one, other: Txn(
            success=(Put(key=one, value=1), Put(key=other, value=2)) if one != other else ()
        ),
        keys,
        keys,
    ),
)
creates = st.builds(
    lambda key, end, prev_kv, filters, notify, watch_id: WatchCreate(
        key=key,
        range_end=end,
        prev_kv=prev_kv,
        filters=filters,
        progress_notify=notify,
        watch_id=watch_id,
    ),
    keys,
    st.sampled_from(("", "/c", "/z", "\0")),
    st.booleans(),
    st.sampled_from(((), (), (WatchFilter.NOPUT,), (WatchFilter.NODELETE,))),
    st.booleans(),
    st.sampled_from((0, 0, 0, 2, 7)),
)


def write(request: Put | DeleteRange | Txn, lagging: bool) -> Step:
    return lambda scene: scene.apply(request, lagging=lagging or scene.is_behind)


def create(place: int, request: WatchCreate, back: int | None) -> Step:
    def step(scene: Scene) -> None:
        start = 0 if back is None else max(1, scene.member.store.revision - back)
        scene.create(
            place,
            WatchCreate(
                key=request.key,
                range_end=request.range_end,
                prev_kv=request.prev_kv,
                filters=request.filters,
                progress_notify=request.progress_notify,
                watch_id=request.watch_id,
                start_revision=start,
            ),
        )

    return step


def compact(back: int) -> Step:
    return lambda scene: scene.apply(compaction(scene, back), lagging=scene.is_behind)


steps = st.one_of(
    st.builds(write, writes, st.just(False)),
    st.builds(write, writes, st.just(False)),
    st.builds(write, writes, st.just(True)),
    st.builds(create, places, creates, st.none()),
    st.builds(create, places, creates, st.integers(-4, -1)),
    st.builds(create, places, creates, st.integers(0, 6)),
    st.builds(compact, st.integers(0, 4)),
    st.just(lambda scene: scene.restore()),
    st.just(lambda scene: scene.hub.catch_up()),
    st.just(lambda scene: scene.hub.sync_round()),
    st.builds(lambda place, room: lambda scene: scene.allow(place, room), places, st.integers(0, 3)),
    st.builds(lambda place: lambda scene: scene.streams[place].request_progress(), places),
    st.builds(lambda place: lambda scene: scene.streams[place].progress_is_due(), places),
    st.builds(lambda place, one: lambda scene: scene.streams[place].cancel(one), places, st.integers(0, 3)),
)


def play(script: list[Step]) -> Scene:
    scene = Scene()
    for step in script:
        step(scene)
    scene.settle()
    scene.check()
    return scene


@given(st.lists(steps, min_size=10, max_size=60))
@settings(deadline=None, max_examples=500)
def test_every_watcher_gets_each_event_once_in_order_or_is_told_of_the_compaction(script: list[Step]) -> None:
    """Whatever is applied, compacted, restored, and however slow the streams are (etcd's own guarantees)."""
    play(script)


def put(scene: Scene, *keys: str) -> None:
    for one in keys:
        scene.apply(Put(key=one, value=1))


def test_a_watcher_that_was_up_to_date_is_not_rewound_by_a_snapshot() -> None:
    """Etcd issue 15271: it had forgotten how far it was. One patch brings that back."""

    def story() -> None:
        scene = Scene()
        scene.create(0, WatchCreate(key="/a", start_revision=1))
        put(scene, "/a", "/a")
        scene.hub.catch_up()
        put(scene, "/a")
        scene.apply(Put(key="/a", value=9), lagging=True)
        scene.restore()
        scene.settle()
        scene.check()

    def forget(self: WatchHub, watcher: Watcher, revision: int) -> None:
        if watcher not in self._synced:
            watcher.min_revision = revision + 1

    story()
    with patched(WatchHub, "_note_delivered", forget), pytest.raises(AssertionError):
        story()


def test_a_watch_from_the_future_gets_nothing_older_after_a_snapshot() -> None:
    """Etcd issue 20221: catching up once lowered what it had asked for. One patch brings that back."""

    def story() -> None:
        scene = Scene()
        scene.create(0, WatchCreate(key="/a", start_revision=6))
        put(scene, "/a")
        scene.restore()
        scene.hub.catch_up()
        put(scene, "/a", "/a", "/a", "/a", "/a")
        scene.settle()
        scene.check()

    story()
    lowered = lambda self, watcher: self.revision + 1
    with patched(WatchHub, "_min_revision_when_synced", lowered), pytest.raises(AssertionError):
        story()


def test_no_progress_is_told_while_a_watch_of_the_stream_is_behind() -> None:
    """Etcd issue 15220: a client would believe that it has missed nothing. One patch brings that back."""

    def story() -> None:
        scene = Scene()
        put(scene, "/a")
        scene.create(0, WatchCreate(key="/b"))
        scene.create(0, WatchCreate(key="/a", start_revision=1))
        scene.streams[0].request_progress()
        scene.settle()
        scene.streams[0].request_progress()
        scene.check()
        assert [len(watch.progress) for watch in scene.clients[0].watches.values()] == [1, 1]

    story()
    with patched(WatchHub, "_may_report", lambda self, watchers: True), pytest.raises(AssertionError):
        story()


def test_a_slow_stream_hears_of_the_compaction_before_anything_later() -> None:
    """Etcd issue 17529: with a full buffer the watch went on after the gap. One patch brings that back."""

    def story() -> None:
        scene = Scene()
        scene.create(0, WatchCreate(key="/b"))
        put(scene, "/a", "/a", "/a")
        scene.create(0, WatchCreate(key="/a", start_revision=2))
        scene.allow(0, 0)
        put(scene, "/b", "/b", "/b")
        scene.apply(compaction(scene, 1))
        scene.hub.catch_up()
        put(scene, "/a")
        scene.settle()
        scene.check()
        assert scene.clients[0].watches[1].compact_revision

    story()
    never = lambda self, watcher: False
    with patched(WatchHub, "_must_hear_of_compaction", never), pytest.raises(AssertionError):
        story()


def test_a_full_stream_holds_up_its_own_watches_alone() -> None:
    """Its watchers are victims until the connection takes more; nobody else waits, nothing is lost."""
    scene = Scene()
    for place in range(2):
        scene.create(place, WatchCreate(key="/a"))
    scene.allow(0, 0)

    put(scene, *["/a"] * 9)

    assert scene.hub.has_victims
    assert [len(one.watches[0].events) for one in scene.clients] == [0, 9]
    scene.settle()
    scene.check()


def test_a_round_serves_a_bounded_number_of_watchers_and_revisions() -> None:
    """512 watchers, 1000 revisions each; the loop goes on while the number of those behind falls."""
    scene = Scene(streams=1, limits=WatchLimits(watchers_per_round=2, revisions_per_batch=3))
    put(scene, *["/a"] * 4)
    for _ in range(5):
        scene.create(0, WatchCreate(key="/a", start_revision=1))

    scene.hub.sync_round()
    assert [len(one.events) for one in scene.clients[0].watches.values()] == [3, 3, 0, 0, 0]
    assert len(scene.hub.watchers) == 5 and scene.hub.has_unsynced
    scene.settle()
    scene.check()


def test_a_watcher_that_leaves_is_forgotten_wherever_it_was() -> None:
    """Up to date, behind or held up."""
    scene = Scene()
    put(scene, "/a")
    scene.create(0, WatchCreate(key="/a"))
    scene.create(0, WatchCreate(key="/b"))
    scene.create(0, WatchCreate(key="/a", start_revision=1))
    scene.allow(0, 0)
    put(scene, *["/a"] * 5)
    assert scene.hub.has_victims and scene.hub.has_unsynced

    scene.streams[0].close()

    assert scene.hub.watchers == ()
    scene.settle()
    put(scene, "/a")
    assert all(not watch.events for watch in scene.clients[0].watches.values())


def test_periodic_progress_is_for_quiet_watches_that_asked() -> None:
    """The recording etcd-watch-progress: left out once after events, and for who did not ask."""
    scene = Scene(streams=1)
    scene.create(0, WatchCreate(key="/a", progress_notify=True))
    scene.create(0, WatchCreate(key="/a"))
    client: Client = scene.clients[0]

    scene.streams[0].progress_is_due()
    put(scene, "/a")
    scene.streams[0].progress_is_due()
    scene.streams[0].progress_is_due()

    assert [watch.progress for watch in client.watches.values()] == [[(1, 0), (2, 1)], []]
