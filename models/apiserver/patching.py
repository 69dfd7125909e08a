"""From a PATCH to the object it makes: the four patch types, and the real refusals. Pure.

A patch is applied only to those top-level parts of an object that it names: the rest isn't turned into JSON and back, nor
are the object's managers, unless the patch speaks of them. A patch must fit the object both before and after.
Sources: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.

Called by writes.py.
Not modelled: patches in CBOR; fieldValidation of the patch itself (of a JSON patch's operations).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import evolve

from chaoskube.models.apiserver.api import JSON, MERGE, STRATEGIC, Cause, Request, Status
from chaoskube.models.apiserver.bodies import bare_tree, cannot_handle, checked, from_tree
from chaoskube.models.apiserver.custom.objects import no_strategic_patch
from chaoskube.models.apiserver.errors import (
    PATCH_REJECTED,
    ApiError,
    bad_request,
    invalid,
    plain_error,
    unsupported_media_type,
)
from chaoskube.models.objects import (
    DecodeError,
    GenericObject,
    Job,
    KubeObject,
    Namespace,
    ObjectMeta,
    ReplicationController,
    decode,
    decode_as,
    encode,
    thaw,
)
from chaoskube.models.objects.defaults import has_defaults
from chaoskube.models.objects.omitted import without_empties
from chaoskube.models.objects.patch import (
    BadPatchFormat,
    ListOfLists,
    PatchError,
    PatchTooLarge,
    go_text,
    json_patch,
    merge_patch,
    strategic_merge_patch,
)
from chaoskube.models.objects.resources import Resource

Tree = dict[str, Any]  # plain JSON
_MEDIA = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_EMPTY: tuple[object, ...] = (None, "")  # what a patch emptied in metadata is left out, as Go leaves it out


_LABELLED: Final = (Job, Namespace, ReplicationController)
"""Kinds whose defaults give them labels."""


def patched(obj: KubeObject, request: Request, resource: Resource) -> KubeObject:
    """`obj` after the request's patch; its managers are what they were, or what the patch says."""
    if request.patch_type == JSON:
        return _json_patched(obj, request, resource)
    if request.patch_type == STRATEGIC and resource.custom is not None:
        raise no_strategic_patch()
    if request.patch_type not in (MERGE, STRATEGIC):
        raise unsupported_media_type(_MEDIA)
    patch = request.body
    if not isinstance(patch, Mapping):
        raise _not_a(patch, "map[string]interface {}", request.patch_type)
    parts: Mapping[str, object] = {
        part: value for part, value in patch.items() if part not in ("apiVersion", "kind")
    }
    is_whole = isinstance(obj, GenericObject) or "spec" in parts or any("$" in part for part in parts)
    is_whole = is_whole or "metadata" in parts and isinstance(obj, _LABELLED)
    if request.patch_type == MERGE:
        parts, is_whole = _said_otherwise(patch, parts, obj, is_whole=is_whole)
    if is_whole or (has_defaults(obj) and not hasattr(obj, "spec")):
        tree = _apply(_tree_for(obj, patch), thaw(parts), request.patch_type, obj)
        return _whole(tree, obj, request, resource)
    return _part_patched(obj, parts, request, resource)


def _said_otherwise(
    patch: Mapping[str, object], parts: Mapping[str, object], obj: KubeObject, *, is_whole: bool
) -> tuple[Mapping[str, object], bool]:
    """A merge patch that makes another kind of it is read as such, and refused; a strategic one cannot. (patch.go)"""
    for name, own in (("kind", obj.kind), ("apiVersion", obj.api_version)):
        if patch.get(name, own) != own:
            return patch, True
    return parts, is_whole


def _not_a(value: object, wanted: str, patch_type: str) -> ApiError:
    kind = {list: "array", tuple: "array", str: "string", bool: "bool", int: "number", float: "number"}
    why = f"json: cannot unmarshal {kind.get(type(value), 'object')} into Go value of type {wanted}"
    return bad_request(why if patch_type == STRATEGIC else f"error decoding patch: {why}")


def _tree_for(obj: KubeObject, patch: object) -> Tree:
    """The object as JSON; with its managers only if the patch may change them."""
    return {**bare_tree(obj), **_managers_for(obj, patch)}


def _managers_for(obj: KubeObject, patch: object) -> Tree:
    if obj.metadata.managed_fields is None or "managedFields" not in str(patch):
        return {}
    return {"metadata": encode(obj.metadata)}


def _whole(tree: Tree, obj: KubeObject, request: Request, resource: Resource) -> KubeObject:
    """A patched object read again."""
    for name, value in (("kind", obj.kind), ("apiVersion", obj.api_version)):
        tree.setdefault(name, value)
    try:
        new = from_tree(tree, resource, request.field_validation)[0]
    except ApiError as error:
        is_strategic = request.patch_type == STRATEGIC
        said = error if is_strategic else _in_order(error, tree, resource, request)
        raise _unreadable(said, request.body if is_strategic else tree, is_map_text=is_strategic) from error
    if new.metadata.managed_fields is None:
        return evolve(new, metadata=evolve(new.metadata, managed_fields=obj.metadata.managed_fields))
    return new


def _unreadable(error: ApiError, said: object, *, is_map_text: bool) -> ApiError:
    """What cannot be read after a patch is the patch's fault, not the body's: 422, with the whole value."""
    why = error.status.message.rpartition(" cannot be handled as a ")[2].partition(": ")[2]
    if error.status.code != 400 or not why:
        return error
    value = go_text(said) if is_map_text else json.dumps(said, sort_keys=True, separators=(",", ":"))
    message = f"Invalid value: {json.dumps(value, ensure_ascii=False)}: {why}"
    return invalid("", "", "", [Cause(reason="FieldValueInvalid", message=message, field="patch")])


def _part_patched(
    obj: KubeObject, parts: Mapping[str, object], request: Request, resource: Resource
) -> KubeObject:
    known = {attribute.name: attribute for attribute in attrs.fields(type(obj))}
    bare = obj.metadata
    if bare.managed_fields is not None and "managedFields" not in str(parts.get("metadata", "")):
        bare = evolve(bare, managed_fields=None)
    before: Tree = {}
    for part in parts:
        if part in known and not known[part].name.startswith("_"):
            value = _encode_part(bare if part == "metadata" else getattr(obj, part))
            if value is not None:
                before[part] = value
    after = _apply(before, thaw(parts), request.patch_type, obj)
    after = without_empties({"apiVersion": obj.api_version, "kind": obj.kind, **after})
    changes: dict[str, Any] = {}
    try:
        checked(after, resource, request.field_validation)
        for part in parts:
            if part == "metadata":
                metadata = {name: value for name, value in after.get(part, {}).items() if value not in _EMPTY}
                new = decode_as(ObjectMeta, metadata)
                if new.managed_fields is None:
                    new = evolve(new, managed_fields=obj.metadata.managed_fields)
                changes[part] = new
            elif part in known:
                changes[part] = _decoded_part(obj, part, after)
    except (ApiError, DecodeError) as error:
        said = error if isinstance(error, ApiError) else cannot_handle(obj, resource, error.message)
        is_strategic = request.patch_type == STRATEGIC
        value = request.body if is_strategic else _apply(_tree_for(obj, parts), thaw(parts), MERGE, obj)
        if not is_strategic:
            said = _in_order(said, value, resource, request)
        raise _unreadable(said, value, is_map_text=is_strategic) from error
    return evolve(obj, **changes)


def _in_order(error: ApiError, tree: object, resource: Resource, request: Request) -> ApiError:
    """Unknown fields in the order of their names: the library that patches writes what it touched that way.

    (Go's encoding/json sorts maps; evanphx/json-patch keeps objects as maps.)
    """
    if "strict decoding error" not in error.status.message or not isinstance(tree, Mapping):
        return error
    try:
        from_tree(_by_name(tree), resource, request.field_validation)
    except ApiError as ordered:
        return ordered
    return error


def _by_name(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _by_name(value[name]) for name in sorted(value)}
    return [_by_name(item) for item in value] if isinstance(value, (list, tuple)) else value


def _decoded_part(obj: KubeObject, part: str, after: Tree) -> object:
    """One top-level field, read as the whole object would be."""
    tree = {"apiVersion": obj.api_version, "kind": obj.kind}
    if part in after:
        tree[part] = after[part]
    return getattr(decode(tree), part)


def _encode_part(value: object) -> object:
    """A top-level field of an object as JSON."""
    if attrs.has(type(value)):
        return encode(value)
    return thaw(value)


def _json_patched(obj: KubeObject, request: Request, resource: Resource) -> KubeObject:
    patch = thaw(request.body)
    tree = json_patched(_tree_for(obj, patch), patch, request.patch_type)
    return _whole(tree, obj, request, resource)


def json_patched(tree: Tree, patch: object, patch_type: str) -> Tree:
    """The tree after a JSON patch, or the real server's refusal."""
    if not isinstance(patch, list):
        raise _not_a(patch, "[]handlers.jsonPatchOp", patch_type)
    for operation in patch:
        if not isinstance(operation, dict):
            raise _not_a(operation, "handlers.jsonPatchOp", patch_type)
    try:
        return json_patch(tree, patch)
    except PatchTooLarge as error:
        raise _too_large(str(error)) from error
    except PatchError as error:
        raise patch_failed(error) from error


def patch_failed(_: PatchError) -> ApiError:
    """422 for an operation of a patch that cannot be done; the real server doesn't say which. (handlers/patch.go)"""
    return ApiError(Status(code=422, reason="Invalid", message=PATCH_REJECTED))


def _too_large(why: str) -> ApiError:
    message = f"Request entity too large: {why}"
    return ApiError(Status(code=413, reason="RequestEntityTooLarge", message=message))


def _apply(tree: Tree, patch: Tree, patch_type: str, obj: KubeObject) -> Tree:
    if patch_type != STRATEGIC:
        return merge_patch(tree, patch)
    try:
        return strategic_merge_patch(tree, patch, obj.kind, obj.api_version)
    except BadPatchFormat as error:
        raise bad_request(str(error)) from error
    except ListOfLists as error:
        raise patch_failed(error) from error
    except PatchError as error:
        raise plain_error(str(error)) from error
