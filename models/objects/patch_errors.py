"""Why a patch cannot be applied, sorted by what the API server answers to it, in the words of Go's libraries.

Source: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go (interpretStrategicMergePatchError),
staging/src/k8s.io/apimachinery/pkg/util/mergepatch/errors.go.

Raised by the patches of this room, caught by the API server's bodies.
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.sim import UsageError


class PatchError(UsageError):
    """A patch that cannot be applied; a strategic one is answered with 500, a JSON patch with 422."""


class BadPatchFormat(PatchError):
    """A patch that says something malformed: 400."""


class ListOfLists(PatchError):
    """A strategic merge patch of a list of lists: 422."""

    def __init__(self) -> None:
        super().__init__("lists of lists are not supported")


class PatchTooLarge(PatchError):
    """A JSON patch with too many operations: 413."""


class PatchTestFailed(PatchError):
    """A JSON patch whose `test` operation found something else."""


def go_text(value: object) -> str:
    """A value of JSON as Go prints it with %v: map[image:nginx ports:[80]]."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return f"map[{' '.join([f'{name}:{go_text(value[name])}' for name in sorted(value)])}]"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join([go_text(item) for item in value])}]"
    return str(value)


def no_merge_key(item: Mapping[str, object], key: str) -> PatchError:
    """An item of a list that merges by `key` doesn't have it."""
    return PatchError(f"map: {go_text(item)} does not contain declared merge key: {key}")


def wrong_type(expected: str, value: object) -> PatchError:
    """A list stands where a mapping should, or the other way round."""
    return PatchError(f"expected a {expected}, but received a {go_type(value)}")


def go_type(value: object) -> str:
    """The type that Go's JSON decoder gives a value."""
    if value is None:
        return "%!s(<nil>)"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Mapping):
        return MAP
    if isinstance(value, (list, tuple)):
        return LIST
    return {int: "int64", float: "float64"}.get(type(value), "string")


MAP = "map[string]interface {}"
LIST = "[]interface {}"
