"""JSON patch as the API server's library does it: operations one after the other, all or nothing.

RFC 6902 with the library's own habits: a path's first step must follow a slash, or it is passed over; negative places
count from the end; `replace` of a mapping's field need not find one; an absent value is null; nothing is added or
removed at the root.
Source: github.com/evanphx/json-patch v4 (patch.go), staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go
(maxJSONPatchOperations), pkg/server/config.go (JSONPatchMaxCopyBytes).

Called by patch.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chaoskube.models.objects.frozen import Tree, thaw
from chaoskube.models.objects.patch_errors import PatchError, PatchTestFailed, PatchTooLarge

OPERATIONS_MAX: Final = 10_000
COPIED_BYTES_MAX: Final = 3 * 1024 * 1024
_MISSING: Final = "missing value"


def json_patch(tree: Mapping[str, Any], operations: Sequence[Mapping[str, Any]]) -> Tree:
    """RFC 6902: operations one after the other, all or nothing."""
    if len(operations) > OPERATIONS_MAX:
        said = f"maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(operations)}"
        raise PatchTooLarge(f"The allowed {said}")
    document: Any = thaw(tree)
    copied = 0
    for operation in operations:
        verb = operation.get("op")
        if verb == "copy":
            copied += _copy(document, operation)
            if copied > COPIED_BYTES_MAX:
                raise PatchError(
                    f"Unable to complete the copy, the accumulated size increase of copy is {copied}, "
                    f"exceeding the limit {COPIED_BYTES_MAX}"
                )
        else:
            document = _operate(document, operation, verb)
    if not isinstance(document, dict):
        raise PatchError("a JSON patch must leave an object")
    return document


def _operate(document: Any, operation: Mapping[str, Any], verb: object) -> Any:
    value = thaw(operation.get("value"))
    if verb == "add":
        path = _path(operation, verb)
        parent, step = _parent(document, path, f'add operation does not apply: doc is missing path: "{path}"')
        _add(parent, step, value, f"error in add for path: '{path}'")
    elif verb == "remove":
        path = _path(operation, verb)
        why = f'remove operation does not apply: doc is missing path: "{path}"'
        parent, step = _parent(document, path, why)
        _remove(parent, step, f"error in remove for path: '{path}'")
    elif verb == "replace":
        return _replace(document, _path(operation, verb), value)
    elif verb == "test":
        _test(document, _path(operation, verb), value)
    elif verb == "move":
        _move(document, operation)
    else:
        raise PatchError(f"Unexpected kind: {verb if isinstance(verb, str) else 'unknown'}")
    return document


def _path(operation: Mapping[str, Any], verb: object, name: str = "path") -> str:
    path = operation.get(name)
    if not isinstance(path, str):
        if verb in ("add", "remove"):
            raise PatchError(f"{verb} operation failed to decode {name}: {_MISSING}")
        said = "operation missing path field" if name == "path" else "operation, missing from field"
        raise PatchError(f"{verb} operation failed to decode {name}: {said}: {_MISSING}")
    return path


def _parent(document: Any, path: str, why: str) -> tuple[Any, str]:
    """What holds the path's last step, and that step."""
    _, *steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")]
    if not steps:
        raise PatchError(f"{why}: {_MISSING}")
    node = document
    for step in steps[:-1]:
        try:
            node = _get(node, step, "")
        except PatchError:
            node = None
        if not isinstance(node, (dict, list)):
            raise PatchError(f"{why}: {_MISSING}")
    return node, steps[-1]


def _place(step: str, why: str) -> int:
    digits = step[1:] if step[:1] in ("-", "+") else step
    if not digits.isascii() or not digits.isdigit():
        raise PatchError(f'{why}strconv.Atoi: parsing "{step}": invalid syntax')
    return int(step)


def _within(step: str, length: int, why: str) -> int:
    """The place that a step means in a list; from the end when it is negative."""
    place = _place(step, why)
    if not -length <= place < length:
        raise PatchError(f"{why}Unable to access invalid index: {place}: invalid index referenced")
    return place % length


def _get(parent: Any, step: str, why: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(step)
    return parent[_within(step, len(parent), why)]


def _add(parent: Any, step: str, value: Any, why: str) -> None:
    if isinstance(parent, dict):
        parent[step] = value
    elif step == "-":
        parent.append(value)
    else:
        prefix = f"{why}: "
        try:
            _place(step, "")
        except PatchError as error:
            raise PatchError(f"{prefix}value was not a proper array index: '{step}': {error}") from error
        parent.insert(_within(step, len(parent) + 1, prefix), value)


def _remove(parent: Any, step: str, why: str) -> None:
    if isinstance(parent, list):
        del parent[_within(step, len(parent), f"{why}: ")]
    elif step in parent:
        del parent[step]
    else:
        raise PatchError(f"{why}: Unable to remove nonexistent key: {step}: {_MISSING}")


def _replace(document: Any, path: str, value: Any) -> Any:
    if not path:
        if not isinstance(value, (dict, list)):
            raise PatchError("replace operation value must be object or array")
        return value
    why = f"replace operation does not apply: doc is missing path: {path}"
    parent, step = _parent(document, path, why)
    if isinstance(parent, dict):
        parent[step] = value
        return document
    try:
        parent[_within(step, len(parent), "")] = value
    except PatchError as error:
        raise PatchError(
            f"replace operation does not apply: doc is missing key: {path}: {_MISSING}"
        ) from error
    return document


def _test(document: Any, path: str, value: Any) -> None:
    if path:
        parent, step = _parent(document, path, f"test operation does not apply: is missing path: {path}")
        document = _get(parent, step, f"error in test for path: '{path}': ")
    if not _same(document, value):
        raise PatchTestFailed(f"testing value {path} failed: test failed")


def _move(document: Any, operation: Mapping[str, Any]) -> None:
    source = _path(operation, "move", "from")
    parent, step = _parent(
        document, source, f"move operation does not apply: doc is missing from path: {source}"
    )
    why = f"error in move for path: '{step}'"
    value = _get(parent, step, f"{why}: ")
    _remove(parent, step, why)
    path = _path(operation, "move")
    missing = f"move operation does not apply: doc is missing destination path: {path}"
    parent, step = _parent(document, path, missing)
    _add(parent, step, value, f"error in move for path: '{path}'")


def _copy(document: Any, operation: Mapping[str, Any]) -> int:
    """Copies, and says how many bytes of JSON."""
    source = _path(operation, "copy", "from")
    parent, step = _parent(
        document, source, f"copy operation does not apply: doc is missing from path: {source}"
    )
    value = thaw(_get(parent, step, f"error in copy for from: '{source}': "))
    path = _path(operation, "copy")
    missing = f"copy operation does not apply: doc is missing destination path: {path}"
    parent, step = _parent(document, path, missing)
    _add(parent, step, value, "error while adding value during copy")
    return 0 if value is None else len(json.dumps(value, separators=(",", ":")))


def _same(one: object, other: object) -> bool:
    """Equal as JSON: 1 is not true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return isinstance(one, bool) is isinstance(other, bool) and one == other
