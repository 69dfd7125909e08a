"""Who is told of what an informer's store became: handlers, resyncs and tombstones.

A handler hears of adds, updates and deletes in order. An update whose two objects have the same version repeats what
is known (a resync, or a relist that found nothing new): it goes only to handlers that are due for a resync, which
every handler is until the first one was asked for.

A deletion that nobody saw comes as a `DeletedFinalStateUnknown`. `on_delete` is given the last known object, as a
handler does that unwraps it; `on_tombstone` is for those that want to know the difference.

Called by the informer. Source: staging/src/k8s.io/client-go/tools/cache/shared_informer.go (sharedProcessor).

Not modelled: a goroutine and a buffer for each handler: all hear of a change in the instant the store has it.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.client.deltas import DeletedFinalStateUnknown
from chaoskube.models.objects import KubeObject
from chaoskube.sim import SECOND, reached

RESYNC_MIN = 1 * SECOND

OnAdd = Callable[[KubeObject], None]
OnUpdate = Callable[[KubeObject, KubeObject], None]
OnDelete = Callable[[KubeObject], None]
OnTombstone = Callable[[DeletedFinalStateUnknown], None]


class Handler:
    """Whom to tell of what, and when it wants to hear everything again."""

    def __init__(
        self,
        *,
        component: str,
        on_add: OnAdd | None = None,
        on_update: OnUpdate | None = None,
        on_delete: OnDelete | None = None,
        on_tombstone: OnTombstone | None = None,
        resync_ns: int = 0,
        now: int = 0,
    ) -> None:
        self.component = component
        self.on_add = on_add
        self.on_update = on_update
        self.on_delete = on_delete
        self.on_tombstone = on_tombstone
        self.resync_ns = max(resync_ns, RESYNC_MIN) if resync_ns > 0 else 0
        self.is_syncing = True
        self._next_resync = now + self.resync_ns

    def added(self, obj: KubeObject) -> None:
        """Tell of an object that is new here."""
        if self.on_add is not None:
            self.on_add(obj)

    def updated(self, old: KubeObject, new: KubeObject) -> None:
        """Tell of a change; of a repetition only who is due for a resync."""
        if self.on_update is not None and (
            self.is_syncing or old.metadata.resource_version != new.metadata.resource_version
        ):
            self.on_update(old, new)

    def deleted(self, obj: KubeObject) -> None:
        """Tell of a deletion that was seen."""
        if self.on_delete is not None:
            self.on_delete(obj)

    def lost(self, tombstone: DeletedFinalStateUnknown) -> None:
        """Tell of a deletion that nobody saw."""
        reached("handler hears of a tombstone")
        if self.on_tombstone is not None:
            self.on_tombstone(tombstone)
        else:
            self.deleted(tombstone.obj)

    def take_resync(self, now: int) -> bool:
        """Whether it is due for a resync at `now`; if so, the next one is set."""
        self.is_syncing = self.resync_ns > 0 and now >= self._next_resync
        if self.is_syncing:
            self._next_resync = now + self.resync_ns
        return self.is_syncing
