"""The door of the patches that need no managers, on plain JSON trees; what goes in is never changed.

JSON merge patch (RFC 7386) stands here; JSON patch is patch_json.py, strategic merge patch_strategic.py; what is
refused, and how, patch_errors.py. Patches that make one object of two are in patch_diff.py, server-side apply in
managed/.

Called by the API server's PATCH, and by operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.objects.frozen import Tree, thaw
from chaoskube.models.objects.patch_errors import (
    BadPatchFormat,
    ListOfLists,
    PatchError,
    PatchTestFailed,
    PatchTooLarge,
    go_text,
)
from chaoskube.models.objects.patch_json import json_patch
from chaoskube.models.objects.patch_strategic import merge_maps
from chaoskube.models.objects.schema import struct_of

__all__ = [
    "BadPatchFormat",
    "ListOfLists",
    "PatchError",
    "PatchTestFailed",
    "PatchTooLarge",
    "go_text",
    "json_patch",
    "merge_patch",
    "strategic_merge_patch",
]


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
    return merge_maps(thaw(tree), thaw(patch), {} if struct is None else {"struct": struct})
