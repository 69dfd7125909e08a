"""Every watch of a run, held against the history of the store as it is told.

Fed by the events that the watching process records. `broken` has the first breach of each rule in words: an invariant
looks there, and at nothing else.

Part of `EtcdView`.
"""

from __future__ import annotations

from chaoskube.models.etcd.events import WatchDelivered, WatchEnded, WatchOpened, WatchProgressed
from chaoskube.models.etcd.messages import COMPACTED
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.models.etcd.view.watch_rules import Rule, Watched, WatchRules, say
from chaoskube.sim import Entry, Journal, ProcessStopped


class WatchesView:
    """The watches that are open, by name, and what was broken by any."""

    def __init__(self, journal: Journal, store: StoreView) -> None:
        self.open: dict[str, WatchRules] = {}
        self.broken: dict[Rule, str] = {}
        """The first breach of each rule, in words."""
        self._store = store
        self._owners: dict[str, str] = {}
        store.on_restored.append(self._restored)
        journal.subscribe(WatchOpened, self._opened)
        journal.subscribe(WatchDelivered, self._delivered)
        journal.subscribe(WatchProgressed, self._progressed)
        journal.subscribe(WatchEnded, self._ended)
        journal.subscribe(ProcessStopped, self._owner_stopped)

    def late(self, revision: int) -> str:
        """A watch that still lacks something up to `revision`, in words; "" where none does."""
        for watch, rules in self.open.items():
            event = rules.missing(revision)
            if event is not None:
                return f"{watch} on {rules.watched.key} is still without {say([event])}; revision {revision} was made long ago"
        return ""

    def _opened(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchOpened)
        watched = Watched(
            key=event.key,
            range_end=event.range_end,
            start_revision=event.start_revision,
            first_revision=event.next_revision,
            prev_kv=event.prev_kv,
            filters=event.filters,
        )
        self.open[event.watch] = WatchRules(watched, self._store, compacted=lambda: self._store.compacted)
        self._owners[event.watch] = entry.by

    def _delivered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchDelivered)
        rules = self.open.get(event.watch)
        if rules is not None:
            rules.events(event.events)
            if rules.broken:
                self._note(event.watch, rules)

    def _progressed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchProgressed)
        rules = self.open.get(event.watch)
        if rules is not None:
            rules.progress(event.revision)
            if rules.broken:
                self._note(event.watch, rules)

    def _ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, WatchEnded)
        rules = self.open.pop(event.watch, None)
        self._owners.pop(event.watch, None)
        if rules is not None:
            rules.ended(is_compacted=COMPACTED.message in event.reason)
            if rules.broken:
                self._note(event.watch, rules)

    def _owner_stopped(self, entry: Entry) -> None:
        """Nobody hears any more what its watches deliver."""
        for watch in [watch for watch, owner in self._owners.items() if owner == entry.by]:
            del self._owners[watch], self.open[watch]

    def _restored(self, _entry: Entry) -> None:
        """Connections to the old cluster's members may still be open; what they carry is of the old history."""
        self.open.clear()
        self._owners.clear()

    def _note(self, watch: str, rules: WatchRules) -> None:
        for rule, text in rules.broken.items():
            self.broken.setdefault(rule, f"{watch} on {rules.watched.key}: {text}")
