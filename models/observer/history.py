"""What etcd has held, kind by kind: every change in order, and what is there now with its revision.

Made of the changes that `Stored` tells; read by the other parts of the observer.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TypeAlias

from attrs import define, evolve, field

from chaoskube.models.objects import KubeObject
from chaoskube.models.stored import Change, Stored

GroupKind: TypeAlias = tuple[str, str]
"""The API group ("" for core) and the kind."""


@define(eq=False)
class KindHistory:
    """One kind's changes, by revision, and its objects now: revision and object by key."""

    changes: list[Change] = field(factory=list)
    now: dict[str, tuple[int, KubeObject]] = field(factory=dict)

    def place_after(self, revision: int) -> int:
        """How many changes there are up to this revision."""
        return bisect_right(self.changes, revision, key=lambda change: change.revision)

    def made_at(self, revision: int, key: str) -> Change | None:
        """The change of the object with this key that made a revision; None when there is none."""
        place = self.place_after(revision) - 1
        change = self.changes[place] if place >= 0 else None
        return change if change is not None and (change.revision, change.obj.key) == (revision, key) else None

    def state_at(self, revision: int) -> dict[str, tuple[int, KubeObject]]:
        """The objects as they were at this revision."""
        objects = dict(self.now)
        for change in reversed(self.changes[self.place_after(revision) :]):
            if change.before is None:
                objects.pop(change.obj.key, None)
            else:
                objects[change.obj.key] = (change.was, change.before)
        return objects

    def add(self, change: Change) -> None:
        """One more change."""
        self.changes.append(change)
        if change.after is None:
            self.now.pop(change.obj.key, None)
        else:
            self.now[change.obj.key] = (change.revision, change.after)


class History:
    """All kinds."""

    def __init__(self, stored: Stored) -> None:
        self._kinds: dict[GroupKind, KindHistory] = {}
        stored.listeners.append(self._changed)

    def of(self, kind: GroupKind) -> KindHistory:
        """The history of a kind; it grows."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = KindHistory()
        return found

    def _changed(self, change: Change) -> None:
        self.of(group_kind(change.obj)).add(change)


def group_kind(obj: KubeObject) -> GroupKind:
    """The group and kind of an object."""
    return obj.api_version.rpartition("/")[0], obj.kind


def same_content(one: KubeObject, other: KubeObject) -> bool:
    """Do two objects say the same, whatever their resource versions (and managed fields, which follow from the writes)?"""
    if one.digest_text().rpartition("#")[2] == other.digest_text().rpartition("#")[2]:
        return True
    return _bare(one) == _bare(other)


def _bare(obj: KubeObject) -> KubeObject:
    return evolve(obj, metadata=evolve(obj.metadata, resource_version="", managed_fields=None))
