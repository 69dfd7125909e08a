"""A history drawn as lanes: one lane a client, time to the right.

    client 0  |- write 1 -|
    client 1               |- write 2 -|
    client 2                            |- read 1 -|

Columns show the order of calls and answers, not the time between them: what begins to the right of another's end was
called after it was answered, what overlaps was under way at once. An arrow instead of an end: no answer came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chaoskube.history import Operation
from chaoskube.sequential import Model
from chaoskube.sim import UsageError

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")

WIDTH = 100
LABEL_WIDTH_MAX = 40


def lanes(
    model: Model[State, Input, Output],
    operations: Sequence[Operation[Input, Output]],
    *,
    width: int = WIDTH,
) -> str:
    """The drawing, in panels below each other where it is wider than `width`."""
    names = {one.client: f"client {one.client}" for one in sorted(operations, key=_by_call)}
    margin = max((len(name) for name in names.values()), default=0) + 2
    if width < margin + LABEL_WIDTH_MAX:
        raise UsageError(
            f"width={width} is too narrow for lanes; these clients need {margin + LABEL_WIDTH_MAX}"
        )
    labels = [_short(model.describe(one.input, one.output)) for one in operations]
    columns, end = _columns(operations, labels)
    rows = {client: [" "] * end for client in names}
    for operation, label, (start, stop) in zip(operations, labels, columns, strict=True):
        bar = f"|- {label} ".ljust(stop - start, "-") + ("|" if operation.is_answered else ">")
        rows[operation.client][start : stop + 1] = bar
    covered = {column for start, stop in columns for column in range(start, stop + 1)}
    gaps = [column for column in range(end) if column not in covered]
    return "\n\n".join(_panels(names, rows, gaps, margin, width - margin))


def _columns(
    operations: Sequence[Operation[Input, Output]], labels: Sequence[str]
) -> tuple[list[tuple[int, int]], int]:
    """Where each operation begins and ends, and the width of all: each call or answer gets columns of its own."""
    events = [(one.call, 0, place) for place, one in enumerate(operations)]
    events += [(one.returned, 1, place) for place, one in enumerate(operations) if one.returned is not None]
    starts: dict[int, int] = {}
    stops: dict[int, int] = {}
    column = 0
    for _, is_end, place in sorted(events):
        if is_end:
            column = max(column, starts[place] + len(labels[place]) + 5)
            stops[place] = column
        else:
            starts[place] = column
        column += 2
    for place, start in starts.items():
        if place not in stops:
            column = max(column, start + len(labels[place]) + 7)
    last = max([column - 1, *stops.values()])
    return [(starts[place], stops.get(place, last)) for place in range(len(operations))], last + 1


def _panels(
    names: dict[str, str], rows: dict[str, list[str]], gaps: Sequence[int], margin: int, width: int
) -> list[str]:
    """The rows cut into pieces that fit, between operations where that is possible, without empty lanes."""
    panels = []
    end = max(map(len, rows.values()), default=0)
    start = 0
    while start < end:
        stop = start + width
        if stop < end:
            stop = max((gap for gap in gaps if start < gap <= stop), default=stop)
        pieces = {client: "".join(row[start:stop]) for client, row in rows.items()}
        lines = [
            f"{names[client].ljust(margin)}{piece}".rstrip()
            for client, piece in pieces.items()
            if piece.strip()
        ]
        panels.append("\n".join(lines))
        start = stop + (stop in gaps)
    return panels


def _short(label: str) -> str:
    """The label, without its middle where it is long."""
    if len(label) <= LABEL_WIDTH_MAX:
        return label
    half = (LABEL_WIDTH_MAX - 3) // 2
    return f"{label[:half]}...{label[-half:]}"


def _by_call(operation: Operation[Input, Output]) -> int:
    return operation.call
