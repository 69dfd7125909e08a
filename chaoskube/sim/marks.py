"""`reached("…")`: a rare branch was taken. The world that is alive counts; reports and tests ask.

Code that runs outside a world (a pure core under test) may reach marks too; they are then not counted.
"""

from __future__ import annotations

_counts: list[dict[str, int]] = []


def reached(mark: str) -> None:
    """Count `mark` in the world that is running now."""
    if _counts:
        counts = _counts[-1]
        counts[mark] = counts.get(mark, 0) + 1


def start_counting() -> dict[str, int]:
    """Begin a count (the world does); returns the dictionary that `reached` fills."""
    counts: dict[str, int] = {}
    _counts.append(counts)
    return counts


def stop_counting(counts: dict[str, int]) -> None:
    """End a count begun by `start_counting`."""
    _counts[:] = [other for other in _counts if other is not counts]
