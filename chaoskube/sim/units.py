"""Whole nanoseconds inside, seconds at the edges. All times are virtual unless said otherwise."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from .errors import UsageError

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

_PARTS = {"ns": 1, "us": MICROSECOND, "ms": MILLISECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_TEXT = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)")


def seconds(value: float | str) -> int:
    """Nanoseconds from seconds: a number, or a duration as Go writes it (`2.5s`, `1m30s`, `40ms`).

    Raises UsageError for anything else.
    """
    if isinstance(value, str):
        return _from_text(value)
    return int(Decimal(str(value)) * SECOND)


def _from_text(text: str) -> int:
    stripped = text.strip()
    if _TEXT.fullmatch(stripped):
        return int(sum(Decimal(number) * _PARTS[unit] for number, unit in _PIECE.findall(stripped)))
    try:
        number = Decimal(stripped)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise UsageError(f"{text!r} is not a duration; write it like 500ms, 2.5s or 1m30s")
    return int(number * SECOND)


def show(duration_ns: int) -> str:
    """A duration as a person writes it, exactly: `2.5s`, `40ms`, `1.250001s`."""
    for unit, size in (("s", SECOND), ("ms", MILLISECOND), ("us", MICROSECOND)):
        if abs(duration_ns) >= size:
            return f"{_plain(Decimal(duration_ns) / size)}{unit}"
    return "0s" if duration_ns == 0 else f"{duration_ns}ns"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
