"""What a write other than an apply does to an object's managers: it takes what it sets, from everybody. Pure.

Of an object's metadata only labels, annotations, owners and the like are managed. More than ten updaters are too many:
the oldest become one, `ancient-changes`.
Sources: sigs.k8s.io/structured-merge-diff merge/update.go (Updater.Update),
staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/{managedfieldsupdater,stripmeta,capmanagers}.go.

Called by tracking.py, and by applying.py for what both do.
Not modelled: managers that wrote another version of a kind whose fields differ between versions.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

from chaoskube.models.objects.managed.comparing import Comparison
from chaoskube.models.objects.managed.field_set import FieldSet, of_paths
from chaoskube.models.objects.managed.managers import UPDATE, Entries, Entry, Identity, in_order

UPDATERS_MAX: Final = 10
ANCIENT: Final = "ancient-changes"
_NOT_MANAGED: Final = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
STRIPPED: Final = of_paths(
    ("f:apiVersion",), ("f:kind",), ("f:metadata",), *[("f:metadata", f"f:{name}") for name in _NOT_MANAGED]
)


@frozen(kw_only=True)
class Who:
    """Who writes, through which door, and when."""

    manager: str
    api_version: str
    time: int
    subresource: str = ""

    def entry(self, operation: str, fields: FieldSet) -> Entry:
        """What this write manages."""
        return Entry(
            manager=self.manager or "unknown",
            operation=operation,
            api_version=self.api_version,
            subresource=self.subresource,
            fields=fields,
            time=self.time,
        )


def after_update(entries: Entries, comparison: Comparison, who: Who) -> Entries:
    """The managers after a write that made this difference."""
    kept = {entry.identity: entry for entry in released(entries, comparison)}
    taken = comparison.taken.difference(STRIPPED)
    if taken:
        mine = who.entry(UPDATE, taken)
        before = kept.get(mine.identity)
        kept[mine.identity] = mine if before is None else evolve(mine, fields=before.fields.union(taken))
    return in_order(_capped(kept))


def released(entries: Entries, comparison: Comparison, but: Identity | None = None) -> list[Entry]:
    """The managers without what was changed or removed; who manages nothing is gone. `but` keeps what it has."""
    lost = comparison.taken.union(comparison.removed)
    left = [
        entry if entry.identity == but else evolve(entry, fields=entry.fields.difference(lost))
        for entry in entries
    ]
    return [entry for entry in left if entry.fields]


def _capped(managers: dict[Identity, Entry]) -> list[Entry]:
    updaters = [entry for entry in managers.values() if entry.operation == UPDATE]
    count = len(updaters)
    first: dict[str, Identity] = {}
    for entry in sorted(updaters, key=lambda entry: (entry.time or 0, entry.identity)):
        if count <= UPDATERS_MAX:
            break
        bucket: Identity = (ANCIENT, UPDATE, entry.api_version, "")
        if entry.api_version not in first:
            first[entry.api_version] = entry.identity
            continue
        if bucket not in managers:
            old = managers.pop(first[entry.api_version])
            managers[bucket] = evolve(old, manager=ANCIENT, subresource="")
        fields = managers[bucket].fields.union(entry.fields)
        managers[bucket] = evolve(managers[bucket], fields=fields, time=entry.time)
        del managers[entry.identity]
        count -= 1
    return list(managers.values())
