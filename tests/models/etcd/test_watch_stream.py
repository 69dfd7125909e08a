"""One stream with several watches: ids, refusals, fragments, and what is dropped (recordings etcd-watch-*)."""

from __future__ import annotations

from chaoskube.models.etcd.messages import (
    COMPACTED,
    Event,
    EventType,
    KeyValue,
    Put,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchMessage,
    WatchProgressNotice,
)
from chaoskube.models.etcd.sizes import MAX_MESSAGE_BYTES, event_bytes
from chaoskube.models.etcd.state import State
from chaoskube.models.etcd.watch import WatchHub
from chaoskube.models.etcd.watch_stream import (
    DUPLICATE_ID_REASON,
    EMPTY_RANGE_REASON,
    WatchStream,
    fragments,
)
from tests.models.etcd.watch_model import Scene, compaction


class Wire:
    """A stream on a store, and what it sent."""

    def __init__(self) -> None:
        self.state = State()
        self.hub = WatchHub(self.state.store)
        self.sent: list[WatchMessage] = []
        self.has_room = True
        self.stream: WatchStream = self.hub.stream(self.sent.append, lambda: self.has_room, lambda: None)

    def put(self, key: str, value: object = 1) -> None:
        events = self.state.apply(Put(key=key, value=value), 0).events
        self.hub.notify(events, self.state.store.revision)

    def ids(self) -> list[int]:
        return [one.watch_id for one in self.sent if isinstance(one, WatchCreated)]


def test_the_server_counts_ids_from_0_and_skips_those_that_clients_chose() -> None:
    """watcher.go Watch; the recording etcd-watch-ids-and-fragment has 7 and 0."""
    wire = Wire()
    for chosen in (0, 1, 7, 0, 0):
        wire.stream.create(WatchCreate(key="/a", watch_id=chosen))

    assert wire.ids() == [0, 1, 7, 2, 3]


def test_a_taken_id_is_refused_and_nothing_else_happens() -> None:
    """The watch that has it goes on."""
    wire = Wire()
    wire.stream.create(WatchCreate(key="/a", watch_id=7))
    wire.stream.create(WatchCreate(key="/b", watch_id=7))
    wire.put("/a")

    assert wire.sent[1] == WatchCanceled(reason=DUPLICATE_ID_REASON, watch_id=-1, revision=1)
    assert isinstance(wire.sent[2], WatchEvents) and wire.sent[2].watch_id == 7


def test_bad_creations_are_refused_in_the_words_of_the_recordings() -> None:
    """The recording etcd-watch-cancel-other: an inverted range, a negative start. An empty key is the smallest."""
    wire = Wire()
    wire.stream.create(WatchCreate(key="z", range_end="a"))
    wire.stream.create(WatchCreate(key="k", start_revision=-5))
    wire.stream.create(WatchCreate(key=""))

    assert wire.sent == [
        WatchCanceled(reason=EMPTY_RANGE_REASON, watch_id=-1, revision=1),
        WatchCanceled(reason=COMPACTED.message, watch_id=-1, revision=1),
        WatchCreated(revision=1, watch_id=0),
    ]


def test_a_compacted_watch_keeps_its_id_and_holds_up_progress_until_the_client_cancels_it() -> None:
    """The stream still counts it among its watches (watcher.go Cancel)."""
    scene = Scene(streams=1)
    for _ in range(4):
        scene.apply(Put(key="/a", value=1))
    scene.create(0, WatchCreate(key="/a", start_revision=2))
    scene.create(0, WatchCreate(key="/b"))
    scene.apply(compaction(scene, 0))
    scene.hub.catch_up()
    stream, client = scene.streams[0], scene.clients[0]
    assert client.watches[0].compact_revision == 5

    stream.request_progress()
    assert client.watches[1].progress == []
    stream.cancel(0)
    stream.request_progress()

    assert client.watches[1].progress == [(5, 0)]


def test_what_waits_for_a_cancelled_watch_is_not_sent() -> None:
    """Not even when another watch takes its id meanwhile."""
    wire = Wire()
    wire.stream.create(WatchCreate(key="/a", watch_id=5))
    wire.has_room = False
    wire.put("/a")
    wire.stream.cancel(5)
    wire.stream.create(WatchCreate(key="/a", watch_id=5))
    wire.has_room = True

    wire.stream.flush()

    kinds = [type(one) for one in wire.sent]
    assert kinds == [WatchCreated, WatchCanceled, WatchCreated]


def test_a_notice_on_request_speaks_for_the_stream() -> None:
    """Watch id -1; a stream without watches gets none."""
    wire = Wire()
    wire.stream.request_progress()
    wire.stream.create(WatchCreate(key="/a"))
    wire.stream.create(WatchCreate(key="/b"))
    wire.stream.request_progress()

    assert wire.sent[2:] == [WatchProgressNotice(1, watch_id=-1)]


def test_no_progress_before_the_revision_that_was_asked_for() -> None:
    """A watch from the future has nothing to say yet (etcd issue 20221)."""
    wire = Wire()
    wire.stream.create(WatchCreate(key="/a", start_revision=3, progress_notify=True))
    wire.stream.request_progress()
    wire.stream.progress_is_due()
    assert len(wire.sent) == 1

    wire.put("/b")
    wire.put("/b")
    wire.stream.request_progress()
    assert wire.sent[1:] == [WatchProgressNotice(3, watch_id=-1)]


def event(size: int, revision: int = 2) -> Event:
    kv = KeyValue(key="k", value="x" * size, create_revision=2, mod_revision=revision, version=1)
    return Event(type=EventType.PUT, kv=kv)


def test_fragments_are_below_the_limit_and_lose_nothing() -> None:
    """sendFragments: at least one event each, in order."""
    events = tuple(event(size) for size in (10, 700, 300, 20, 2000, 1, 1))

    parts = fragments(events, limit_bytes=1000)

    assert tuple(one for part in parts for one in part) == events
    assert all(len(part) == 1 or sum(event_bytes(one) for one in part) < 1000 for part in parts)
    assert [len(part) for part in parts] == [2, 2, 1, 2]
    assert len(fragments(events[:1], limit_bytes=1)) == 1


def test_a_fragmented_answer_says_that_more_comes() -> None:
    """Only to who asked for fragments; the recording etcd-watch-ids-and-fragment keeps a megabyte whole."""
    wire = Wire()
    wire.stream.create(WatchCreate(key="a", range_end="z", start_revision=1, fragment=True))
    wire.stream.create(WatchCreate(key="a", range_end="z", start_revision=1))
    for key in "abc":
        wire.state.apply(Put(key=key, value="x" * (MAX_MESSAGE_BYTES // 2)), 0)
    wire.hub.catch_up()

    got = [one for one in wire.sent if isinstance(one, WatchEvents)]
    assert [(one.watch_id, len(one.events), one.fragment) for one in got] == [
        (0, 1, True),
        (0, 1, True),
        (0, 1, False),
        (1, 3, False),
    ]
