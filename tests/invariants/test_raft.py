"""Each Raft invariant against a journal that breaks it, and one that doesn't."""

from __future__ import annotations

from attrs import frozen

from chaoskube.bug import Bug
from chaoskube.generate import generate, run_seed
from chaoskube.invariant import Invariant
from chaoskube.invariants.raft import committed_entries_never_change, one_leader_a_term, one_vote_a_term
from chaoskube.models.etcd.view import BecameLeader, Committed, EtcdView, Voted
from chaoskube.scenario import Scenario
from chaoskube.scenarios.bugs.raft_vote_not_durable import raft_vote_not_durable
from chaoskube.scenarios.etcd_register import etcd_register
from chaoskube.sim import Entry, Journal


@frozen
class Seen:
    """An observer of an etcd cluster alone."""

    etcd: EtcdView


def judge(invariant: Invariant, *events: tuple[str, object]) -> str | None:
    """What the invariant says after these events of (member, event), asked at each."""
    journal = Journal()
    seen = Seen(EtcdView(journal))
    told: list[str] = []

    def ask(entry: Entry) -> None:
        message = invariant.ask(seen, entry, {})
        if message is not None:
            told.append(message)

    for event_type in invariant.on:
        journal.subscribe(event_type, ask)
    for at, (by, event) in enumerate(events):
        journal.record(at, by, event)
    return told[0] if told else None


def test_two_leaders_in_one_term_break_election_safety() -> None:
    """Raft paper, figure 3; the same member twice is one leader."""
    first = ("etcd-0", BecameLeader(term=3, first_index=7))

    assert judge(one_leader_a_term, first, ("etcd-1", BecameLeader(term=4, first_index=8)), first) is None
    told = judge(one_leader_a_term, first, ("etcd-1", BecameLeader(term=3, first_index=7)))
    assert told == "term 3 is led by etcd-0 and by etcd-1"


def test_a_second_vote_for_another_candidate_is_told() -> None:
    """The same vote again is no second vote: candidates may ask twice."""
    first = ("etcd-0", Voted(term=3, candidate="etcd-1"))

    assert judge(one_vote_a_term, first, first, ("etcd-2", Voted(term=3, candidate="etcd-2"))) is None
    told = judge(one_vote_a_term, first, ("etcd-0", Voted(term=3, candidate="etcd-2")))
    assert told == "etcd-0 voted for etcd-1 and for etcd-2 in term 3"


def test_a_committed_entry_that_differs_is_told() -> None:
    """Raft paper, figure 3: state machine safety; a member that commits the same again is fine."""
    first = ("etcd-0", Committed(first=1, terms=(1, 1), contents=(0, 17)))

    assert (
        judge(
            committed_entries_never_change, first, ("etcd-1", Committed(first=2, terms=(1,), contents=(17,)))
        )
        is None
    )
    told = judge(
        committed_entries_never_change, first, ("etcd-1", Committed(first=2, terms=(2,), contents=(18,)))
    )
    assert told == "index 2 is request 17 of term 1 for etcd-0 and request 18 of term 2 for etcd-1"


def test_a_vote_that_is_not_stored_is_found_by_a_short_hunt() -> None:
    """The invariant earns its keep: the planted bug breaks it within a few runs, and nothing else does before."""
    scenario = etcd_register()

    names = (run_of(scenario, number, raft_vote_not_durable) for number in range(60))
    assert next(name for name in names if name is not None) == "one-vote-a-term"
    assert [run_of(scenario, number, None) for number in range(2)] == [None] * 2


def run_of(scenario: Scenario, number: int, bug: Bug | None) -> str | None:
    failure = generate(scenario, run_seed(1, number), bug=bug).failure
    return failure.name if failure is not None else None
