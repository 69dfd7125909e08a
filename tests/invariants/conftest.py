"""A world of its own for each test of an invariant about clusters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.sim import World


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which nothing happens by itself."""
    with World() as made:
        yield made
