"""Each etcd invariant against a journal that breaks it, and one that doesn't."""

from __future__ import annotations

from itertools import pairwise

import pytest
from attrs import evolve

from chaoskube.invariants import etcd_watch
from chaoskube.invariants.etcd import (
    keep_alives_are_true,
    leases_do_not_end_early,
    leases_end,
    members_agree,
    members_have_one_state,
    no_acknowledged_write_is_lost,
    no_split_brain_writes,
    one_content_a_revision,
    reads_are_linearizable,
    revisions_only_grow,
    serializable_reads_come_from_the_past,
    writes_are_linearizable,
)
from chaoskube.models.etcd.messages import (
    COMPACTED,
    DeleteRange,
    DeleteRangeResponse,
    Event,
    LeaseKeepAlive,
    LeaseRevoke,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.view import (
    Acknowledged,
    Applied,
    BecameLeader,
    CallAnswered,
    CallMade,
    Committed,
    Compacted,
    EtcdView,
    KeepAliveAnswered,
    LeaseEnded,
    LeaseGranted,
    Recovered,
    Restored,
    SnapshotInstalled,
    TermChanged,
    WatchDelivered,
    WatchEnded,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.sim import SECOND, FaultStarted, Journal, ProcessStopped
from tests.invariants.journals import Seen, judge, judge_at, put, version


def applied(revision: int, *events: Event, index: int = 0, request: int = 0, failed: bool = False) -> Applied:
    return Applied(
        index=index or revision,
        term=1,
        revision=revision,
        request_id=request or revision,
        events=events,
        failed=failed,
    )


def committed(index: int, content: int, term: int = 1) -> Committed:
    return Committed(first=index, terms=(term,), contents=(content,))


# -- members


def test_members_that_make_different_revisions_are_told() -> None:
    """Nothing repairs a member that has applied something else."""
    same = applied(2, put("/a", 2))

    assert judge(one_content_a_revision, ("etcd-0", same), ("etcd-1", same)) is None
    told = judge(one_content_a_revision, ("etcd-0", same), ("etcd-1", applied(2, put("/b", 2), request=9)))
    assert told == "revision 2 is PUT /a at 2 for etcd-0 and PUT /b at 2 for etcd-1"


def recovered(index: int, revision: int, snapshot: int = 0) -> Recovered:
    return Recovered(
        term=1,
        vote="",
        commit=index,
        last_index=index,
        snapshot_index=snapshot,
        consistent_index=index,
        revision=revision,
    )


HISTORY = tuple(
    ("etcd-0", applied(revision, put("/a", revision, created=2, number=revision - 1)))
    for revision in (2, 3, 4)
)


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (("etcd-1", applied(2, put("/a", 2))), None),
        (
            ("etcd-1", applied(1, index=2, failed=True)),
            "entry 2 is request 2 (1 changes, then revision 2) for etcd-0 "
            + "and request 1 (refused, then revision 1) for etcd-1",
        ),
        (("etcd-0", recovered(3, 3)), None),
        (
            ("etcd-0", recovered(3, 2)),
            "etcd-0 found on its disk revision 2 with everything up to entry 3, after which the others had revision 3",
        ),
        (("etcd-0", recovered(3, 3, snapshot=3)), None),
        (
            ("etcd-0", recovered(2, 2, snapshot=4)),
            "etcd-0 begins with a log from entry 5 on and a database of everything up to entry 2: "
            + "what is between never takes effect there",
        ),
        (("etcd-1", SnapshotInstalled(index=4, term=1, revision=4)), None),
        (
            ("etcd-1", SnapshotInstalled(index=4, term=1, revision=5)),
            "etcd-1 was sent revision 5 with everything up to entry 4, after which the others had revision 4",
        ),
    ],
)
def test_a_member_in_another_state_after_the_same_entry_is_told(
    happened: tuple[str, object], told: str | None
) -> None:
    """By what an entry did, and by what a member begins with after a restart or a snapshot."""
    assert judge(members_have_one_state, *HISTORY, happened) == told


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
    deposed = ("etcd-0", TermChanged(term=2))
    assert judge(no_split_brain_writes, newer, deposed, held, ("etcd-0", done)) is not None
    later = ("etcd-0", TermChanged(term=3))
    assert judge(no_split_brain_writes, newer, later, held, ("etcd-0", done)) is None


def test_a_leader_without_an_acknowledged_entry_is_told() -> None:
    """Leader completeness, for what clients were told."""
    done = ("etcd-0", Acknowledged(index=7, term=1, revision=5, request_id=5))

    assert judge(no_acknowledged_write_is_lost, done, ("etcd-1", BecameLeader(term=2, first_index=8))) is None
    told = judge(no_acknowledged_write_is_lost, done, ("etcd-1", BecameLeader(term=2, first_index=7)))
    assert told == "etcd-1 leads term 2 with a log that ends at 6; entry 7 was acknowledged"


def test_a_leader_of_an_old_term_may_lack_what_a_newer_one_has_acknowledged() -> None:
    """Its votes were late: it can commit nothing any more, and is owed nothing. (Raft paper, 5.4: later terms.)"""
    done = ("etcd-0", Acknowledged(index=7, term=3, revision=5, request_id=5))

    assert judge(no_acknowledged_write_is_lost, done, ("etcd-1", BecameLeader(term=2, first_index=7))) is None
    assert judge(no_acknowledged_write_is_lost, done, ("etcd-1", BecameLeader(term=4, first_index=7)))

    old = Acknowledged(index=7, term=2, revision=5, request_id=5)
    later = (("etcd-0", TermChanged(term=7)), ("etcd-0", old))
    assert (
        judge(no_acknowledged_write_is_lost, *later, ("etcd-1", BecameLeader(term=3, first_index=7))) is None
    )
    assert judge(no_acknowledged_write_is_lost, *later, ("etcd-1", BecameLeader(term=8, first_index=7)))
    assert judge(no_acknowledged_write_is_lost, *later, ("etcd-1", BecameLeader(term=7, first_index=7)))


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


# -- calls: the history is /a at revisions 2, 3, 4


def called(number: int, request: object) -> tuple[str, object]:
    return "client", CallMade(number=number, request=request)


def answered(number: int, response: object) -> tuple[str, object]:
    return "client", CallAnswered(number=number, response=response)


def read(revision: int, *, at: int = 0, stale: bool = False) -> tuple[tuple[str, object], ...]:
    """A read of /a, answered at `revision` with what was there at revision `at`."""
    kv = version("/a", at or revision, created=2, number=(at or revision) - 1)
    return (
        called(1, Range(key="/a", serializable=stale)),
        answered(1, RangeResponse(revision=revision, kvs=(kv,), count=1)),
    )


ACKNOWLEDGED = ("etcd-0", Acknowledged(index=4, term=1, revision=4, request_id=4))


def test_a_linearizable_read_of_the_past_is_told() -> None:
    """As old as what was acknowledged before it began is too old; an acknowledgement on the way may be seen or not."""
    call, answer = read(3)

    assert judge(reads_are_linearizable, *HISTORY, ACKNOWLEDGED, *read(4)) is None
    assert judge(reads_are_linearizable, *HISTORY, call, ACKNOWLEDGED, answer) is None
    assert judge(reads_are_linearizable, *HISTORY, ACKNOWLEDGED, call, answer) == (
        "client asked for Range /a and was told revision 3; revision 4 was known before it was asked"
    )


def test_a_read_that_mixes_revisions_is_told() -> None:
    """The header says one revision, the content is another's; serializable reads have no such excuse either."""
    told = "client asked for Range /a and was told at revision 4: /a of revision 3, where there was /a of revision 4"

    assert judge(reads_are_linearizable, *HISTORY, *read(4, at=3)) == told
    assert judge(serializable_reads_come_from_the_past, *HISTORY, *read(4, at=3, stale=True)) == told


def test_a_serializable_read_may_be_old() -> None:
    """And a transaction of such reads alone is one (server/etcdserver/txn/util.go IsTxnSerializable)."""
    stale = Txn(success=(Range(key="/a", serializable=True),))
    old = TxnResponse(revision=2, succeeded=True, responses=(RangeResponse(revision=2),))

    assert judge(serializable_reads_come_from_the_past, *HISTORY, ACKNOWLEDGED, *read(2, stale=True)) is None
    assert judge(reads_are_linearizable, *HISTORY, ACKNOWLEDGED, *read(2, stale=True)) is None
    assert judge(writes_are_linearizable, *HISTORY, ACKNOWLEDGED, called(1, stale), answered(1, old)) is None


def test_an_answer_of_a_revision_that_nobody_made_is_told() -> None:
    """Neither the past nor the present."""
    request, response = Range(key="/b"), RangeResponse(revision=5)

    assert judge(reads_are_linearizable, *HISTORY, called(1, request), answered(1, response)) == (
        "client asked for Range /b and was told revision 5; no member had made more than 4"
    )


@pytest.mark.parametrize(
    ("request_", "response", "told"),
    [
        (Put(key="/a", value="x"), PutResponse(revision=4), None),
        (
            Put(key="/a", value="y"),
            PutResponse(revision=4),
            "revision 4: which made PUT /a, where the request makes PUT /a with another content",
        ),
        (
            Put(key="/b", value="x"),
            PutResponse(revision=4),
            "revision 4: which made PUT /a, where the request makes PUT /b",
        ),
        (
            Put(key="/a", value="x", prev_kv=True),
            PutResponse(revision=4, prev_kv=version("/a", 2)),
            "revision 4: a previous version that wasn't there",
        ),
        (DeleteRange(key="/b"), DeleteRangeResponse(revision=4), None),
        (
            DeleteRange(key="/a"),
            DeleteRangeResponse(revision=4),
            "revision 4: which made PUT /a, where the request makes DELETE /a",
        ),
        (
            Txn(success=(Put(key="/a", value="x"),)),
            TxnResponse(revision=4, succeeded=True, responses=(PutResponse(revision=4),)),
            None,
        ),
        (
            Txn(success=(Put(key="/a", value="y"),)),
            TxnResponse(revision=4, succeeded=True, responses=(PutResponse(revision=4),)),
            "revision 4: which made PUT /a, where the request makes PUT /a with another content",
        ),
        (
            Put(key="/a", value="x"),
            PutResponse(revision=3),
            "revision 3; revision 4 was known before it was asked",
        ),
    ],
)
def test_a_write_answers_with_what_it_did(request_: object, response: object, told: str | None) -> None:
    """Every answered write has made the revision that it names, and no earlier one than what was known."""
    message = judge(
        writes_are_linearizable, *HISTORY, ACKNOWLEDGED, called(1, request_), answered(1, response)
    )

    assert message is None if told is None else message is not None and message.endswith(f"was told {told}")


def test_a_client_that_is_told_a_smaller_revision_than_before_says_so() -> None:
    """Whichever member it asks; after a restore that goes back, revisions begin anew, and only then."""
    back = ("etcd-0", Restored(revision=3, cluster=2))
    again = ("etcd-0", applied(4, put("/a", 4), request=9))
    bumped = ("etcd-0", Restored(revision=1000, cluster=2))

    assert judge(revisions_only_grow, *HISTORY, *read(4), *read(4)) is None
    assert judge(revisions_only_grow, *HISTORY, *read(4), *read(3)) == (
        "client was told of revision 4, and then of 3 in answer to Range /a"
    )
    assert judge(revisions_only_grow, *HISTORY, *read(4), back, *read(3), again) is None
    assert judge(revisions_only_grow, *HISTORY, *read(4), bumped, *read(3)) is not None


# -- leases


def led(start: int, end: int, term: int) -> list[tuple[int, str, object]]:
    """A leader that commits once a second."""
    began = (start * SECOND, f"etcd-{term}", BecameLeader(term=term, first_index=1))
    return [began] + [(at * SECOND, f"etcd-{term}", committed(at + 1, 0, term)) for at in range(start, end)]


GRANTED = (SECOND, "etcd-1", LeaseGranted(id=7, ttl=10))


def ended(at: int, reason: str = "expired") -> tuple[int, str, object]:
    return at * SECOND, "etcd-1", LeaseEnded(id=7, reason=reason)


def in_order(*events: tuple[int, str, object]) -> list[tuple[int, str, object]]:
    return sorted(events, key=lambda event: event[0])


def test_a_lease_that_nobody_renews_has_to_end() -> None:
    """Its time to live and a slack, counted while somebody leads."""
    story = in_order(GRANTED, *led(0, 25, 1))

    assert judge_at(leases_end, *in_order(*story, ended(12))) is None
    assert (
        judge_at(leases_end, *in_order(*story, (9 * SECOND, "c", CallMade(number=1, request=KEEP)))) is None
    )
    told = judge_at(leases_end, *story)
    assert told == (
        "lease 7 of 10 s, renewed last at 1s, is still there; leaders of 1 terms have led for 17s since"
    )


KEEP = LeaseKeepAlive(7)


def test_a_new_leader_may_add_a_little_to_a_lease_but_not_all_of_it() -> None:
    """etcd issue 9888: without checkpoints each leader begins anew, and that is then all that is promised."""
    two = [*led(0, 10, 1), *led(12, 22, 2)]
    three = [*two, *led(24, 34, 3)]

    assert judge_at(leases_end, *in_order(GRANTED, *two), checkpoint_ns=SECOND) is None
    assert judge_at(leases_end, *in_order(GRANTED, *three)) is None
    assert judge_at(leases_end, *in_order(GRANTED, *three), checkpoint_ns=SECOND) == (
        "lease 7 of 10 s, renewed last at 1s, is still there; leaders of 3 terms have led for 25s since"
    )


def test_a_keep_alive_that_nobody_answered_may_still_have_renewed() -> None:
    """A member tries for 7 s to reach the leader with it."""
    story = in_order(GRANTED, (2 * SECOND, "c", CallMade(number=1, request=KEEP)), *led(0, 24, 1))

    assert judge_at(leases_end, *story) is None
    assert judge_at(leases_end, *in_order(*story, *led(24, 28, 1)[1:])) is not None


def test_time_without_a_leader_is_not_counted() -> None:
    """Nobody can end a lease then."""
    story = [*led(0, 8, 1), *led(100, 110, 2)]

    assert judge_at(leases_end, *in_order(GRANTED, *story), checkpoint_ns=SECOND) is None


def test_a_lease_that_ends_before_its_time_is_told() -> None:
    """Unless somebody revoked it; a renewal counts from when it was asked for, once it was answered."""
    revoked = (2 * SECOND, "c", CallMade(number=1, request=LeaseRevoke(7)))
    renewed = (6 * SECOND, "c", KeepAliveAnswered(id=7, ttl=10, asked_at=5 * SECOND))

    assert judge_at(leases_do_not_end_early, GRANTED, ended(11)) is None
    assert judge_at(leases_do_not_end_early, GRANTED, ended(9)) == (
        "etcd-1 ends lease 7 of 10 s, 8s after its grant"
    )
    assert judge_at(leases_do_not_end_early, GRANTED, revoked, ended(3)) is None
    assert judge_at(leases_do_not_end_early, GRANTED, renewed, ended(12)) == (
        "etcd-1 ends lease 7 of 10 s, 7s after a renewal"
    )


def test_clocks_that_were_made_to_run_fast_widen_the_bounds() -> None:
    """A lease is as true as the clock of the leader; nobody promises more."""
    fast = (0, "harness", FaultStarted(verb="clock-drift", text="clock-drift host=control-0 ppm=200000"))

    assert judge_at(leases_do_not_end_early, fast, GRANTED, ended(9)) is None
    assert judge_at(leases_do_not_end_early, fast, GRANTED, ended(8)) is not None


def test_a_keep_alive_of_a_lease_that_was_gone_already_is_told() -> None:
    """etcd pull request 20615; one that was asked for before the end may be answered after it."""

    def told(asked_at: int, ttl: int = 10) -> str | None:
        answer = KeepAliveAnswered(id=7, ttl=ttl, asked_at=asked_at * SECOND)
        return judge_at(keep_alives_are_true, GRANTED, ended(12), (14 * SECOND, "client", answer))

    assert told(11) is None
    assert told(13, ttl=0) is None
    assert told(13) == (
        "client was told that lease 7 has 10 s more; it ended 12s into the run, and was asked for at 13s"
    )


# -- watches: each rule by its own name; the rules themselves are in test_watch_rules.py

OPENED = (
    "client",
    WatchOpened(
        watch="w", member="etcd-0", key="/a", range_end="", next_revision=2, start_revision=2, prev_kv=True
    ),
)
PUTS = tuple(put("/a", revision, created=2, number=revision - 1) for revision in (2, 3, 4))
WHOLE = (PUTS[0], *[evolve(one, prev_kv=before.kv) for before, one in pairwise(PUTS)])
FOREIGN = put("/b", 4)
CREATED = put("/a", 3, created=3)


def delivered(*events: Event) -> tuple[str, object]:
    return "client", WatchDelivered(watch="w", events=events)


def noticed(revision: int) -> tuple[str, object]:
    return "client", WatchProgressed(watch="w", revision=revision)


@pytest.mark.parametrize(
    ("name", "happened"),
    [
        ("watch_filterable", (delivered(FOREIGN),)),
        ("watch_ordered", (delivered(WHOLE[0], WHOLE[2], WHOLE[1]),)),
        ("watch_unique", (delivered(WHOLE[0], WHOLE[0]),)),
        ("watch_atomic", (delivered(WHOLE[0]), delivered(WHOLE[0]))),
        ("watch_bookmarkable", (delivered(WHOLE[0]), noticed(3), delivered(WHOLE[1]))),
        ("watch_resumable", (delivered(WHOLE[1]),)),
        ("watch_is_create", (delivered(WHOLE[0], CREATED),)),
        ("watch_reliable", (delivered(WHOLE[0]), noticed(4))),
        (
            "watch_prev_kv",
            (
                delivered(
                    WHOLE[0],
                    Event(type=WHOLE[1].type, kv=WHOLE[1].kv, prev_kv=version("/a", 2, "another value")),
                ),
            ),
        ),
    ],
)
def test_each_promise_of_a_watch_is_kept_by_name(name: str, happened: tuple[tuple[str, object], ...]) -> None:
    """Told at the event that breaks it; a watch that delivers everything breaks none."""
    invariant = getattr(etcd_watch, name)
    fine = (delivered(*WHOLE[:2]), noticed(3), delivered(WHOLE[2]), noticed(4))
    over = ("client", WatchEnded(watch="w", reason="done"))

    assert judge(invariant, *HISTORY, OPENED, *fine, over) is None
    told = judge(invariant, *HISTORY, OPENED, *happened)
    assert told is not None and told.startswith("w on /a: ")


def test_a_previous_version_is_left_out_only_where_it_is_compacted() -> None:
    """A watch that asked for it gets it (rpc.proto: "If the previous KV is already compacted, nothing will be returned")."""
    without = delivered(WHOLE[0], PUTS[1])
    compacted = [("etcd-1", Compacted(revision=revision)) for revision in (2, 3)]

    assert judge(etcd_watch.watch_prev_kv, *HISTORY, OPENED, without) is not None
    assert judge(etcd_watch.watch_prev_kv, *HISTORY, OPENED, compacted[0], without) is not None
    assert judge(etcd_watch.watch_prev_kv, *HISTORY, OPENED, compacted[1], without) is None


def test_a_watch_is_told_that_history_is_compacted_only_where_it_is() -> None:
    """What it wanted next counts, whatever it had asked for first."""
    over = ("client", WatchEnded(watch="w", reason=f"canceled: {COMPACTED.message}"))
    begun = (delivered(WHOLE[0]),)

    oldest = (OPENED[0], evolve(OPENED[1], next_revision=1, start_revision=1))

    def told(*events: tuple[str, object], opened: tuple[str, object] = OPENED) -> str | None:
        return judge(etcd_watch.watch_reliable, *HISTORY, opened, *events, over)

    assert told() is not None
    assert told(("etcd-1", Compacted(revision=3))) is None
    assert told(("etcd-1", Compacted(revision=2)), opened=oldest) is None
    assert told(*begun, ("etcd-1", Compacted(revision=3))) is not None
    assert told(*begun, ("etcd-1", Compacted(revision=4))) is None


def test_a_watch_that_hangs_is_told_once_everything_is_quiet() -> None:
    """One that is over, or that nobody listens to any more, is nobody's; what is new is still on its way."""

    def told(*events: tuple[str, object]) -> str | None:
        journal = Journal()
        seen = Seen(EtcdView(journal))
        for by, event in (*HISTORY[:2], OPENED, *events):
            journal.record(0, by, event)
        memory: dict[str, object] = {}
        assert etcd_watch.watches_catch_up.ask(seen, None, memory) is None
        journal.record(1, *HISTORY[2])
        return etcd_watch.watches_catch_up.ask(seen, None, memory)

    assert told(delivered(*WHOLE[:2])) is None
    assert told(delivered(WHOLE[0])) == "w on /a is still without PUT /a at 3; revision 3 was made long ago"
    assert told() == "w on /a is still without PUT /a at 2; revision 3 was made long ago"
    assert told(("client", WatchEnded(watch="w", reason="done"))) is None
    assert told(("client", ProcessStopped(life=1, reason="crash"))) is None
    assert told(("etcd-0", ProcessStopped(life=1, reason="crash"))) is not None


def test_what_a_watch_of_the_old_cluster_carries_after_a_restore_is_not_judged() -> None:
    """Its history is gone, and so is its member."""
    restored = ("etcd-0", Restored(revision=2, cluster=9))

    assert judge(etcd_watch.watch_reliable, *HISTORY, OPENED, restored, delivered(WHOLE[2])) is None
