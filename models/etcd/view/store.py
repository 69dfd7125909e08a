"""The one history of a cluster's store: revisions and what they changed, entries and what they did, who is how far.

The first member that applies an entry says what it does; every other must say the same, also after restarts and
snapshots. Acknowledged revisions are kept as the floor that later reads must reach.

After a restore (`Restored`) another history begins at the snapshot's revision. What clients were told stays true only
as far as the restored store goes on from it: `floor` falls when revisions go back, and nothing else is forgiven.

Part of `EtcdView`. Not modelled: what compaction removes is kept here, so that the past can be asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from attrs import define, field, frozen

from chaoskube.models.etcd.events import (
    Acknowledged,
    Applied,
    Compacted,
    Recovered,
    Restored,
    SnapshotInstalled,
)
from chaoskube.models.etcd.messages import Event, EventType, KeyValue, in_range
from chaoskube.models.etcd.view.watch_rules import is_same, say
from chaoskube.sim import Entry, Journal


@frozen(kw_only=True)
class Revision:
    """One revision, as the first member that made it says."""

    events: tuple[Event, ...]
    request_id: int
    by: str


@frozen(kw_only=True)
class Effect:
    """What an entry did, as the first member that applied it says."""

    request_id: int
    revision: int
    """The store's afterwards."""
    is_failed: bool
    changes: int
    by: str = field(eq=False)

    def says(self) -> str:
        """In words."""
        how = "refused" if self.is_failed else f"{self.changes} changes"
        return f"request {self.request_id} ({how}, then revision {self.revision})"


@define
class _Versions:
    """The versions of one key; None where it was deleted."""

    revisions: list[int] = field(factory=list)
    values: list[KeyValue | None] = field(factory=list)


class StoreView:
    """What is known of a store's past, and of each member's place in it."""

    def __init__(self, journal: Journal) -> None:
        self.revisions: dict[int, Revision] = {}
        self.revision = 1
        """The newest that any member has made."""
        self.applied: dict[str, int] = {}
        """The newest revision of each member."""
        self.applied_index: dict[str, int] = {}
        """The newest entry of each member."""
        self.compacted = 0
        """The newest revision that history was compacted to, or may have been (a restore with a bump marks it so)."""
        self.revision_conflict = ""
        """Two members made different contents of one revision; in words."""
        self.state_conflict = ""
        """Two members are in different states after the same entry; in words."""
        self.acknowledged: dict[int, int] = {}
        """For each acknowledged revision the number of its request."""
        self.acknowledged_revision = 1
        self.acknowledged_conflict = ""
        self.repeated = ""
        """A request took effect twice; in words."""
        self.on_restored: list[Callable[[Entry], None]] = []
        self._effects: dict[int, Effect] = {}
        self._indexes: list[int] = []
        self._entry_of: dict[int, int] = {}
        """For each request that changed something the entry that it was."""
        self._keys: dict[str, _Versions] = {}
        self._cluster = 0
        journal.subscribe(Applied, self._applied)
        journal.subscribe(Acknowledged, self._acknowledged)
        journal.subscribe(Compacted, self._compacted)
        journal.subscribe(Recovered, self._recovered)
        journal.subscribe(SnapshotInstalled, self._installed)
        journal.subscribe(Restored, self._restored)

    # -- the past

    def events_at(self, revision: int) -> tuple[Event, ...]:
        """The changes of one revision, in order."""
        known = self.revisions.get(revision)
        return known.events if known is not None else ()

    def value_at(self, key: str, revision: int) -> KeyValue | None:
        """The version of a key as of a revision."""
        versions = self._keys.get(key)
        if versions is None:
            return None
        place = bisect_right(versions.revisions, revision)
        return versions.values[place - 1] if place else None

    def range_at(self, key: str, range_end: str, revision: int) -> tuple[KeyValue, ...]:
        """The keys of a range as of a revision, in order."""
        if not range_end:
            kv = self.value_at(key, revision)
            return () if kv is None else (kv,)
        found = [self.value_at(one, revision) for one in sorted(self._keys) if in_range(one, key, range_end)]
        return tuple(kv for kv in found if kv is not None)

    def revision_after(self, index: int) -> int | None:
        """The store's revision after the entry at `index`; None where nobody has said."""
        place = bisect_right(self._indexes, index)
        return self._effects[self._indexes[place - 1]].revision if place else None

    # -- members

    def forget_member(self, name: str) -> None:
        """Somebody else has its name from now on."""
        self.applied.pop(name, None)
        self.applied_index.pop(name, None)

    def _applied(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Applied)
        self.applied[entry.by] = event.revision
        self.applied_index[entry.by] = event.index
        if event.events:
            self._make_revision(entry.by, event)
            first = self._entry_of.setdefault(event.request_id, event.index)
            if first != event.index and not self.repeated:
                self.repeated = (
                    f"request {event.request_id} took effect twice, as the entries {first} and {event.index}"
                )
        known = self._effects.get(event.index)
        effect = Effect(
            request_id=event.request_id,
            revision=event.revision,
            is_failed=event.failed,
            changes=len(event.events),
            by=entry.by,
        )
        if known is None:
            self._effects[event.index] = effect
            if not self._indexes or event.index > self._indexes[-1]:
                self._indexes.append(event.index)
        elif known != effect and not self.state_conflict:
            self.state_conflict = (
                f"entry {event.index} is {known.says()} for {known.by} and {effect.says()} for {entry.by}"
            )

    def _make_revision(self, by: str, event: Applied) -> None:
        known = self.revisions.get(event.revision)
        if known is None:
            self.revisions[event.revision] = Revision(events=event.events, request_id=event.request_id, by=by)
            if event.revision > self.revision:
                self.revision = event.revision
                for change in event.events:
                    self._remember(change, event.revision)
        elif known.request_id != event.request_id or not _are_same(known.events, event.events):
            self.revision_conflict = (
                f"revision {event.revision} is {say(known.events)} for {known.by} "
                f"and {say(event.events)} for {by}"
            )

    def _remember(self, change: Event, revision: int) -> None:
        versions = self._keys.setdefault(change.kv.key, _Versions())
        versions.revisions.append(revision)
        versions.values.append(change.kv if change.type is EventType.PUT else None)

    def _recovered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Recovered)
        self.applied[entry.by] = event.revision
        self.applied_index[entry.by] = event.consistent_index
        self._check_state(entry.by, event.consistent_index, event.revision, "found on its disk")
        if event.snapshot_index > event.consistent_index and not self.state_conflict:
            self.state_conflict = (
                f"{entry.by} begins with a log from entry {event.snapshot_index + 1} on and a database of everything "
                f"up to entry {event.consistent_index}: what is between never takes effect there"
            )

    def _installed(self, entry: Entry) -> None:
        """The database may be ahead of the index it came with: its sender had applied more than it knew committed."""
        event = entry.event
        assert isinstance(event, SnapshotInstalled)
        index = max(event.index, event.consistent_index)
        self.applied[entry.by] = event.revision
        self.applied_index[entry.by] = index
        self._check_state(entry.by, index, event.revision, "was sent")

    def _check_state(self, by: str, index: int, revision: int, how: str) -> None:
        """A member that begins somewhere in the log must begin with the state that belongs there."""
        wanted = self.revision_after(index)
        if wanted is not None and wanted != revision and not self.state_conflict:
            self.state_conflict = (
                f"{by} {how} revision {revision} with everything up to entry {index}, "
                f"after which the others had revision {wanted}"
            )

    def _compacted(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Compacted)
        self.compacted = max(self.compacted, event.revision)

    # -- what clients were told

    def _acknowledged(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Acknowledged)
        self.acknowledged_revision = max(self.acknowledged_revision, event.revision)
        made = self.revisions.get(event.revision)
        if made is None or made.request_id == event.request_id:
            first = self.acknowledged.setdefault(event.revision, event.request_id)
            if first != event.request_id and made is not None:
                self.acknowledged_conflict = f"revision {event.revision} was acknowledged for the requests {first} and {event.request_id}"

    # -- another cluster, made of a snapshot

    def _restored(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Restored)
        self.forget_member(entry.by)
        if event.cluster == self._cluster:
            return
        self._cluster = event.cluster
        if event.bumped_by:
            self.compacted = max(self.compacted, event.revision)
        self._effects, self._indexes, self._entry_of = {}, [], {}
        self.acknowledged_revision = min(self.acknowledged_revision, event.revision)
        self._forget_after(event.revision - event.bumped_by)
        self.revision = event.revision
        for listener in self.on_restored:
            listener(entry)

    def _forget_after(self, revision: int) -> None:
        """Revisions above are made anew, with other contents."""
        for known in (self.revisions, self.acknowledged):
            for one in [one for one in known if one > revision]:
                del known[one]
        for versions in self._keys.values():
            place = bisect_right(versions.revisions, revision)
            del versions.revisions[place:], versions.values[place:]


def _are_same(some: tuple[Event, ...], others: tuple[Event, ...]) -> bool:
    return len(some) == len(others) and all(
        is_same(one, other) and (one.prev_kv == other.prev_kv or one.prev_kv is None or other.prev_kv is None)
        for one, other in zip(some, others, strict=True)
    )
