"""What the models allow, and how they name it."""

from __future__ import annotations

import pytest

from chaoskube.sequential import (
    Acquire,
    Add,
    Append,
    CompareAndSet,
    Done,
    Elements,
    Got,
    Lock,
    Read,
    Register,
    Release,
    Strings,
    Write,
)


def test_a_register_compares_before_it_sets() -> None:
    swap = CompareAndSet(expected=1, value=2)

    assert Register().step(1, swap, Done.OK) == (True, 2)
    assert Register().step(1, swap, Done.FAILED) == (False, 2)
    assert Register().step(3, swap, Done.OK) == (False, 3)
    assert Register().step(3, swap, Done.FAILED) == (True, 3)
    assert Register().step(3, swap, None) == (True, 3)


def test_only_what_changes_no_state_at_all_is_a_read() -> None:
    """An unanswered compare-and-set that would do nothing now may do something later: taking it now is unsound."""
    swap = CompareAndSet(expected=1, value=2)

    assert Register().is_read(swap, Done.FAILED)
    assert not Register().is_read(swap, None)
    assert not Register().is_read(swap, Done.OK)
    assert Register().is_read(Read(), None)


def test_strings_grow_and_are_replaced() -> None:
    assert Strings().step("a", Append(value="b"), Done.OK) == (True, "ab")
    assert Strings().step("a", Write(value="b"), Done.OK) == (True, "b")
    assert Strings().step("a", Read(), Got(value="b")) == (False, "a")


def test_a_set_keeps_what_was_added() -> None:
    assert Elements().step(frozenset("a"), Add(element="b"), Done.OK) == (True, frozenset("ab"))
    assert Elements().step(frozenset("a"), Read(), Got(value=frozenset("a"))) == (True, frozenset("a"))


def test_a_lock_is_held_once() -> None:
    assert Lock().step(False, Acquire(), Done.OK) == (True, True)
    assert Lock().step(True, Acquire(), Done.OK) == (False, True)
    assert Lock().step(True, Acquire(), Done.FAILED) == (True, True)
    assert Lock().step(True, Release(), Done.OK) == (True, False)
    assert Lock().step(False, Release(), Done.OK) == (False, False)
    assert Lock().step(True, Acquire(), None) == (True, True)


@pytest.mark.parametrize(
    ("words", "described"),
    [
        ("write k 1", Register().describe(Write(key="k", value=1), Done.OK)),
        ("write 1 ?", Register().describe(Write(value=1), None)),
        ("read nil", Register().describe(Read(), Got(value=None))),
        ("read ?", Register().describe(Read(), None)),
        ("cas 1->2 failed", Register().describe(CompareAndSet(expected=1, value=2), Done.FAILED)),
        ('append k "b"', Strings().describe(Append(key="k", value="b"), Done.OK)),
        ('read "ab"', Strings().describe(Read(), Got(value="ab"))),
        ("add b", Elements().describe(Add(element="b"), Done.OK)),
        ("read {a, b}", Elements().describe(Read(), Got(value=frozenset("ba")))),
        ("acquire failed", Lock().describe(Acquire(), Done.FAILED)),
        ("release door", Lock().describe(Release(name="door"), Done.OK)),
    ],
)
def test_operations_are_told_in_few_words(words: str, described: str) -> None:
    assert described == words
