"""What must be patched so that an object becomes what somebody wants: kubectl's three-way patches.

Three trees: what was applied last (`original`), what is to be applied (`modified`), what the server has (`current`).
The patch deletes what the first has and the second lost, and sets what differs between the third and the second; what
only the server has stays. For kinds with a schema the patch is strategic (lists by their merge keys, with directives
for order, deletions and kept fields); for custom kinds it is a JSON merge patch.
Sources: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (diffMaps, CreateThreeWayMergePatch),
pkg/util/jsonmergepatch/patch.go.

Called by kubectl's apply.
Not modelled: the refusal of conflicting changes (kubectl overwrites by default).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from chaoskube.models.objects.frozen import Tree, thaw
from chaoskube.models.objects.patch_errors import PatchError, go_text, go_type
from chaoskube.models.objects.patch_order import are_maps, identity, place_in, same, sorted_by
from chaoskube.models.objects.patch_strategic import (
    DELETE_ITEMS,
    ORDER,
    RETAIN_KEYS,
    field_of,
    merge_maps,
    strategy_of,
)
from chaoskube.models.objects.schema import Property, struct_of


@frozen(kw_only=True)
class _Wanted:
    """Which differences go into the patch."""

    deletions: bool = True
    changes: bool = True
    retains_keys: bool = False


def strategic_diff(
    original: Mapping[str, Any], modified: Mapping[str, Any], current: Mapping[str, Any]
) -> Tree:
    """The three-way strategic merge patch; {} when there is nothing to do. The kind is `modified`'s."""
    found = root_of(modified)
    live, wanted = thaw(current), thaw(modified)
    changes = _diff_maps(live, wanted, found, _Wanted(deletions=False))
    deletions = _diff_maps(thaw(original), wanted, found, _Wanted(changes=False))
    return merge_maps(deletions, thaw(changes), found, of_patches=True)


def two_way_strategic_diff(original: Mapping[str, Any], modified: Mapping[str, Any]) -> Tree:
    """The strategic merge patch that makes `modified` of `original`."""
    return _diff_maps(thaw(original), thaw(modified), root_of(modified), _Wanted())


def json_merge_diff(
    original: Mapping[str, Any], modified: Mapping[str, Any], current: Mapping[str, Any]
) -> Tree:
    """The three-way JSON merge patch (RFC 7386); {} when there is nothing to do."""
    changes = _only_changes(two_way_json_diff(current, modified))
    deletions = _only_deletions(two_way_json_diff(original, modified))
    return _combined(deletions, changes)


def two_way_json_diff(original: Mapping[str, Any], modified: Mapping[str, Any]) -> Tree:
    """The JSON merge patch that makes `modified` of `original`."""
    patch: Tree = {}
    for name, value in modified.items():
        if name not in original:
            patch[name] = thaw(value)
        elif isinstance(value, Mapping) and isinstance(original[name], Mapping):
            inner = two_way_json_diff(original[name], value)
            if inner:
                patch[name] = inner
        elif not _equal(original[name], value):
            patch[name] = thaw(value)
    return patch | {name: None for name in original if name not in modified}


def root_of(tree: Mapping[str, Any]) -> Property:
    """What the schema says of a whole object; a kind that it doesn't know is refused."""
    api_version, kind = str(tree.get("apiVersion", "")), str(tree.get("kind", ""))
    struct = struct_of(api_version, kind)
    if struct is None:
        raise PatchError(f"no schema for {api_version} {kind}; use a JSON merge patch for it")
    return {"struct": struct}


# ---- strategic


def _diff_maps(original: Tree, modified: Tree, found: Property, wanted: _Wanted) -> Tree:
    patch: Tree = {}
    for name, value in modified.items():
        if name not in original or go_type(original[name]) != go_type(value):
            if wanted.changes:
                patch[name] = value
        elif isinstance(value, dict):
            _diff_field(patch, name, original[name], value, found, wanted)
        elif isinstance(value, list):
            _diff_list(patch, name, original[name], value, found, wanted)
        elif wanted.changes and original[name] != value:
            patch[name] = value
    if wanted.deletions:
        patch.update({name: None for name in original if name not in modified})
    lost = any(value is not None and name not in modified for name, value in original.items())
    kept = sorted(name for name, value in modified.items() if value is not None)
    if wanted.retains_keys and kept and (patch or lost):
        patch[RETAIN_KEYS] = kept
    return patch


def _diff_field(patch: Tree, name: str, old: Tree, new: Tree, found: Property, wanted: _Wanted) -> None:
    if _equal(old, new):
        return
    field = field_of(found, name)
    if strategy_of(field) == "replace":
        if wanted.changes:
            patch[name] = new
        return
    inner = _diff_maps(old, new, field, evolve(wanted, retains_keys=_retains_keys(field)))
    if inner:
        patch[name] = inner


def _diff_list(
    patch: Tree, name: str, old: list[Any], new: list[Any], found: Property, wanted: _Wanted
) -> None:
    if _equal(old, new):
        return
    field = field_of(found, name)
    if strategy_of(field) != "merge":
        if wanted.changes:
            patch[name] = new
        return
    if not old:
        if wanted.changes:
            patch[name] = new
        return
    if are_maps(old, new):
        items, doomed, order = _diff_items(old, new, field, wanted)
    else:
        items, doomed, order = _diff_scalars(old, new, wanted)
    if items:
        patch[name] = items
    if doomed:
        patch[f"{DELETE_ITEMS}{name}"] = doomed
    if order:
        patch[f"{ORDER}{name}"] = order


def _retains_keys(found: Property) -> bool:
    return "retainKeys" in str(found.get("strategy", "")).split(",")


def _diff_items(
    old: list[Any], new: list[Any], field: Property, wanted: _Wanted
) -> tuple[list[Any], list[Any], list[Any]]:
    """Items to merge (deletions at the end), nothing, and the order when there is anything to say."""
    key = field.get("merge_key")
    if key is None:
        raise PatchError("cannot merge lists without merge key for struct")
    inside = evolve(wanted, retains_keys=_retains_keys(field))
    items = []
    for item in sorted_by(new, new, key):
        place = place_in(old, item[key], key)
        if place < 0:
            if wanted.changes:
                items.append(item)
            continue
        patch = _diff_maps(old[place], item, field.get("items", {}), inside)
        if patch:
            items.append({**patch, key: item[key]})
    doomed = []
    for item in sorted(sorted_by(old, old, key), key=lambda item: go_text(item[key])):
        if wanted.deletions and place_in(new, item[key], key) < 0:
            doomed.append({key: item[key], "$patch": "delete"})
    is_same = len(old) == len(new) and all(
        same(identity(one, key), identity(other, key)) for one, other in zip(old, new, strict=True)
    )
    has_order = bool(items or doomed) or (wanted.changes and not is_same)
    return items + doomed, [], [{key: item[key]} for item in new] if has_order else []


def _diff_scalars(
    old: Sequence[Any], new: list[Any], wanted: _Wanted
) -> tuple[list[Any], list[Any], list[Any]]:
    """Items to add, items to delete, and the order when there is anything to say."""
    added = [item for item in new if wanted.changes and place_in(old, item, None) < 0]
    lost = [item for item in old if wanted.deletions and place_in(new, item, None) < 0]
    doomed = sorted(dict.fromkeys(lost), key=go_text)
    has_order = bool(doomed) or wanted.changes
    return added, doomed, new if has_order else []


# ---- JSON merge


def _only_changes(patch: Tree) -> Tree:
    result: Tree = {}
    for name, value in patch.items():
        if isinstance(value, dict) and value:
            inner = _only_changes(value)
            if inner:
                result[name] = inner
        elif value is not None:
            result[name] = value
    return result


def _only_deletions(patch: Tree) -> Tree:
    result: Tree = {}
    for name, value in patch.items():
        if value is None:
            result[name] = None
        elif isinstance(value, dict):
            inner = _only_deletions(value)
            if inner:
                result[name] = inner
    return result


def _combined(deletions: Tree, changes: Tree) -> Tree:
    result = dict(deletions)
    for name, value in changes.items():
        old = result.get(name)
        result[name] = _combined(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _equal(one: object, other: object) -> bool:
    """Equal as JSON, where true is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_equal(a, b) for a, b in zip(one, other, strict=True))
    return same(one, other)
