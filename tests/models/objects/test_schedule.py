"""Schedules read as the cron library of Kubernetes reads them."""

from __future__ import annotations

import pytest

from chaoskube.models.objects.schedule import parse_schedule, schedule_error
from chaoskube.sim import SECOND


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("every day", "expected exactly 5 fields, found 2: [every day]"),
        ("", "empty spec string"),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_a_wrong_schedule_is_refused_in_the_librarys_words(text: str, problem: str) -> None:
    """github.com/robfig/cron/v3/parser.go; the first is recorded."""
    assert schedule_error(text) == problem


def test_fields_are_ranges_lists_steps_and_names() -> None:
    """All forms at once."""
    found = parse_schedule("*/15 8-18/2 1,15 JAN-mar,dec sun")

    assert schedule_error("*/15 8-18/2 1,15 JAN-mar,dec sun") is None
    assert found.minutes == (0, 15, 30, 45) and found.hours == (8, 10, 12, 14, 16, 18)
    assert (found.days, found.months, found.weekdays) == ((1, 15), (1, 2, 3, 12), (0,))
    assert not found.any_day and not found.any_weekday


def test_a_number_with_a_step_runs_to_the_end() -> None:
    """`10/20` is 10-59/20."""
    assert parse_schedule("10/20 * * * *").minutes == (10, 30, 50)


def test_descriptors_stand_for_fields_or_a_distance() -> None:
    """@yearly, @every."""
    assert parse_schedule("@yearly") == parse_schedule("0 0 1 1 *")
    assert parse_schedule("@hourly").any_day and parse_schedule("@hourly").minutes == (0,)
    assert parse_schedule("@every 1h30m").every_ns == 5400 * SECOND
    assert parse_schedule("@every 1.5s").every_ns == SECOND
    assert parse_schedule("@every 10ms").every_ns == SECOND
