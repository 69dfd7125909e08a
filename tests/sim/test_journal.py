"""The digest names a run: it depends on values alone, and leaks are refused."""

from __future__ import annotations

import enum

import pytest
from attrs import field, frozen

from chaoskube.sim import Entry, Journal, ModelBug, canonical


class Colour(enum.Enum):
    RED = 1


@frozen
class Point:
    x: int
    label: str
    cache: int = field(default=0, eq=False)


def test_canonical_text_is_of_the_value_alone() -> None:
    assert canonical(Point(1, "a'b", cache=7)) == 'Point(1,"a\'b")'
    assert (
        canonical({"b": 1, "a": (True, None, b"x", Colour.RED)}) == "{'a':[True,None,b'x',Colour.RED],'b':1}"
    )


@pytest.mark.parametrize("leak", [{"a", "b"}, frozenset("a"), object(), len])
def test_what_could_leak_the_machine_is_refused(leak: object) -> None:
    with pytest.raises(ModelBug, match="no canonical text"):
        canonical(leak)


def test_asking_for_the_digest_does_not_change_it() -> None:
    asked, silent = Journal(), Journal()
    for number in range(10_000):
        for journal in (asked, silent):
            journal.trace(f"line {number}")
            journal.ticks.extend((number, number))
        if number % 777 == 0:
            asked.digest()
    assert asked.digest() == silent.digest()


def test_each_kind_of_thing_changes_the_digest() -> None:
    def digest(*steps: str) -> str:
        journal = Journal()
        for step in steps:
            if step == "event":
                journal.record(1, "p", Point(1, "x"))
            elif step == "line":
                journal.trace("x")
            else:
                journal.ticks.extend((1, 2))
        return journal.digest()

    digests = [digest(), digest("event"), digest("line"), digest("tick"), digest("event", "event")]
    assert len(set(digests)) == len(digests)


def test_listeners_hear_exactly_their_type_and_object_hears_all() -> None:
    journal = Journal()
    points: list[Entry] = []
    everything: list[Entry] = []
    journal.subscribe(Point, points.append)
    journal.subscribe(object, everything.append)
    journal.record(5, "p", Point(1, "x"))
    journal.record(6, "q", Colour.RED)
    assert [entry.event for entry in points] == [Point(1, "x")]
    assert [(entry.seq, entry.at, entry.by) for entry in everything] == [(0, 5, "p"), (1, 6, "q")]
