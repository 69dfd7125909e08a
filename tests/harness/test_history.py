"""An operation is checked at birth."""

from __future__ import annotations

import pytest

from chaoskube.history import Operation
from chaoskube.sequential import Done, Write
from chaoskube.sim import UsageError


def test_an_answer_after_the_call_is_kept() -> None:
    operation = Operation(client="0", input=Write(value=1), output=Done.OK, call=3, returned=3)

    assert operation.is_answered
    assert operation.unanswered() == Operation(client="0", input=Write(value=1), call=3)


def test_an_answer_before_the_call_is_refused() -> None:
    with pytest.raises(UsageError, match="client 0 at 3: returned=2 lies before its call"):
        Operation(client="0", input=Write(value=1), output=Done.OK, call=3, returned=2)


def test_an_answer_without_a_time_is_refused() -> None:
    with pytest.raises(UsageError, match="has both, or neither"):
        Operation(client="0", input=Write(value=1), output=Done.OK, call=3)
    with pytest.raises(UsageError, match="has both, or neither"):
        Operation(client="0", input=Write(value=1), call=3, returned=4)
