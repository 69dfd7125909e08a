"""The reader of scripts, and the comparison, by small examples."""

from __future__ import annotations

import pytest

from .compare import first_difference, structured
from .script import Argument, BadScript, kind_of, parse

TEXT = """
# a comment
add-nodes 2 voters=(1, 2) index=10 \\
  prevote=true
----
ok

propose-conf-change 1
v3 l4
----
----
one

two
----
----
raft-log 1
----
1/2 EntryNormal ""
"""


def test_commands_are_read_with_words_input_and_answer() -> None:
    """Both forms of the answer, lists with blanks in them, and a line that goes on."""
    first, second, third = parse(TEXT)

    assert first.arguments[1:3] == (
        Argument(key="voters", values=("1", "2")),
        Argument(key="index", values=("10",)),
    )
    assert (first.numbers(), first.value("prevote", "")) == ((2,), "true")
    assert (second.input, second.expected) == ("v3 l4", ("one", "", "two"))
    assert (third.name, third.line, third.expected) == ("raft-log", 17, ('1/2 EntryNormal ""',))


@pytest.mark.parametrize("text", ["campaign 1\n", "campaign 1\n----\n----\nDEBUG\n"])
def test_a_script_that_is_cut_off_is_refused_with_its_line(text: str) -> None:
    """Half a script must not pass by being half compared."""
    with pytest.raises(BadScript, match="line"):
        list(parse(text))
    assert "not a script: line" in (first_difference(text) or "")


@pytest.mark.parametrize(
    ("command", "kind"),
    [("vote cfg=(1) votes=(y)", "quorum"), ("leave-joint", "confchange"), ("campaign 1", "interaction")],
)
def test_the_kind_of_a_script_shows_in_its_commands(command: str, kind: str) -> None:
    """`--raft-scripts` takes a folder with any of them."""
    assert kind_of(list(parse(f"{command}\n----\nok\n"))) == kind


def test_log_lines_are_dropped_and_nothing_else() -> None:
    """Wording of the library's log is etcd's own; an answer of log lines alone is an empty one."""
    assert (
        structured(["INFO 1 became leader", "  DEBUG x", "> 1 handling Ready", "ok"])[0]
        == "> 1 handling Ready"
    )
    assert structured(["INFO 1 became leader"]) == structured(["ok"]) == []


def test_a_difference_is_told_with_its_line_and_both_sides() -> None:
    """It is what somebody reads who looks for the cause."""
    text = "vote cfg=(1,2,3) votes=(y,y,_)\n----\nVoteLost\n"

    assert first_difference(text) == "line 1, vote: expected 'VoteLost', got 'VoteWon'"


def test_an_unknown_command_is_said_to_be_one() -> None:
    """And not taken for a part of the player that happens to have its name."""
    assert first_difference("deliver 1\n----\nunknown command\n") is None
