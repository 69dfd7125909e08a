"""Schedules of CronJobs: `*/5 * * * *`, `@daily`, `@every 1h30m`.

Source: github.com/robfig/cron/v3/parser.go, as Kubernetes uses it (five fields, and descriptors). Called by validation,
and by whoever asks when a schedule is next due.

Not modelled: a time zone in the schedule itself, which Kubernetes refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from attrs import frozen

from chaoskube.sim import SECOND, UsageError


@frozen(kw_only=True)
class Schedule:
    """The minutes, hours, days, months and weekdays that match, or a fixed distance.

    A day matches when both the day of the month and the weekday do; if neither is `*`, one of them is enough.
    """

    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    any_day: bool = False
    any_weekday: bool = False
    every_ns: int = 0


@frozen(kw_only=True)
class _Bounds:
    lowest: int
    highest: int
    names: Mapping[str, int]


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final = (
    _Bounds(lowest=0, highest=59, names={}),
    _Bounds(lowest=0, highest=23, names={}),
    _Bounds(lowest=1, highest=31, names={}),
    _Bounds(lowest=1, highest=12, names={name: at + 1 for at, name in enumerate(_MONTHS)}),
    _Bounds(lowest=0, highest=6, names={name: at for at, name in enumerate(_WEEKDAYS)}),
)
_DESCRIPTORS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_UNITS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": SECOND // 1_000_000,
    "ms": SECOND // 1000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d*)?(?:ns|us|ms|s|m|h))+")
_PART: Final = re.compile(r"(\d+)(?:\.(\d*))?(ns|us|ms|s|m|h)")


def schedule_error(text: str) -> str | None:
    """What is wrong with a schedule, in the parser's words; None when nothing is."""
    try:
        parse_schedule(text)
    except UsageError as error:
        return str(error)
    return None


@lru_cache(maxsize=256)
def parse_schedule(text: str) -> Schedule:
    """The schedule; a UsageError has the message of the real parser."""
    if not text:
        raise UsageError("empty spec string")
    if text.startswith("@"):
        if text.startswith("@every "):
            return Schedule(every_ns=_every(text))
        if text not in _DESCRIPTORS:
            raise UsageError(f"unrecognized descriptor: {text}")
        text = _DESCRIPTORS[text]
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise UsageError(f"expected exactly {len(_FIELDS)} fields, found {len(parts)}: [{' '.join(parts)}]")
    fields = [_field(part, bounds) for part, bounds in zip(parts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (values for values, _ in fields)
    return Schedule(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        any_day=fields[2][1],
        any_weekday=fields[4][1],
    )


def _field(text: str, bounds: _Bounds) -> tuple[tuple[int, ...], bool]:
    """The values of a field, and whether it has a star."""
    found: list[int] = []
    star = False
    for part in text.split(","):
        if part:
            values, is_star = _range(part, bounds)
            found.extend(values)
            star = star or is_star
    return tuple(sorted(set(found))), star


def _range(text: str, bounds: _Bounds) -> tuple[range, bool]:
    span, *steps = text.split("/")
    low, *high = span.split("-")
    is_star = low in ("*", "?")
    if is_star:
        start, end = bounds.lowest, bounds.highest
    else:
        start = _number(low, bounds.names)
        if len(high) > 1:
            raise UsageError(f"too many hyphens: {text}")
        end = _number(high[0], bounds.names) if high else start
    if len(steps) > 1:
        raise UsageError(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    if steps and not high:
        end = bounds.highest
    _check_range(start, end, step, bounds, text)
    return range(start, end + 1, step), is_star and step == 1


def _check_range(start: int, end: int, step: int, bounds: _Bounds, text: str) -> None:
    if start < bounds.lowest:
        raise UsageError(f"beginning of range ({start}) below minimum ({bounds.lowest}): {text}")
    if end > bounds.highest:
        raise UsageError(f"end of range ({end}) above maximum ({bounds.highest}): {text}")
    if start > end:
        raise UsageError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise UsageError(f"step of range should be a positive number: {text}")


def _number(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    if not re.fullmatch("[+-]?[0-9]+", text):
        raise UsageError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if number < 0:
        raise UsageError(f"negative number ({number}) not allowed: {text}")
    return number


def _every(text: str) -> int:
    duration = text.removeprefix("@every ")
    if not _DURATION.fullmatch(duration):
        raise UsageError(f'failed to parse duration {text}: time: invalid duration "{duration}"')
    total = 0
    for whole, fraction, unit in _PART.findall(duration):
        total += int(whole) * _UNITS[unit]
        if fraction:
            total += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
    return max(total // SECOND, 1) * SECOND  # cron.Every: whole seconds, at least one
