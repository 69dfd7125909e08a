"""Times of the API as text: RFC 3339 outside, Unix nanoseconds inside.

Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/{time,micro_time}.go. The calendar is computed, no clock is read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from chaoskube.sim import SECOND, UsageError

_MICROSECOND = SECOND // 1_000_000
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))",
)


@lru_cache(maxsize=8192)
def time_text(when_ns: int) -> str:
    """2026-01-01T00:00:00Z: metav1.Time, cut to whole seconds."""
    return datetime.fromtimestamp(when_ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=8192)
def micro_time_text(when_ns: int) -> str:
    """2026-01-01T00:00:00.000000Z: metav1.MicroTime, cut to whole microseconds."""
    seconds, rest = divmod(when_ns, SECOND)
    return f"{time_text(seconds * SECOND)[:-1]}.{rest // _MICROSECOND:06d}Z"


@lru_cache(maxsize=8192)
def parse_time(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 time, with its fraction."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise UsageError(f"time {text!r} must be written as in RFC 3339, such as 2026-01-01T00:00:00Z")
    day, clock, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}+00:00")
    except ValueError as error:
        raise UsageError(f"time {text!r} is on no calendar: {error}") from error
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _ONE_SECOND
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * SECOND + int(((fraction or "") + "000000000")[:9])


def second(when_ns: int) -> int:
    """`when_ns` as metav1.Time keeps it: cut to whole seconds."""
    return when_ns - when_ns % SECOND


def microsecond(when_ns: int) -> int:
    """`when_ns` as metav1.MicroTime keeps it: cut to whole microseconds."""
    return when_ns - when_ns % _MICROSECOND


_ONE_SECOND = datetime(1970, 1, 1, 0, 0, 1) - datetime(1970, 1, 1)
