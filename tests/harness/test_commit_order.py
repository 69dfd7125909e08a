"""Where the commit order is known, a history is judged in one sweep, and as by looking at every pair."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.commit_order import CommitOrder, Placed, check_commit_order
from chaoskube.history import Operation
from chaoskube.sequential import Answer, Done, Got, Read, Register, RegisterInput, Write
from chaoskube.sim import UsageError

PlacedOperation = Placed[RegisterInput, Answer]
LOG = [Write(value=1), Write(value=2), Write(key="other", value=3), Write(value=4)]


def write(position: int, *, call: int, returned: int | None, value: int | None = None) -> PlacedOperation:
    """The client of an entry of LOG, or of what it says that it wrote."""
    input = LOG[position - 1] if value is None else Write(value=value)
    output = Done.OK if returned is not None else None
    operation = Operation(client="w", input=input, output=output, call=call, returned=returned)
    return Placed(operation=operation, position=position, is_write=True)


def read(position: int, seen: int | None, *, call: int, returned: int) -> PlacedOperation:
    operation = Operation(client="r", input=Read(), output=Got(value=seen), call=call, returned=returned)
    return Placed(operation=operation, position=position, is_write=False)


def rules(*placed: PlacedOperation) -> list[str]:
    return [one.rule for one in check_commit_order(Register(), LOG, placed)]


def test_writes_at_their_places_and_reads_of_what_was_there_are_right() -> None:
    """Two reads at once may stand in either order; an entry of another key changes nothing."""
    assert (
        rules(
            write(1, call=0, returned=5),
            write(2, call=1, returned=9),
            read(1, 1, call=6, returned=8),
            read(2, 2, call=6, returned=7),
            read(3, 2, call=10, returned=12),
            write(3, call=2, returned=None),
            write(4, call=11, returned=13),
        )
        == []
    )


def test_a_read_of_another_state_has_a_wrong_answer() -> None:
    (found,) = check_commit_order(Register(), LOG, [read(2, 1, call=6, returned=8)])

    assert found.rule == "wrong-answer"
    assert found.message == "client r, read 1 at position 2: the state there was 2"


def test_a_read_of_entries_that_do_not_exist_has_a_wrong_answer() -> None:
    assert rules(read(5, 4, call=0, returned=1)) == ["wrong-answer"]


def test_an_acknowledged_write_that_is_not_in_the_log_is_lost() -> None:
    """The worst that a store can do."""
    assert rules(write(4, call=0, returned=1, value=9)) == ["lost-write"]
    assert rules(write(5, call=0, returned=1, value=9)) == ["lost-write"]


def test_two_writes_at_one_position_are_told() -> None:
    assert rules(write(4, call=0, returned=1), write(4, call=0, returned=1)) == ["shared-position"]


def test_a_stale_read_breaks_the_order_of_real_time() -> None:
    """It began after the write was acknowledged, and saw what was before."""
    (found,) = check_commit_order(
        Register(), LOG, [write(2, call=0, returned=3), read(1, 1, call=4, returned=5)]
    )

    assert found.rule == "real-time-order"
    assert found.message.endswith("it was called at 4, when position 2 had been answered already")


def test_a_write_may_not_stand_behind_what_was_seen_before_its_call() -> None:
    """Without its own answer, too: somebody saw it before it was asked for."""
    assert rules(read(2, 2, call=0, returned=1), write(2, call=2, returned=3)) == ["real-time-order"]
    assert rules(read(2, 2, call=0, returned=1), write(2, call=2, returned=None)) == ["real-time-order"]


def test_what_touches_at_one_instant_is_concurrent() -> None:
    assert rules(write(2, call=0, returned=3), read(1, 1, call=3, returned=5)) == []


def test_an_operation_whose_place_nobody_knows_promises_nothing() -> None:
    operation = Operation[RegisterInput, Answer](client="w", input=Write(value=9), call=0)

    assert rules(Placed(operation=operation, position=None, is_write=True)) == []


def test_answers_come_in_order() -> None:
    order = CommitOrder(Register())
    order.commit(LOG[0])
    order.judge(read(1, 1, call=0, returned=9))

    with pytest.raises(UsageError, match="returned=8 comes after 9"):
        order.judge(read(1, 1, call=0, returned=8))


def test_an_invariant_can_ask_as_the_run_goes_on() -> None:
    order = CommitOrder(Register())
    assert order.commit(LOG[0]) == 1
    assert order.judge(write(1, call=0, returned=2)) is None
    assert order.commit(LOG[1]) == 2

    found = order.judge(read(0, None, call=3, returned=4))

    assert found is not None and found.rule == "real-time-order"
    assert order.position == 2


TIMES = st.tuples(st.integers(0, 12), st.integers(0, 4))


@given(
    st.permutations(range(1, 5)),
    st.lists(TIMES, min_size=8, max_size=8),
    st.lists(st.integers(0, 4), max_size=4),
)
def test_the_sweep_finds_what_looking_at_every_pair_finds(
    writes: list[int], times: list[tuple[int, int]], reads: list[int]
) -> None:
    """Right answers at every place: then the history is linearizable exactly if real time agrees with the places."""
    states = [None, 1, 2, 2, 4]
    placed = [
        write(one, call=call, returned=call + more) for one, (call, more) in zip(writes, times, strict=False)
    ]
    placed += [
        read(one, states[one], call=call, returned=call + more)
        for one, (call, more) in zip(reads, times[4:], strict=False)
    ]
    backwards = any(
        a.operation.returned is not None
        and a.operation.returned < b.operation.call
        and (a.position or 0) + b.is_write > (b.position or 0)
        for a in placed
        for b in placed
    )

    assert (rules(*placed) != []) == backwards


def test_positions_count_up() -> None:
    order = CommitOrder(Register())
    positions = [order.commit(one) for one in LOG]

    assert all(later == earlier + 1 for earlier, later in pairwise(positions))
