"""The store on its database: restarts and compactions change nothing that can be read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.bug import patched
from chaoskube.models.etcd import mvcc
from chaoskube.models.etcd.backend import FINISHED_COMPACTION, META, SCHEDULED_COMPACTION, Backend, Commit
from chaoskube.models.etcd.messages import (
    COMPACTED,
    FUTURE_REVISION,
    Compact,
    DeleteRange,
    EtcdError,
    Event,
    EventType,
    HashKVResponse,
    KeyValue,
    LeaseGrant,
    LeaseRevoke,
    Put,
    Range,
    RangeResponse,
    Request,
    Txn,
)
from chaoskube.models.etcd.mvcc import Store
from chaoskube.models.etcd.state import State, check_request

KEYS = ("/a", "/b", "/b/c", "/d")

keys = st.sampled_from(KEYS)
puts = st.builds(Put, key=keys, value=st.sampled_from("xyz"), lease=st.sampled_from((0, 0, 0, 1)))
deletions = st.builds(DeleteRange, key=keys, range_end=st.sampled_from(("", "/c", "\0")))
txns = st.builds(Txn, success=st.lists(st.one_of(puts, deletions), max_size=3).map(tuple))
requests = st.one_of(
    puts,
    puts,
    deletions,
    txns.filter(lambda txn: check_request(txn) is None),
    st.builds(Compact, st.integers(1, 14)),
    st.just(LeaseGrant(ttl=5, id=1)),
    st.just(LeaseRevoke(1)),
)
scripts = st.lists(st.one_of(requests, st.sampled_from(("batch", "commit", "crash"))), max_size=30)


def readable(state: State) -> list[object]:
    """Everything that a client could see: every revision, every event, leases, the hash of each revision."""
    store = state.store
    first = max(store.compact_revision, 1)
    ranges = [
        store.range(Range(key="\0", range_end="\0", revision=revision))
        for revision in range(first, store.revision + 1)
    ]
    hashes = [store.hash_kv(revision) for revision in range(first, store.revision + 1)]
    leases = [(lease.id, sorted(lease.keys)) for lease in state.lessor.leases.values()]
    return [store.revision, store.compact_revision, ranges, hashes, store.events_since(max(first, 2)), leases]


def restarted(state: State, *, compaction_batch: int = 1000) -> State:
    return State(Backend.load([state.backend.database()]), compaction_batch=compaction_batch)


@given(scripts)
@settings(deadline=None, max_examples=100)
def test_a_restart_changes_nothing_that_can_be_read(script: list[Request | str]) -> None:
    """Also between two batches of a compaction; the event stream is a function of the log alone (issue 19179)."""
    state = State(compaction_batch=2)
    for step in script:
        if step == "batch":
            state.store.compact_batch()
        elif step == "crash":
            before = readable(state)
            state = restarted(state, compaction_batch=2)
            assert readable(state) == before
        elif not isinstance(step, str):
            state.apply(step, 0)

    assert readable(restarted(state)) == readable(state)


@given(scripts)
@settings(deadline=None, max_examples=60)
def test_batches_leave_what_can_be_read_and_the_hash_alone(script: list[Request | str]) -> None:
    """A member that has finished a compaction and one that has not are equal (hash.go)."""
    eager, lazy = State(compaction_batch=1), State(compaction_batch=1)
    for step in script:
        if isinstance(step, str):
            lazy.store.compact_batch()
            continue
        assert eager.apply(step, 0) == lazy.apply(step, 0)
        while eager.store.compact_batch():
            pass
        assert readable(eager) == readable(lazy)
    while lazy.store.compact_batch():
        pass

    assert list(eager.backend.versions.items()) == list(lazy.backend.versions.items())


@given(scripts)
@settings(deadline=None, max_examples=60)
def test_the_revision_never_falls_across_a_crash_that_loses_what_was_not_committed(
    script: list[Request | str],
) -> None:
    """What was committed is there: revision and content are those of the last commit (etcd issue 17780)."""
    state, records = State(compaction_batch=2), list[Commit]()
    committed = readable(state)
    for step in script:
        if step == "batch":
            state.store.compact_batch()
        elif step == "crash":
            state = State(Backend.load(records), compaction_batch=2)
            assert readable(state) == committed
        elif not isinstance(step, str):
            state.apply(step, 0)
        if step == "commit" or state.backend.is_urgent:
            commit = state.backend.take()
            records += [commit] if commit is not None else []
            committed = readable(state)


def lone_tombstone() -> State:
    state = State()
    for request in (Put(key="/a", value="1"), DeleteRange(key="/a"), Compact(3)):
        state.apply(request, 0)
    while state.store.compact_batch():
        pass
    return state


def kinds(history: list[tuple[Event, ...]]) -> list[list[EventType]]:
    return [[event.type for event in events] for events in history]


def test_a_deletion_that_is_all_that_is_left_of_a_key_survives_a_restart() -> None:
    """Etcd issue 19179; the bug is one function."""
    state = lone_tombstone()
    assert list(state.backend.versions) == [(3, 0)]

    assert kinds(restarted(state).store.events_since(3)) == [[EventType.DELETE]]
    with patched(mvcc, "counts_at_restore", lambda kv, is_known: kv.version > 0 or is_known):
        assert restarted(state).store.events_since(3) == []


def test_a_deletion_at_the_compacted_revision_stays_in_the_database() -> None:
    """Etcd issue 18089; the bug is one function."""
    assert kinds(lone_tombstone().store.events_since(3)) == [[EventType.DELETE]]
    with patched(mvcc, "keeps_deletion", lambda deleted_at, compacted: False):
        assert lone_tombstone().store.events_since(3) == []


def test_a_compaction_that_was_begun_holds_the_revision() -> None:
    """Etcd issue 17780: a crash before "finished" was written, where the newest record had been taken away."""
    with patched(mvcc, "keeps_deletion", lambda deleted_at, compacted: False):
        state = lone_tombstone()
        state.backend.delete(META, FINISHED_COMPACTION)
        assert state.backend.meta(SCHEDULED_COMPACTION) == 3 and not state.backend.versions

        assert restarted(state).store.revision == 3
        with patched(mvcc, "revision_at_restore", lambda newest, finished, scheduled: max(newest, finished)):
            assert Store(Backend.load([state.backend.database()])).revision < 3


def test_an_interrupted_compaction_is_begun_again() -> None:
    """Scheduled and not finished: what is left of it is taken out after the restart."""
    state = State(compaction_batch=2)
    for number in range(9):
        state.apply(Put(key="/a", value=str(number)), 0)
    state.apply(Compact(9), 0)
    assert state.backend.is_urgent and state.store.compact_batch() and len(state.backend.versions) == 7

    again = restarted(state, compaction_batch=2)

    assert again.store.compact_revision == 9 and again.store.is_compacting
    batches = 1
    while again.store.compact_batch():
        batches += 1
    assert batches == 3 and list(again.backend.versions) == [(9, 0), (10, 0)]
    assert again.backend.meta(FINISHED_COMPACTION) == 9 and not again.store.is_compacting


def test_a_hash_is_of_what_can_be_read_up_to_a_revision() -> None:
    """Other content, another hash; the errors are those of a range."""
    one, other = State(), State()
    for state, last in ((one, "x"), (other, "y")):
        state.apply(Put(key="/a", value="1"), 0)
        state.apply(Put(key="/a", value=last), 0)

    assert one.store.hash_kv(2) != one.store.hash_kv(3) == one.store.hash_kv(0) != other.store.hash_kv(0)
    first, second = one.store.hash_kv(2), other.store.hash_kv(2)
    assert isinstance(first, HashKVResponse) and first == second and first.hash_revision == 2
    one.apply(Compact(3), 0)
    assert (one.store.hash_kv(2), one.store.hash_kv(4)) == (COMPACTED, FUTURE_REVISION)


def test_revisions_may_have_a_gap() -> None:
    """A restore from a backup can move the revision on by a record without a key (etcdutl snapshot restore)."""
    state = State()
    state.apply(Put(key="/a", value="1"), 0)
    bump = KeyValue(key="", value=None, create_revision=0, mod_revision=1_000, version=0)
    state.backend.put_version((1_000, 0), bump)

    again = restarted(state)
    applied = again.apply(Put(key="/a", value="2"), 0)

    assert not isinstance(applied.response, EtcdError) and applied.response.revision == 1_001
    assert [events[0].kv.mod_revision for events in again.store.events_since(3)] == [1_000, 1_001]
    found = again.store.range(Range(key="\0", range_end="\0"))
    assert isinstance(found, RangeResponse) and [kv.key for kv in found.kvs] == ["/a"]
