"""Quantities are exact and written as Kubernetes writes them."""

from __future__ import annotations

import pytest

from chaoskube.models.objects import Quantity
from chaoskube.sim import UsageError


@pytest.mark.parametrize(
    ("raw", "milli", "value", "canonical"),
    [
        ("100m", 100, 1, "100m"),
        ("1000m", 1000, 1, "1"),
        ("0.5", 500, 1, "500m"),
        (0.5, 500, 1, "500m"),
        (2, 2000, 2, "2"),
        ("1Gi", 1024**3 * 1000, 1024**3, "1Gi"),
        ("1024Mi", 1024**3 * 1000, 1024**3, "1Gi"),
        ("1.5Gi", 1536 * 1024**2 * 1000, 1536 * 1024**2, "1536Mi"),
        ("0.5Ki", 512_000, 512, "512"),
        ("1e3", 1_000_000, 1000, "1e3"),
        ("12E6", 12_000_000_000, 12_000_000, "12e6"),
        ("100k", 100_000_000, 100_000, "100k"),
        ("1500k", 1_500_000_000, 1_500_000, "1500k"),
        ("2000k", 2_000_000_000, 2_000_000, "2M"),
        ("0", 0, 0, "0"),
        ("0m", 0, 0, "0"),
        ("-1", -1000, -1, "-1"),
        ("1n", 1, 1, "1n"),
        (".5", 500, 1, "500m"),
        ("5.", 5000, 5, "5"),
        ("+2", 2000, 2, "2"),
    ],
)
def test_quantities_are_exact(raw: str | float, milli: int, value: int, canonical: str) -> None:
    """resource/quantity.go: parse, round up, canonical form."""
    quantity = Quantity(raw)

    assert (quantity.milli, quantity.value, quantity.canonical()) == (milli, value, canonical)


@pytest.mark.parametrize("text", ["", "lots", "1 Gi", "1gi", "1.2.3", "--1", "1ee3", "m"])
def test_other_texts_are_refused(text: str) -> None:
    """With the form that is wanted."""
    with pytest.raises(UsageError, match="500m or 2Gi"):
        Quantity(text)
