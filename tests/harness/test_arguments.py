"""One declaration gives every form of an argument, and the forms agree."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.action import Action, actions, arguments_of, draw_action, fault, parse_action
from chaoskube.arguments import Argument, CannotApply, Choice, Duration, Flag, Group, Integer, Target, Word
from chaoskube.corpus import words
from chaoskube.discovery import load
from chaoskube.sim import SECOND, UsageError

ARGUMENTS: tuple[Argument[Any], ...] = (
    Target("node"),
    Group("node"),
    Group("node", or_none=True),
    Duration(SECOND // 10, 2 * SECOND, 60 * SECOND),
    Integer(-3, 9, 2),
    Integer(1, 5, 1),
    Choice(("lost", "torn", "kept")),
    Flag(),
    Word("image"),
)
NODES = ("node-1", "node-2", "node-3", "node-4")


def names(kind: str) -> tuple[str, ...]:
    """Four nodes and nothing else."""
    return NODES if kind == "node" else ()


@pytest.mark.parametrize("argument", ARGUMENTS, ids=repr)
@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_drawn_reads_back_and_fits(argument: Argument[Any], seed: int) -> None:
    """A trace says exactly what was drawn."""
    value = argument.draw(Random(seed), names)

    assert argument.parse(argument.text(value)) == value
    assert argument.check(value, names) is None


@pytest.mark.parametrize("argument", ARGUMENTS, ids=repr)
@settings(deadline=None)
@given(data=st.data())
def test_hypothesis_draws_from_the_same_values(argument: Argument[Any], data: st.DataObject) -> None:
    """Two gears, one vocabulary."""
    value = data.draw(argument.strategy(names))

    assert argument.parse(argument.text(value)) == value


@pytest.mark.parametrize("argument", ARGUMENTS, ids=repr)
@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_simpler_values_lead_somewhere(argument: Argument[Any], seed: int) -> None:
    """No value is simpler than itself, however many steps lie between: else minimising goes round in circles."""
    value = argument.draw(Random(seed), names)
    seen = [value]
    while simpler := next(iter(argument.simpler(seen[-1], names)), None):
        assert simpler not in seen
        seen.append(simpler)
    for candidate in argument.simpler(value, names):
        assert value not in list(argument.simpler(candidate, names))


def test_a_name_that_is_missing_cannot_be_drawn() -> None:
    """Such an action is left out of the run."""
    with pytest.raises(CannotApply, match="there is no pod here"):
        Target("pod").draw(Random(0), names)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("crsh process=a", "there is no action called 'crsh'; did you mean 'crash'?"),
        ("crash", "crash needs process=..."),
        ("crash process=a down=soon", "crash down: 'soon' is not a duration"),
        ("crash process=a unsynced=burnt", "'burnt' must be one of lost, torn, kept"),
        ("crash process=a process=b", "crash is given process twice"),
        ("crash process=a colour=red", "'colour=red' is none of them"),
        ("crash 'process=a", "cannot be read"),
        ("lose hosts=a permille=7000", "must be from 50 to 1000"),
        ("partition hosts=", "at least one host must be named"),
    ],
)
def test_a_wrong_action_is_one_sentence(text: str, says: str) -> None:
    """It says what was expected."""
    load()

    with pytest.raises(UsageError) as problem:
        parse_action(text)
    assert says in str(problem.value)


def test_an_action_declares_every_argument() -> None:
    """An undeclared field could neither be drawn nor written."""
    import attrs

    with pytest.raises(UsageError, match=r"Odd.size must be declared with target"):

        @fault("odd")
        @attrs.frozen(kw_only=True)
        class Odd(Action):
            """A fault with a plain field."""

            size: int = 3


def test_the_corpus_is_stable_and_simplest_first() -> None:
    """Hypothesis shrinks towards the first."""
    assert words("name")[:3] == ("web", "api", "db")
    assert words("name") == words("name")
    assert all(name == name.lower() and len(name) <= 63 for name in words("name"))


def test_every_fault_draws_and_reads_back() -> None:
    """The harness's own faults obey the same rule."""
    load()
    names_of = {
        "process": ("a", "b"),
        "host": ("h1", "h2", "h3"),
        "stream": ("watch/pods@a>b",),
        "question": ("api@b>*",),
        "server": ("a", "b"),
    }
    for cls in actions:
        if cls.__module__.startswith("chaoskube.faults."):
            assert arguments_of(cls) or cls.verb == "heal"
            for seed in range(20):
                action = draw_action(cls, Random(seed), lambda kind: names_of[kind])
                assert parse_action(action.text()) == action
