"""The log's marks against a naive log, and the rules that a late disk must not break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.bug import patched
from chaoskube.models.raft.log import NO_LIMIT, RaftLog, limit_size
from chaoskube.models.raft.messages import ConfState, Entry, Snapshot, SnapshotMetadata
from chaoskube.sim import ModelBug


def entries(first: int, *terms: int, data: object = "x") -> tuple[Entry, ...]:
    return tuple(Entry(term=term, index=first + place, data=data) for place, term in enumerate(terms))


def a_log(*terms: int) -> RaftLog:
    """Everything on disk, nothing committed."""
    return RaftLog(entries=list(entries(1, *terms)), stable=len(terms), in_progress=len(terms))


def a_snapshot(index: int, term: int) -> Snapshot:
    return Snapshot(metadata=SnapshotMetadata(conf_state=ConfState(voters=(1,)), index=index, term=term))


@given(st.lists(st.integers(0, 30), max_size=8), st.integers(0, 150))
def test_a_page_is_the_longest_that_fits_and_never_empty(sizes: list[int], size_max: int) -> None:
    """Etcd-io/raft util.go limitSize: an entry that is too big alone still goes."""
    page = tuple(Entry(term=1, index=place + 1, data="x" * size) for place, size in enumerate(sizes))

    cut = limit_size(page, size_max)

    assert cut == page[: len(cut)] and bool(cut) == bool(page)
    assert len(cut) <= 1 or sum(one.encoded_size() for one in cut) <= size_max
    if len(cut) < len(page):
        assert sum(one.encoded_size() for one in page[: len(cut) + 1]) > size_max


def test_a_conflict_replaces_the_rest_and_takes_the_marks_back() -> None:
    """What the disk had of it is to be written again (etcd-io/raft truncateAndAppend)."""
    log = a_log(1, 1, 1, 1)
    log.commit_to(1)

    assert log.maybe_append(2, 1, entries(3, 2)) == 3

    assert ([one.term for one in log.entries], log.stable, log.in_progress) == ([1, 1, 2], 2, 2)
    assert log.unstable_entries() == entries(3, 2)


def test_entries_that_match_already_are_not_cut_off() -> None:
    """An old append that arrives late must not drop newer entries (Raft paper, figure 2, AppendEntries 3)."""
    log = a_log(1, 1, 1)

    assert log.maybe_append(0, 0, entries(1, 1)) == 1
    assert log.last_index == 3
    assert log.maybe_append(3, 9, entries(4, 9)) is None


def test_committed_entries_are_never_replaced() -> None:
    log = a_log(1, 1)
    log.commit_to(2)

    with pytest.raises(ModelBug, match="committed"):
        log.maybe_append(1, 1, entries(2, 7))


def test_the_disk_s_word_counts_only_for_the_entry_that_stands_there() -> None:
    """The ABA rule: an index may have been written for another term meanwhile (log_unstable.go stableTo)."""
    log = RaftLog()
    log.append(entries(1, 1, 1))
    log.accept_unstable()
    log.append(entries(2, 2))

    log.stable_to(2, 1)
    assert (log.stable, log.in_progress) == (0, 1)
    log.stable_to(2, 2)

    assert (log.stable, log.in_progress) == (2, 2)


@given(st.integers(1, 12), st.integers(0, 60), st.data())
def test_pages_cover_every_committed_entry_once_in_order(
    count: int, size_max: int, data: st.DataObject
) -> None:
    """Whatever the limits, and however late the state machine answers."""
    log = a_log(*[1] * count)
    log.applying_size_max = size_max or NO_LIMIT
    pages: list[tuple[int, int]] = []
    seen: list[int] = []
    while log.applied < count:
        log.commit_to(data.draw(st.integers(log.committed, count)))
        page = log.next_committed(allow_unstable=False)
        if page:
            size = sum(one.encoded_size() for one in page)
            log.accept_applying(page[-1].index, size, allow_unstable=False)
            seen.extend(one.index for one in page)
            pages.append((page[-1].index, size))
        elif pages:
            log.applied_to(*pages.pop(0))
        else:
            log.commit_to(count)

    assert seen == list(range(1, count + 1))


def test_a_cursor_at_the_commit_index_would_skip_a_page() -> None:
    """The planted bug raft-applied-cursor-skips-page is one patch of `accept_applying`."""
    accept = RaftLog.accept_applying

    def to_commit(self: RaftLog, index: int, size: int, *, allow_unstable: bool) -> None:
        accept(self, max(index, self.committed), size, allow_unstable=allow_unstable)

    handed_out = []
    for _ in "right", "wrong":
        log = a_log(1, 1, 1)
        log.applying_size_max = 1
        log.commit_to(3)
        first = log.next_committed(allow_unstable=False)
        log.accept_applying(first[-1].index, 10, allow_unstable=False)
        log.applied_to(log.applying, 10)
        handed_out.append([one.index for one in (*first, *log.next_committed(allow_unstable=False))])
        if len(handed_out) == 1:
            patch = patched(RaftLog, "accept_applying", to_commit)
            patch.__enter__()
    patch.__exit__(None, None, None)

    assert handed_out == [[1, 2], [1]]


def test_a_compacted_log_still_knows_the_term_before_its_first_entry() -> None:
    """Appends are matched against it (etcd-io/raft storage.go, the dummy entry)."""
    log = a_log(1, 2, 3)
    log.commit_to(3)

    assert log.compact(2) and not log.compact(2)

    assert (log.first_index, log.last_index) == (3, 3)
    assert [log.term(index) for index in (1, 2, 3, 4)] == [None, 2, 3, None]
    assert log.last_term == 3
    with pytest.raises(ModelBug, match="compacted"):
        log.slice(2, 4)
    with pytest.raises(ModelBug, match="compact at 9"):
        log.compact(9)


def test_a_snapshot_replaces_everything_and_holds_back_entries_until_it_is_applied() -> None:
    """Nothing after it may be applied before it (etcd-io/raft log.go hasNextCommittedEnts)."""
    log = a_log(1, 1)
    log.restore(a_snapshot(10, 3))
    log.append(entries(11, 3))
    log.commit_to(11)

    assert (log.first_index, log.last_index, log.committed, log.term(10)) == (11, 11, 11, 3)
    assert not log.has_next_committed(allow_unstable=True)
    assert log.unstable_snapshot() == log.latest_snapshot() == a_snapshot(10, 3)
    log.accept_unstable()
    assert log.unstable_snapshot() is None
    log.stable_snapshot_to(10)
    log.applied_to(10, 0)

    assert log.next_committed(allow_unstable=True) == entries(11, 3)
    assert log.snapshot == a_snapshot(10, 3)


def test_snapshots_only_grow_newer() -> None:
    """Storage.go CreateSnapshot refuses what is older than what it has."""
    log = a_log(1, 2, 2)

    made = log.create_snapshot(2, ConfState(voters=(1,)), "state")

    assert made is not None and (made.metadata.index, made.metadata.term, made.data) == (2, 2, "state")
    assert log.create_snapshot(1, ConfState(), "older") is None
    assert log.latest_snapshot() == made


def test_no_snapshot_is_made_of_what_a_received_one_replaced() -> None:
    """A member may be saving its own when its leader sends one that is ahead of it."""
    log = a_log(1, 2, 2)

    log.restore(a_snapshot(10, 3))

    assert log.create_snapshot(2, ConfState(), "older") is None


@given(st.lists(st.integers(1, 4), max_size=8), st.integers(0, 9), st.integers(0, 5))
def test_the_hint_is_the_last_place_that_can_match(steps: list[int], index: int, term: int) -> None:
    """Terms grow along a log, so everything after the hint is of a later term than asked for."""
    terms = sorted(steps)
    log = a_log(*terms)

    found, found_term = log.find_conflict_by_term(min(index, log.last_index), term)

    assert found <= index and (found == 0 or terms[found - 1] == found_term <= term)
    assert all(one > term for one in terms[found : min(index, log.last_index)])


@given(st.tuples(st.integers(1, 3), st.integers(1, 5)), st.lists(st.integers(1, 3), max_size=5))
def test_a_log_is_newer_by_its_last_term_then_by_its_length(
    theirs: tuple[int, int], terms: list[int]
) -> None:
    """Raft paper, 5.4.1."""
    log = a_log(*sorted(terms))

    assert log.is_up_to_date(theirs[1], theirs[0]) == (theirs >= (log.last_term, log.last_index))
