"""Strategic merge: a merge patch that knows the kind, so that lists merge item by item.

What a list merges by is in the schema (merge key, strategy). Directives in the patch say more: `$patch` (replace,
delete), `$retainKeys` (all other fields of this mapping go), `$setElementOrder/LIST` (this order),
`$deleteFromPrimitiveList/LIST` (these items go). Two patches can be made into one as well: then directives and nulls
stay in it.
Source: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (mergeMap and what it calls).

Called by patch.py (the API server's PATCH) and patch_diff.py (kubectl's apply).
Not modelled: kinds without a schema (the API server refuses the patch there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.patch_errors import (
    LIST,
    BadPatchFormat,
    PatchError,
    go_text,
    go_type,
    no_merge_key,
    wrong_type,
)
from chaoskube.models.objects.patch_order import are_maps, identity, in_order, place_in, same
from chaoskube.models.objects.schema import Property, properties_of

DIRECTIVE: Final = "$patch"
RETAIN_KEYS: Final = "$retainKeys"
ORDER: Final = "$setElementOrder/"
DELETE_ITEMS: Final = "$deleteFromPrimitiveList/"
_BAD_ORDER: Final = "invalid patch format of setElementOrder list"
_BAD_RETAIN_KEYS: Final = "invalid patch format of retainKeys"


def strategy_of(found: Property) -> str:
    """merge, replace or "": how a strategic merge patch treats this field."""
    return ",".join([word for word in str(found.get("strategy", "")).split(",") if word != "retainKeys"])


def field_of(found: Property, name: str) -> Property:
    """What the schema says of a field of this mapping. A field that a struct doesn't have is refused."""
    if "values" in found:
        values: Property = found["values"]
        return values
    struct = found.get("struct")
    if struct is None:
        return {}
    field = properties_of(struct).get(name)
    if field is None:
        kind = struct.rpartition(".")[2]
        raise PatchError(f'unable to find api field in struct {kind} for the json field "{name}"')
    return field


def merge_maps(original: Tree, patch: Tree, found: Property, *, of_patches: bool = False) -> Tree:
    """`original` after `patch`; both are used up. With `of_patches` the original is a patch itself."""
    if DIRECTIVE in patch:
        return _directed(patch)
    _retain_keys(original, patch, of_patches=of_patches)
    _merge_ordered(original, patch, found, of_patches=of_patches)
    for name, value in patch.items():
        if name.startswith(DELETE_ITEMS):
            if of_patches:
                original[name] = value
            else:
                _delete_items(original, name.removeprefix(DELETE_ITEMS), value)
        elif value is None:
            original.pop(name, None)
            if of_patches:
                original[name] = None
        elif name in original and go_type(original[name]) == go_type(value):
            original[name] = _merged(original[name], value, found, name, of_patches=of_patches)
        else:
            _set(original, name, value, of_patches=of_patches)
    return original


def _merged(old: Any, value: Any, found: Property, name: str, *, of_patches: bool) -> Any:
    """Two values of one type."""
    if isinstance(value, dict):
        field = field_of(found, name)
        if strategy_of(field) == "replace":
            return value
        return merge_maps(old, value, field, of_patches=of_patches)
    if isinstance(value, list):
        return _merge_lists(old, value, field_of(found, name), of_patches=of_patches)
    return value


def _directed(patch: Tree) -> Tree:
    if patch[DIRECTIVE] == "replace":
        return {name: value for name, value in patch.items() if name != DIRECTIVE}
    if patch[DIRECTIVE] == "delete":
        return {}
    raise _unknown_directive(patch)


def _unknown_directive(patch: Mapping[str, Any]) -> PatchError:
    return PatchError(f"unknown patch type: {go_text(patch[DIRECTIVE])} in map: {go_text(patch)}")


def _set(original: Tree, name: str, value: Any, *, of_patches: bool) -> None:
    """A field that wasn't there, or was of another type: taken as it is, without nulls and directives."""
    cleaned = value if of_patches else _without_nulls(value)
    if isinstance(cleaned, dict) and DIRECTIVE in cleaned:
        original.pop(name, None)
    else:
        original[name] = _without_directives(cleaned)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _without_directives(value: Any) -> Any:
    """What holds a $patch goes whole."""
    if isinstance(value, dict):
        return {name: _without_directives(part) for name, part in value.items() if not _is_directed(part)}
    if isinstance(value, list):
        return [_without_directives(item) for item in value if not _is_directed(item)]
    return value


def _is_directed(value: object) -> bool:
    return isinstance(value, Mapping) and DIRECTIVE in value


# ---- $retainKeys


def _retain_keys(original: Tree, patch: Tree, *, of_patches: bool) -> None:
    if RETAIN_KEYS not in patch:
        return
    keep = patch.pop(RETAIN_KEYS)
    if of_patches:
        if original.setdefault(RETAIN_KEYS, keep) != keep:
            raise PatchError(f"{go_text(original[RETAIN_KEYS])} and {go_text(keep)} are not deep equal")
        return
    if not isinstance(keep, list):
        raise BadPatchFormat(_BAD_RETAIN_KEYS)
    for name, value in patch.items():
        if value is not None and not name.startswith((DELETE_ITEMS, ORDER)) and name not in keep:
            raise BadPatchFormat(_BAD_RETAIN_KEYS)
    for name in [name for name in original if name not in keep]:
        del original[name]


# ---- $setElementOrder and $deleteFromPrimitiveList


def _merge_ordered(original: Tree, patch: Tree, found: Property, *, of_patches: bool) -> None:
    """Merge the lists whose order the patch gives; they are taken out of the patch."""
    for directive in [name for name in patch if name.startswith(ORDER)]:
        order = patch.pop(directive)
        if of_patches and original.setdefault(directive, order) != order:
            raise BadPatchFormat(_BAD_ORDER)
        name = directive.removeprefix(ORDER)
        field = field_of(found, name)
        for value in (order, original.get(name, []), patch.get(name, [])):
            if not isinstance(value, list):
                raise wrong_type(LIST, value)
        key = field.get("merge_key")
        _check_order(patch.get(name, []), order, key)
        if name not in original and name not in patch:
            continue
        live, wanted = original.get(name, []), patch.get(name, [])
        if name not in original:
            merged = _without_directives(wanted)
        elif name not in patch:
            merged = live
        else:
            merged = _merge_lists(live, wanted, field, of_patches=of_patches)
        patch.pop(name, None)
        are_maps(live, wanted)  # refuses what is mixed, and nothing at all
        original[name] = in_order(merged, order, live, key)


def _check_order(wanted: Sequence[Any], order: Sequence[Any], key: str | None) -> None:
    """The patch's items must stand in the order that it gives itself."""
    if not wanted or not order:
        return
    left = [item for item in wanted if not _is_directed(item)]
    for item in order:
        if left and same(identity(left[0], key), identity(item, key)):
            left.pop(0)
    if left:
        raise PatchError(
            f"The order in patch list:\n{go_text(wanted)}\n doesn't match {ORDER[:-1]} list:\n{go_text(order)}\n"
        )


def _delete_items(original: Tree, name: str, doomed: Any) -> None:
    live = original.get(name)
    if not isinstance(live, list):
        return
    if not isinstance(doomed, list):
        raise BadPatchFormat("invalid patch format of primitive list")
    original[name] = [item for item in live if place_in(doomed, item, None) < 0]


# ---- lists


def _merge_lists(live: list[Any], wanted: list[Any], found: Property, *, of_patches: bool) -> list[Any]:
    if strategy_of(found) != "merge":
        return wanted
    if not live and not wanted:
        return live
    key = found.get("merge_key")
    if not are_maps(live, wanted):
        merged: list[Any] = []
        for item in [*live, *wanted]:
            if place_in(merged, item, None) < 0:
                merged.append(item)
        return in_order(merged, wanted, live, None)
    if key is None:
        raise PatchError("cannot merge lists without merge key for struct")
    kept, plain = _without_special_items(live, wanted, key)
    merged = _merge_items(list(kept), plain, key, found.get("items", {}), of_patches=of_patches)
    return in_order(merged, plain, kept, key)


def _without_special_items(live: list[Any], wanted: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """The live items that stay, and the patch's items that aren't directives."""
    plain, replaces = [], False
    for item in wanted:
        if DIRECTIVE not in item:
            plain.append(item)
        elif item[DIRECTIVE] == "delete":
            if key not in item:
                raise no_merge_key(item, key)
            live = [old for old in live if not same(old.get(key), item[key])]
        elif item[DIRECTIVE] == "replace":
            replaces = True
        elif item[DIRECTIVE] == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise _unknown_directive(item)
    return (plain, []) if replaces else (live, plain)


def _merge_items(
    live: list[Any], wanted: list[Any], key: str, found: Property, *, of_patches: bool
) -> list[Any]:
    for item in wanted:
        if key not in item:
            raise no_merge_key(item, key)
        place = place_in(live, item[key], key)
        if place < 0:
            live.append(item)
        else:
            live[place] = merge_maps(live[place], item, found, of_patches=of_patches)
    return live
