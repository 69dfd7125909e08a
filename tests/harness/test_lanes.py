"""Histories drawn in a terminal."""

from __future__ import annotations

import pytest

from chaoskube.history import Operation
from chaoskube.lanes import lanes
from chaoskube.sequential import Answer, Append, Done, Got, Read, Register, RegisterInput, Strings, Write
from chaoskube.sim import UsageError


def write(client: int, value: int, call: int, returned: int | None) -> Operation[RegisterInput, Answer]:
    output = Done.OK if returned is not None else None
    return Operation(
        client=f"{client}", input=Write(value=value), output=output, call=call, returned=returned
    )


def test_what_overlaps_was_under_way_at_once_and_an_arrow_means_no_answer() -> None:
    read = Operation(client="3", input=Read(), output=Got(value=2), call=11, returned=15)
    drawn = lanes(Register(), [write(0, 1, 0, 10), write(1, 2, 2, 5), write(2, 3, 7, None), read])

    assert drawn.splitlines() == [
        "client 0  |- write 1 -------|",
        "client 1    |- write 2 -|",
        "client 2                  |- write 3 ? --->",
        "client 3                      |- read 2 -|",
    ]


def test_a_wide_history_goes_on_in_a_second_panel_between_operations() -> None:
    """With the lanes that it needs."""
    drawn = lanes(
        Register(), [write(0, 1, 0, 1), write(1, 2, 2, 3), write(2, 3, 4, 5), write(2, 4, 6, 7)], width=52
    )

    assert drawn.splitlines() == [
        "client 0  |- write 1 -|",
        "client 1                |- write 2 -|",
        "client 2                              |- write 3 -|",
        "",
        "client 2  |- write 4 -|",
    ]


def test_a_long_value_loses_its_middle() -> None:
    append = Operation(client="0", input=Append(value="x" * 99), output=Done.OK, call=0, returned=1)

    assert lanes(Strings(), [append]) == 'client 0  |- append "xxxxxxxxxx...xxxxxxxxxxxxxxxxx" -|'


def test_an_empty_history_is_an_empty_drawing() -> None:
    assert lanes(Register(), []) == ""


def test_a_width_without_room_for_an_operation_is_refused() -> None:
    with pytest.raises(UsageError, match="width=20 is too narrow for lanes; these clients need 50"):
        lanes(Register(), [write(0, 1, 0, 1)], width=20)
