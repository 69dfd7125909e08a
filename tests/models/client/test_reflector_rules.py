"""What a reflector does when its server answers in every way that it may: one rule of reflector.go a test."""

from __future__ import annotations

from chaoskube.models.apiserver.api import Request, WatchEvent
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.reflector import Reflector
from chaoskube.models.objects import KubeObject
from chaoskube.sim import SECOND, Connection

from .scripted import (
    BAD,
    BROKEN,
    BUSY,
    EXPIRED,
    TOO_LARGE,
    Script,
    Turn,
    added,
    bookmark,
    cut,
    ends,
    fails,
    lists,
    modified,
    pod,
    refuses,
    stream,
)

A, B, C = pod("a", 5), pod("b", 9), pod("c", 7)
SYNCED = stream(*added(A), bookmark(10, end=True))


class Heard:
    """A sink that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def replace(self, items: tuple[KubeObject, ...], resource_version: str, server: str) -> None:
        """The whole state."""
        self.told.append(f"={','.join(item.name for item in items)}@{resource_version}")

    def apply(self, event: WatchEvent) -> None:
        """One change."""
        assert isinstance(event.object, KubeObject), f"an object, not {event.object!r}"
        self.told.append(f"{event.type[0]}{event.object.name}@{event.object.resource_version}")

    def advance(self, resource_version: str) -> None:
        """A bookmark."""
        self.told.append(f"@{resource_version}")

    def watching(self) -> None:
        """Told after each whole state."""


def play(
    *turns: Turn, seconds: float = 10, streaming: bool = True, retry_ns: int = 0
) -> tuple[Script, Heard]:
    """Let a reflector meet these answers."""
    heard = Heard()

    def boot(client: ApiClient) -> None:
        Reflector(client, heard, "pods", streaming_list=streaming, internal_error_retry_ns=retry_ns).start()

    script = Script(boot, *turns)
    script.advance(seconds)
    script.world.close()
    return script, heard


def test_a_streaming_list_that_is_cut_begins_again_at_once_with_nothing_kept() -> None:
    """What came in any order says nothing about where to go on."""
    script, heard = play(cut(*added(B, A)), stream(*added(A, B, C), bookmark(10, end=True)), seconds=3)

    assert script.asked() == ["stream -", "stream -"]
    assert heard.told == ["=a,b,c@10"]
    assert script.waits()[0] < 1.51


def test_a_later_streaming_list_asks_for_nothing_older_than_what_was_seen() -> None:
    """NotOlderThan: a lagging server has to wait, not to show the past."""
    script, heard = play(
        fails(EXPIRED, *added(A), bookmark(10, end=True), modified(pod("a", 12))), SYNCED, seconds=5
    )

    assert script.asked() == ["stream -", "stream 12"]
    assert heard.told == ["=a@10", "Ma@12", "=a@10"]


def test_a_streaming_list_whose_version_is_too_large_asks_for_none_at_once() -> None:
    """The server lags behind what this client saw elsewhere: a consistent read makes progress."""
    script, _ = play(fails(EXPIRED, bookmark(99, end=True)), fails(TOO_LARGE), SYNCED, seconds=5)

    assert script.asked() == ["stream -", "stream 99", "stream -"]
    assert script.waits()[1] < 0.1


def test_a_streaming_list_refused_as_too_many_waits_and_comes_again() -> None:
    """429: no fall back to LIST, which costs the server more."""
    script, _ = play(refuses(BUSY), refuses(BUSY), SYNCED)

    assert script.asked() == ["stream -"] * 3
    assert 0.8 <= script.waits()[0] <= 1.7
    assert 1.6 <= script.waits()[1] <= 3.3


def test_any_other_refusal_falls_back_to_a_list_this_time_only() -> None:
    """The next whole state is asked for as a stream again."""
    script, heard = play(refuses(BAD), lists(A, version=11), fails(EXPIRED), SYNCED, seconds=5)

    assert script.asked() == ["stream -", "list 0 limit=500", "watch 11", "stream 11"]
    assert heard.told == ["=a@11", "=a@10"]


def test_pages_are_put_together_and_ask_for_a_version_once() -> None:
    """Page 1 of 500, then the token alone."""
    script, heard = play(lists(A, version=11, token="t1"), lists(B, version=11), stream(), streaming=False)

    assert script.asked()[:3] == ["list 0 limit=500", "list - limit=500 continue=t1", "watch 11"]
    assert heard.told == ["=a,b@11"]


def test_pages_that_expire_on_the_way_are_listed_whole() -> None:
    """pager.go FullListIfExpired: as of the version that was asked for."""
    script, heard = play(
        lists(A, version=11, token="t1"),
        refuses(EXPIRED),
        lists(A, B, C, version=20),
        stream(),
        streaming=False,
    )

    assert script.asked()[:4] == [
        "list 0 limit=500",
        "list - limit=500 continue=t1",
        "list 0",
        "watch 20",
    ]
    assert heard.told == ["=a,b,c@20"]


def test_a_list_that_is_too_old_or_too_large_is_asked_for_without_a_version_at_once() -> None:
    """relistResourceVersion: "" is a consistent read from etcd, in pages."""
    for status in (EXPIRED, TOO_LARGE):
        script, heard = play(
            lists(A, version=11),
            fails(EXPIRED),
            refuses(status),
            lists(A, B, version=30),
            stream(),
            streaming=False,
        )

        assert script.asked()[:4] == ["list 0 limit=500", "watch 11", "list 11", "list - limit=500"]
        assert script.waits()[2] < 0.1
        assert heard.told == ["=a@11", "=a,b@30"]


def test_a_watch_that_ends_cleanly_goes_on_at_once_from_the_last_bookmark() -> None:
    """Bookmarks move the version, so that a quiet resource never expires."""
    script, heard = play(SYNCED, stream(), seconds=0.1)
    assert script.asked() == ["stream -"]

    script, heard = play(ends(*added(A), bookmark(10, end=True), bookmark(40)), stream(), seconds=2)

    assert script.asked() == ["stream -", "watch 40"]
    assert heard.told == ["=a@10", "@40"]


def test_a_very_short_watch_without_events_counts_as_a_failure() -> None:
    """Less than a second and nothing said: back off, then everything anew."""
    script, _ = play(ends(*added(A), bookmark(10, end=True)), SYNCED, seconds=5)

    assert script.asked() == ["stream -", "stream 10"]
    assert 0.8 <= script.waits()[0] <= 1.7


def test_a_watch_refused_as_too_many_goes_on_later_without_a_list() -> None:
    """429 says that the server is busy: a list would make it worse."""
    script, _ = play(
        ends(*added(A), bookmark(10, end=True), bookmark(12)), refuses(BUSY), fails(BUSY), stream(), seconds=9
    )

    assert script.asked() == ["stream -", "watch 12", "watch 12", "watch 12"]
    assert 0.8 <= script.waits()[1] <= 1.7


def test_an_internal_error_means_everything_anew_unless_it_may_be_retried() -> None:
    """MaxInternalErrorRetryDuration is 0 in controllers and 30 s in API servers."""
    turns = (cut(*added(A), bookmark(10, end=True)), fails(BROKEN), SYNCED)
    script, _ = play(*turns, seconds=5)
    assert script.asked() == ["stream -", "watch 10", "stream 10"]

    script, _ = play(*turns[:2], stream(), seconds=5, retry_ns=30 * SECOND)
    assert script.asked() == ["stream -", "watch 10", "watch 10"]
    assert script.waits()[1] < 0.1


def test_what_a_watch_from_nowhere_sends_first_moves_no_version() -> None:
    """A list without a version: the watch begins with everything, in any order, and is cut in the middle."""
    nowhere = lists(version=0)
    script, _ = play(
        nowhere,
        cut(*added(pod("z", 50))),
        cut(*added(A, pod("z", 50)), modified(pod("a", 51))),
        stream(),
        streaming=False,
        seconds=5,
    )

    assert script.asked() == ["list 0 limit=500", "watch 0", "watch 0", "watch 51"]


def test_a_peer_that_goes_silent_is_an_error_and_everything_anew() -> None:
    """HTTP/2 pings find out after 45 to 75 s; client-go makes a 500 of it, so the watch isn't just opened again."""

    def silent(connection: Connection, request: Request) -> None:
        SYNCED(connection, request)
        connection.process.call_later(1, connection.process.pause)
        connection.process.world.call_later(80 * SECOND, connection.process.resume)

    script, _ = play(silent, SYNCED, seconds=100)

    assert script.asked() == ["stream -", "stream 10"]
    assert 75 < script.waits()[0] < 82
