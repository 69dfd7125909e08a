"""The exploration "raft": nothing is found in our core, and each planted bug that it can reach by a shortest way.

Bounds are small here; `chaoskube explore raft --for 10m` goes on from there.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.discovery import bug_named, exploration_named, is_explored, load, scenario_of_bug
from chaoskube.exploration import Bounds
from chaoskube.explore import Explored, explore
from chaoskube.exploring import bounds_of, reachable
from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.scenarios.raft_history import (
    Acknowledged,
    Applied,
    Led,
    RaftHistory,
    ReadAnswered,
    ReadAsked,
    Voted,
)
from chaoskube.scenarios.raft_members import RaftMember
from chaoskube.sim import UsageError

STEPS = {
    "raft-commit-prior-term": (14, "who-can-win-has-what-is-committed"),
    "raft-readindex-before-own-term-commit": (14, "a-read-sees-what-was-acknowledged"),
    "raft-applied-cursor-skips-page": (4, "entries-are-applied-in-order"),
    "raft-single-voter-ack-before-sync": (1, "committed-is-durable"),
    "raft-vote-not-durable": (4, "one-vote-a-term"),
    "raft-vote-forgotten-on-stepdown": (4, "one-vote-a-term"),
}
"""How many steps a shortest way to each bug has, and which check it ends at."""


def search(slug: str | None = None, **bounds: int) -> Explored:
    """With a bug planted, or without any."""
    what = exploration_named("raft")
    if slug is None:
        return explore(what, bounds_of(what, None, bounds, None))
    bug = bug_named(slug)
    with bug.patch():
        return explore(what, bounds_of(what, bug, bounds, None))


@pytest.mark.parametrize("slug", STEPS)
def test_a_planted_bug_is_found_by_a_shortest_way(slug: str) -> None:
    """What a hunt meets by luck, if ever, a search meets for certain."""
    result = search(slug)

    assert result.violation is not None
    assert (len(result.violation.steps), result.violation.check) == STEPS[slug]
    assert len(result.violation.steps) == result.depth + 1


def test_a_vote_is_forgotten_without_any_crash_too() -> None:
    """A candidate that lost steps down in its term, and may not vote anew."""
    result = search("raft-vote-forgotten-on-stepdown", crashes=0)

    assert result.violation is not None
    assert result.violation.check == "one-vote-a-term" and len(result.violation.steps) == 8


def test_counting_oneself_too_early_harms_a_single_voter_only() -> None:
    """With more of them nothing is handed out while a write is under way, however long that takes."""
    bounds = {"members": 3, "time_outs": 1, "slow_writes": 2, "requests": 1, "depth": 40}

    assert search("raft-single-voter-ack-before-sync", **bounds, crashes=0).violation is None


@pytest.mark.parametrize(
    "bounds",
    [
        {"depth": 9},
        {"depth": 7, "time_outs": 3, "crashes": 2},
        {"depth": 6, "duplicates": 1, "drops": 1},
        {"depth": 14, "time_outs": 3, "crashes": 0, "requests": 0, "reads": 0},
        {"depth": 7, "slow_writes": 2},
        {"depth": 5, "members": 5},
        {"depth": 40, "members": 2, "crashes": 0, "reads": 0},
        {"depth": 40, "members": 1, "time_outs": 3, "crashes": 3, "requests": 3, "reads": 2},
    ],
    ids=str,
)
def test_nothing_is_found_in_our_core(bounds: dict[str, int]) -> None:
    result = search(None, **bounds)

    assert result.violation is None, result.violation


def test_what_checks_look_at_does_occur() -> None:
    """Checks that are about nothing hold always: leaders, entries, acknowledgements and reads must be there."""
    member, history = RaftMember(1, 1), RaftHistory()
    reached = set()
    for put_in in (member.time_out, lambda: member.request(1), lambda: member.read(1)):
        assert put_in()
        while not member.is_synced():
            member.sync()
        for event in member.take().events:
            history = history.after(1, event)
            reached.add(type(event))

    assert reached == {Voted, Led, Applied, Acknowledged, ReadAsked, ReadAnswered}
    assert history.acknowledged == 2 and not history.wrong


def test_a_bug_for_searches_says_so_to_who_hunts_it() -> None:
    load()
    bug = evolve(bug_named("raft-commit-prior-term"), scenario="raft")

    assert is_explored(bug)
    with pytest.raises(UsageError, match="chaoskube explore raft --bug raft-commit-prior-term"):
        scenario_of_bug(bug)


def test_every_bug_for_searches_is_tested_here() -> None:
    from chaoskube.bug import bugs

    load()
    here = [bug for bug in bugs if bug.patch.__module__.startswith("chaoskube.")]
    ours = {bug.slug for bug in here if bug.bounds is not None or is_explored(bug)}

    assert ours == set(STEPS)


def test_a_bug_that_no_search_comes_by_is_refused() -> None:
    """ "Nothing found" would be true, and mislead."""
    with pytest.raises(UsageError, match="chaoskube hunt --bug rs-count-before-expectations"):
        reachable(bug_named("rs-count-before-expectations"), exploration_named("raft"))


def test_messages_are_told_in_words() -> None:
    """Whoever reads a trace need not know how we write an index with its term."""
    model = exploration_named("raft").model
    asked = Message(type=MessageType.MSG_VOTE, to=2, from_=1, term=2, index=3, log_term=1)
    no = Message(
        type=MessageType.MSG_APP_RESP, to=1, from_=2, term=2, index=3, log_term=1, reject=True, reject_hint=2
    )

    assert model.message_text(asked) == "MsgVote of term 2: my log ends at entry 3 of term 1"
    assert model.message_text(evolve(asked, index=0, log_term=0)).endswith("my log ends at the beginning")
    assert model.message_text(no) == (
        "MsgAppResp of term 2: refuses what follows entry 3; mine may match up to entry 2 of term 1"
    )


def test_merging_names_leaves_a_sixth_at_best() -> None:
    """And at least a fifth here: most states have no symmetry of their own."""
    bounds = Bounds(members=3, depth=7, time_outs=2)
    what = evolve(exploration_named("raft"), bounds=bounds)
    merged, single = explore(what), explore(what, merges=False)

    assert merged.violation is None and single.violation is None
    assert single.states / 6 <= merged.states < single.states / 5
