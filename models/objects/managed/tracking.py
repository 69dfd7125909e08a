"""Noting who wrote what, at the price of a few comparisons by identity.

Versions of an object share what didn't change, so a write's difference is in the few attributes that are not the same
object. They are noted (managers.py); turned into JSON and compared field by field only when somebody reads the managers.

Called by the API server for every create, update and patch that isn't an apply.
"""

from __future__ import annotations

from typing import Any, TypeVar

import attrs
from attrs import evolve, frozen

from chaoskube.models.objects.codec import encode
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.managed.comparing import compare
from chaoskube.models.objects.managed.field_set import NOTHING, FieldSet
from chaoskube.models.objects.managed.managers import Entries, Managers, Note
from chaoskube.models.objects.managed.shapes import DEDUCED, ShapeError, child_of, empty_object, root_of
from chaoskube.models.objects.managed.updating import Who, after_update
from chaoskube.models.objects.meta import KubeObject, ObjectMeta
from chaoskube.models.objects.schema import Property

T = TypeVar("T", bound=KubeObject)


@frozen(kw_only=True)
class Written:
    """A write's difference: the attributes that changed, before and after. A note for `Managers.later`."""

    kind: type[KubeObject]
    identity: tuple[str, str]
    before: tuple[tuple[str, Any], ...] | None
    after: tuple[tuple[str, Any], ...]
    who: Who
    leaves: tuple[str, ...] = ()
    """The fields that changed from one value to another, where that is all there is to it; else ()."""
    ignored: FieldSet = NOTHING
    found: Property | None = None

    def repeats(self, earlier: Note) -> Note | None:
        """The earlier note with this one's time, if it is by the same manager and of the same fields."""
        if not self.leaves or not isinstance(earlier, Written) or self.leaves != earlier.leaves:
            return None
        mine, theirs = self.who, earlier.who
        is_same = (mine.manager, mine.subresource, mine.api_version) == (
            theirs.manager,
            theirs.subresource,
            theirs.api_version,
        )
        return evolve(earlier, who=mine) if is_same and self.ignored == earlier.ignored else None

    def __call__(self, entries: Entries) -> Entries:
        found = self.found or root_of(*self.identity) or DEDUCED
        old = empty_object(found) if self.before is None else self._tree(self.before)
        try:
            comparison = compare(old, self._tree(self.after), found).ignoring(self.ignored)
        except ShapeError:
            return (
                entries  # what can't be told apart has no managers; the write itself stands (UpdateNoErrors)
            )
        return after_update(entries, comparison, self.who)

    def _tree(self, parts: tuple[tuple[str, Any], ...]) -> Tree:
        values = dict(parts)
        metadata = values.get("metadata")
        if isinstance(metadata, ObjectMeta) and metadata.managed_fields is not None:
            values["metadata"] = evolve(metadata, managed_fields=None)
        api_version, kind = self.identity
        tree = encode(self.kind(api_version=api_version, kind=kind, **values))
        root = root_of(*self.identity) or {}
        for name in values:
            if (child_of(root, name) or {}).get("by_value"):
                tree.setdefault(name, {})  # a struct that Go holds by value is there, if empty
        return {name: value for name, value in tree.items() if name not in ("apiVersion", "kind")}


def note_create(new: T, who: Who, ignored: FieldSet = NOTHING, found: Property | None = None) -> T:
    """A new object, with its creator as its first manager."""
    given = new.metadata.managed_fields
    parts = tuple([(name, getattr(new, name)) for name in _attributes(type(new))])
    note = _note(new, None, parts, who, ignored, found)
    return _with(new, (given or Managers()).later(note))


def note_update(
    old: KubeObject, new: T, who: Who, ignored: FieldSet = NOTHING, found: Property | None = None
) -> T:
    """`new` as a write of `who` over `old`; objects that never had managers stay without."""
    given = new.metadata.managed_fields
    base = given if given is not None and not who.subresource else old.metadata.managed_fields
    if base is None or base is given and base is not old.metadata.managed_fields and not base.entries:
        return _with(new, None)
    changed = [name for name in _attributes(type(new)) if not _is_shared(old, new, name)]
    if not changed:
        return _with(new, base)
    before = tuple([(name, getattr(old, name)) for name in changed])
    after = tuple([(name, getattr(new, name)) for name in changed])
    return _with(new, base.later(_note(new, before, after, who, ignored, found)))


def _is_shared(old: KubeObject, new: KubeObject, name: str) -> bool:
    if name != "metadata":
        return getattr(old, name) is getattr(new, name)
    one, other = old.metadata, new.metadata
    return one is other or (
        one.labels is other.labels
        and one.annotations is other.annotations
        and one.owner_references is other.owner_references
        and one.finalizers is other.finalizers
        and one.extra is other.extra
        and one.deletion_timestamp == other.deletion_timestamp
        and one.deletion_grace_period_seconds == other.deletion_grace_period_seconds
        and one.generate_name == other.generate_name
    )


def _note(
    new: KubeObject,
    before: tuple[tuple[str, Any], ...] | None,
    after: tuple[tuple[str, Any], ...],
    who: Who,
    ignored: FieldSet,
    found: Property | None,
) -> Written:
    return Written(
        kind=type(new),
        identity=(new.api_version, new.kind),
        before=before,
        after=after,
        who=who,
        leaves=() if before is None else _leaves(before, after),
        ignored=ignored,
        found=found,
    )


def _leaves(before: tuple[tuple[str, Any], ...], after: tuple[tuple[str, Any], ...]) -> tuple[str, ...]:
    """The scalars inside the changed attributes that differ, if nothing else does and all are there on both sides."""
    leaves = []
    for (name, old), (_, new) in zip(before, after, strict=True):
        if name == "metadata" or type(old) is not type(new) or not attrs.has(type(old)):
            return ()
        for one in attrs.fields(type(old)):
            left, right = getattr(old, one.name), getattr(new, one.name)
            if left is right or left == right:
                continue
            if not left or not right or not isinstance(left, (int, str)) or not isinstance(right, (int, str)):
                return ()
            leaves.append(f"{name}.{one.name}")
    return tuple(leaves)


def _with(obj: T, managers: Managers | None) -> T:
    if obj.metadata.managed_fields is managers:
        return obj
    return evolve(obj, metadata=evolve(obj.metadata, managed_fields=managers))


_names: dict[type, tuple[str, ...]] = {}  # filled once, the same for all worlds


def _attributes(cls: type[KubeObject]) -> tuple[str, ...]:
    """The attributes of a class that its JSON is made of, but for kind and version."""
    names = _names.get(cls)
    if names is None:
        names = tuple(
            [one.name for one in attrs.fields(cls) if one.init and one.name not in ("api_version", "kind")]
        )
        _names[cls] = names
    return names
