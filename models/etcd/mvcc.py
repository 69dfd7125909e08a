"""The store with its history: every write makes a revision, and old revisions can be read until compacted.

Etcd server/storage/mvcc (kvstore.go, kvstore_txn.go, kvstore_compaction.go, key_index.go, hash.go). A write
transaction gathers events and makes one revision of them, or none when nothing changed. Each version goes to the
backend under (main, sub); the index and the list of events are memory, rebuilt from the backend by `Store(backend)`.

Compaction at r is two things: at once nothing before r can be read any more (and the backend knows that it is
scheduled); the records go later, a batch a call of `compact_batch`, so that a crash may fall between two. A store that
finds a compaction scheduled and not finished begins it again. A deletion made exactly at r stays (etcd issue 18089).

Called by `state.py` (which applies committed requests) and the member (`compact_batch`), read by ranges and watches.
Not modelled: the pause of 10 ms between batches (the member's), hashes kept from past compactions.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, insort
from collections import deque
from typing import Final, TypeAlias

import attrs

from chaoskube.models.etcd.backend import (
    FINISHED_COMPACTION,
    KEY,
    META,
    SCHEDULED_COMPACTION,
    Backend,
    Revision,
)
from chaoskube.models.etcd.key_values import FROM_KEY, Event, EventType, KeyValue
from chaoskube.models.etcd.messages import (
    COMPACTED,
    FUTURE_REVISION,
    EtcdError,
    HashKVResponse,
    Range,
    RangeResponse,
)
from chaoskube.models.etcd.ordering import ordered
from chaoskube.sim import canonical

COMPACTION_BATCH: Final = 1000
"""Records taken out in one batch (kvstore.go defaultCompactionBatchLimit)."""

Version: TypeAlias = tuple[Revision, KeyValue]
"""When and what was written; a deletion is a version with `version` 0."""


class Store:
    """Keys, their versions, and the events of each revision since the last compaction."""

    def __init__(self, backend: Backend | None = None, *, compaction_batch: int = COMPACTION_BATCH) -> None:
        self.backend = Backend() if backend is None else backend
        self.revision = 1
        self.compact_revision = -1
        self._current: dict[str, KeyValue] = {}
        self._live: list[str] = []
        self._ever: list[str] = []
        """Every key that has a version in `_versions`, sorted; `_live` are those that exist now."""
        self._versions: dict[str, list[Version]] = {}
        """Oldest first."""
        self._log: list[tuple[Event, ...]] = []
        """The events of each revision since the compaction."""
        self._txn: _Txn | None = None
        self._batch = compaction_batch
        self._compactions: deque[_Compaction] = deque()
        self._restore()

    # -- reading

    def get(self, key: str) -> KeyValue | None:
        """The key as it is now (inside a transaction: with its changes so far)."""
        return self._current.get(key)

    def keys_in(self, key: str, range_end: str) -> list[str]:
        """The keys that exist now in a range, sorted."""
        return _between(self._live, key, range_end) if range_end else [key] if key in self._current else []

    def leased(self) -> list[KeyValue]:
        """The keys that hang on a lease, sorted."""
        return [kv for key in self._live if (kv := self._current[key]).lease]

    def check_revision(self, revision: int) -> EtcdError | None:
        """Can this revision be read?"""
        if revision > self.revision:
            return FUTURE_REVISION
        if revision < self.compact_revision:
            return COMPACTED
        return None

    @property
    def newest(self) -> int:
        """The revision that a reader sees: inside a transaction that changed something, the one it makes."""
        txn = self._txn
        return self.revision if txn is None or not txn.events else txn.revision

    def range(self, request: Range) -> RangeResponse | EtcdError:
        """Answer a range. Revision 0 or below means the newest (inside a transaction: with its changes so far)."""
        newest = self.newest
        revision = request.revision if request.revision > 0 else newest
        if revision > newest:
            return FUTURE_REVISION
        if revision < self.compact_revision:
            return COMPACTED
        if revision == newest:
            found = [self._current[key] for key in self.keys_in(request.key, request.range_end)]
        else:
            found = self._range_at(request.key, request.range_end, revision)
        count = len(found)
        if request.count_only:
            return RangeResponse(revision=newest, count=count)
        if not request.is_plain:
            found = ordered(found, request)
        more = 0 < request.limit < len(found)
        if more:
            del found[request.limit :]
        if request.keys_only:
            found = [attrs.evolve(kv, value=None) for kv in found]
        return RangeResponse(revision=newest, kvs=tuple(found), more=more, count=count)

    def _range_at(self, key: str, range_end: str, revision: int) -> list[KeyValue]:
        keys = _between(self._ever, key, range_end) if range_end else [key]
        found = [_version_at(self._versions.get(one, []), revision) for one in keys]
        return [version[1] for version in found if version is not None and version[1].version]

    def events_since(self, revision: int) -> list[tuple[Event, ...]]:
        """The events of each revision from `revision` on, in order; it must not be compacted."""
        return self._log[bisect_left(self._log, revision, key=_revision_of) :]

    def hash_kv(self, revision: int) -> HashKVResponse | EtcdError:
        """A hash of all that can be read up to `revision` (0: now), the same for equal content (hash.go).

        Records that a compaction will still remove don't count, nor does a deletion at the compacted revision.
        """
        at = revision or self.revision
        error = self.check_revision(at)
        if error is not None:
            return error
        kept = {
            version[0]
            for versions in self._versions.values()
            if (version := _version_at(versions, at)) is not None and version[1].version
        }
        total = 0
        for (main, sub), kv in self.backend.versions.items():
            is_old = main <= self.compact_revision
            if main > at or (is_old and (kv.version == 0 or (main, sub) not in kept)):
                continue
            total = zlib.crc32(f"{main} {sub} {kv.create_revision} {canonical(kv)}\n".encode(), total)
        compacted = self.compact_revision
        return HashKVResponse(
            revision=self.revision, hash=total, compact_revision=compacted, hash_revision=at
        )

    # -- writing

    def begin(self) -> None:
        """Start a write transaction; `put` and `delete` belong to it until `end`."""
        assert self._txn is None, "a write transaction is open"
        self._txn = _Txn(self.revision + 1)

    def put(self, key: str, value: object, lease: int) -> KeyValue | None:
        """Write a key; the version before, if it existed."""
        txn = self._open_txn()
        previous = self._current.get(key)
        kv = KeyValue(
            key=key,
            value=value,
            create_revision=txn.revision if previous is None else previous.create_revision,
            mod_revision=txn.revision,
            version=1 if previous is None else previous.version + 1,
            lease=lease,
        )
        if previous is None:
            insort(self._live, key)
        self._current[key] = kv
        events = txn.events
        self._add_version(kv, len(events))
        # The previous version is the one at revision - 1, as etcd looks it up, unless the key is made here
        # (v3rpc/watch.go): also when this transaction deleted it before.
        before = txn.before.setdefault(key, previous)
        events.append(Event(type=EventType.PUT, kv=kv, prev_kv=None if previous is None else before))
        return previous

    def delete(self, key: str) -> KeyValue | None:
        """Delete a key; the version that is gone, if it existed."""
        txn = self._open_txn()
        previous = self._current.pop(key, None)
        if previous is None:
            return None
        del self._live[bisect_left(self._live, key)]
        kv = KeyValue(key=key, value=None, create_revision=0, mod_revision=txn.revision, version=0)
        self._add_version(kv, len(txn.events))
        txn.events.append(Event(type=EventType.DELETE, kv=kv, prev_kv=txn.before.setdefault(key, previous)))
        return previous

    def end(self) -> tuple[Event, ...]:
        """Finish the transaction: its events, which are a new revision, or () when nothing changed."""
        txn = self._open_txn()
        self._txn = None
        if not txn.events:
            return ()
        self.revision = txn.revision
        events = tuple(txn.events)
        self._log.append(events)
        return events

    def _add_version(self, kv: KeyValue, sub: int) -> None:
        revision = (kv.mod_revision, sub)
        self.backend.put_version(revision, kv)
        versions = self._versions.get(kv.key)
        if versions is None:
            self._versions[kv.key] = [(revision, kv)]
            insort(self._ever, kv.key)
        else:
            versions.append((revision, kv))

    def _open_txn(self) -> _Txn:
        assert self._txn is not None, "no write transaction is open"
        return self._txn

    # -- compaction

    @property
    def is_compacting(self) -> bool:
        """Records of a compaction wait for `compact_batch`."""
        return bool(self._compactions)

    def compact(self, revision: int) -> EtcdError | None:
        """Forget what only revisions before `revision` could see; `compact_batch` takes the records out."""
        if revision <= max(self.compact_revision, 0):
            return COMPACTED
        if revision > self.revision:
            return FUTURE_REVISION
        self.backend.put(META, SCHEDULED_COMPACTION, revision)
        self.backend.is_urgent = True
        self._start_compaction(revision)
        return None

    def compact_batch(self) -> bool:
        """Take the next records of a compaction out of the backend; is there more to do?"""
        if not self._compactions:
            return False
        compaction = self._compactions[0]
        for _ in range(min(self._batch, len(compaction.records))):
            self.backend.delete(KEY, compaction.records.popleft())
        self.backend.is_urgent = True
        if not compaction.records:
            self.backend.put(META, FINISHED_COMPACTION, compaction.revision)
            self._compactions.popleft()
        return bool(self._compactions)

    def _start_compaction(self, revision: int) -> None:
        self.compact_revision = revision
        doomed: list[Revision] = []
        gone: set[str] = set()
        for key, versions in self._versions.items():
            if versions[0][0][0] > revision:
                continue
            first = _first_kept(versions, revision)
            if first:
                doomed += [version[0] for version in versions[:first]]
                del versions[:first]
                if not versions:
                    gone.add(key)
        for key in sorted(gone):
            del self._versions[key]
        if gone:
            self._ever = [key for key in self._ever if key not in gone]
        self._compactions.append(_Compaction(revision, deque(sorted(doomed))))
        self._trim_log()

    def _trim_log(self) -> None:
        """Events before the compacted revision are gone; of its own, those whose version is still there stay."""
        revision = self.compact_revision
        del self._log[: bisect_left(self._log, revision, key=_revision_of)]
        if self._log and _revision_of(self._log[0]) == revision:
            # What was before it is compacted, so these events no longer know (watchable_store.go).
            left = tuple(
                attrs.evolve(event, prev_kv=None)
                for sub, event in enumerate(self._log[0])
                if self._has_version(event.kv.key, (revision, sub))
            )
            self._log[:1] = [left] if left else []

    def _has_version(self, key: str, revision: Revision) -> bool:
        return any(version[0] == revision for version in self._versions.get(key, [])[:2])

    # -- starting again

    def _restore(self) -> None:
        """Rebuild the index and the events from the backend (kvstore.go restore)."""
        finished = self.backend.meta(FINISHED_COMPACTION)
        scheduled = self.backend.meta(SCHEDULED_COMPACTION)
        newest = 1
        for (main, sub), kv in self.backend.versions.items():
            newest = main
            if counts_at_restore(kv, kv.key in self._versions):
                self._restore_version(main, sub, kv)
        self._live = sorted(self._current)
        self._ever = sorted(self._versions)
        self.compact_revision = finished or -1
        self.revision = revision_at_restore(newest, finished, scheduled)
        self._trim_log()
        if scheduled > finished:
            self._start_compaction(scheduled)

    def _restore_version(self, main: int, sub: int, kv: KeyValue) -> None:
        versions = self._versions.setdefault(kv.key, [])
        before = _version_at(versions, main - 1)
        versions.append(((main, sub), kv))
        if kv.version:
            self._current[kv.key] = kv
        else:
            self._current.pop(kv.key, None)
        kind = EventType.PUT if kv.version else EventType.DELETE
        is_looked_up = before is not None and before[1].version > 0 and kv.version != 1
        previous = before[1] if before is not None and is_looked_up else None
        event = Event(type=kind, kv=kv, prev_kv=previous)
        if self._log and _revision_of(self._log[-1]) == main:
            self._log[-1] = (*self._log[-1], event)
        else:
            self._log.append((event,))


# -- decisions, each in one place


def counts_at_restore(kv: KeyValue, is_known: bool) -> bool:
    """Does a stored version belong in the index again? Every one: also a deletion when nothing else is left of
    its key (`is_known` False), which can still be watched (etcd issue 19179)."""
    return kv.version > 0 or kv.mod_revision > 0 or is_known


def revision_at_restore(newest: int, finished: int, scheduled: int) -> int:
    """The store's revision: that of its newest record, but not below a compaction that was begun.

    Compaction may have taken the newest record (etcd issue 17780).
    """
    return max(newest, finished, scheduled)


def keeps_deletion(deleted_at: int, compacted: int) -> bool:
    """Does a compaction leave a key's last version when that is a deletion? Only one made exactly at the
    compacted revision, which can still be watched from there (etcd issue 18089)."""
    return deleted_at == compacted


def _first_kept(versions: list[Version], revision: int) -> int:
    """The place of the oldest version that stays: the one that `revision` sees."""
    place = _count_until(versions, revision)
    if place == 0:
        return 0
    (main, _), kv = versions[place - 1]
    return place - 1 if kv.version or keeps_deletion(main, revision) else place


@attrs.frozen
class _Compaction:
    """The records that a compaction at `revision` still has to take out, oldest first."""

    revision: int
    records: deque[Revision]


class _Txn:
    """A write transaction: its revision, its events, and each touched key as it was before."""

    __slots__ = ("before", "events", "revision")

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.events: list[Event] = []
        self.before: dict[str, KeyValue | None] = {}


def _revision_of(events: tuple[Event, ...]) -> int:
    return events[0].kv.mod_revision


def _count_until(versions: list[Version], revision: int) -> int:
    """How many of the versions were made at `revision` or before."""
    return bisect_left(versions, ((revision + 1,),))


def _version_at(versions: list[Version], revision: int) -> Version | None:
    place = _count_until(versions, revision)
    return versions[place - 1] if place else None


def _between(keys: list[str], start: str, range_end: str) -> list[str]:
    first = bisect_left(keys, start)
    return keys[first:] if range_end == FROM_KEY else keys[first : bisect_left(keys, range_end)]
