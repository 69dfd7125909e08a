"""Traces: what is written reads back, what is wrong is said with its line, and replays end in four ways."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chaoskube.replay import CANNOT, DIFFERENTLY, NO_LONGER, REPRODUCED, replay
from chaoskube.run import play
from chaoskube.sim import UsageError, seconds
from chaoskube.trace import Trace, parse_trace, read_trace, trace_of, trace_text, write_trace
from tests.harness.test_run import SHORTEST, plan
from tests.harness.toys.toy import toy_scenario


def shortest() -> Trace:
    """The trace of the toy's shortest violation."""
    made = attrs.evolve(
        plan(*SHORTEST, scenario=toy_scenario(note="two\nlines", date="2026-01-01", yes="on"))
    )
    return trace_of(play(attrs.evolve(made, duration_ns=seconds("1s"))))


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    """With the setup's texts as they were: no date, no yes/no is guessed."""
    trace = shortest()
    path = tmp_path / "a" / "b.chaos.yaml"
    write_trace(trace, path)

    assert read_trace(path) == trace
    assert trace_text(read_trace(path)) == path.read_text()


def test_a_trace_is_short_and_its_actions_are_lines() -> None:
    """People read and edit it."""
    text = trace_text(shortest())

    for line in SHORTEST:
        assert f"\n- {line}\n" in text


@pytest.mark.parametrize(
    ("change", "verdict", "says"),
    [
        (lambda text: text, REPRODUCED, "digest"),
        (lambda text: text.replace("digest: ", "digest: 0"), DIFFERENTLY, "instead of 0"),
        (
            lambda text: text.replace("- at 0s toy-write\n", ""),
            NO_LONGER,
            "reads-are-fresh holds in this run",
        ),
        (
            lambda text: text.replace("- at 0s toy-write\n", "").replace(
                "name: reads-are", "name: readers-are"
            ),
            CANNOT,
            "x.chaos.yaml: nothing here checks readers-are-fresh",
        ),
        (
            lambda text: text.replace("server=reg-1", "server=reg-9"),
            CANNOT,
            "x.chaos.yaml:9: at 100ms toy-read",
        ),
        (
            lambda text: text.replace("name: reads-are-fresh", "name: other"),
            NO_LONGER,
            "other holds up to reads-are",
        ),
        (lambda text: text.replace("chaoskube: 0", "chaoskube: 0.0"), REPRODUCED, "digest"),
    ],
)
def test_a_replay_ends_in_one_of_four_ways(change: object, verdict: str, says: str) -> None:
    """Each with a sentence that says why."""
    assert callable(change)
    replayed = replay(parse_trace(change(trace_text(shortest())), "x.chaos.yaml"), scenario=toy_scenario())

    assert replayed.verdict == verdict
    assert says in replayed.sentence


HEAD = "chaoskube: 1\nscenario: toy\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "x: this is no trace: it has no keys"),
        ("- a\n", "x: this is no trace: it has no keys"),
        ("scenario: toy\nactions: []\n", "x: a trace needs the line `chaoskube: 1`"),
        ("chaoskube: 2\nscenario: toy\nactions: []\n", "x:1: this is a trace of format 2"),
        (HEAD, "x: a trace needs 'actions'"),
        (HEAD + "actions: 7\n", "x:3: actions must be a list"),
        (HEAD + "actions:\n- at 1s jump high=yes\n", "x:4: there is no action called 'jump'"),
        (
            HEAD + "actions:\n- at 1s toy-write\n- at 0s toy-write\n",
            "x:5: actions stand in the order of their times",
        ),
        (HEAD + "actions:\n- crash process=reg-1\n", "x:4: 'crash process=reg-1' is not an action"),
        (HEAD + "actions:\n- {at: 1s}\n", "x:4: an action is one line of text"),
        (HEAD + "acts: []\nactions: []\n", "x:3: a trace has no key 'acts'; did you mean 'actions'?"),
        (HEAD + "seed: ten\nactions: []\n", "x:3: seed must be a whole number, not 'ten'"),
        (HEAD + "runs: long\nactions: []\n", "x:3: runs: 'long' is not a duration"),
        (HEAD + "actions: []\nactions: []\n", "x:4: this is not YAML: the key 'actions' stands twice"),
        (HEAD + "actions: [\n", "this is not YAML"),
        (HEAD + "actions: &a [*a]\n", "x:3: a trace has no aliases"),
        (HEAD + "actions: !!python/name:os.system []\n", "this is not YAML"),
        (HEAD + "actions: []\nsetup: " + "[" * 500 + "]" * 500 + "\n", "x:4: nested more than 100 deep"),
        (HEAD + "actions: []\n? [a]\n: b\n", "x:4: this is not YAML: a key must be a plain value"),
        (HEAD + "actions: []\nsetup: {? {a: 1} : 2}\n", "x:4: this is not YAML: a key must be"),
        (HEAD + "runs: 10\nactions: []\n", "x:3: runs must be a text, not 10; write it like 30s"),
        (HEAD + "actions: []\nviolation: {kind: odd}\n", "x:4: violation: kind 'odd' must be"),
        ("chaoskube: 1\nscenario: toy\x00\nactions: []\n", "this is not YAML"),
    ],
)
def test_a_wrong_trace_is_one_sentence_with_its_line(text: str, says: str) -> None:
    """Never a traceback."""
    with pytest.raises(UsageError) as problem:
        parse_trace(text, "x")
    assert says.replace("x:1?: ", "") in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_rule_without_its_file_is_not_looked_for() -> None:
    """It would be, in a file without a name."""
    trace = attrs.evolve(shortest(), rules=("rules.py",), source="x.chaos.yaml")

    with pytest.raises(
        UsageError, match=r"'rules.py' is no invariant of a file; write it like: rules.py:my_rule"
    ):
        trace.plan()


def test_an_unknown_scenario_is_answered_with_the_near_one() -> None:
    """With the file's name."""
    trace = attrs.evolve(shortest(), scenario="tyo", source="x.chaos.yaml")

    with pytest.raises(
        UsageError, match=r"x.chaos.yaml: there is no scenario called 'tyo'; did you mean 'toy'\?"
    ):
        trace.plan()
