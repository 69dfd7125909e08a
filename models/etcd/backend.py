"""A member's database: buckets of keys and values, and what of it has not been committed yet.

Etcd server/storage/backend (bbolt under it) and server/storage/schema. It is pure: it writes nothing itself.
`put` and `delete` act at once on what is read here; `take` gives everything that changed since the last `take` as one
`Commit`, which its owner puts on the disk as one record, so that it is there whole or not at all. That is how the index of
the last applied entry (META, "consistent_index") and what that entry did stay together. `Backend.load` gives back what
the records say.

| bucket | key | value |
| --- | --- | --- |
| KEY | (main, sub) of the revision | `KeyValue`; a deletion is one with version 0 |
| LEASE | lease id | `lease.LeaseRecord` |
| META | name | whole number |
| MEMBERS, ALARM | their owners know | |

`size` is that of the file, which never shrinks but by `defragment`; `size_in_use` is what of it holds something.

Used by the store, the lessor and the replica.
Not modelled: pages and free lists (freed space is used again before the file grows); a value that isn't text counts
`OBJECT_BYTES`, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from attrs import frozen

from chaoskube.models.etcd.key_values import KeyValue
from chaoskube.sim import ModelBug

KEY: Final = "key"
LEASE: Final = "lease"
META: Final = "meta"
MEMBERS: Final = "members"
ALARM: Final = "alarm"
BUCKETS: Final = (KEY, LEASE, META, MEMBERS, ALARM)

CONSISTENT_INDEX: Final = "consistent_index"
TERM: Final = "term"
SCHEDULED_COMPACTION: Final = "scheduled_compact_revision"
FINISHED_COMPACTION: Final = "finished_compact_revision"

EMPTY_BYTES: Final = 20 * 1024
"""A database that was just made."""
RECORD_BYTES: Final = 64
"""What a record needs besides its key and value."""
OBJECT_BYTES: Final = 1024
"""What a value counts that isn't text."""

Revision: TypeAlias = tuple[int, int]
"""(main, sub): the revision of a transaction, and the place of a change in it."""
RevisionKey: TypeAlias = "int | str | Revision"
Write: TypeAlias = tuple[str, RevisionKey, object]
"""Bucket, key and value (DELETED: none any more)."""


@frozen
class _Deleted:
    """In a commit, in the place of a value: the key is gone."""


DELETED: Final = _Deleted()


@frozen
class Commit:
    """Everything that changed between two commits, by bucket and key: one record on the disk."""

    writes: tuple[Write, ...]

    def digest_text(self) -> str:
        """Deterministic text: what was written follows from the log, so how far it got is enough."""
        last = self.writes[-1]
        meta = [f"{key}={value}" for bucket, key, value in self.writes if bucket == META]
        return f"commit {len(self.writes)} {last[0]} {last[1]} {','.join(meta)}"


@frozen(kw_only=True)
class Database:
    """The whole content at one moment: a snapshot."""

    writes: tuple[Write, ...]
    size: int

    def meta(self, name: str) -> int:
        """A number of the META bucket; 0 when it isn't there."""
        for bucket, key, value in self.writes:
            if bucket == META and key == name:
                assert isinstance(value, int)
                return value
        return 0

    def digest_text(self) -> str:
        """Deterministic text, without the values: how much there is, and how new."""
        meta = [f"{key}={value}" for bucket, key, value in self.writes if bucket == META]
        newest = max((key for bucket, key, _ in self.writes if bucket == KEY), default=(0, 0))
        return f"database {len(self.writes)} {newest} {self.size} {','.join(meta)}"


class Backend:
    """The database of one life of a member."""

    def __init__(self) -> None:
        self.versions: dict[Revision, KeyValue] = {}
        """The KEY bucket, in the order of its revisions."""
        self.is_urgent = False
        """What was written must be committed before anything else happens (ForceCommit)."""
        self._rest: dict[str, dict[RevisionKey, object]] = {name: {} for name in BUCKETS if name != KEY}
        self._new_versions: list[Write] = []
        self._measured = 0
        """How many of `_new_versions` are counted in `_in_use`: done late, because it is rarely asked."""
        self._new: dict[tuple[str, RevisionKey], object] = {}
        self._in_use = 0
        self._size = EMPTY_BYTES

    # -- reading

    def get(self, bucket: str, key: RevisionKey) -> object:
        """The value, or None."""
        return self._bucket(bucket).get(key)

    def items(self, bucket: str) -> Iterator[tuple[RevisionKey, object]]:
        """All keys of a bucket with their values, sorted."""
        content = self._bucket(bucket)
        return ((key, content[key]) for key in sorted(content))

    def meta(self, name: str) -> int:
        """A number of the META bucket; 0 when it isn't there."""
        value = self._rest[META].get(name, 0)
        assert isinstance(value, int)
        return value

    @property
    def size_in_use(self) -> int:
        """Bytes that hold something."""
        self._measure()
        return EMPTY_BYTES + self._in_use

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return max(self._size, self.size_in_use)

    @property
    def uncommitted(self) -> int:
        """How many writes the next commit will hold."""
        return len(self._new_versions) + len(self._new)

    # -- writing

    def put(self, bucket: str, key: RevisionKey, value: object) -> None:
        """Set a key."""
        if bucket == KEY:
            assert isinstance(key, tuple) and isinstance(value, KeyValue)
            self.put_version(key, value)
            return
        content = self._bucket(bucket)
        if key not in content:
            self._in_use += RECORD_BYTES
        content[key] = value
        self._new[bucket, key] = value

    def put_version(self, revision: Revision, kv: KeyValue) -> None:
        """Add a version of a key, newer than every other."""
        self.versions[revision] = kv
        self._new_versions.append((KEY, revision, kv))

    def delete(self, bucket: str, key: RevisionKey) -> None:
        """Take a key out, if it is there."""
        if bucket == KEY:
            assert isinstance(key, tuple)
            self._measure()
            gone = self.versions.pop(key, None)
            if gone is not None:
                self._new_versions.append((KEY, key, DELETED))
                self._measured += 1
                self._shrink_in_use(version_bytes(gone))
        elif self._rest[bucket].pop(key, None) is not None:
            self._new[bucket, key] = DELETED
            self._shrink_in_use(RECORD_BYTES)

    def take(self) -> Commit | None:
        """Everything written since the last time, to be stored as one record; None when there is nothing."""
        self.is_urgent = False
        if not self._new_versions and not self._new:
            return None
        self._measure()
        rest = [(bucket, key, value) for (bucket, key), value in self._new.items()]
        commit = Commit((*self._new_versions, *rest))
        self._new_versions.clear()
        self._measured = 0
        self._new.clear()
        return commit

    def defragment(self) -> None:
        """Write the file anew, without what is free in it; what is uncommitted stays so."""
        self._size = self.size_in_use

    def _measure(self) -> None:
        for _, _, kv in self._new_versions[self._measured :]:
            assert isinstance(kv, KeyValue), "a deletion is measured when it is made"
            self._in_use += version_bytes(kv)
        self._measured = len(self._new_versions)

    def _shrink_in_use(self, freed: int) -> None:
        self._size = max(self._size, EMPTY_BYTES + self._in_use)
        self._in_use -= freed

    def _bucket(self, name: str) -> dict[RevisionKey, object]:
        if name == KEY:
            return self.versions  # type: ignore[return-value]  # read only
        if name not in self._rest:
            raise ModelBug(f"a database has no bucket {name!r}; there are {', '.join(BUCKETS)}")
        return self._rest[name]

    # -- whole contents

    def database(self) -> Database:
        """Everything that is in it now, with what is not committed yet."""
        rest = [(name, key, value) for name in self._rest for key, value in self.items(name)]
        versions = [(KEY, revision, kv) for revision, kv in self.versions.items()]
        return Database(writes=(*versions, *rest), size=self.size)

    @classmethod
    def load(cls, records: Iterable[Database | Commit]) -> Backend:
        """What the records of a disk say, oldest first; a whole database replaces all before it."""
        backend = cls()
        for record in records:
            if isinstance(record, Database):
                backend = cls()
                backend._size = record.size
            for bucket, key, value in record.writes:
                if value is DELETED:
                    backend.delete(bucket, key)
                else:
                    backend.put(bucket, key, value)
        backend.versions = dict(sorted(backend.versions.items()))
        backend.take()
        return backend


def version_bytes(kv: KeyValue) -> int:
    """How much of the file a version takes."""
    value = kv.value
    if value is None:
        return RECORD_BYTES + len(kv.key)
    return RECORD_BYTES + len(kv.key) + (len(value) if type(value) is str else OBJECT_BYTES)
