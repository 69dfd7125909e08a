"""When the god's view calls a cluster calm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.observer import Observer
from chaoskube.sim import SECOND, FaultEnded, FaultStarted, World


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which nothing happens by itself."""
    with World() as made:
        yield made


def fault(world: World, begins: int, ends: int, text: str = "pause process=x") -> None:
    """Let a fault begin and end at these seconds."""
    for at, event in (
        (begins, FaultStarted(verb="pause", text=text)),
        (ends, FaultEnded(verb="pause", text=text)),
    ):
        world.call_later(at * SECOND - world.now, world.journal.record, at * SECOND, "", event)


def calm_from(world: World, seen: Observer, until: int) -> list[int]:
    """The seconds up to `until` at which it is calm."""
    found = []
    for at in range(until):
        world.advance(at * SECOND + SECOND // 2 - world.now)
        if seen.has_been_calm_since(world.now):
            found.append(at)
    return found


def test_a_short_fault_is_over_half_a_minute_after_it_ended(world: World) -> None:
    """Keepalives have found what died by then."""
    seen = Observer(world)
    fault(world, 5, 10)

    assert calm_from(world, seen, 50) == [0, 1, 2, 3, 4, *range(40, 50)]


def test_after_long_trouble_back_offs_have_to_run_out(world: World) -> None:
    """Two faults in a row are one long time without answers; reflectors then wait up to a minute."""
    seen = Observer(world)
    fault(world, 5, 20, "pause process=x")
    fault(world, 30, 40, "pause process=y")

    assert calm_from(world, seen, 110) == [0, 1, 2, 3, 4, *range(100, 110)]


def test_of_two_equal_faults_both_must_end(world: World) -> None:
    """The same line may stand in a trace twice."""
    seen = Observer(world)
    fault(world, 5, 10)
    fault(world, 6, 100)

    assert calm_from(world, seen, 90) == [0, 1, 2, 3, 4]
