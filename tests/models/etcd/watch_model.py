"""A hub with a leader's store behind it, driven by steps, and what its watchers must have got: for property tests.

`Scene` applies requests to a leader's state, and to the hub's own unless the hub's member lags; a restore gives the hub
the leader's state anew, as a snapshot does. Each stream's connection takes messages as long as it has credit.
"""

from __future__ import annotations

from attrs import define, field

from chaoskube.models.etcd.messages import (
    STREAM_WATCH_ID,
    Compact,
    Event,
    EventType,
    Request,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchFilter,
    WatchMessage,
    WatchProgressNotice,
    in_range,
)
from chaoskube.models.etcd.state import State
from chaoskube.models.etcd.watch import WatchHub, WatchLimits
from chaoskube.models.etcd.watch_stream import WatchStream

LIMITS = WatchLimits(buffer=3, watchers_per_round=3, revisions_per_batch=2)


@define(kw_only=True, eq=False)
class Watch:
    """What one watch asked for and got."""

    create: WatchCreate
    first_revision: int
    messages: list[WatchEvents] = field(factory=list)
    compact_revision: int = 0
    is_over: bool = False
    progress: list[tuple[int, int]] = field(factory=list)
    """(revision promised, events received by then)."""

    @property
    def events(self) -> list[Event]:
        return [event for message in self.messages for event in message.events]


@define(eq=False)
class Client:
    """The far end of a stream."""

    credit: int = 1_000_000
    watches: dict[int, Watch] = field(factory=dict)
    over: list[Watch] = field(factory=list)
    asked: list[Watch] = field(factory=list)
    refusals: list[str] = field(factory=list)

    def take(self, message: WatchMessage) -> None:
        self.credit -= 1
        if isinstance(message, WatchCreated):
            self.watches[message.watch_id] = self.asked.pop(0)
        elif isinstance(message, WatchEvents):
            self.watches[message.watch_id].messages.append(message)
        elif isinstance(message, WatchProgressNotice):
            named = message.watch_id
            meant = list(self.watches.values()) if named == STREAM_WATCH_ID else [self.watches[named]]
            for watch in meant:
                watch.progress.append((message.revision, len(watch.events)))
        elif message.watch_id == STREAM_WATCH_ID:
            self.asked.pop(0)
            self.refusals.append(message.reason)
        else:
            self._end(message)

    def _end(self, message: WatchCanceled) -> None:
        if message.compact_revision:
            watch = self.watches[message.watch_id]
            watch.compact_revision = message.compact_revision
        else:
            watch = self.watches.pop(message.watch_id)
            self.over.append(watch)
        watch.is_over = True


class Scene:
    """A hub, its streams, and the history of the leader."""

    def __init__(self, streams: int = 2, limits: WatchLimits = LIMITS) -> None:
        self.leader = State()
        self.member = State()
        self.requests: list[Request] = []
        self._applied = 0
        self.history: list[Event] = []
        self.hub = WatchHub(self.member.store, limits)
        self.clients = [Client() for _ in range(streams)]
        self.streams = [self._stream(client) for client in self.clients]

    def _stream(self, client: Client) -> WatchStream:
        return self.hub.stream(client.take, lambda: client.credit > 0, lambda: None)

    @property
    def is_behind(self) -> bool:
        """The member lacks some of the leader's requests: only a snapshot helps."""
        return len(self.requests) > self._applied

    def apply(self, request: Request, *, lagging: bool = False) -> None:
        self.requests.append(request)
        self.history.extend(self.leader.apply(request, 0).events)
        if not lagging:
            self._apply_here(request)

    def _apply_here(self, request: Request) -> None:
        self._applied += 1
        events = self.member.apply(request, 0).events
        if events:
            self.hub.notify(events, self.member.store.revision)

    def restore(self) -> None:
        """The member gets the leader's state by a snapshot."""
        self.member = State()
        for request in self.requests:
            self.member.apply(request, 0)
        self._applied = len(self.requests)
        self.hub.restore(self.member.store)

    def create(self, place: int, create: WatchCreate) -> None:
        first = create.start_revision or self.member.store.revision + 1
        self.clients[place].asked.append(Watch(create=create, first_revision=first))
        self.streams[place].create(create)

    def allow(self, place: int, messages: int) -> None:
        """The stream's connection takes that many more."""
        self.clients[place].credit = messages
        self.streams[place].flush()
        self.hub.retry_victims()

    def settle(self) -> None:
        """Everybody takes everything."""
        if self.is_behind:
            self.restore()
        for _ in range(1000):
            for place in range(len(self.streams)):
                self.allow(place, 1_000_000)
            self.hub.catch_up()
            if not (self.hub.has_unsynced or self.hub.has_victims):
                return
        raise AssertionError("watchers are still behind after 1000 rounds")

    def expected(self, watch: Watch) -> list[Event]:
        return [event for event in self.history if wants(watch, event)]

    def check(self) -> None:
        """Every watch got each matching event once, in order, or was told of the compaction."""
        for client in self.clients:
            for watch in (*client.watches.values(), *client.over):
                self._check(watch)

    def _check(self, watch: Watch) -> None:
        got, expected = watch.events, self.expected(watch)
        assert [key(event) for event in got] == [key(event) for event in expected[: len(got)]], watch
        if watch.compact_revision:
            position = got[-1].kv.mod_revision + 1 if got else watch.first_revision
            assert position < watch.compact_revision <= self.compacted, watch
        elif not watch.is_over:
            assert len(got) == len(expected), watch
        for revision, received in watch.progress:
            assert revision >= watch.create.start_revision, watch
            assert received == sum(event.kv.mod_revision <= revision for event in expected), watch
        self._check_atomic(watch)
        self._check_previous(watch, got, expected)

    @property
    def compacted(self) -> int:
        return self.leader.store.compact_revision

    def _check_atomic(self, watch: Watch) -> None:
        for before, after in zip(watch.messages, watch.messages[1:], strict=False):
            if not before.fragment:
                assert before.events[-1].kv.mod_revision < after.events[0].kv.mod_revision, watch
            assert before.revision >= before.events[-1].kv.mod_revision

    def _check_previous(self, watch: Watch, got: list[Event], expected: list[Event]) -> None:
        for event, truth in zip(got, expected, strict=False):
            if not watch.create.prev_kv:
                assert event.prev_kv is None
            elif event.prev_kv is None:
                assert truth.prev_kv is None or event.kv.mod_revision <= self.compacted
            else:
                assert event.prev_kv == truth.prev_kv


def key(event: Event) -> tuple[int, str, EventType]:
    return event.kv.mod_revision, event.kv.key, event.type


def wants(watch: Watch, event: Event) -> bool:
    create = watch.create
    left_out = WatchFilter.NOPUT if event.type is EventType.PUT else WatchFilter.NODELETE
    return (
        event.kv.mod_revision >= watch.first_revision
        and in_range(event.kv.key, create.key, create.range_end)
        and left_out not in create.filters
    )


def compaction(scene: Scene, back: int) -> Compact:
    """A compaction `back` revisions before the newest."""
    return Compact(max(1, scene.leader.store.revision - back))
