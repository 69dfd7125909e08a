"""The verdicts of the search are those of trying every order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.history import Operation
from chaoskube.linearizability import (
    Check,
    Result,
    Verdict,
    check_linearizability,
    draw_contradiction,
    smallest_contradiction,
)
from chaoskube.sequential import (
    Acquire,
    Add,
    Answer,
    Append,
    CompareAndSet,
    Done,
    Elements,
    Got,
    Lock,
    Model,
    Read,
    Register,
    RegisterInput,
    Release,
    StringInput,
    Strings,
    Write,
)
from chaoskube.sim import UsageError

from .naive import is_linearizable, is_linearization

State = TypeVar("State")
Input = TypeVar("Input")
Output = TypeVar("Output")
RegisterOperation = Operation[RegisterInput, Answer]

VALUES = st.integers(1, 2)
SEEN = st.none() | VALUES
DONE = st.sampled_from(Done)


def operations(
    kinds: st.SearchStrategy[tuple[Input, Output]], size: int = 7
) -> st.SearchStrategy[list[Operation[Input, Output]]]:
    """Small histories with random times; one operation in three has no answer."""

    def made(drawn: tuple[tuple[Input, Output], int, int | None]) -> Operation[Input, Output]:
        (input, output), call, lasting = drawn
        if lasting is None:
            return Operation(client="a", input=input, call=call)
        return Operation(client="a", input=input, output=output, call=call, returned=call + lasting)

    times = st.integers(0, 8)
    lasting = st.integers(0, 4) | st.integers(0, 4) | st.none()
    return st.lists(st.tuples(kinds, times, lasting).map(made), max_size=size)


def registers(keys: str = "k") -> st.SearchStrategy[tuple[RegisterInput, Answer]]:
    key = st.sampled_from(keys)
    return st.one_of(
        st.tuples(st.builds(Read, key=key), st.builds(Got, value=SEEN)),
        st.tuples(st.builds(Write, key=key, value=VALUES), st.just(Done.OK)),
        st.tuples(st.builds(CompareAndSet, key=key, expected=VALUES, value=VALUES), DONE),
    )


STRINGS = st.one_of(
    st.tuples(st.just(Read()), st.builds(Got, value=st.sampled_from(["", "a", "b", "ab", "ba", "aba"]))),
    st.tuples(st.builds(Append, value=st.sampled_from("ab")), st.just(Done.OK)),
    st.tuples(st.builds(Write, value=st.sampled_from("ab")), st.just(Done.OK)),
)
ELEMENTS = st.one_of(
    st.tuples(st.just(Read()), st.builds(Got, value=st.frozensets(st.sampled_from("ab")))),
    st.tuples(st.builds(Add, element=st.sampled_from("ab")), st.just(Done.OK)),
)
LOCKS = st.tuples(st.sampled_from([Acquire(), Release()]), DONE)


def agree(model: Model[State, Input, Output], history: Sequence[Operation[Input, Output]]) -> None:
    """Verdict and evidence are right."""
    result = check_linearizability(model, history)

    assert result.verdict is not Verdict.UNKNOWN
    assert (result.verdict is Verdict.LINEARIZABLE) == is_linearizable(model, history)
    if result.verdict is Verdict.LINEARIZABLE:
        taken = [one for order in result.orders for one in order]
        assert all(is_linearization(model, order) for order in result.orders)
        assert {id(one) for one in history if one.is_answered} <= {id(one) for one in taken}
        assert len({id(one) for one in taken}) == len(taken)
    else:
        assert not is_linearizable(model, result.refuted)


@given(operations(registers()))
def test_a_register_is_judged_as_by_trying_every_order(history: list[RegisterOperation]) -> None:
    """Unanswered compare-and-sets are where unsound pruning shows."""
    agree(Register(), history)


@given(operations(registers("kl")))
def test_keys_are_judged_apart(history: list[RegisterOperation]) -> None:
    agree(Register(), history)


@given(operations(STRINGS))
def test_strings_are_judged_as_by_trying_every_order(
    history: list[Operation[Read | Append | Write, Answer]],
) -> None:
    agree(Strings(), history)


@given(operations(ELEMENTS))
def test_a_set_is_judged_as_by_trying_every_order(history: list[Operation[Read | Add, Answer]]) -> None:
    agree(Elements(), history)


@given(operations(LOCKS))
def test_a_lock_is_judged_as_by_trying_every_order(
    history: list[Operation[Acquire | Release, Done]],
) -> None:
    agree(Lock(), history)


def simulated(size: int = 15) -> st.SearchStrategy[list[RegisterOperation]]:
    """What clients of a correct register see: each call takes effect at one instant between its ends, or is lost."""
    around = st.integers(0, 40)
    fate = st.sampled_from(["answered", "answered", "answered", "done", "lost"])
    return st.lists(st.tuples(registers(), around, around, fate), min_size=1, max_size=size).map(_seen)


def _seen(calls: list[tuple[tuple[RegisterInput, Answer], int, int, str]]) -> list[RegisterOperation]:
    """The clients' view, if the calls take effect in this order."""
    state: Hashable = None
    history: list[RegisterOperation] = []
    for place, ((input, _), before, after, fate) in enumerate(calls):
        instant = 10 * place
        output: Answer = Done.OK
        if isinstance(input, Read):
            output = Got(value=state)
        elif isinstance(input, CompareAndSet) and input.expected != state:
            output = Done.FAILED
        if fate == "answered":
            history.append(_operation(f"{place}", input, output, instant - before, instant + after))
        else:
            history.append(Operation(client=f"{place}", input=input, call=instant - before))
        if fate != "lost":
            _, state = Register().step(state, input, None)
    return history


@given(simulated())
def test_what_a_correct_register_answers_is_accepted(history: list[RegisterOperation]) -> None:
    """An alarm without a cause would send somebody on a search for nothing."""
    assert check_linearizability(Register(), history).verdict is Verdict.LINEARIZABLE


@given(simulated(size=7), st.data())
def test_a_stale_read_is_refused_exactly_where_no_order_explains_it(
    history: list[RegisterOperation], data: st.DataObject
) -> None:
    reads = [place for place, one in enumerate(history) if isinstance(one.output, Got)]
    if reads:
        place = data.draw(st.sampled_from(reads))
        old = history[place]
        assert old.returned is not None
        seen = Got(value=data.draw(SEEN))
        history[place] = _operation(old.client, old.input, seen, old.call, old.returned)

    agree(Register(), history)


@given(operations(registers()))
def test_a_contradiction_holds_whatever_became_of_the_others(history: list[RegisterOperation]) -> None:
    """What is shown must be true by itself: no read is blamed because its write was left out."""
    result = check_linearizability(Register(), history)
    if result.verdict is not Verdict.NOT_LINEARIZABLE:
        return
    found = smallest_contradiction(Register(), result.refuted)
    kept = list(found.operations)
    open_ended = list(found.open_ended)

    assert not is_linearizable(Register(), kept + open_ended)
    assert all(any(one == given for given in history) for one in kept)
    assert not any(one.is_answered for one in open_ended)
    if found.is_minimal:
        for one in kept:
            less = [other for other in kept if other is not one]
            assert is_linearizable(Register(), [*less, one.unanswered(), *open_ended])


def test_a_contradiction_is_drawn_with_what_it_claims() -> None:
    result = check_linearizability(Register(), _stale())
    contradiction = smallest_contradiction(Register(), result.refuted)

    assert contradiction.is_minimal
    assert draw_contradiction(Register(), contradiction).splitlines() == [
        "These 3 operations contradict each other, whenever the 1 other called by then took effect, if at all:",
        "",
        "client 0  |- write 1 -|",
        "client 1                |- write 2 -|",
        "client 2                              |- read 1 -|",
    ]


def test_a_read_of_what_nobody_wrote_contradicts_alone() -> None:
    read = Operation(client="0", input=Read(), output=Got(value=7), call=0, returned=1)
    contradiction = smallest_contradiction(Register(), [read, *_stale()])

    assert contradiction.operations == (read,)
    assert draw_contradiction(Register(), contradiction).startswith("This operation contradicts the model, ")


def test_there_is_nothing_to_blame_in_a_good_history() -> None:
    with pytest.raises(UsageError, match="nothing contradicts itself in these 1 operations"):
        smallest_contradiction(Register(), _stale()[:1])


def test_a_lost_write_that_was_used_too_early_is_free_on_another_path() -> None:
    """Skipping what used MORE of the lost operations is sound; skipping what used fewer is not."""
    lost: list[RegisterOperation] = [
        Operation(client=f"{one}", input=Write(value=one), call=3 + one) for one in (1, 2)
    ]
    seen = [
        _operation("r", Read(), Got(value=1), 4, 6),
        _operation("c", CompareAndSet(expected=2, value=1), Done.OK, 7, 7),
    ]

    assert check_linearizability(Register(), [*lost, *seen]).verdict is Verdict.LINEARIZABLE


def test_lost_operations_are_not_tried_in_every_order() -> None:
    """Of lost operations that are the same, the first called may as well be the first: not 2**16 sets of them."""
    lost: list[Operation[StringInput, Answer]] = [
        Operation(client=f"{one}", input=Append(value="a"), call=one) for one in range(16)
    ]
    read: Operation[StringInput, Answer] = Operation(
        client="r", input=Read(), output=Got(value="a" * 17), call=20, returned=21
    )
    result = check_linearizability(Strings(), [*lost, read], steps_max=10_000)

    assert result.verdict is Verdict.NOT_LINEARIZABLE
    assert result.steps < 100


def test_a_refuted_key_is_found_beside_keys_that_take_forever() -> None:
    """Porcupine's c50-bad: whoever finishes one key before beginning the next does not come back."""
    read = _operation("x", Read(key="easy"), Got(value=1), 0, 1)
    result = check_linearizability(Register(), [*_hard(), read])

    assert result.verdict is Verdict.NOT_LINEARIZABLE
    assert result.refuted == (read,)
    assert result.steps < 5_000


@pytest.mark.parametrize(
    ("bound", "checked"),
    [
        ("3000 steps", lambda history: check_linearizability(Register(), history, steps_max=3_000)),
        ("500 cache entries", lambda history: check_linearizability(Register(), history, entries_max=500)),
    ],
)
def test_unknown_names_the_bound_that_was_hit(
    bound: str, checked: Callable[[list[RegisterOperation]], Result[RegisterInput, Answer]]
) -> None:
    """A third verdict, never a guess; the same on every machine."""
    first, second = checked(_hard()), checked(_hard())

    assert (first.verdict, first.bound) == (Verdict.UNKNOWN, bound)
    assert (first.steps, first.entries) == (second.steps, second.entries)


def test_a_check_can_be_carried_on_by_hand() -> None:
    checking = Check(Register(), _stale())
    assert checking.result().verdict is Verdict.UNKNOWN

    assert checking.take_turns() is Verdict.NOT_LINEARIZABLE
    assert checking.result().verdict is Verdict.NOT_LINEARIZABLE


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="steps_max=0 and entries_max=2000000 must both be at least 1"):
        check_linearizability(Register(), [], steps_max=0)


def test_no_operations_are_linearizable() -> None:
    assert check_linearizability(Register(), []).verdict is Verdict.LINEARIZABLE


def _operation(
    client: str, input: RegisterInput, output: Answer, call: int, returned: int
) -> RegisterOperation:
    return Operation(client=client, input=input, output=output, call=call, returned=returned)


def _stale() -> list[RegisterOperation]:
    """A read of a value that was overwritten before, beside a compare-and-set that has no part in it."""
    return [
        Operation(client="0", input=Write(value=1), output=Done.OK, call=0, returned=10),
        Operation(client="1", input=Write(value=2), output=Done.OK, call=20, returned=30),
        Operation(client="3", input=CompareAndSet(expected=2, value=3), call=25),
        Operation(client="2", input=Read(), output=Got(value=1), call=40, returned=50),
    ]


def _hard() -> list[RegisterOperation]:
    """Many writes at once, of which none is seen: every set of them has to be tried with every last one."""
    writes = [_operation(f"{one}", Write(key="hard", value=one), Done.OK, 0, 100) for one in range(14)]
    return [*writes, _operation("r", Read(key="hard"), Got(value=99), 101, 102)]
