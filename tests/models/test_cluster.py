"""How large a cluster can be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chaoskube.models.cluster import SIZES, Shape
from chaoskube.sim import UsageError


@pytest.mark.parametrize("name", SIZES)
def test_each_size_has_its_bounds(name: str) -> None:
    """More nodes than addresses, or no etcd at all, would only end somewhere inside."""
    least, most = SIZES[name]
    for good in (least, most):
        sizes: dict[str, Any] = {name: good}
        assert getattr(Shape(**sizes), name) == good
    for bad in (least - 1, most + 1):
        sizes = {name: bad}
        with pytest.raises(UsageError, match=f"shape: {name}={bad} must be from {least} to {most}"):
            Shape(**sizes)


@pytest.mark.parametrize("name", ["cpu", "memory"])
def test_what_a_node_has_is_a_quantity(name: str) -> None:
    sizes: dict[str, Any] = {name: "much"}
    with pytest.raises(UsageError, match=re.escape(f"shape: {name}: quantity 'much' must match")):
        Shape(**sizes)
