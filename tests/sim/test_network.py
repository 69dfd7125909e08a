"""Connections break as TCP does, datagrams may get lost, and calm links are constant and FIFO."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaoskube.sim import (
    MILLISECOND,
    SECOND,
    Address,
    Connection,
    FrozenStream,
    LateStream,
    Process,
    StreamName,
    World,
)

PORT = 80


class Pair:
    """A client on host a and a server on host b with one connection between them."""

    def __init__(self, world: World, *, timeout_ns: int | None = None) -> None:
        self.world = world
        self.heard: list[tuple[int, object]] = []
        self.client_heard: list[tuple[int, object]] = []
        self.ends: list[str] = []
        self.server_ends: list[str] = []
        self.server = world.process("server", host="b", boot=self._serve)
        self.client = world.process("client", host="a", boot=lambda _: None)
        self.server.start()
        self.client.start()
        world.call_later(10_000 * SECOND, lambda: None)
        self.connection = self.client.connect(
            Address(world.network.ip_of("b"), PORT),
            label="talk",
            timeout_ns=timeout_ns,
            on_message=lambda message: self.client_heard.append((world.now, message)),
            on_close=self.ends.append,
        )

    def _serve(self, process: Process) -> None:
        def accept(connection: Connection) -> None:
            connection.on_message = lambda message: self.heard.append((self.world.now, message))
            connection.on_close = self.server_ends.append
            self.accepted = connection

        process.listen(PORT, accept)


def test_a_calm_connection_is_constant_and_in_order() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        for number in range(5):
            pair.connection.send(number)
        world.advance(SECOND)
        assert pair.heard == [(SECOND + MILLISECOND // 2, number) for number in range(5)]


def test_nobody_listens_is_refused_and_no_such_address_times_out() -> None:
    ends: list[tuple[int, str]] = []
    with World() as world:
        client = world.process("client", host="a", boot=lambda _: None)
        client.start()
        world.add_host("b")
        note: Callable[[str], None] = lambda reason: ends.append((world.now // SECOND, reason))
        client.connect(Address(world.network.ip_of("b"), 81), on_close=note)
        client.connect(Address("10.9.9.9", 80), on_close=note, timeout_ns=5 * SECOND)
        world.call_later(100 * SECOND, lambda: None)
        world.advance(20 * SECOND)
    assert ends == [(0, "refused"), (5, "timeout")]


def test_a_partition_is_silent_and_everything_arrives_in_order_when_it_heals() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        cut = world.network.partition(["a"], ["b"])
        pair.connection.send("one")
        world.advance(3 * SECOND)
        pair.connection.send("two")
        assert (pair.heard, pair.ends) == ([], [])
        cut.heal()
        pair.connection.send("three")
        world.advance(5 * SECOND)
        assert [message for _, message in pair.heard] == ["one", "two", "three"]


def test_what_is_under_way_when_the_partition_begins_is_late_too() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        pair.connection.send("under way")
        cut = world.network.partition(["a"], ["b"])
        world.advance(SECOND)
        assert pair.heard == []
        cut.heal()
        world.advance(SECOND)
        assert [message for _, message in pair.heard] == ["under way"]


@pytest.mark.parametrize("pause_ms", [0, 700, 1000, 10_000])
def test_what_is_under_way_comes_before_what_is_sent_while_the_partition_lasts(pause_ms: int) -> None:
    """A late stream may have messages under way for long; they arrive at a link that is cut after newer ones were held."""
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        late = world.network.rule(LateStream(StreamName.parse("talk@*>*"), 5 * SECOND))
        for number in range(3):
            pair.connection.send(number)
            world.advance(SECOND)
        late.heal()
        cut = world.network.partition(["a"], ["b"])
        for number in range(3, 6):
            pair.connection.send(number)
            world.advance(pause_ms * MILLISECOND)
        cut.heal()
        pair.connection.send(6)
        world.advance(60 * SECOND)

        assert [message for _, message in pair.heard] == list(range(7))


def test_a_stream_that_freezes_keeps_what_a_partition_holds_before_what_comes_later() -> None:
    """What was sent before the freeze is on its way already."""
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        cut = world.network.partition(["a"], ["b"])
        pair.connection.send(0)
        frozen = world.network.freeze_stream(FrozenStream(StreamName.parse("talk@*>*")))
        pair.connection.send(1)
        cut.heal()
        world.advance(5 * SECOND)
        frozen.heal()
        world.advance(SECOND)

        assert [message for _, message in pair.heard] == [0, 1]


def test_keepalive_finds_a_partition_and_a_frozen_peer_and_not_a_quiet_one() -> None:
    with World() as world:
        pair = Pair(world)
        pair.connection.keepalive(30 * SECOND, 15 * SECOND)
        world.advance(300 * SECOND)
        assert pair.ends == []
        pair.server.pause()
        world.advance(80 * SECOND)
        assert pair.ends == ["timeout"]


def test_a_one_way_partition_lets_the_other_way_through() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        world.network.partition(["b"], ["a"], one_way=True)
        pair.connection.send("hear me")
        pair.accepted.send("not this")
        world.advance(SECOND)
        assert [message for _, message in pair.heard] == ["hear me"]
        assert pair.client_heard == []


def test_a_crashed_process_resets_its_peers_at_once() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        pair.server.crash()
        world.advance(MILLISECOND)
        assert pair.ends == ["reset"]


def test_a_host_without_power_says_nothing_until_it_is_back_and_asked() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        world.host("b").crash()
        pair.connection.send("anybody?")
        world.advance(5 * SECOND)
        assert pair.ends == []
        world.host("b").start()
        world.advance(10 * SECOND)
        assert pair.ends == ["reset"]


def test_closing_tells_the_peer_after_what_was_sent() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        pair.connection.send("last words")
        pair.connection.close()
        world.advance(SECOND)
        assert [message for _, message in pair.heard] == ["last words"]
        assert (pair.server_ends, pair.ends) == (["closed"], [])


def test_a_paused_peer_accepts_and_hears_later() -> None:
    with World() as world:
        pair = Pair(world)
        pair.server.pause()
        pair.connection.send("wake up")
        world.advance(10 * SECOND)
        assert pair.connection.is_open and pair.heard == []
        pair.server.resume()
        world.advance(SECOND)
        assert [message for _, message in pair.heard] == ["wake up"]


def test_a_delayed_stream_is_late_in_order_and_alone() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        delay = world.network.delay_stream("client", "server", "talk", 5 * SECOND)
        pair.connection.send("late")
        delay.heal()
        pair.connection.send("later")
        pair.accepted.send("on time")
        world.advance(SECOND)
        assert (pair.heard, [message for _, message in pair.client_heard]) == ([], ["on time"])
        world.advance(5 * SECOND)
        assert [message for _, message in pair.heard] == ["late", "later"]


def _datagrams(disturb: Callable[[World], object], count: int = 50, seed: int = 0) -> list[object]:
    heard: list[object] = []

    def boot(process: Process) -> None:
        process.on_datagram = lambda _, message: heard.append(message)

    with World(seed=seed) as world:
        one = world.process("one", host="a", boot=lambda _: None)
        one.start()
        world.process("two", host="b", boot=boot).start()
        disturb(world)
        for number in range(count):
            one.send("two", number)
        world.call_later(100 * SECOND, lambda: None)
        world.advance(10 * SECOND)
    return heard


def test_calm_datagrams_arrive_once_in_order() -> None:
    assert _datagrams(lambda _: None) == list(range(50))


def test_datagrams_can_be_lost_doubled_and_overtaken() -> None:
    lost = _datagrams(lambda world: world.network.lose(["a"], ["b"], 500))
    doubled = _datagrams(lambda world: world.network.duplicate(["a"], ["b"], 500))
    mixed = _datagrams(lambda world: world.network.reorder(["a"], ["b"], SECOND))
    assert 5 < len(lost) < 45 and lost == sorted(lost)  # type: ignore[type-var]
    assert len(doubled) > 60 and sorted(set(doubled)) == list(range(50))  # type: ignore[type-var]
    assert sorted(mixed) == list(range(50)) and mixed != list(range(50))  # type: ignore[type-var]


def test_duplicates_of_duplicates_are_bounded() -> None:
    def disturb(world: World) -> None:
        for _ in range(10):
            world.network.duplicate(["a"], ["b"], 1000)

    assert len(_datagrams(disturb)) == 3 * 50


def test_slow_links_are_slow_and_recover() -> None:
    with World() as world:
        pair = Pair(world)
        world.advance(SECOND)
        slow = world.network.slow(["a"], ["b"], 2 * SECOND)
        pair.connection.send("slow")
        world.advance(3 * SECOND)
        slow.heal()
        pair.connection.send("fast")
        world.advance(SECOND)
        times = [at for at, _ in pair.heard]
        assert times == [SECOND + 2 * SECOND + MILLISECOND // 2, 4 * SECOND + MILLISECOND // 2]


def test_a_disturbance_of_an_unknown_host_is_refused() -> None:
    with World() as world, pytest.raises(Exception, match="there is no host 'nowhere'"):
        world.network.partition(["nowhere"], [])
