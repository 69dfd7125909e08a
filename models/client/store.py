"""The store of an informer: objects by key, and indexes that follow every change.

Indexes are asked by value (`by_index("owner", uid)`), so that no reconcile looks at everything. What is listed comes
in the order of keys. Objects are shared with everybody and never change. Pure.

Called by the informer, which is its only writer. Source: staging/src/k8s.io/client-go/tools/cache/thread_safe_store.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from chaoskube.models.objects import KubeObject

Indexer: TypeAlias = Callable[[KubeObject], tuple[str, ...]]
NAMESPACE = "namespace"


class Store:
    """Objects by key, with indexes."""

    def __init__(self) -> None:
        self._objects: dict[str, KubeObject] = {}
        self._indexers: dict[str, Indexer] = {NAMESPACE: lambda obj: (obj.namespace,)}
        self._indexes: dict[str, dict[str, dict[str, KubeObject]]] = {NAMESPACE: {}}

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def objects(self) -> Mapping[str, KubeObject]:
        """All of them by key."""
        return self._objects

    def add_index(self, name: str, indexer: Indexer) -> None:
        """Make `by_index(name, ...)` work; the same name may be asked for by several."""
        if name in self._indexers:
            return
        self._indexers[name] = indexer
        index: dict[str, dict[str, KubeObject]] = {}
        self._indexes[name] = index
        for key, obj in self._objects.items():
            for value in indexer(obj):
                index.setdefault(value, {})[key] = obj

    def get(self, key: str) -> KubeObject | None:
        """The object under `ns/name` (or `name`)."""
        return self._objects.get(key)

    def list(self) -> tuple[KubeObject, ...]:
        """All of them, by key."""
        return tuple([self._objects[key] for key in sorted(self._objects)])

    def by_index(self, index: str, value: str) -> tuple[KubeObject, ...]:
        """The objects that `index` files under `value`, by key."""
        found = self._indexes[index].get(value)
        if not found:
            return ()
        return tuple([found[key] for key in sorted(found)])

    def put(self, obj: KubeObject) -> KubeObject | None:
        """Store it; what stood there before."""
        key = obj.key
        known = self._objects.get(key)
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            values = indexer(obj)
            if known is not None:
                for value in indexer(known):
                    if value not in values:
                        _unfile(index, value, key)
            for value in values:
                index.setdefault(value, {})[key] = obj
        self._objects[key] = obj
        return known

    def remove(self, key: str) -> KubeObject | None:
        """Forget it; what stood there."""
        known = self._objects.pop(key, None)
        if known is not None:
            for name, indexer in self._indexers.items():
                for value in indexer(known):
                    _unfile(self._indexes[name], value, key)
        return known

    def replace(self, objects: tuple[KubeObject, ...]) -> dict[str, KubeObject]:
        """These and nothing else; what stood there before, by key."""
        before = dict(self._objects)
        new = {obj.key: obj for obj in objects}
        for key in before:
            if key not in new:
                self.remove(key)
        for obj in new.values():
            self.put(obj)
        return before


def _unfile(index: dict[str, dict[str, KubeObject]], value: str, key: str) -> None:
    filed = index.get(value)
    if filed is not None:
        filed.pop(key, None)
        if not filed:
            del index[value]
