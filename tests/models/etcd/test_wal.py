"""The write-ahead log: what was synced comes back, torn ends are cut off, anything else that doesn't fit is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.etcd import wal
from chaoskube.models.raft.messages import ConfState, Entry, HardState, SnapshotMetadata
from chaoskube.sim import SECOND, Disk, Process, Unsynced, World


def process(world: World) -> Process:
    one = world.process("etcd-0", host="control-0", boot=lambda process: None)
    one.start()
    one.call_later(3600 * SECOND, lambda: None)
    return one


def entries(first: int, last: int, term: int) -> tuple[Entry, ...]:
    return tuple(Entry(term=term, index=index, data=f"{term}/{index}") for index in range(first, last + 1))


def written(disk: Disk) -> wal.WriteAheadLog:
    log = wal.read(disk).log
    log.append(wal.Head(member=1, cluster=7))
    wal.save(log, HardState(term=1, vote=2, commit=0), entries(1, 5, 1))
    return log


def test_what_was_saved_comes_back() -> None:
    """Later entries replace those at their indexes and after; the last hard state counts."""
    with World(seed=1) as world:
        disk = process(world).disk
        log = written(disk)
        wal.save(log, HardState(term=2, vote=0, commit=3), entries(4, 4, 2))

        found = wal.read(disk)

        assert found.head == wal.Head(member=1, cluster=7)
        assert found.hard_state == HardState(term=2, vote=0, commit=3)
        assert found.entries == entries(1, 3, 1) + entries(4, 4, 2)
        assert found.log == log


def test_a_snapshot_takes_the_entries_up_to_it_out() -> None:
    """They are in the database; those after it stay."""
    with World(seed=1) as world:
        disk = process(world).disk
        log = written(disk)
        wal.save(log, HardState(term=1, vote=2, commit=4), ())
        mark = SnapshotMetadata(conf_state=ConfState(voters=(1, 2, 3)), index=3, term=1)
        log.append(wal.SnapshotMark(mark))

        found = wal.read(disk)

        assert (found.snapshot, found.entries) == (mark, entries(4, 5, 1))


def test_a_snapshot_beyond_the_commit_index_does_not_count() -> None:
    """It was received, and the crash came before it was relied on."""
    with World(seed=1) as world:
        disk = process(world).disk
        log = written(disk)
        log.append(wal.SnapshotMark(SnapshotMetadata(index=9, term=1)))

        found = wal.read(disk)

        assert (found.snapshot.index, found.entries) == (0, entries(1, 5, 1))


def test_a_snapshot_of_a_newer_term_drops_what_was_left_over() -> None:
    """Uncommitted entries beyond it came from a leader that lost: kept, the terms of the log would fall."""
    with World(seed=1) as world:
        disk = process(world).disk
        log = written(disk)
        log.append(wal.SnapshotMark(SnapshotMetadata(index=3, term=4)))
        wal.save(log, HardState(term=4, vote=0, commit=3), ())

        found = wal.read(disk)

        assert (found.snapshot.term, found.entries) == (4, ())


def test_a_torn_end_is_cut_off_and_the_log_goes_on_from_there() -> None:
    """Nobody was told of a record that was not synced."""
    with World(seed=1) as world:
        one = process(world)
        log = written(one.disk)
        one.disk.sync(lambda: None)
        world.advance(SECOND)
        wal.save(log, None, entries(6, 6, 1))
        one.disk.lose_power(Unsynced.TORN, random.Random(1))

        found = wal.read(one.disk)
        wal.save(found.log, None, entries(6, 7, 1))

        assert found.entries == entries(1, 5, 1)
        assert wal.read(one.disk).entries == entries(1, 7, 1)


@given(place=st.integers(0, 3), seed=st.integers(0, 9))
def test_rot_anywhere_is_refused(place: int, seed: int) -> None:
    """Also in the last record: it had been promised. (server/etcdserver/bootstrap.go: cannot be repaired.)"""
    with World(seed=seed) as world:
        one = process(world)
        log = written(one.disk)
        wal.save(log, None, entries(6, 6, 1))
        wal.save(log, None, entries(7, 7, 1))
        one.disk.sync(lambda: None)
        world.advance(SECOND)
        one.disk.rot(wal.FILE, place)

        with pytest.raises(wal.WalError, match="crc mismatch"):
            wal.read(one.disk)


def test_a_record_that_is_missing_in_the_middle_is_seen() -> None:
    """Each checksum goes on from the one before it."""
    with World(seed=1) as world:
        disk = process(world).disk
        log = written(disk)
        wal.save(log, None, entries(6, 6, 1))
        wal.save(log, None, entries(7, 7, 1))
        last = disk.read(wal.FILE)[-1]
        disk.truncate(wal.FILE, 2)
        disk.append(wal.FILE, last)

        with pytest.raises(wal.WalError, match="crc mismatch"):
            wal.read(disk)


def test_a_gap_between_entries_is_refused() -> None:
    """It can only come from a fault in the program; etcd refuses as well."""
    with World(seed=1) as world:
        disk = process(world).disk
        wal.save(written(disk), None, entries(9, 9, 1))

        with pytest.raises(wal.WalError, match="out of range"):
            wal.read(disk)
