"""How lines become a story."""

from __future__ import annotations

from pathlib import Path

import attrs

from chaoskube.action import parse_step
from chaoskube.discovery import load
from chaoskube.report.text import _collapse, _decisive, _Event, _names_in, _when, _words, story
from chaoskube.run import Plan, Told, play
from chaoskube.scenario import VIOLATED, Failure
from chaoskube.sim import MILLISECOND, SECOND, Line
from tests.harness.toys.toy import toy_scenario


def lines(*given: tuple[int, str, str]) -> list[tuple[int, str, str]]:
    """(ms, component, words) as the story shows them."""
    told = [Told(at * MILLISECOND, Line(component, words)) for at, component, words in given]
    return [(event.at // MILLISECOND, event.component, event.words) for event in _collapse(told)]


def test_what_several_nodes_do_in_one_instant_is_one_line() -> None:
    """Three proxies that learn the same would push everything else off the screen."""
    found = lines(
        (100, "proxy@node-1", "routes to web-2"),
        (101, "scheduler-0", "binds"),
        (102, "proxy@node-3", "routes to web-2"),
        (103, "proxy@node-2", "routes to web-2"),
    )

    assert found == [(100, "proxy@node-1..3", "routes to web-2"), (101, "scheduler-0", "binds")]


def test_gaps_among_the_nodes_are_not_hidden() -> None:
    """A node that has not heard yet may be the whole point."""
    found = lines((100, "proxy@node-1", "routes"), (101, "proxy@node-3", "routes"))

    assert found == [(100, "proxy@node-1,3", "routes")]


def test_what_a_node_does_later_or_otherwise_stays_apart() -> None:
    """Lateness and difference are what stories are about."""
    found = lines(
        (100, "proxy@node-1", "routes"),
        (100, "proxy@node-2", "waits"),
        (100 + SECOND // MILLISECOND, "proxy@node-2", "routes"),
        (2000, "etcd-0", "stops"),
        (2000, "etcd-1", "stops"),
    )

    assert [component for _, component, _ in found] == [
        "proxy@node-1",
        "proxy@node-2",
        "proxy@node-2",
        "etcd-0",
        "etcd-1",
    ]


def test_repetitions_in_a_row_are_counted() -> None:
    """The same words of one component."""
    found = lines((1, "client", "fails"), (200, "client", "fails"), (400, "client", "fails"))

    assert found == [(1, "client", "fails (3 times)")]


def test_of_many_lines_those_with_the_rare_names_stay() -> None:
    """A client's hundred reads share its name with the failure; what was done to its lease is told once."""
    reads = [_Event(at=at, component="client-2", words="reads /lock/jobs") for at in range(1, 20)]
    events = [_Event(at=0, component="etcd-0", words="ends lease ff42: revoked"), *reads]

    kept, left_out = _decisive(events, frozenset({"client-2", "lock", "jobs", "ff42"}), 3)

    assert [one.at for one in kept] == [0, 18, 19] and left_out == 17


def test_whom_only_the_last_line_names_has_its_own_story_told() -> None:
    """A request times out at an address; that the pod which has it was stopped before is what explains it."""
    others = [_Event(at=at, component=f"cart-{at}", words="listens on 7070") for at in range(1, 9)]
    stopped = _Event(at=10, component="cart-a", words="gets SIGTERM")
    late = _Event(at=11, component="traffic", words="timed out, sent to cart-a, 7070")

    kept, _ = _decisive([*others, stopped, late], frozenset({"traffic", "7070"}), 3, last=_words(late.words))

    assert stopped in kept and late in kept


def test_whom_the_message_names_already_does_not_crowd_out_the_rest() -> None:
    """Everything that a voter does would come before the one line that tells of its first vote."""
    first = _Event(at=0, component="etcd-1", words="votes for etcd-4 in term 4")
    lives = [_Event(at=at, component="etcd-0", words="starts again") for at in range(1, 20)]
    late = _Event(at=20, component="etcd-1", words="votes for etcd-0 in term 4")

    kept, _ = _decisive(
        [first, *lives, late], frozenset({"etcd-0", "etcd-1", "etcd-4"}), 3, last=_words(late.words)
    )

    assert first in kept and late in kept


def test_much_that_was_done_leaves_room_for_what_happened() -> None:
    """Few actions are told again where they fall; of many, only whom they hit makes a line worth telling."""
    load()
    result = play(Plan(scenario=toy_scenario(), steps=(), duration_ns=SECOND, seed=1))
    failure = Failure(kind=VIOLATED, name="x", message="it broke", at=SECOND)

    def names(count: int) -> frozenset[str]:
        steps = tuple(parse_step(f"at {at}s crash process=worker-1 down=870ms") for at in range(count))
        plan = attrs.evolve(result.plan, steps=steps)
        return _names_in(attrs.evolve(result, plan=plan), failure, 12)

    assert names(3) == {"broke", "crash", "process", "worker-1", "down", "870ms"}
    assert names(4) == {"broke", "worker-1"}


def test_what_broke_and_how_to_play_it_again_are_never_cut(tmp_path: Path) -> None:
    """A command that lost its end can't be run, and a sentence that lost its end can't be understood."""
    scenario = toy_scenario()
    result = play(Plan(scenario=scenario, steps=(), duration_ns=SECOND, seed=1))
    long_message, long_path = "nobody knows why " * 25 + "at all", tmp_path / ("x" * 240)
    failure = Failure(kind=VIOLATED, name=scenario.invariants[0].name, message=long_message, at=SECOND)

    told = story(attrs.evolve(result, failure=failure), path=long_path)

    assert told[0].endswith(long_message)
    assert f"again:   chaoskube replay {long_path}" in told


def test_an_aimed_action_is_told_by_its_moment() -> None:
    """That is what a reader can do something with; the time follows from it."""
    load()

    told = [
        _when(parse_step(line))
        for line in (
            "at 5s heal",
            "before 2nd post/letters message at worker-1 heal",
            "from 5s after 1st post/letters message at worker-1 heal",
        )
    ]

    assert told == [
        "    5.000s",
        "before 2nd post/letters message at worker-1:",
        "    5.000s on, after 1st post/letters message at worker-1:",
    ]
