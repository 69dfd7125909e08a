"""The garbage collector is asked seldom while a run lasts, and as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import chaoskube
from chaoskube.collector import NEW_OBJECTS, seldom
from chaoskube.run import Session
from tests.harness.toys.toy import toy_scenario


@pytest.fixture(autouse=True)
def threshold_kept() -> Iterator[None]:
    """Whatever a test sets, the next one finds the old one."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_run_has_it_seldom_and_gives_it_back() -> None:
    """Also when a run is closed early."""
    gc.set_threshold(700, 10, 10)
    with Session(toy_scenario()):
        assert gc.get_threshold()[0] == NEW_OBJECTS
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [(0, 10, 10), (NEW_OBJECTS * 5, 3, 3)])
def test_who_set_it_off_or_more_seldom_keeps_that(own: tuple[int, int, int]) -> None:
    """A user's own choice is better informed."""
    gc.set_threshold(*own)
    with seldom():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_nothing_in_a_world_can_see_it() -> None:
    """No finalizer and no weak reference in simulated code, or what a run does would depend on memory."""
    root = Path(chaoskube.__file__).parent
    for folder in ("sim", "models", "invariants", "scenarios"):
        for file in sorted((root / folder).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            assert "__del__" not in text and "weakref" not in text, (
                f"{file}: the collector's timing would show"
            )
