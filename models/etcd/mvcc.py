"""The store with its history: every write makes a revision, and old revisions can be read until compacted.

Etcd server/storage/mvcc (kvstore.go, kvstore_txn.go, key_index.go). A write transaction gathers events and
makes one revision of them, or none when nothing changed. Values are shared and never looked into.

Called by `state.py` (which applies committed requests), read by ranges and watches.
Not modelled: the backend file, hashes of the store, defragmentation, quotas.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

import attrs

from chaoskube.models.etcd.messages import (
    COMPACTED,
    FROM_KEY,
    FUTURE_REVISION,
    EtcdError,
    Event,
    EventType,
    KeyValue,
    Range,
    RangeResponse,
)


class Store:
    """Keys, their versions, and the events of each revision since the last compaction."""

    def __init__(self) -> None:
        self.revision = 1
        self.compact_revision = -1
        self._current: dict[str, KeyValue] = {}
        self._live: list[str] = []
        self._ever: list[str] = []
        """Every key that has a version in `_versions`, sorted; `_live` are those that exist now."""
        self._versions: dict[str, list[KeyValue]] = {}
        """Oldest first; a deletion is a version with `version` 0."""
        self._log: list[tuple[Event, ...]] = []
        self._log_first = 2
        """The revision of the first element of `_log`; each later one follows without a gap."""
        self._txn: _Txn | None = None

    # -- reading

    def get(self, key: str) -> KeyValue | None:
        """The key as it is now (inside a transaction: with its changes so far)."""
        return self._current.get(key)

    def keys_in(self, key: str, range_end: str) -> list[str]:
        """The keys that exist now in a range, sorted."""
        return _between(self._live, key, range_end) if range_end else [key] if key in self._current else []

    def check_revision(self, revision: int) -> EtcdError | None:
        """Can this revision be read?"""
        if revision > self.revision:
            return FUTURE_REVISION
        if revision < self.compact_revision:
            return COMPACTED
        return None

    def range(self, request: Range) -> RangeResponse | EtcdError:
        """Answer a range. Revision 0 or below means the newest."""
        revision = request.revision if request.revision > 0 else self.revision
        error = self.check_revision(revision)
        if error is not None:
            return error
        if revision == self.revision:
            found = [self._current[key] for key in self.keys_in(request.key, request.range_end)]
        else:
            found = self._range_at(request.key, request.range_end, revision)
        count = len(found)
        more = 0 < request.limit < count
        if request.count_only:
            return RangeResponse(revision=self.revision, count=count)
        if more:
            del found[request.limit :]
        if request.keys_only:
            found = [attrs.evolve(kv, value=None) for kv in found]
        return RangeResponse(revision=self.revision, kvs=tuple(found), more=more, count=count)

    def _range_at(self, key: str, range_end: str, revision: int) -> list[KeyValue]:
        keys = _between(self._ever, key, range_end) if range_end else [key]
        found = [self._version_at(one, revision) for one in keys]
        return [kv for kv in found if kv is not None]

    def _version_at(self, key: str, revision: int) -> KeyValue | None:
        versions = self._versions.get(key, [])
        place = bisect_right(versions, revision, key=_mod_revision)
        if place == 0 or versions[place - 1].version == 0:
            return None
        return versions[place - 1]

    def events_since(self, revision: int) -> list[tuple[Event, ...]]:
        """The events of each revision from `revision` on, in order; it must not be compacted."""
        return self._log[max(0, revision - self._log_first) :]

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
        self._add_version(kv)
        txn.add(EventType.PUT, kv, previous)
        return previous

    def delete(self, key: str) -> KeyValue | None:
        """Delete a key; the version that is gone, if it existed."""
        txn = self._open_txn()
        previous = self._current.pop(key, None)
        if previous is None:
            return None
        del self._live[bisect_left(self._live, key)]
        kv = KeyValue(key=key, value=None, create_revision=0, mod_revision=txn.revision, version=0)
        self._add_version(kv)
        txn.add(EventType.DELETE, kv, previous)
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

    def compact(self, revision: int) -> EtcdError | None:
        """Forget what only revisions before `revision` could see."""
        if revision <= max(self.compact_revision, 0):
            return COMPACTED
        if revision > self.revision:
            return FUTURE_REVISION
        self.compact_revision = revision
        for key in list(self._versions):
            self._compact_key(key, revision)
        self._ever = [key for key in self._ever if key in self._versions]
        # A deletion made exactly at `revision` can still be watched from there (etcd issue 18089).
        del self._log[: max(0, revision - self._log_first)]
        self._log_first = max(self._log_first, revision)
        if self._log and self._log_first == revision:
            # What was before it is compacted, so these events no longer know (watchable_store.go).
            self._log[0] = tuple(attrs.evolve(event, prev_kv=None) for event in self._log[0])
        return None

    def _compact_key(self, key: str, revision: int) -> None:
        versions = self._versions[key]
        place = bisect_right(versions, revision, key=_mod_revision)
        if place == 0:
            return
        keep_from = place if versions[place - 1].version == 0 else place - 1
        del versions[:keep_from]
        if not versions:
            del self._versions[key]

    def _add_version(self, kv: KeyValue) -> None:
        versions = self._versions.get(kv.key)
        if versions is None:
            self._versions[kv.key] = [kv]
            insort(self._ever, kv.key)
        elif versions[-1].mod_revision == kv.mod_revision:
            versions[-1] = kv
        else:
            versions.append(kv)

    def _open_txn(self) -> _Txn:
        assert self._txn is not None, "no write transaction is open"
        return self._txn


class _Txn:
    """A write transaction: its revision, its events, and each touched key as it was before."""

    __slots__ = ("_before", "events", "revision")

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.events: list[Event] = []
        self._before: dict[str, KeyValue | None] = {}

    def add(self, kind: EventType, kv: KeyValue, previous: KeyValue | None) -> None:
        """Note an event. Its previous version is the one at revision - 1, as etcd looks it up."""
        before = self._before.setdefault(kv.key, previous)
        self.events.append(Event(type=kind, kv=kv, prev_kv=before))


def _mod_revision(kv: KeyValue) -> int:
    return kv.mod_revision


def _between(keys: list[str], start: str, range_end: str) -> list[str]:
    first = bisect_left(keys, start)
    return keys[first:] if range_end == FROM_KEY else keys[first : bisect_left(keys, range_end)]
