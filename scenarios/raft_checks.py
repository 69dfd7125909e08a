"""What must hold in every state of the exploration "raft": the properties of the Raft paper, and what clients rely on.

Each is a short function over all members and the history. `raft_members.py` puts them to the exploration.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import cast

from chaoskube.exploration import Seen, check
from chaoskube.models.raft.ready import Role
from chaoskube.scenarios.raft_history import RaftHistory, entry_text
from chaoskube.scenarios.raft_members import RaftMember


def _members(seen: Seen) -> tuple[RaftMember, ...]:
    return cast("tuple[RaftMember, ...]", seen.members)  # the model's own, and this is asked very often


def _history(seen: Seen) -> RaftHistory:
    assert isinstance(seen.history, RaftHistory), "the history is ours"
    return seen.history


def _quorum(members: Sequence[RaftMember]) -> int:
    return len(members) // 2 + 1


@check
def one_leader_a_term(seen: Seen) -> None:
    """A term has at most one leader. (Raft paper, figure 3: election safety.)"""
    for term, leaders in _history(seen).leaders:
        assert len(leaders) == 1, f"term {term} has leaders {', '.join(f'member {one}' for one in leaders)}"


@check
def one_vote_a_term(seen: Seen) -> None:
    """A member votes for at most one candidate in a term, whatever happens to its power. (Raft paper, 5.2.)"""
    for voter, term, candidates in _history(seen).votes:
        assert len(candidates) == 1, (
            f"member {voter} votes in term {term} for {' and '.join(f'member {one}' for one in candidates)}"
        )


@check
def log_matching(seen: Seen) -> None:
    """Logs with the same term at an index are the same up to there. (Raft paper, figure 3.)"""
    for one, other in combinations(_members(seen), 2):
        ours, theirs = one.raft.log.entries, other.raft.log.entries
        for place in range(min(len(ours), len(theirs)) - 1, -1, -1):
            if ours[place].term == theirs[place].term:
                assert ours[: place + 1] == theirs[: place + 1], (
                    f"members {one.config.id} and {other.config.id} have term {ours[place].term} at index "
                    f"{place + 1} and differ before"
                )
                break


@check
def leader_completeness(seen: Seen) -> None:
    """A leader has every entry that was committed in earlier terms. (Raft paper, figure 3.)"""
    for member in _members(seen):
        raft = member.raft
        if raft.role is not Role.LEADER:
            continue
        for index, one in enumerate(_history(seen).committed, start=1):
            assert one.in_term >= raft.term or raft.log.matches(index, one.term), (
                f"member {member.config.id} leads term {raft.term} without {entry_text(index, one.term, one.data)}"
            )


@check
def who_can_win_has_what_is_committed(seen: Seen) -> None:
    """Whoever a majority would vote for, by the logs on disk, has every committed entry. (Raft paper, 5.4.3.)"""
    members = _members(seen)
    for member in members:
        if sum(other.last <= member.last for other in members) < _quorum(members):
            continue
        for index, one in enumerate(_history(seen).committed, start=1):
            assert member.holds(index, one.term), (
                f"member {member.config.id} can win an election without {entry_text(index, one.term, one.data)}, "
                "which is committed"
            )


@check
def committed_is_durable(seen: Seen) -> None:
    """What was applied anywhere, and so acknowledged, is safe on the disks of a majority."""
    members = _members(seen)
    for index, one in enumerate(_history(seen).committed, start=1):
        holders = [f"member {member.config.id}" for member in members if member.holds(index, one.term)]
        assert len(holders) >= _quorum(members), (
            f"{entry_text(index, one.term, one.data)} was applied; "
            f"on disk it is at {', '.join(holders) or 'nobody'}"
        )


def _nothing_wrong(seen: Seen, name: str) -> None:
    message = next((message for wrong, message in _history(seen).wrong if wrong == name), None)
    assert message is None, message


@check
def state_machine_safety(seen: Seen) -> None:
    """No two members apply different entries at one index. (Raft paper, figure 3.)"""
    _nothing_wrong(seen, "state-machine-safety")


@check
def entries_are_applied_in_order(seen: Seen) -> None:
    """A member applies entries 1, 2, 3 and so on without a gap, and, left alone, all that it knows to be committed."""
    _nothing_wrong(seen, "entries-are-applied-in-order")
    for member in _members(seen):
        log = member.raft.log
        assert log.applied == log.committed or not member.is_synced(), (
            f"member {member.config.id} has nothing left to do; it has applied up to {log.applied}, "
            f"and knows that {log.committed} is committed"
        )


@check
def a_read_sees_what_was_acknowledged(seen: Seen) -> None:
    """A read index is not below what a client had been told before it asked. (Raft thesis, 6.4.)"""
    _nothing_wrong(seen, "a-read-sees-what-was-acknowledged")


CHECKS = (
    one_leader_a_term,
    one_vote_a_term,
    state_machine_safety,
    entries_are_applied_in_order,
    a_read_sees_what_was_acknowledged,
    leader_completeness,
    committed_is_durable,
    log_matching,
    who_can_win_has_what_is_committed,
)
