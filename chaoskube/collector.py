"""Python's cyclic garbage collector during a run: the same collector, asked less often.

A world is hundreds of thousands of objects that refer to each other and live as long as it does; the collector's own
default (each 700 new objects) walks them again and again, for a sixth of the time of a run. What a run does can't depend on
it: simulated code has neither finalizers nor weak references (`tests/harness/test_collector.py` looks).

Called by `run.Session`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NEW_OBJECTS: Final = 20_000
"""So many more objects made than freed before the young ones are looked through: a few megabytes."""
YOUNG_ROUNDS: Final = 10
OLD_ROUNDS: Final = 10


@contextmanager
def seldom() -> Iterator[None]:
    """Let the collector run seldom; afterwards as before. A collector that was set to run more seldom is left alone."""
    before = gc.get_threshold()
    if not 0 < before[0] < NEW_OBJECTS:
        yield
        return
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
