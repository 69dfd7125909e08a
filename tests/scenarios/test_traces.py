"""Runs that once ended with something false, kept as traces: each must end well.

A file in `traces/` is the minimised run of a bug that was mended, or of an invariant that claimed more than the
real thing keeps; its first lines say which. A trace whose actions can no longer be applied proves nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.replay import CANNOT, replay
from chaoskube.trace import SUFFIX, read_trace

TRACES = sorted((Path(__file__).parent / "traces").glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.removesuffix(SUFFIX))
def test_what_was_mended_stays_mended(path: Path) -> None:
    """What was found once and mended is not found again."""
    replayed = replay(read_trace(path))

    assert replayed.verdict != CANNOT, replayed.sentence
    assert replayed.result.failure is None, replayed.sentence
