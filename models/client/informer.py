"""The informer: what one component knows of one resource, with indexes, and who is told of changes.

The reflector puts what it saw into a queue (`deltas.py`), whatever is taken out brings the store up to date first,
then handlers hear of it, in the order they were added: so a handler may find the store newer than what it is told.
A relist shows an object that was deleted and made again meanwhile as one update with another uid, and one that is
gone as a tombstone with its last known state; the whole store is replaced before anybody is told.

A resync tells handlers of what is known once more; it asks no server, and repairs nothing.

Called by every component that watches. Source: staging/src/k8s.io/client-go/tools/cache/{shared_informer,controller}.go.

Not modelled: the 12 h resync of kube-controller-manager (no run lasts as long); a queue that goes on filling while
handlers work (`Queue.handling_ns` says how long that takes: nothing, unless somebody says otherwise).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import TypeAlias

from chaoskube.models.apiserver.api import DELETED as WATCH_DELETED
from chaoskube.models.apiserver.api import MODIFIED, WatchEvent
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.deltas import (
    ADDED,
    BOOKMARK,
    DELETED,
    REPLACED_ALL,
    SETTLED,
    SYNC,
    SYNC_ALL,
    UPDATED,
    DeletedFinalStateUnknown,
    Delta,
    Queue,
    RealFifo,
    WholeState,
)
from chaoskube.models.client.events import InformerRelisted, InformerSynced
from chaoskube.models.client.handlers import Handler, OnAdd, OnDelete, OnTombstone, OnUpdate
from chaoskube.models.client.reflector import Reflector
from chaoskube.models.client.store import NAMESPACE, Indexer, Store
from chaoskube.models.client.views import (
    ChangeHeard,
    StateHeard,
    StoreChanged,
    VersionHeard,
    View,
    ViewClosed,
)
from chaoskube.models.objects import KubeObject, LabelSelector
from chaoskube.models.objects.selectors import matches
from chaoskube.sim import Timer

Transform: TypeAlias = Callable[[KubeObject], KubeObject]
Told: TypeAlias = tuple[KubeObject | DeletedFinalStateUnknown | None, KubeObject | None]
"""What was before and what is now; no "now" is a deletion."""


def make_queue(store: Store) -> Queue:
    """The queue of a new informer. A `DeltaFifo(lambda: store.objects)` would be client-go before 1.33."""
    return RealFifo()


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
        transform: Transform | None = None,
    ) -> None:
        self.resource = resource
        self.has_synced = False
        self.last_resource_version = ""
        self._process = client.process
        self._view = View(
            resource=resource,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
        )
        self._store = Store()
        self._queue = make_queue(self._store)
        self._is_handling = False
        self._tombstones = 0
        self._handlers: list[Handler] = []
        self._when_synced: list[Callable[[], None]] = []
        self._resync_timer: Timer | None = None
        self._transform = transform
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

    def stop(self) -> None:
        """Learn nothing any more."""
        self._reflector.stop()
        self._process.mention(ViewClosed(view=self._view))
        self._handlers.clear()
        if self._resync_timer is not None:
            self._resync_timer.cancel()

    def add_index(self, name: str, indexer: Indexer) -> None:
        """Make `by_index(name, ...)` work; the same name may be asked for by several."""
        self._store.add_index(name, indexer)

    def add_handler(
        self,
        *,
        on_add: OnAdd | None = None,
        on_update: OnUpdate | None = None,
        on_delete: OnDelete | None = None,
        on_tombstone: OnTombstone | None = None,
        resync_ns: int = 0,
    ) -> Handler:
        """Tell of every change from now on; of what is there already as adds."""
        handler = Handler(
            component=self._process.name,
            on_add=on_add,
            on_update=on_update,
            on_delete=on_delete,
            on_tombstone=on_tombstone,
            resync_ns=resync_ns,
            now=self._process.now,
        )
        self._handlers.append(handler)
        if on_add is not None:
            for obj in self._store.list():
                on_add(obj)
        return handler

    def remove_handler(self, handler: Handler) -> None:
        """Tell it nothing any more."""
        self._handlers.remove(handler)

    def when_synced(self, then: Callable[[], None]) -> None:
        """Call `then` once the first whole state is there; at once if it is."""
        if self.has_synced:
            then()
        else:
            self._when_synced.append(then)

    # -- what is known

    @property
    def revision(self) -> int:
        """The last version that the store has seen, as a number; 0 before the first."""
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
        return self._store.list()

    def select(self, namespace: str, selector: LabelSelector) -> tuple[KubeObject, ...]:
        """The known objects of a namespace whose labels match, by key."""
        found = self.by_index(NAMESPACE, namespace)
        return tuple([obj for obj in found if matches(selector, obj.labels)])

    def by_index(self, index: str, value: str) -> tuple[KubeObject, ...]:
        """The objects that `index` files under `value`, by key."""
        return self._store.by_index(index, value)

    def __len__(self) -> int:
        return len(self._store)

    # -- what the reflector tells

    def replace(self, items: tuple[KubeObject, ...], resource_version: str, server: str) -> None:
        """This is all there is."""
        heard = StateHeard(view=self._view, objects=items, resource_version=resource_version)
        self._process.mention(heard)
        if self._transform is not None:
            items = tuple([self._transform(item) for item in items])
        self._queue.replace(WholeState(objects=items, resource_version=resource_version, server=server))
        self._handle()

    def apply(self, event: WatchEvent) -> None:
        """One change."""
        obj = event.object
        assert isinstance(obj, KubeObject), f"an object, not {obj!r}"
        self._process.mention(ChangeHeard(view=self._view, type=event.type, obj=obj))
        if self._transform is not None:
            obj = self._transform(obj)
        if event.type == WATCH_DELETED:
            self._queue.add(DELETED, obj)
        else:
            self._queue.add(UPDATED if event.type == MODIFIED else ADDED, obj)
        self._handle()

    def advance(self, resource_version: str) -> None:
        """Nothing changed up to here."""
        self._process.mention(VersionHeard(view=self._view, resource_version=resource_version))
        self._queue.bookmark(resource_version)
        self._handle()

    def watching(self) -> None:
        """The reflector has a whole state and watches on: the time to the next resync runs from now."""
        if self._resync_timer is not None:
            self._resync_timer.cancel()
            self._resync_timer = None
        periods = [handler.resync_ns for handler in self._handlers if handler.resync_ns]
        if periods:
            self._resync_timer = self._process.call_later(min(periods), self._resync)

    def _resync(self) -> None:
        now = self._process.now
        due = [handler.take_resync(now) for handler in self._handlers]
        if any(due):
            self._queue.resync()
            self._handle()
        self._resync_timer = None
        self.watching()

    # -- the queue

    def _handle(self) -> None:
        """Work on what is queued; each piece takes its time, and what comes meanwhile waits."""
        if self._is_handling:
            return
        while len(self._queue):
            self._take_in(self._queue.pop())
            if self._queue.handling_ns:
                self._is_handling = True
                self._process.call_later(self._queue.handling_ns, self._handled)
                return

    def _handled(self) -> None:
        self._is_handling = False
        self._handle()

    def _take_in(self, deltas: tuple[Delta, ...]) -> None:
        """Bring the store up to date with all of them, then tell of each."""
        told: builtins.list[Told] = []
        for delta in deltas:
            obj = delta.object
            if isinstance(obj, KubeObject):
                told.append(self._store_one(delta.type, obj))
            elif isinstance(obj, DeletedFinalStateUnknown):
                self._store.remove(obj.key)
                self._tombstones += 1
                told.append((obj, None))
            elif isinstance(obj, WholeState):
                told += self._store_all(delta.type, obj)
            elif delta.type == BOOKMARK:
                self.last_resource_version = obj or self.last_resource_version
            else:
                assert delta.type == SYNC_ALL, f"what stands alone is a resync, not {delta.type}"
                told += [(known, known) for known in self._store.list()]
        now = tuple([((new or old).key, new) for old, new in told if new or old])  # type: ignore[union-attr]  # one of the two
        self._process.mention(StoreChanged(view=self._view, now=now))
        for old, new in told:
            self._tell(old, new)
        if not self.has_synced and any(delta.type in (REPLACED_ALL, SETTLED) for delta in deltas):
            self._synced()

    def _store_one(self, type: str, obj: KubeObject) -> Told:
        if type != SYNC:
            self.last_resource_version = obj.metadata.resource_version
        if type == DELETED:
            self._store.remove(obj.key)
            return obj, None
        return self._store.put(obj), obj

    def _store_all(self, type: str, state: WholeState) -> builtins.list[Told]:
        told: builtins.list[Told] = []
        if type == REPLACED_ALL:
            before = self._store.replace(state.objects)
            gone = [key for key in sorted(before) if self._store.get(key) is None]
            self._tombstones = len(gone)
            told += [(DeletedFinalStateUnknown(key, before[key]), None) for key in gone]
            told += [(before.get(obj.key), obj) for obj in state.objects]
        version = self.last_resource_version = state.resource_version
        missed, self._tombstones = self._tombstones, 0
        event: object = InformerRelisted(
            resource=self.resource, resource_version=version, missed=missed, server=state.server
        )
        if not self.has_synced:
            event = InformerSynced(
                resource=self.resource, resource_version=version, count=len(self), server=state.server
            )
        self._process.record(event)
        return told

    def _tell(self, old: KubeObject | DeletedFinalStateUnknown | None, new: KubeObject | None) -> None:
        for handler in self._handlers:
            if isinstance(old, DeletedFinalStateUnknown):
                handler.lost(old)
            elif new is None:
                assert old is not None, "a change is from something or to something"
                handler.deleted(old)
            elif old is None:
                handler.added(new)
            else:
                handler.updated(old, new)

    def _synced(self) -> None:
        self.has_synced = True
        waiting, self._when_synced = self._when_synced, []
        for then in waiting:
            then()
