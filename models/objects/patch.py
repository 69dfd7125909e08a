"""The three kinds of patch, on plain JSON trees; what goes in is never changed.

Sources: RFC 7386 (merge), RFC 6902 (JSON patch),
staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (strategic merge: lists merge by the keys of the
schema, with the directives $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList).

Called by the API server's PATCH.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chaoskube.models.objects.frozen import Tree, thaw
from chaoskube.models.objects.schema import Property, merge_key, merges, property_of, struct_of
from chaoskube.sim import UsageError


class PatchError(UsageError):
    """A patch that cannot be applied."""


class PatchTestFailed(PatchError):
    """A JSON patch whose `test` operation found something else."""


def merge_patch(tree: Mapping[str, Any], patch: Mapping[str, Any]) -> Tree:
    """RFC 7386: null deletes, mappings merge, all else replaces."""
    result: Tree = _merge(tree, patch)
    return result


def _merge(value: object, patch: object) -> Any:
    if not isinstance(patch, Mapping):
        return thaw(patch)
    result: Tree = thaw(value) if isinstance(value, Mapping) else {}
    for name, part in patch.items():
        if part is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), part)
    return result


def strategic_merge_patch(
    tree: Mapping[str, Any], patch: Mapping[str, Any], kind: str = "", api_version: str = ""
) -> Tree:
    """Kubernetes' own: as a merge patch, but lists with a merge key merge item by item.

    The kind is the tree's own unless it is given. A kind that the schema doesn't know has no merge keys.
    """
    struct = struct_of(api_version or str(tree.get("apiVersion", "")), kind or str(tree.get("kind", "")))
    return _merge_maps(thaw(tree), patch, struct)


def _merge_maps(result: Tree, patch: Mapping[str, Any], struct: str | None) -> Tree:
    directive = patch.get("$patch")
    if directive == "replace":
        return {name: thaw(value) for name, value in patch.items() if name != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise PatchError(f"unknown patch type: {directive}")
    _retain(result, patch)
    for name, value in patch.items():
        if name in ("$patch", "$retainKeys") or name.startswith("$setElementOrder/"):
            continue
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            if isinstance(result.get(field), list):
                result[field] = [item for item in result[field] if item not in value]
        elif value is None:
            result.pop(name, None)
        else:
            order = patch.get(f"$setElementOrder/{name}")
            result[name] = _merge_value(result.get(name), value, property_of(struct, name), order)
            if result[name] == [] and value:
                del result[name]  # the last item was deleted: Go leaves an empty list out when it writes
    for name, order in patch.items():
        field = name.partition("/")[2]
        if (
            name.startswith("$setElementOrder/")
            and field not in patch
            and isinstance(result.get(field), list)
        ):
            key = merge_key(property_of(struct, field))
            result[field] = _in_order(result[field], result[field], order, key)
    return result


def _retain(result: Tree, patch: Mapping[str, Any]) -> None:
    if "$retainKeys" not in patch:
        return
    keep = patch["$retainKeys"]
    for name, value in patch.items():
        if not name.startswith("$") and value is not None and name not in keep:
            raise PatchError(
                f"$retainKeys must list all fields in the patch that are kept; {name} is missing"
            )
    for name in [name for name in result if name not in keep]:
        del result[name]


def _merge_value(old: object, value: object, found: Property, order: Sequence[Any] | None) -> Any:
    if isinstance(value, Mapping):
        struct = found.get("struct")
        if found.get("strategy") == "replace":
            return _merge_maps({}, value, struct)
        return _merge_maps(old if isinstance(old, dict) else {}, value, struct)
    if isinstance(value, (list, tuple)):
        live = old if isinstance(old, list) else []
        if not merges(found):
            return [_merge_value(None, item, found.get("items", {}), None) for item in value]
        merged = _merge_lists(list(live), value, found)
        return merged if order is None else _in_order(merged, live, order, merge_key(found))
    return value


def _merge_lists(result: list[Any], patch: Sequence[Any], found: Property) -> list[Any]:
    key = merge_key(found)
    if key is None:
        return result + [item for item in patch if item not in result]
    struct = found.get("items", {}).get("struct")
    if any(isinstance(item, Mapping) and item.get("$patch") == "replace" for item in patch):
        result = []
    for item in patch:
        if not isinstance(item, Mapping):
            raise PatchError(f"items of a list that merges by {key} must be mappings")
        directive = item.get("$patch")
        if directive == "replace" and len(item) == 1:
            continue
        if key not in item:
            raise PatchError(f"map: {dict(item)} does not contain declared merge key: {key}")
        position = next(
            (i for i, old in enumerate(result) if isinstance(old, dict) and old.get(key) == item[key]), None
        )
        if directive == "delete":
            result = [old for old in result if not (isinstance(old, dict) and old.get(key) == item[key])]
        elif position is None:
            result.append(
                _merge_maps({}, {name: part for name, part in item.items() if name != "$patch"}, struct)
            )
        else:
            result[position] = _merge_maps(result[position], item, struct)
    return result


def _in_order(merged: list[Any], live: list[Any], order: Sequence[Any], key: str | None) -> list[Any]:
    """Items named in `order` in that order; the server's own are put in where the live list had them."""

    def identity(item: Any) -> Any:
        return item.get(key) if key is not None and isinstance(item, Mapping) else item

    wanted = [identity(item) for item in order]
    before = [identity(item) for item in live]
    named = sorted(
        (item for item in merged if identity(item) in wanted), key=lambda item: wanted.index(identity(item))
    )
    place = 0
    for item in merged:
        if identity(item) in wanted:
            continue
        mine = before.index(identity(item)) if identity(item) in before else len(before)
        while place < len(named) and not _is_after(identity(named[place]), mine, before):
            place += 1
        named.insert(place, item)
        place += 1
    return named


def _is_after(identity: object, mine: int, before: list[Any]) -> bool:
    return identity in before and before.index(identity) > mine


def json_patch(tree: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> Tree:
    """RFC 6902: operations one after the other, all or nothing."""
    document: Any = thaw(tree)
    for operation in operations:
        document = _operate(document, operation)
    if not isinstance(document, dict):
        raise PatchError("a JSON patch must leave an object")
    return document


def _operate(document: Any, operation: Mapping[str, Any]) -> Any:
    verb, path = operation.get("op"), operation.get("path")
    if not isinstance(path, str) or path and not path.startswith("/"):
        raise PatchError(f"JSON patch path {path!r} must be text that starts with /")
    if verb in ("add", "replace", "test") and "value" not in operation:
        raise PatchError(f"JSON patch operation {verb} {path} needs a value")
    if verb == "add":
        return _add(document, path, thaw(operation["value"]))
    if verb == "remove":
        return _remove(document, path)
    if verb == "replace":
        if not path:
            return thaw(operation["value"])
        _look(document, path, verb)
        return _put(document, path, thaw(operation["value"]))
    if verb == "test":
        if not _same(_look_or_none(document, path), operation["value"]):
            raise PatchTestFailed(f"testing value {path} failed")
        return document
    if verb in ("move", "copy"):
        source = operation.get("from")
        if not isinstance(source, str):
            raise PatchError(f"JSON patch operation {verb} {path} needs from")
        value = thaw(_look(document, source, verb))
        return _add(_remove(document, source) if verb == "move" else document, path, value)
    raise PatchError(f"unexpected kind of JSON patch operation: {verb}")


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _look(document: Any, path: str, verb: str) -> Any:
    for step in _steps(path):
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            raise PatchError(f"{verb} operation does not apply: doc is missing path: {path}: missing value")
    return document


def _look_or_none(document: Any, path: str) -> Any:
    try:
        return _look(document, path, "test")
    except PatchError:
        return None


def _parent(document: Any, path: str, verb: str) -> tuple[Any, str]:
    head, _, _ = path.rpartition("/")
    return _look(document, head, verb), _steps(path)[-1]


def _add(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    parent, step = _parent(document, path, "add")
    if isinstance(parent, list):
        position = len(parent) if step == "-" else int(step) if step.isdigit() else -1
        if not 0 <= position <= len(parent):
            raise PatchError(f"add operation does not apply: index {step} of {path} is out of bounds")
        parent.insert(position, value)
    elif isinstance(parent, dict):
        parent[step] = value
    else:
        raise PatchError(f"add operation does not apply: doc is missing path: {path}")
    return document


def _put(document: Any, path: str, value: Any) -> Any:
    parent, step = _parent(document, path, "replace")
    if isinstance(parent, list):
        parent[int(step)] = value
    else:
        parent[step] = value
    return document


def _remove(document: Any, path: str) -> Any:
    _look(document, path, "remove")
    if not path:
        return None
    parent, step = _parent(document, path, "remove")
    if isinstance(parent, list):
        del parent[int(step)]
    else:
        del parent[step]
    return document


def _same(one: object, other: object) -> bool:
    """Equal as JSON: 1 is not true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return isinstance(one, bool) is isinstance(other, bool) and one == other
