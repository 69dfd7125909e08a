"""The database: what is taken to the disk is all of what was written, and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.models.etcd.backend import (
    CONSISTENT_INDEX,
    EMPTY_BYTES,
    KEY,
    LEASE,
    MEMBERS,
    META,
    OBJECT_BYTES,
    Backend,
    Commit,
    Database,
    version_bytes,
)
from chaoskube.models.etcd.lease import LeaseRecord
from chaoskube.models.etcd.messages import KeyValue
from chaoskube.sim import ModelBug, canonical


def version(main: int, value: object = "x", sub: int = 0) -> tuple[tuple[int, int], KeyValue]:
    kv = KeyValue(key="/a", value=value, create_revision=main, mod_revision=main, version=1)
    return (main, sub), kv


def content(backend: Backend) -> list[object]:
    return [list(backend.items(bucket)) for bucket in (KEY, LEASE, META, MEMBERS)]


steps = st.lists(
    st.one_of(
        st.just("put version"),
        st.just("commit"),
        st.just("snapshot"),
        st.tuples(st.just("delete version"), st.integers(0, 20)),
        st.tuples(
            st.just("put"), st.sampled_from((LEASE, META, MEMBERS)), st.integers(0, 3), st.integers(1, 9)
        ),
        st.tuples(st.just("delete"), st.sampled_from((LEASE, META, MEMBERS)), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(steps)
@settings(deadline=None)
def test_the_records_on_the_disk_are_the_database(script: list[str | tuple[str, ...]]) -> None:
    """After each commit, loading the records gives what is in memory; what came after the last one is lost."""
    backend, records, committed = Backend(), list[Commit | Database](), content(Backend())
    for number, step in enumerate(script, start=2):
        if step == "put version":
            backend.put(KEY, *version(number))
        elif step == "commit":
            commit = backend.take()
            if commit is not None:
                records.append(commit)
            committed = content(backend)
        elif step == "snapshot":
            records.append(backend.database())
            backend.take()
            committed = content(backend)
        elif step[0] == "delete version":
            backend.delete(KEY, (int(step[1]), 0))
        elif step[0] == "put":
            backend.put(step[1], step[2], step[3])
        else:
            backend.delete(step[1], step[2])
        loaded = Backend.load(records)
        assert content(loaded) == committed
        if committed == content(backend):
            assert loaded.size_in_use == backend.size_in_use
        assert loaded.take() is None, "what was loaded is on the disk already"


def test_a_commit_holds_the_index_with_what_it_did() -> None:
    """One record: they can't be parted by a crash (etcd issue 13766)."""
    backend = Backend()
    backend.put(KEY, *version(2))
    backend.put(META, CONSISTENT_INDEX, 7)
    backend.put(META, CONSISTENT_INDEX, 8)

    commit = backend.take()

    assert commit is not None
    assert commit.writes == ((KEY, *version(2)), (META, CONSISTENT_INDEX, 8)), "the last value alone"
    assert backend.take() is None and backend.meta(CONSISTENT_INDEX) == 8
    assert "consistent_index=8" in canonical(commit)


def test_a_file_shrinks_only_by_defragmentation() -> None:
    """Deleted records leave room in the file, which new ones use before it grows (bbolt's free list)."""
    backend = Backend()
    for main in range(2, 12):
        backend.put(KEY, *version(main, "x" * 1000))
    full = backend.size
    assert full == backend.size_in_use > EMPTY_BYTES + 10_000
    for main in range(2, 11):
        backend.delete(KEY, (main, 0))

    assert (backend.size, backend.size_in_use) == (
        full,
        EMPTY_BYTES + version_bytes(version(11, "x" * 1000)[1]),
    )
    backend.put(KEY, *version(12, "x" * 1000))
    assert backend.size == full
    backend.defragment()
    assert backend.size == backend.size_in_use
    backend.put(KEY, *version(13, "x" * 1000))
    assert backend.size == backend.size_in_use


def test_what_is_no_text_counts_a_fixed_size() -> None:
    """Objects are shared, never encoded."""
    assert (
        version_bytes(version(2, LeaseRecord(id=1, ttl=2))[1])
        == version_bytes(version(2, "")[1]) + OBJECT_BYTES
    )


def test_a_snapshot_keeps_the_size_of_the_file_and_says_its_numbers() -> None:
    """It is a copy of the file."""
    backend = Backend()
    for main in range(2, 9):
        backend.put(KEY, *version(main))
    backend.put(META, CONSISTENT_INDEX, 5)
    for main in range(2, 8):
        backend.delete(KEY, (main, 0))

    database = backend.database()

    assert (database.size, database.meta(CONSISTENT_INDEX), database.meta("term")) == (backend.size, 5, 0)
    assert Backend.load([database]).size == backend.size
    assert canonical(database) == canonical(Backend.load([database]).database())


def test_an_unknown_bucket_is_a_mistake() -> None:
    with pytest.raises(ModelBug, match="no bucket 'keys'"):
        Backend().put("keys", 1, 1)
