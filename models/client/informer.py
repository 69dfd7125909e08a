"""The informer: what one component knows of one resource, with indexes, and who is told of changes.

The store is brought up to date first, then handlers hear of the change, in the order they were added: so
a handler may find the store newer than what it is told. A relist shows an object that was deleted and made
again meanwhile as one update with another uid, and one that is gone as a delete with its last known state.
Objects are shared with everybody and never change.

Indexes are asked by value (`by_index("owner", uid)`), so that no reconcile looks at everything.
Source: staging/src/k8s.io/client-go/tools/cache/{shared_informer,thread_safe_store}.go.

Not modelled: resync (it only repeats what is known; no controller here needs the reminder).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

from chaoskube.models.apiserver.api import DELETED, WatchEvent
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.events import InformerRelisted, InformerSynced
from chaoskube.models.client.reflector import Reflector
from chaoskube.models.objects import KubeObject

Indexer: TypeAlias = Callable[[KubeObject], tuple[str, ...]]
NAMESPACE = "namespace"


@frozen(kw_only=True)
class Handler:
    """Whom to tell of what."""

    on_add: Callable[[KubeObject], None] | None = None
    on_update: Callable[[KubeObject, KubeObject], None] | None = None
    on_delete: Callable[[KubeObject], None] | None = None


class Informer:
    """A cache of one resource."""

    def __init__(
        self,
        client: ApiClient,
        resource: str,
        *,
        namespace: str = "",
        field_selector: str = "",
        label_selector: str = "",
        indexers: Mapping[str, Indexer] | None = None,
    ) -> None:
        self.resource = resource
        self.has_synced = False
        self.last_resource_version = ""
        self._process = client.process
        self._store: dict[str, KubeObject] = {}
        self._indexers: dict[str, Indexer] = {NAMESPACE: lambda obj: (obj.namespace,)}
        self._indexes: dict[str, dict[str, dict[str, KubeObject]]] = {NAMESPACE: {}}
        self._handlers: list[Handler] = []
        self._when_synced: list[Callable[[], None]] = []
        self._reflector = Reflector(
            client,
            self,
            resource,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
        )
        for name, indexer in (indexers or {}).items():
            self.add_index(name, indexer)

    def start(self) -> None:
        """Begin to list and watch."""
        self._reflector.start()

    def add_index(self, name: str, indexer: Indexer) -> None:
        """Make `by_index(name, ...)` work; the same name may be asked for by several."""
        if name in self._indexers:
            return
        self._indexers[name] = indexer
        index: dict[str, dict[str, KubeObject]] = {}
        self._indexes[name] = index
        for key, obj in self._store.items():
            for value in indexer(obj):
                index.setdefault(value, {})[key] = obj

    def add_handler(
        self,
        *,
        on_add: Callable[[KubeObject], None] | None = None,
        on_update: Callable[[KubeObject, KubeObject], None] | None = None,
        on_delete: Callable[[KubeObject], None] | None = None,
    ) -> None:
        """Tell of every change from now on; of what is there already as adds."""
        self._handlers.append(Handler(on_add=on_add, on_update=on_update, on_delete=on_delete))
        if on_add is not None:
            for key in sorted(self._store):
                on_add(self._store[key])

    def when_synced(self, then: Callable[[], None]) -> None:
        """Call `then` once the first whole state is there; at once if it is."""
        if self.has_synced:
            then()
        else:
            self._when_synced.append(then)

    # -- what is known

    @property
    def revision(self) -> int:
        """The last version seen, as a number; 0 before the first."""
        return int(self.last_resource_version or "0")

    def get(self, namespace: str, name: str) -> KubeObject | None:
        """The object, as far as is known here."""
        return self._store.get(f"{namespace}/{name}" if namespace else name)

    def get_by_key(self, key: str) -> KubeObject | None:
        """The object under `ns/name` (or `name`)."""
        return self._store.get(key)

    def list(self, namespace: str | None = None) -> tuple[KubeObject, ...]:
        """All known objects, of one namespace or of all, by key."""
        if namespace is not None:
            return self.by_index(NAMESPACE, namespace)
        return tuple([self._store[key] for key in sorted(self._store)])

    def by_index(self, index: str, value: str) -> tuple[KubeObject, ...]:
        """The objects that `index` files under `value`, by key."""
        found = self._indexes[index].get(value)
        if not found:
            return ()
        return tuple([found[key] for key in sorted(found)])

    def __len__(self) -> int:
        return len(self._store)

    # -- what the reflector tells

    def replace(self, items: tuple[KubeObject, ...], resource_version: str, server: str) -> None:
        """Take over the whole state, then tell of every difference."""
        old = self._store
        new = {item.key: item for item in items}
        before = dict(old)
        gone = [old[key] for key in sorted(old) if key not in new]
        for obj in gone:
            self._remove(obj.key)
        for key, obj in new.items():
            self._put(key, obj, old.get(key))
        self._store = new
        self.last_resource_version = resource_version
        self._tell_replaced(new, before, gone, server)

    def _tell_replaced(
        self,
        new: Mapping[str, KubeObject],
        before: Mapping[str, KubeObject],
        gone: Sequence[KubeObject],
        server: str,
    ) -> None:
        version = self.last_resource_version
        if self.has_synced:
            event: object = InformerRelisted(
                resource=self.resource, resource_version=version, missed=len(gone), server=server
            )
        else:
            event = InformerSynced(
                resource=self.resource, resource_version=version, count=len(new), server=server
            )
        self._process.record(event)
        for key in list(new):
            self._tell(before.get(key), new[key])
        for obj in gone:
            self._tell(obj, None)
        if not self.has_synced:
            self.has_synced = True
            waiting, self._when_synced = self._when_synced, []
            for then in waiting:
                then()

    def apply(self, event: WatchEvent) -> None:
        """Take over one change, then tell of it."""
        obj = event.object
        assert isinstance(obj, KubeObject), f"an object, not {obj!r}"
        key = obj.key
        known = self._store.get(key)
        self.last_resource_version = obj.resource_version
        if event.type == DELETED:
            if known is not None:
                self._remove(key)
                self._tell(obj, None)
            return
        self._put(key, obj, known)
        self._tell(known, obj)

    def advance(self, resource_version: str) -> None:
        """Nothing changed up to here."""
        self.last_resource_version = resource_version

    # -- the store

    def _put(self, key: str, obj: KubeObject, known: KubeObject | None) -> None:
        for name, indexer in self._indexers.items():
            index = self._indexes[name]
            values = indexer(obj)
            if known is not None:
                for value in indexer(known):
                    if value not in values:
                        _unfile(index, value, key)
            for value in values:
                index.setdefault(value, {})[key] = obj
        self._store[key] = obj

    def _remove(self, key: str) -> None:
        known = self._store.pop(key)
        for name, indexer in self._indexers.items():
            for value in indexer(known):
                _unfile(self._indexes[name], value, key)

    def _tell(self, old: KubeObject | None, new: KubeObject | None) -> None:
        for handler in self._handlers:
            if new is None:
                if old is not None and handler.on_delete is not None:
                    handler.on_delete(old)
            elif old is None:
                if handler.on_add is not None:
                    handler.on_add(new)
            elif handler.on_update is not None:
                handler.on_update(old, new)


def _unfile(index: dict[str, dict[str, KubeObject]], value: str, key: str) -> None:
    filed = index.get(value)
    if filed is not None:
        filed.pop(key, None)
        if not filed:
            del index[value]
