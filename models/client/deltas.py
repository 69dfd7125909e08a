"""What a reflector saw, on its way to the store: the queue between the two. Pure.

`RealFifo`, client-go's own since 1.33, keeps every change in the order it came; a whole new state and a resync are
one delta each. `DeltaFifo`, what it was before, gathers changes by key: keys come in the order of their first
change, each with all its changes, and a relist is told apart key by key, against what is known at that time.

A deletion that nobody saw is a `DeletedFinalStateUnknown`: the key, and the last state that was known here, which
may be long out of date.

Called by the informer. Sources: staging/src/k8s.io/client-go/tools/cache/{the_real_fifo,delta_fifo}.go.

Not modelled: locks; a queue that is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from attrs import evolve, frozen

from chaoskube.models.objects import KubeObject

ADDED = "Added"
UPDATED = "Updated"
DELETED = "Deleted"
REPLACED = "Replaced"
REPLACED_ALL = "ReplacedAll"
SYNC = "Sync"
SYNC_ALL = "SyncAll"
BOOKMARK = "Bookmark"
SETTLED = "Settled"
"""Ours: a relist that was told apart key by key has been told to the end."""
BATCH_MAX = 1000
"""the_real_fifo.go defaultBatchSize: so many different keys are taken out at once."""


@frozen
class DeletedFinalStateUnknown:
    """A tombstone: the object is gone, nobody saw it go, and this is how it was last known."""

    key: str
    obj: KubeObject


@frozen(kw_only=True)
class WholeState:
    """Everything there is, as of one version."""

    resource_version: str
    objects: tuple[KubeObject, ...]
    server: str = ""


Payload: TypeAlias = KubeObject | DeletedFinalStateUnknown | WholeState | str | None


@frozen
class Delta:
    """One change. Its object: what changed; a tombstone; the whole state (ReplacedAll); a version (Bookmark)."""

    type: str
    object: Payload


class Queue(Protocol):
    """What an informer asks of its queue."""

    handling_ns: int
    """How long what was taken out is worked on before the next may be taken; 0 as nothing costs time here."""

    def __len__(self) -> int: ...

    def add(self, type: str, obj: KubeObject) -> None:
        """One object was added, updated or deleted."""

    def replace(self, state: WholeState) -> None:
        """This is all there is now."""

    def resync(self) -> None:
        """Tell of everything that is known once more."""

    def bookmark(self, resource_version: str) -> None:
        """Nothing else happened up to there."""

    def pop(self) -> tuple[Delta, ...]:
        """What is to be worked on next; there must be something."""


class RealFifo:
    """Every change in order."""

    def __init__(self, *, handling_ns: int = 0) -> None:
        self.handling_ns = handling_ns
        self._items: list[Delta] = []

    def __len__(self) -> int:
        return len(self._items)

    def add(self, type: str, obj: KubeObject) -> None:
        """One object was added, updated or deleted."""
        self._items.append(Delta(type, obj))

    def replace(self, state: WholeState) -> None:
        """This is all there is now."""
        self._items.append(Delta(REPLACED_ALL, state))

    def resync(self) -> None:
        """Tell of everything that is known once more."""
        self._items.append(Delta(SYNC_ALL, None))

    def bookmark(self, resource_version: str) -> None:
        """Nothing else happened up to there."""
        self._items.append(Delta(BOOKMARK, resource_version))

    def pop(self) -> tuple[Delta, ...]:
        """The longest run of changes to different objects, or one delta that stands alone."""
        batch: list[Delta] = []
        keys: set[str] = set()
        for delta in self._items[:BATCH_MAX]:
            if not isinstance(delta.object, KubeObject):
                if not batch:
                    batch.append(delta)
                break
            if delta.object.key in keys:
                break
            keys.add(delta.object.key)
            batch.append(delta)
        del self._items[: len(batch)]
        return tuple(batch)


class DeltaFifo:
    """All changes of one key together, keys in the order of their first change."""

    def __init__(self, known: Callable[[], Mapping[str, KubeObject]], *, handling_ns: int = 0) -> None:
        self.handling_ns = handling_ns
        self._known = known
        self._items: dict[str, list[Delta]] = {}
        self._told: list[Delta] = []

    def __len__(self) -> int:
        return len(self._items) + len(self._told)

    def add(self, type: str, obj: KubeObject) -> None:
        """One object was added, updated or deleted; a deletion of what nobody knows is left out."""
        if type == DELETED and obj.key not in self._items and obj.key not in self._known():
            return
        self._queue(obj.key, Delta(type, obj))

    def replace(self, state: WholeState) -> None:
        """Each object of the new state, then a tombstone for whatever else is queued or known."""
        listed = {obj.key for obj in state.objects}
        for obj in state.objects:
            self._queue(obj.key, Delta(REPLACED, obj))
        for key, deltas in list(self._items.items()):
            if key not in listed:
                self._queue(key, Delta(DELETED, _tombstone(key, deltas[-1].object)))
        known = self._known()
        for key in sorted(known):
            if key not in listed and key not in self._items:
                self._queue(key, Delta(DELETED, DeletedFinalStateUnknown(key, known[key])))
        self._told.append(Delta(SETTLED, evolve(state, objects=())))

    def resync(self) -> None:
        """Each known object that nothing is queued for."""
        known = self._known()
        for key in sorted(known):
            if key not in self._items:
                self._queue(key, Delta(SYNC, known[key]))

    def bookmark(self, resource_version: str) -> None:
        """Nothing else happened up to there."""
        self._told.append(Delta(BOOKMARK, resource_version))

    def pop(self) -> tuple[Delta, ...]:
        """The changes of the key that waited longest; when none waits, how far things are."""
        if not self._items:
            told, self._told = self._told, []
            return tuple(told)
        key = next(iter(self._items))
        return tuple(self._items.pop(key))

    def is_dropped(self, queued: tuple[Delta, ...], delta: Delta) -> bool:
        """Whether a change isn't worth queueing after what is queued for its key: never."""
        return False

    def _queue(self, key: str, delta: Delta) -> None:
        queued = self._items.get(key, [])
        if self.is_dropped(tuple(queued), delta):
            return
        if queued and queued[-1].type == DELETED and delta.type == DELETED:
            queued[-1] = _better_known(queued[-1], delta)
            return
        self._items[key] = [*queued, delta]


def _tombstone(key: str, last: Payload) -> DeletedFinalStateUnknown:
    if isinstance(last, DeletedFinalStateUnknown):
        return last
    assert isinstance(last, KubeObject), f"what is queued under a key is an object, not {last!r}"
    return DeletedFinalStateUnknown(key, last)


def _better_known(first: Delta, second: Delta) -> Delta:
    """Of two deletions in a row the one whose object is no tombstone; the first when neither is."""
    return second if isinstance(first.object, DeletedFinalStateUnknown) else first
