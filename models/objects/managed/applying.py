"""Server-side apply: a configuration is merged into an object, and its manager owns exactly the fields in it. Pure.

A field with another manager and another value is a conflict, unless forced: then it changes hands. With the same value
it has two managers. What this manager applied before and leaves out now is removed, unless somebody else manages it.
Source: sigs.k8s.io/structured-merge-diff merge/update.go (Updater.Apply, prune),
staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/{managedfieldsupdater,skipnonapplied,lastappliedmanager}.go.

Called by the API server's PATCH (apiserver/apply.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, frozen

from chaoskube.models.objects.frozen import Tree, thaw
from chaoskube.models.objects.managed.comparing import check_shape, compare, equal, fields_of
from chaoskube.models.objects.managed.field_set import NOTHING, FieldSet, Path
from chaoskube.models.objects.managed.managers import APPLY, Entries, Entry, in_order
from chaoskube.models.objects.managed.merging import merge, remove_fields, with_named_fields
from chaoskube.models.objects.managed.shapes import ABSENT, ShapeError
from chaoskube.models.objects.managed.updating import STRIPPED, Who, after_update, released
from chaoskube.models.objects.schema import Property
from chaoskube.sim import UsageError

BEFORE_FIRST_APPLY: Final = "before-first-apply"
KUBECTL: Final = "kubectl"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


@frozen(kw_only=True)
class Conflict:
    """A field that somebody else manages with another value."""

    entry: Entry
    path: Path


class ApplyConflict(UsageError):
    """An apply that would take fields from others, and doesn't say that it may."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__(f"{len(conflicts)} fields are managed by others; give force to take them")
        self.conflicts = conflicts


@frozen(kw_only=True)
class Applied:
    """The object after an apply (None: it changes nothing), and its managers."""

    tree: Tree | None
    entries: Entries


@frozen(kw_only=True)
class Apply:
    """An apply as asked for: a configuration, its type, who applies it, and what isn't theirs to set here."""

    config: Mapping[str, Any]
    found: Property
    who: Who
    force: bool = False
    ignored: FieldSet = NOTHING


def apply(live: Mapping[str, Any], entries: Entries, asked: Apply) -> Applied:
    """Apply a configuration. Raises ApplyConflict, or ShapeError for a configuration that doesn't fit the type.

    `live` is the object without its managers, or the empty one of its kind.
    """
    check_shape(asked.config, asked.found)
    if not entries and (live.get("metadata") or {}).get("uid"):
        before = evolve(asked.who, manager=BEFORE_FIRST_APPLY)
        entries = after_update((), compare({}, live, asked.found).ignoring(asked.ignored), before)
    try:
        return _apply(live, entries, asked)
    except ApplyConflict as error:
        if asked.who.manager != KUBECTL:
            raise
        allowed = _applied_by_client(live, asked)
        if allowed is None:
            raise
        left = tuple([conflict for conflict in error.conflicts if not allowed.has(conflict.path)])
        if left:
            raise ApplyConflict(left) from None
        return _apply(live, entries, evolve(asked, force=True))


def _apply(live: Mapping[str, Any], entries: Entries, asked: Apply) -> Applied:
    wanted = fields_of(asked.config, asked.found).without(asked.ignored)
    mine = asked.who.entry(APPLY, wanted)
    last = next((entry for entry in entries if entry.identity == mine.identity), None)
    others = [entry for entry in entries if entry.identity != mine.identity]
    merged = merge(live, asked.config, asked.found)
    if merged is ABSENT:
        merged = {}
    new = pruned(merged, (*others, mine), last, asked.found)
    comparison = compare(live, new, asked.found).ignoring(asked.ignored)
    conflicts = conflicts_of(others, comparison.taken)
    if conflicts and not asked.force:
        raise ApplyConflict(conflicts)
    is_same = equal(live, new)
    if is_same:
        mine = evolve(mine, time=None if last is None else last.time)
    mine = evolve(mine, fields=wanted.difference(STRIPPED))
    left = released((*others, mine), comparison, but=mine.identity)
    return Applied(tree=None if is_same else thaw(new), entries=in_order(left))


def conflicts_of(others: list[Entry], taken: FieldSet) -> tuple[Conflict, ...]:
    """The fields that others manage and this apply changes, manager by manager."""
    return tuple(
        [
            Conflict(entry=entry, path=path)
            for entry in sorted(others, key=lambda entry: entry.identity)
            for path in entry.fields.intersection(taken).paths()
        ]
    )


def pruned(
    merged: Mapping[str, Any], entries: Entries, last: Entry | None, found: Property
) -> Mapping[str, Any]:
    """`merged` without what this manager applied last time, doesn't apply any more, and nobody else manages."""
    if last is None or not last.fields:
        return merged
    before = with_named_fields(last.fields, found)
    everything = with_named_fields(fields_of(merged, found), found)
    bare = remove_fields(merged, before, found) or {}
    managed = NOTHING
    for entry in entries:
        managed = managed.union(entry.fields)
    left = with_named_fields(fields_of(bare, found), found).union(with_named_fields(managed, found))
    kept = remove_fields(merged, everything.difference(left), found) or {}
    left = with_named_fields(fields_of(kept, found), found)
    gone = everything.difference(left).intersection(before)
    result: Mapping[str, Any] = remove_fields(merged, gone, found) or {}
    return result


def _applied_by_client(live: Mapping[str, Any], asked: Apply) -> FieldSet | None:
    """What `kubectl apply` set before it was told to use the server: its own, whoever is written down. None: nothing."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        tree = json.loads(text) if text else None
    except ValueError:
        return None
    if not isinstance(tree, Mapping) or tree.get("apiVersion") != asked.who.api_version:
        return None
    try:
        check_shape(tree, asked.found)
        comparison = compare(tree, live, asked.found)
    except ShapeError:
        return None
    fields = fields_of(tree, asked.found)
    return fields.difference(comparison.taken).difference(comparison.removed)
