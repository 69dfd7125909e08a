"""Each Raft invariant against a journal that breaks it, and one that doesn't."""

from __future__ import annotations

import pytest

from chaoskube.bug import Bug
from chaoskube.generate import generate, run_seed
from chaoskube.invariants.raft import (
    a_read_index_covers_what_was_acknowledged,
    committed_entries_never_change,
    configurations_overlap,
    leader_append_only,
    leader_completeness,
    log_matching,
    one_leader_a_term,
    one_vote_a_term,
    terms_and_commits_only_grow,
    who_can_win_has_what_is_committed,
)
from chaoskube.models.etcd.view import (
    Acknowledged,
    Appended,
    BecameLeader,
    Committed,
    ConfigApplied,
    MemberListChanged,
    ReadConfirmed,
    Recovered,
    Restored,
    SnapshotInstalled,
    SteppedDown,
    TermChanged,
    Voted,
)
from chaoskube.scenario import Scenario
from chaoskube.scenarios.bugs.raft_vote_not_durable import raft_vote_not_durable
from chaoskube.scenarios.etcd_register import etcd_register
from tests.invariants.journals import judge, judge_at


def leads(member: str, term: int, first: int) -> tuple[str, object]:
    return member, BecameLeader(term=term, first_index=first)


def appended(member: str, first: int, *terms: int, contents: tuple[int, ...] = ()) -> tuple[str, object]:
    return member, Appended(
        first=first, terms=terms, contents=contents or tuple(first + one for one in range(len(terms)))
    )


def committed(member: str, first: int, *terms: int) -> tuple[str, object]:
    return member, Committed(
        first=first, terms=terms, contents=tuple(first + one for one in range(len(terms)))
    )


def recovered(member: str, term: int, last: int, last_term: int = 1) -> tuple[str, object]:
    return member, Recovered(
        term=term,
        vote="",
        commit=0,
        last_index=last,
        last_term=last_term,
        snapshot_index=0,
        consistent_index=0,
        revision=1,
    )


def test_two_leaders_in_one_term_break_election_safety() -> None:
    """Raft paper, figure 3; the same member twice is one leader."""
    first = leads("etcd-0", 3, 7)

    assert judge(one_leader_a_term, first, leads("etcd-1", 4, 8), first) is None
    told = judge(one_leader_a_term, first, leads("etcd-1", 3, 7))
    assert told == "term 3 is led by etcd-0 and by etcd-1"


def test_a_second_vote_for_another_candidate_is_told() -> None:
    """The same vote again is no second vote: candidates may ask twice."""
    first = ("etcd-0", Voted(term=3, candidate="etcd-1"))

    assert judge(one_vote_a_term, first, first, ("etcd-2", Voted(term=3, candidate="etcd-2"))) is None
    told = judge(one_vote_a_term, first, ("etcd-0", Voted(term=3, candidate="etcd-2")))
    assert told == "etcd-0 voted for etcd-1 and for etcd-2 in term 3"


def test_a_leader_that_replaces_its_own_entries_is_told() -> None:
    """A follower may, and a leader may write the same again; so may it once it has stepped down."""
    had = appended("etcd-0", 1, 1, 1)
    replaced = appended("etcd-0", 2, 2)
    down = ("etcd-0", SteppedDown(led_term=2, term=3))

    assert judge(leader_append_only, had, replaced) is None
    assert judge(leader_append_only, had, leads("etcd-0", 2, 3), appended("etcd-0", 2, 1, 2)) is None
    assert judge(leader_append_only, had, leads("etcd-0", 2, 3), down, replaced) is None
    assert judge(leader_append_only, had, leads("etcd-0", 2, 3), replaced) == (
        "etcd-0, which leads term 2, replaces entries of its log from 2 on: terms 1 by 2"
    )


def test_logs_that_agree_at_an_entry_and_not_before_it_are_told() -> None:
    """By content at the entry itself, by term at the one before."""
    first = appended("etcd-0", 1, 1, 1, 2)

    assert judge(log_matching, first, appended("etcd-1", 1, 1, 1), appended("etcd-1", 3, 2)) is None
    assert judge(log_matching, first, appended("etcd-1", 1, 1, contents=(99,))) == (
        "entry 1 of term 1 is request 1, and 99 for etcd-1"
    )
    assert judge(log_matching, first, appended("etcd-1", 1, 1, 2), appended("etcd-1", 3, 2)) == (
        "entry 3 of term 2 follows term 1, and term 2 for etcd-1"
    )


def test_a_log_after_a_snapshot_is_matched_from_there_on() -> None:
    """What the snapshot stands for is unknown, not different."""
    first = appended("etcd-0", 1, 1, 1, 2)
    snapshot = ("etcd-1", SnapshotInstalled(index=3, term=2, revision=4))

    assert judge(log_matching, first, appended("etcd-1", 1, 9), snapshot, appended("etcd-1", 4, 2)) is None


def test_a_leader_without_a_committed_entry_is_told() -> None:
    """Raft paper, figure 3: leader completeness; an entry of its own term may be committed without it."""
    log = appended("etcd-0", 1, 1, 1)
    done = committed("etcd-0", 1, 1, 1)

    assert judge(leader_completeness, log, done, leads("etcd-0", 2, 3)) is None
    short = appended("etcd-1", 1, 1)
    assert judge(leader_completeness, log, short, done, leads("etcd-1", 2, 2)) == (
        "etcd-1 leads term 2 with nothing at index 2, where etcd-0 had an entry of term 1 committed"
    )
    other = appended("etcd-1", 1, 1, 2)
    assert judge(leader_completeness, log, other, done, leads("etcd-1", 3, 3)) == (
        "etcd-1 leads term 3 with an entry of term 2 at index 2, where etcd-0 had an entry of term 1 committed"
    )


def test_a_leader_of_a_term_before_that_of_the_commit_owes_nothing() -> None:
    """An entry of term 2 that is committed by a leader of term 7: whoever leads term 3 late never heard of it."""
    log = appended("etcd-0", 1, 1, 2)
    old = appended("etcd-1", 1, 1)
    late = ("etcd-0", TermChanged(term=7))
    done = committed("etcd-0", 1, 1, 2)

    assert judge(leader_completeness, log, old, late, done, leads("etcd-1", 3, 2)) is None
    assert judge(leader_completeness, log, old, late, done, leads("etcd-1", 8, 2)) is not None
    assert judge(leader_completeness, log, old, done, leads("etcd-1", 3, 2)) is not None
    before = ("etcd-0", TermChanged(term=3))
    assert judge(leader_completeness, log, old, before, done, leads("etcd-1", 3, 2)) is not None


def test_a_leader_with_an_entry_that_was_found_on_its_disk_is_believed() -> None:
    """What was written and not synced before a crash: nothing is known of it, and what comes may take its place."""
    log, done = appended("etcd-0", 1, 1, 2, 2), committed("etcd-0", 1, 1, 2, 2)
    old, found = appended("etcd-1", 1, 1), recovered("etcd-1", 2, 3, 2)

    assert judge(leader_completeness, log, old, done, found, leads("etcd-1", 3, 4)) is None
    goes_on = (found, appended("etcd-1", 4, 2))
    assert judge(leader_completeness, log, old, done, *goes_on, leads("etcd-1", 3, 5)) is None
    assert judge(leader_completeness, log, old, done, leads("etcd-1", 3, 2)) is not None
    again = (found, appended("etcd-1", 2, 2, 2, 3))
    newest = ("etcd-0", Committed(first=4, terms=(3,), contents=(4,)))
    voters = ("etcd-0", ConfigApplied(index=1, voters=("etcd-0", "etcd-1", "etcd-2")))
    three = (log, old, appended("etcd-2", 1, 1), voters, appended("etcd-0", 4, 3), *again, newest)
    assert judge(who_can_win_has_what_is_committed, *three) is None


def test_a_read_index_below_what_was_acknowledged_is_told() -> None:
    """Raft dissertation, 6.4: what was acknowledged after the question need not be covered."""
    done = (5, "etcd-0", Acknowledged(index=7, term=1, revision=4, request_id=9))

    def told(index: int, asked_at: int) -> str | None:
        answer = (9, "etcd-1", ReadConfirmed(index=index, asked_at=asked_at))
        return judge_at(a_read_index_covers_what_was_acknowledged, done, answer)

    assert told(7, asked_at=6) is None
    assert told(6, asked_at=5) is None
    assert told(6, asked_at=6) == (
        "etcd-1 asked at 6ns how far reads must be, and was told 6; entry 7 was acknowledged by then"
    )


def test_a_committed_entry_that_differs_is_told() -> None:
    """Raft paper, figure 3: state machine safety; a member that commits the same again is fine."""
    first = ("etcd-0", Committed(first=1, terms=(1, 1), contents=(0, 17)))
    same = ("etcd-1", Committed(first=2, terms=(1,), contents=(17,)))
    other = ("etcd-1", Committed(first=2, terms=(2,), contents=(18,)))

    assert judge(committed_entries_never_change, first, same) is None
    told = judge(committed_entries_never_change, first, other)
    assert told == "index 2 is request 17 of term 1 for etcd-0 and request 18 of term 2 for etcd-1"


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        ((("etcd-0", TermChanged(term=2)), recovered("etcd-0", 2, 0)), None),
        (
            (("etcd-0", TermChanged(term=2)), recovered("etcd-0", 1, 0)),
            "etcd-0 is in term 1, and was in term 2 before",
        ),
        ((appended("etcd-0", 1, 1, 1), recovered("etcd-0", 1, 3)), None),
        (
            (appended("etcd-0", 1, 1, 1), recovered("etcd-0", 1, 1)),
            "etcd-0 found entries up to 1 on its disk, where they went up to 2",
        ),
        ((appended("etcd-0", 1, 1, 1), recovered("etcd-0", 2, 1, last_term=2)), None),
        ((committed("etcd-0", 1, 1, 1), committed("etcd-0", 3, 1)), None),
        ((committed("etcd-0", 1, 1, 1), recovered("etcd-0", 1, 2), committed("etcd-0", 1, 1)), None),
        (
            (
                committed("etcd-0", 1, 1),
                ("etcd-0", SnapshotInstalled(index=7, term=1, revision=5)),
                committed("etcd-0", 8, 1),
            ),
            None,
        ),
        (
            (committed("etcd-0", 1, 1, 1), committed("etcd-0", 5, 1)),
            "etcd-0 holds entries from 5 on to be committed, after those up to 2",
        ),
        (
            (committed("etcd-0", 1, 1, 1), committed("etcd-0", 2, 1)),
            "etcd-0 holds entries from 2 on to be committed, after those up to 2",
        ),
    ],
)
def test_terms_logs_and_commits_that_fall_are_told(
    happened: tuple[tuple[str, object], ...], told: str | None
) -> None:
    """What was synced stays; what was handed out isn't handed out again, nor passed over."""
    assert judge(terms_and_commits_only_grow, *happened) == told


def config(index: int, voters: str, outgoing: str = "") -> tuple[str, object]:
    return "etcd-0", ConfigApplied(index=index, voters=tuple(voters), voters_outgoing=tuple(outgoing))


def test_configurations_without_a_common_quorum_are_told() -> None:
    """One member more or less always overlaps; a joint configuration leads from any to any."""
    joint = (config(0, "abc"), config(8, "def", "abc"), config(9, "def"))

    assert judge(configurations_overlap, config(0, "abc"), config(8, "abcd"), config(9, "abc")) is None
    assert judge(configurations_overlap, *joint) is None
    assert judge(configurations_overlap, config(0, "abc"), config(8, "ade")) == (
        "with entry 8, etcd-0 counts votes of a, b, c and etcd-0 of a, d, e"
    )


def test_members_that_apply_one_change_differently_are_told() -> None:
    """The configuration is a function of the log."""
    other = ("etcd-1", MemberListChanged(index=8, voters=("a", "b")))

    assert judge(configurations_overlap, config(0, "abcd"), config(8, "abc"), other) == (
        "with entry 8, etcd-0 counts votes of a, b, c and etcd-1 of a, b"
    )


def test_a_member_that_joins_makes_the_first_members_one_by_one() -> None:
    """The first entries of a log add the members that everybody else began with."""
    late = [("etcd-3", ConfigApplied(index=index, voters=tuple("abc"[:index]))) for index in (1, 2, 3)]

    assert judge(configurations_overlap, config(0, "abc"), config(8, "abcd"), *late) is None


def test_a_member_that_joins_under_an_old_name_has_promised_nothing() -> None:
    """Its disk is empty: terms and votes of who had the name before are not its own."""
    vote, other = (("d", Voted(term=3, candidate=one)) for one in ("a", "b"))
    gone, back = config(8, "abc"), config(9, "abcd")
    term = ("d", TermChanged(term=3))

    assert judge(one_vote_a_term, config(0, "abcd"), vote, gone, back, other) is None
    assert (
        judge(terms_and_commits_only_grow, config(0, "abcd"), term, gone, back, recovered("d", 0, 0)) is None
    )
    assert judge(terms_and_commits_only_grow, config(0, "abcd"), term, recovered("d", 0, 0)) is not None


def test_a_restored_cluster_begins_anew() -> None:
    """Terms and indexes start over; the old ones are another cluster's."""
    restored = ("etcd-0", Restored(revision=5, cluster=7))

    assert judge(one_leader_a_term, leads("etcd-0", 2, 9), restored, leads("etcd-1", 2, 4)) is None
    assert (
        judge(
            terms_and_commits_only_grow, ("etcd-0", TermChanged(term=9)), restored, recovered("etcd-0", 1, 3)
        )
        is None
    )


def test_a_vote_that_is_not_stored_is_found_by_a_short_hunt() -> None:
    """The invariants earn their keep: the planted bug is seen when a member starts again, or when it votes again."""
    scenario = etcd_register()

    names = (run_of(scenario, number, raft_vote_not_durable) for number in range(60))
    assert next(name for name in names if name is not None) in (
        "one-vote-a-term",
        "terms-and-commits-only-grow",
    )
    assert [run_of(scenario, number, None) for number in range(2)] == [None] * 2


def run_of(scenario: Scenario, number: int, bug: Bug | None) -> str | None:
    failure = generate(scenario, run_seed(1, number), bug=bug).failure
    return failure.name if failure is not None else None


def test_who_could_be_elected_without_what_is_committed_is_told() -> None:
    """Raft paper, figure 8: an old entry on a majority, and a newer one elsewhere that would win over it."""
    members = ("etcd-0", ConfigApplied(index=1, voters=("etcd-0", "etcd-1", "etcd-2")))
    logs = [appended(name, 1, 1, 2) for name in ("etcd-0", "etcd-1")]
    done = committed("etcd-0", 1, 1, 2)
    behind, newer = appended("etcd-2", 1, 1), appended("etcd-2", 1, 1, 3)

    assert judge(who_can_win_has_what_is_committed, members, *logs, behind, done) is None
    assert judge(who_can_win_has_what_is_committed, members, *logs, newer, done) == (
        "etcd-2 can win an election without entry 2 of term 2, which etcd-0 holds to be committed"
    )


def test_two_changes_of_members_under_way_are_told() -> None:
    """Those that a cluster begins with are no changes, and one that is committed isn't under way."""
    begun = ("etcd-0", Appended(first=1, terms=(1, 1), contents=(0, 0), changes=(1, 2)))
    one = ("etcd-0", Appended(first=3, terms=(2,), contents=(7,), changes=(3,)))
    other = ("etcd-0", Appended(first=4, terms=(3,), contents=(8,), changes=(4,)))

    assert judge(configurations_overlap, begun, one, committed("etcd-0", 1, 1, 1, 2), other) is None
    assert judge(configurations_overlap, begun, one, committed("etcd-0", 1, 1, 1), other) == (
        "etcd-0 holds two changes of members that aren't committed, entries 3 and 4"
    )


def test_entries_that_a_disk_kept_unsynced_are_not_held_to_be_missing() -> None:
    """A member that boots with more than was told of it has what it had written; nobody knows what that is."""
    members = ("etcd-0", ConfigApplied(index=1, voters=("etcd-0", "etcd-1", "etcd-2")))
    logs = [appended("etcd-0", 1, 1, 2), appended("etcd-1", 1, 1), appended("etcd-2", 1, 1)]
    kept, done = recovered("etcd-1", 2, 2), committed("etcd-0", 1, 1, 2)

    assert judge(who_can_win_has_what_is_committed, members, *logs, kept, done) is None
