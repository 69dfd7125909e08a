"""Each etcd invariant against a journal that breaks it, and one that doesn't."""

from __future__ import annotations

import pytest

from chaoskube.invariants.etcd import (
    a_watch_delivers_every_event_once_in_order,
    members_agree,
    no_acknowledged_write_is_lost,
    no_split_brain_writes,
    one_content_a_revision,
)
from chaoskube.models.etcd.messages import Event, EventType, KeyValue
from chaoskube.models.etcd.view import (
    Acknowledged,
    Applied,
    BecameLeader,
    Committed,
    EtcdView,
    WatchDelivered,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.sim import Journal
from tests.invariants.test_raft import Seen, judge


def put(key: str, revision: int, value: str = "x") -> Event:
    kv = KeyValue(key=key, value=value, create_revision=revision, mod_revision=revision, version=1)
    return Event(type=EventType.PUT, kv=kv)


def applied(revision: int, *events: Event, request: int = 0) -> Applied:
    return Applied(index=revision, term=1, revision=revision, request_id=request or revision, events=events)


def committed(index: int, content: int, term: int = 1) -> Committed:
    return Committed(first=index, terms=(term,), contents=(content,))


def test_members_that_make_different_revisions_are_told() -> None:
    """Nothing repairs a member that has applied something else."""
    same = applied(2, put("/a", 2))

    assert judge(one_content_a_revision, ("etcd-0", same), ("etcd-1", same)) is None
    told = judge(one_content_a_revision, ("etcd-0", same), ("etcd-1", applied(2, put("/b", 2), request=9)))
    assert told == "revision 2 is PUT /a at 2 for etcd-0 and PUT /b at 2 for etcd-1"


def test_an_acknowledgement_must_fit_what_is_committed() -> None:
    """A deposed leader that acknowledges what a newer leader never had is told, and so is another content."""
    done = Acknowledged(index=2, term=1, revision=2, request_id=5)
    held = ("etcd-0", committed(2, 5))

    assert judge(no_split_brain_writes, held, ("etcd-0", done)) is None
    assert judge(no_split_brain_writes, ("etcd-1", committed(2, 6)), ("etcd-0", done)) == (
        "etcd-0 acknowledges request 5 as entry 2, which is request 6 for etcd-1"
    )
    newer = ("etcd-1", BecameLeader(term=2, first_index=2))
    assert judge(no_split_brain_writes, held, newer, ("etcd-0", done)) == (
        "etcd-0 acknowledges entry 2 of term 1, unknown to etcd-1, which leads term 2 from index 2 on"
    )


def test_a_leader_without_an_acknowledged_entry_is_told() -> None:
    """Leader completeness, for what clients were told."""
    done = ("etcd-0", Acknowledged(index=7, term=1, revision=5, request_id=5))

    assert judge(no_acknowledged_write_is_lost, done, ("etcd-1", BecameLeader(term=2, first_index=8))) is None
    told = judge(no_acknowledged_write_is_lost, done, ("etcd-1", BecameLeader(term=2, first_index=7)))
    assert told == "etcd-1 leads term 2 with a log that ends at 6; entry 7 was acknowledged"


HISTORY = tuple(
    ("etcd-0", applied(revision, put("/a/k", revision), put("/b", revision))) for revision in (2, 3, 4)
)
OPENED = ("client", WatchOpened(watch="w", member="etcd-0", key="/a/", range_end="/a0", next_revision=3))


def delivered(*revisions: int) -> tuple[str, WatchDelivered]:
    events = tuple(put("/a/k", revision) for revision in revisions)
    return "client", WatchDelivered(watch="w", events=events)


@pytest.mark.parametrize(
    ("name", "happened", "is_fine"),
    [
        ("everything", (delivered(3), delivered(4)), True),
        ("at once", (delivered(3, 4),), True),
        ("the end is missing: it may still come", (delivered(3),), True),
        (
            "a notice after everything",
            (delivered(3, 4), ("client", WatchProgressed(watch="w", revision=4))),
            True,
        ),
        (
            "a notice before the first",
            (("client", WatchProgressed(watch="w", revision=2)), delivered(3)),
            True,
        ),
        ("a gap", (delivered(4),), False),
        ("twice", (delivered(3), delivered(3)), False),
        ("backwards", (delivered(4, 3),), False),
        ("before the start", (delivered(2, 3),), False),
        (
            "a notice that covers what never came",
            (("client", WatchProgressed(watch="w", revision=4)),),
            False,
        ),
    ],
)
def test_a_watch_tells_everything_once_in_order(
    name: str, happened: tuple[tuple[str, object], ...], is_fine: bool
) -> None:
    """etcd's robustness suite: ordered, unique, reliable, bookmarkable."""
    told = judge(a_watch_delivers_every_event_once_in_order, *HISTORY, OPENED, *happened)

    assert (told is None) is is_fine, name


def test_a_watch_with_another_value_or_a_foreign_key_is_told() -> None:
    """Filter, and contents as they were applied."""
    wrong = ("client", WatchDelivered(watch="w", events=(put("/a/k", 3, "other"),)))
    foreign = ("client", WatchDelivered(watch="w", events=(put("/b", 3),)))

    assert judge(a_watch_delivers_every_event_once_in_order, *HISTORY, OPENED, wrong)
    assert judge(a_watch_delivers_every_event_once_in_order, *HISTORY, OPENED, foreign)


def test_a_member_that_stays_behind_is_told() -> None:
    """Asked once faults have stopped, again and again; what is new since then is still on its way."""
    journal = Journal()
    seen = Seen(EtcdView(journal))
    memory: dict[str, object] = {}
    journal.record(0, "etcd-0", applied(2, put("/a", 2)))
    journal.record(0, "etcd-1", applied(2, put("/a", 2)))
    assert members_agree.ask(seen, None, memory) is None

    journal.record(1, "etcd-0", applied(3, put("/a", 3)))

    assert members_agree.ask(seen, None, memory) is None
    assert members_agree.ask(seen, None, memory) == "revision 3 is missing at etcd-1 (2)"
