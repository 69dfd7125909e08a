"""The stories of etcd scenarios say who did what, with what came of it."""

from __future__ import annotations

import pytest

from chaoskube.models.etcd.events import MemberStopped
from chaoskube.models.etcd.key_values import KeyValue
from chaoskube.models.etcd.messages import (
    Compare,
    CompareTarget,
    DeleteRange,
    Event,
    EventType,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseRevoke,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.view import (
    Applied,
    BecameLeader,
    CallAnswered,
    CallMade,
    LeaseEnded,
    MemberListChanged,
    Recovered,
    SnapshotInstalled,
    WatchDelivered,
    WatchOpened,
)
from chaoskube.scenarios.etcd.telling import Teller
from chaoskube.sim import Entry, FaultStarted, Journal, Line, ProcessPanicked, ProcessStarted, ProcessStopped


def told(*events: object, by: str = "etcd-0") -> list[str]:
    """The words of the lines that these events of one process make."""
    journal = Journal()
    for event in events:
        journal.record(0, by, event)
    teller = Teller(journal)
    lines = [teller.tell(entry) for entry in journal.entries]
    return [line.words for line in lines if line is not None]


def call(request: object, **outcome: object) -> list[str]:
    """A client's call that ended so."""
    return told(CallMade(number=1, request=request), CallAnswered(number=1, **outcome), by="client-0")  # type: ignore[arg-type]


def test_a_call_is_told_when_it_has_ended() -> None:
    """By what was asked and what was answered: half of it helps nobody."""
    kv = KeyValue(key="/a", value="v", create_revision=4, mod_revision=7, version=2)
    is_there = Compare(key="/a", target=CompareTarget.VERSION, value=1)

    assert call(Put(key="/a", value="v", lease=255), response=PutResponse(revision=7)) == [
        "puts /a under lease ff: revision 7"
    ]
    assert call(Range(key="/", range_end="0"), response=RangeResponse(revision=7, kvs=(kv,), count=1)) == [
        "reads all of /: revision 7, /a of 7"
    ]
    assert call(Range(key="/a", serializable=True), response=RangeResponse(revision=3)) == [
        "reads, from this member alone, /a: revision 3, nothing there"
    ]
    assert call(
        Txn(compare=(is_there,), success=(Put(key="/a"), Range(key="/b"))),
        response=TxnResponse(revision=8, succeeded=False),
    ) == ["if its conditions hold, puts /a: revision 8, the conditions did not hold"]
    assert call(LeaseGrant(ttl=5), response=LeaseGrantResponse(revision=2, id=255, ttl=5)) == [
        "asks for a lease of 5 s: revision 2, lease ff"
    ]
    assert call(LeaseKeepAlive(255), response=LeaseKeepAliveResponse(revision=2, id=255, ttl=0)) == [
        "renews lease ff: revision 2, it is gone"
    ]


def test_no_is_told_apart_from_nobody_knows() -> None:
    """The one changed nothing, the other may have."""
    assert call(LeaseRevoke(255), error="etcdserver: requested lease not found") == [
        "revokes lease ff: refused, etcdserver: requested lease not found"
    ]
    assert call(DeleteRange(key="/a"), unsure="no answer within 3 s") == [
        "deletes /a: nobody knows what became of it, no answer within 3 s"
    ]


def test_a_call_of_another_life_is_not_mixed_up() -> None:
    """Numbers begin anew with each life."""
    events = (
        CallMade(number=1, request=Put(key="/a")),
        ProcessStopped(life=1, reason="crash"),
        ProcessStarted(life=2),
        CallAnswered(number=1, response=PutResponse(revision=2)),
    )

    assert told(*events) == ["is killed", "starts again, life 2"]


def test_a_call_that_is_never_answered_is_told_when_it_is_made() -> None:
    """What breaks is often still under way."""
    answered = CallAnswered(number=1, response=PutResponse(revision=2))
    calls = (CallMade(number=1, request=Put(key="/a")), answered, CallMade(number=2, request=Put(key="/b")))

    assert told(*calls) == ["puts /a: revision 2", "puts /b: no answer"]


def test_what_each_member_does_in_turn_is_told_of_the_first() -> None:
    """Raft sees to it that the others do the same."""
    ended = LeaseEnded(id=255, reason="expired")

    assert told(ended, ended, ended) == ["ends lease ff: expired"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            Applied(index=9, term=2, revision=3, request_id=7, failed=True),
            "refuses what entry 9 asks for (request 7), and stays at revision 3",
        ),
        (BecameLeader(term=2, first_index=5), "becomes the leader of term 2, with entry 5 as its first"),
        (
            SnapshotInstalled(index=9, term=2, revision=7, consistent_index=11),
            "takes a leader's snapshot of everything up to entry 11 (revision 7)",
        ),
        (
            MemberListChanged(index=6, voters=("etcd-0", "etcd-1"), learners=("etcd-2",)),
            "counts the votes of etcd-0, etcd-1 from entry 6 on, learners etcd-2",
        ),
        (
            Recovered(
                term=2, vote="", commit=5, last_index=5, snapshot_index=0, consistent_index=4, revision=3
            ),
            "finds on its disk: term 2, entries up to 5, a database with revision 3 and everything up to entry 4",
        ),
        (MemberStopped("the member is gone"), "ends itself: the member is gone"),
        (ProcessPanicked(life=1, why="no space left on device"), "panics: no space left on device"),
        (ProcessStopped(life=1, reason="power"), "loses power"),
        (
            WatchOpened(
                watch="w:1#1", member="etcd-0", key="/", range_end="0", next_revision=5, filters=("NOPUT",)
            ),
            (
                "has watch w:1#1 on all of / at etcd-0, asked for what is new, without PUT: "
                "gets events from revision 5 on"
            ),
        ),
        (
            WatchDelivered(
                watch="w:1#1",
                events=tuple(
                    Event(
                        type=EventType.PUT,
                        kv=KeyValue(key="/a", value="", create_revision=2, mod_revision=at, version=at),
                    )
                    for at in range(2, 8)
                ),
            ),
            "watch w:1#1 gets PUT /a at 2, PUT /a at 3, PUT /a at 4, PUT /a at 5 and 2 more",
        ),
    ],
)
def test_a_member_and_a_watch_are_told_in_words(event: object, words: str) -> None:
    """What happened, not the event's fields."""
    assert told(event) == [words]


@pytest.mark.parametrize(
    "event",
    [
        ProcessStopped(life=1, reason="exit"),
        ProcessStarted(life=1),
        Recovered(term=0, vote="", commit=0, last_index=0, snapshot_index=0, consistent_index=0, revision=1),
        Applied(index=9, term=2, revision=4, request_id=7),
    ],
)
def test_what_says_nothing_new_is_not_told(event: object) -> None:
    """Whoever ends itself has said why, and everybody begins once."""
    assert told(event) == []


def test_faults_stand_by_themselves() -> None:
    """Whom they hit is in their words."""
    event = FaultStarted(verb="crash", text="crash process=etcd-0")

    assert Teller(Journal()).tell(Entry(seq=1, at=0, by="", event=event)) == Line(
        "fault", "crash process=etcd-0"
    )
