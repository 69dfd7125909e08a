"""What etcd holds now, from the journal: the one truth that caches lag behind.

A revision counts once, when the first member applies it. Called by the observer; tells its listeners of each
change with the object before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from attrs import frozen

from chaoskube.models.etcd.events import Applied
from chaoskube.models.objects import KubeObject, Node, Pod, is_pod_active
from chaoskube.sim import Entry, Journal

Kind = TypeVar("Kind", bound=KubeObject)
HEARTBEATS = ("Lease", "Event")


@frozen(kw_only=True)
class Change:
    """One object changed: `before` is None when it is new, `after` None when it is gone."""

    at: int
    revision: int
    before: KubeObject | None
    after: KubeObject | None
    was: int = 0
    """The revision that `before` was of; 0 when it is new."""

    @property
    def obj(self) -> KubeObject:
        """The object after, or the last that was seen of it."""
        found = self.after if self.after is not None else self.before
        assert found is not None, "a change has an object on one side at least"
        return found

    @property
    def is_heartbeat(self) -> bool:
        """Leases, Events, and a node's status with nothing new but times."""
        if self.obj.kind in HEARTBEATS:
            return True
        if isinstance(self.before, Node) and isinstance(self.after, Node):
            return _without_times(self.before) == _without_times(self.after)
        return False

    def words(self) -> str:
        """`Pod default/web-1 changed`."""
        verb = "is new" if self.before is None else "is gone" if self.after is None else "changed"
        return f"{self.obj.kind} {self.obj.key} {verb}"


class Stored:
    """The objects in etcd, by kind and key."""

    def __init__(self, journal: Journal) -> None:
        self.revision = 0
        self.listeners: list[Callable[[Change], None]] = []
        self._objects: dict[str, dict[str, KubeObject]] = {}
        self._by_key: dict[str, KubeObject] = {}
        self._created: dict[tuple[str, str], int] = {}
        self._changed: dict[str, int] = {}
        self._pods_of: dict[str, dict[str, None]] = {}
        journal.subscribe(Applied, self._applied)

    def all(self, kind: type[Kind]) -> Iterator[Kind]:
        """Every stored object of a kind, in the order of creation."""
        for obj in tuple(self._objects.get(kind.__name__, {}).values()):
            if isinstance(obj, kind):
                yield obj

    def get(self, kind: type[Kind], key: str) -> Kind | None:
        """The stored object with this key (`namespace/name`, or `name`), or None."""
        obj = self._objects.get(kind.__name__, {}).get(key)
        return obj if isinstance(obj, kind) else None

    def named(self, kind: str) -> tuple[KubeObject, ...]:
        """Every stored object of a kind by the kind's name, modelled or not."""
        return tuple(self._objects.get(kind, {}).values())

    def created_in(self, obj: KubeObject) -> int:
        """The revision that created a stored object; 0 when it is not stored."""
        return self._created.get((obj.kind, obj.key), 0)

    def pods_controlled_by(self, uid: str) -> tuple[Pod, ...]:
        """Pods whose controller has this uid, in the order of creation."""
        found = (self.get(Pod, key) for key in self._pods_of.get(uid, {}))
        return tuple(pod for pod in found if pod is not None)

    def active_pods_controlled_by(self, uid: str) -> tuple[Pod, ...]:
        """Those of them that count as replicas."""
        return tuple(pod for pod in self.pods_controlled_by(uid) if is_pod_active(pod))

    def _applied(self, entry: Entry) -> None:
        applied = entry.event
        assert isinstance(applied, Applied), "subscribed to Applied"
        if applied.revision <= self.revision:
            return
        self.revision = applied.revision
        for event in applied.events:
            before = self._by_key.pop(event.kv.key, None)
            after = event.kv.value
            if before is None and not isinstance(after, KubeObject):
                continue
            known = after if isinstance(after, KubeObject) else None
            self._put(event.kv.key, before, known)
            if known is None:
                assert before is not None, "only what was there can go"
                self._created.pop((before.kind, before.key), None)
            else:
                self._created[known.kind, known.key] = event.kv.create_revision
            was = self._changed.get(event.kv.key, 0) if before is not None else 0
            self._changed[event.kv.key] = applied.revision
            change = Change(at=entry.at, revision=applied.revision, before=before, after=known, was=was)
            for listener in self.listeners:
                listener(change)

    def _put(self, key: str, before: KubeObject | None, after: KubeObject | None) -> None:
        if after is None:
            assert before is not None, "only what was there can go"
            self._objects[before.kind].pop(before.key, None)
        else:
            self._by_key[key] = after
            self._objects.setdefault(after.kind, {})[after.key] = after
        former = before.metadata.controller if isinstance(before, Pod) else None
        owner = after.metadata.controller if isinstance(after, Pod) else None
        if former is not None and former != owner and before is not None:
            self._pods_of.get(former.uid, {}).pop(before.key, None)
        if owner is not None and after is not None:
            self._pods_of.setdefault(owner.uid, {})[after.key] = None


def _without_times(node: Node) -> object:
    conditions = tuple((one.type, one.status, one.reason) for one in node.status.conditions)
    return node.spec, node.labels, node.metadata.annotations, conditions
