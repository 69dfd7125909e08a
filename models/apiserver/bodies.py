"""From a request's body to an object: decoding with the real refusals, defaults, and patches. Pure.

A body that is an object already is taken as it is (defaults are filled in where a kind has any); a tree is checked
against the schema first. A patch is applied only to those top-level parts of an object that it names: the rest isn't
turned into JSON and back.
Sources: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go.

Not modelled: server-side apply (415), YAML and protobuf bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from chaoskube.models.apiserver.api import APPLY, JSON, MERGE, STRATEGIC, Cause, Request, Status
from chaoskube.models.apiserver.custom.objects import custom_object, no_strategic_patch
from chaoskube.models.apiserver.errors import ApiError, bad_request, invalid, unsupported_media_type
from chaoskube.models.apiserver.unmarshal import unmarshal_error
from chaoskube.models.objects import (
    DecodeError,
    Deployment,
    GenericObject,
    KubeObject,
    ObjectMeta,
    ReplicaSet,
    decode,
    decode_as,
    encode,
    thaw,
)
from chaoskube.models.objects.defaults import default, is_filled
from chaoskube.models.objects.patch import PatchError, json_patch, merge_patch, strategic_merge_patch
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.schema import check, known

Tree = dict[str, Any]  # plain JSON, as in models.objects
_PATCH_MEDIA = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


def object_of(
    request: Request, resource: Resource, cached: KubeObject | None = None
) -> tuple[KubeObject, tuple[str, ...]]:
    """The object in a CREATE's or UPDATE's body, with defaults; and warnings.

    Defaults are skipped where they cannot matter: in a status write, or when the body shares its template with
    the `cached` version.
    """
    body = request.body
    if isinstance(body, KubeObject):
        if resource.custom is not None:
            return custom_object(whole_tree(body), resource, request.field_validation)
        if body.kind != resource.kind or body.api_version != resource.api_version:
            why = _no_conversion(body.api_version, body.kind, resource)
            raise _cannot_handle(body.kind, body.api_version, resource, why)
        if request.subresource == "status" or _shares_template(body, cached):
            return body, ()
        return with_defaults(body), ()
    if not isinstance(body, Mapping):
        raise bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
            f"json parse error: {_parse_error(body)}"
        )
    tree: Tree = {"apiVersion": resource.api_version, "kind": resource.kind}
    tree.update({key: value for key, value in thaw(body).items() if value is not None})
    return from_tree(tree, resource, request.field_validation)


def _shares_template(body: KubeObject, cached: KubeObject | None) -> bool:
    if isinstance(body, Deployment) and isinstance(cached, Deployment):
        return body.spec.template is cached.spec.template and body.spec.strategy is cached.spec.strategy
    if isinstance(body, ReplicaSet) and isinstance(cached, ReplicaSet):
        return body.spec.template is cached.spec.template
    return False


def from_tree(tree: Tree, resource: Resource, field_validation: str) -> tuple[KubeObject, tuple[str, ...]]:
    """Check, default and decode a whole object."""
    if resource.custom is not None:
        return custom_object(tree, resource, field_validation)
    kind, api_version = str(tree["kind"]), str(tree["apiVersion"])
    if not known(api_version, kind):
        raise _cannot_handle(kind, api_version, resource, _not_registered(api_version, kind))
    warnings = _checked(tree, resource, field_validation)
    if (api_version, kind) != (resource.api_version, resource.kind):
        raise _cannot_handle(kind, api_version, resource, _no_conversion(api_version, kind, resource))
    try:
        return _decoded(default(tree), resource.api_version, resource.kind), warnings
    except DecodeError as error:
        raise _cannot_handle(kind, api_version, resource, error.message) from error


def with_defaults(obj: KubeObject) -> KubeObject:
    """A typed object with what the server fills in."""
    if not isinstance(obj, GenericObject) and not is_filled(type(obj)):
        return obj
    tree = whole_tree(obj)
    filled = default(tree)
    return _decoded(filled, obj.api_version, obj.kind)


def _decoded(tree: Tree, api_version: str, kind: str) -> KubeObject:
    return decode({"apiVersion": api_version, "kind": kind, **tree})


def whole_tree(obj: KubeObject) -> Tree:
    """An object as JSON, with its kind first whatever its class leaves out."""
    return {"apiVersion": obj.api_version, "kind": obj.kind, **encode(obj)}


_EMPTY: tuple[object, ...] = (None, "", [], {})  # what a patch emptied is left out, as Go leaves it out


def patched(obj: KubeObject, request: Request, resource: Resource) -> KubeObject:
    """`obj` after the request's patch."""
    patch = request.body
    if request.patch_type == JSON:
        return _json_patched(obj, request, resource)
    if request.patch_type == STRATEGIC and resource.custom is not None:
        raise no_strategic_patch()
    if request.patch_type not in (MERGE, STRATEGIC) or request.patch_type == APPLY:
        raise unsupported_media_type(_PATCH_MEDIA)
    if not isinstance(patch, Mapping):
        raise bad_request("the body of a patch must be an object")
    parts = {part: value for part, value in patch.items() if part not in ("apiVersion", "kind")}
    is_whole = isinstance(obj, GenericObject) or "spec" in parts or any("$" in part for part in parts)
    if is_whole or (is_filled(type(obj)) and not hasattr(obj, "spec")):
        tree = _apply(whole_tree(obj), thaw(patch), request.patch_type, obj)
        return from_tree(tree, resource, request.field_validation)[0]
    return _part_patched(obj, parts, request, resource)


def _part_patched(
    obj: KubeObject, parts: Mapping[str, object], request: Request, resource: Resource
) -> KubeObject:
    known = {attribute.name: attribute for attribute in attrs.fields(type(obj))}
    before: Tree = {}
    for part in parts:
        if part in known and not known[part].name.startswith("_"):
            value = encode_part(getattr(obj, part))
            if value is not None:
                before[part] = value
    after = _apply(before, thaw(parts), request.patch_type, obj)
    tree = {"apiVersion": obj.api_version, "kind": obj.kind, **after}
    _checked(tree, resource, request.field_validation)
    changes: dict[str, Any] = {}
    try:
        for part in parts:
            if part == "metadata":
                metadata = {name: value for name, value in after.get(part, {}).items() if value not in _EMPTY}
                changes[part] = decode_as(ObjectMeta, metadata)
            elif part in known:
                changes[part] = _decoded_part(obj, part, after)
    except DecodeError as error:
        raise _cannot_handle(obj.kind, obj.api_version, resource, error.message) from error
    return attrs.evolve(obj, **changes)


def _decoded_part(obj: KubeObject, part: str, after: Tree) -> object:
    """One top-level field, read as the whole object would be."""
    tree = {"apiVersion": obj.api_version, "kind": obj.kind}
    if part in after:
        tree[part] = after[part]
    return getattr(decode(tree), part)


def encode_part(value: object) -> object:
    """A top-level field of an object as JSON."""
    if attrs.has(type(value)):
        return encode(value)
    return thaw(value)


def _json_patched(obj: KubeObject, request: Request, resource: Resource) -> KubeObject:
    patch = thaw(request.body)
    if not isinstance(patch, list):
        raise bad_request("the body of a JSON patch must be a list of operations")
    try:
        tree = json_patch(whole_tree(obj), patch)
    except PatchError as error:
        raise patch_failed(str(error)) from error
    return from_tree(tree, resource, request.field_validation)[0]


def patch_failed(why: str) -> ApiError:
    """422: an operation of a patch cannot be done. (handlers/patch.go)"""
    message = f"the server rejected our request due to an error in our request: {why}"
    return ApiError(Status(code=422, reason="Invalid", message=message))


def _apply(tree: Tree, patch: Tree, patch_type: str, obj: KubeObject) -> Tree:
    if patch_type == STRATEGIC and not isinstance(obj, GenericObject):
        try:
            return strategic_merge_patch(tree, patch, obj.kind, obj.api_version)
        except PatchError as error:
            raise bad_request(str(error)) from error
    return merge_patch(tree, patch)


def _checked(tree: Tree, resource: Resource, field_validation: str) -> tuple[str, ...]:
    """Refuse wrong types; unknown fields are refused (Strict), warned about (Warn) or ignored, and dropped."""
    unknown = []
    for problem in check(tree):
        if problem.message.startswith("is required"):
            continue  # Go's decoder takes what is missing as empty; validation says what it thinks of that
        if not problem.message.startswith("unknown field"):
            why = unmarshal_error(tree, problem.path) or problem.message
            raise _cannot_handle(str(tree["kind"]), str(tree["apiVersion"]), resource, why)
        unknown.append(problem)
    if not unknown:
        return ()
    said = [f'unknown field "{problem.path}"' for problem in unknown]
    if field_validation == "Strict":
        why = "strict decoding error: " + ", ".join(said)
        raise _cannot_handle(str(tree["kind"]), str(tree["apiVersion"]), resource, why)
    for problem in unknown:
        _drop(tree, problem.path)
    return () if field_validation == "Ignore" else tuple(said)


def _drop(tree: Tree, path: str) -> None:
    *steps, last = path.replace("[", ".[").split(".")
    node: Any = tree
    for step in steps:
        node = node[int(step[1:-1])] if step.startswith("[") else node[step]
    del node[last]


def _not_registered(api_version: str, kind: str) -> str:
    return (
        f'no kind "{kind}" is registered for version "{api_version}" in scheme '
        '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
    )


def _no_conversion(api_version: str, kind: str, resource: Resource) -> str:
    """A body of another kind is decoded as what it says, then found to be no such thing. (conversion/converter.go)"""
    package = resource.group.partition(".")[0] or "core"
    version = api_version.rpartition("/")[2]
    return f"converting ({version}.{kind}) to ({package}.{resource.kind}): unknown conversion"


def _cannot_handle(kind: str, api_version: str, resource: Resource, why: str) -> ApiError:
    version = api_version.rpartition("/")[2]
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}')


def _parse_error(body: object) -> str:
    text = body if isinstance(body, str) else ""
    if text.startswith("{"):
        return f"invalid character '{text[1:2]}' looking for beginning of object key string ({text})"
    return f"invalid character '{text[:1]}' looking for beginning of value ({text})"


def causes_error(resource: Resource, name: str, causes: tuple[Any, ...]) -> ApiError | None:
    """The 422 for what validation found, None when it found nothing."""
    if not causes:
        return None
    listed = [Cause(reason=cause.reason, message=cause.message, field=cause.field) for cause in causes]
    return invalid(resource.kind, resource.group, name, listed)


__all__ = [
    "causes_error",
    "encode_part",
    "from_tree",
    "object_of",
    "patch_failed",
    "patched",
    "whole_tree",
    "with_defaults",
]
