"""From a request's body to an object: decoding with the real refusals, and defaults. Pure.

A body that is an object already is taken as it is (defaults are filled in where a kind has any); a tree is checked
against the schema first. An object's managers are not worked out for that. Patches are patching.py and apply.py.
Sources: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update}.go.

Not modelled: YAML and protobuf bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from chaoskube.models.apiserver.api import Cause, Request
from chaoskube.models.apiserver.custom.objects import custom_object
from chaoskube.models.apiserver.errors import ApiError, bad_request, invalid
from chaoskube.models.apiserver.event_versions import API_VERSION as EVENTS
from chaoskube.models.apiserver.event_versions import tidied
from chaoskube.models.apiserver.unmarshal import json_type, unmarshal_error
from chaoskube.models.objects import (
    DecodeError,
    Deployment,
    GenericObject,
    KubeObject,
    ReplicaSet,
    decode,
    encode,
    thaw,
)
from chaoskube.models.objects.defaults import default, is_filled
from chaoskube.models.objects.omitted import without_empties
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.schema import check, drop_unknown, known

Tree = dict[str, Any]  # plain JSON, as in models.objects


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
            return _custom(body, resource, request.field_validation)
        if body.kind != resource.kind or body.api_version != resource.api_version:
            why = _no_conversion(body.api_version, body.kind, resource)
            raise _cannot_handle(body.kind, body.api_version, resource, why)
        if request.subresource == "status" or _shares_template(body, cached):
            return body, ()
        return with_defaults(body), ()
    if not isinstance(body, Mapping):
        raise _unrecognized(body, resource)
    tree: Tree = {"apiVersion": resource.api_version, "kind": resource.kind}
    tree.update({key: value for key, value in thaw(body).items() if value is not None})
    return from_tree(tree, resource, request.field_validation)


def order_of(request: Request, api_version: str, kind: str) -> Tree:
    """The body of a subresource that isn't stored (a Binding, an Eviction): its tree, of the right types."""
    body = request.body
    if isinstance(body, KubeObject):
        return encode(body)
    order = Resource(plural="", kind=kind, api_version=api_version, namespaced=True)
    if not isinstance(body, Mapping):
        raise _unrecognized(body, order)
    tree: Tree = {"apiVersion": api_version, "kind": kind}
    tree.update({key: value for key, value in thaw(body).items() if value is not None})
    if (tree["apiVersion"], tree["kind"]) != (api_version, kind):
        said, version = str(tree["kind"]), str(tree["apiVersion"])
        raise _cannot_handle(said, version, order, _not_registered(version, said))
    checked(tree, order, request.field_validation)
    return without_empties(tree)


def _unrecognized(body: object, resource: Resource) -> ApiError:
    return bad_request(
        f"the object provided is unrecognized (must be of type {resource.kind}): couldn't get version/kind; "
        f"json parse error: {_parse_error(body)}"
    )


def _custom(
    body: KubeObject, resource: Resource, field_validation: str
) -> tuple[KubeObject, tuple[str, ...]]:
    obj, warnings = custom_object(bare_tree(body), resource, field_validation)
    managers = body.metadata.managed_fields
    return attrs.evolve(obj, metadata=attrs.evolve(obj.metadata, managed_fields=managers)), warnings


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
    warnings = checked(tree, resource, field_validation)
    if (api_version, kind) != (resource.api_version, resource.kind):
        raise _cannot_handle(kind, api_version, resource, _no_conversion(api_version, kind, resource))
    try:
        obj = _decoded(default(without_empties(tree)), resource.api_version, resource.kind)
        return tidied(obj) if resource.api_version == EVENTS else obj, warnings
    except DecodeError as error:
        raise _cannot_handle(kind, api_version, resource, error.message) from error


def with_defaults(obj: KubeObject) -> KubeObject:
    """A typed object with what the server fills in."""
    if not isinstance(obj, GenericObject) and not is_filled(type(obj)):
        return obj
    filled = _decoded(default(bare_tree(obj)), obj.api_version, obj.kind)
    managers = obj.metadata.managed_fields
    return attrs.evolve(filled, metadata=attrs.evolve(filled.metadata, managed_fields=managers))


def _decoded(tree: Tree, api_version: str, kind: str) -> KubeObject:
    return decode({"apiVersion": api_version, "kind": kind, **tree})


def whole_tree(obj: KubeObject) -> Tree:
    """An object as JSON, with its kind first whatever its class leaves out."""
    return {"apiVersion": obj.api_version, "kind": obj.kind, **encode(obj)}


def bare_tree(obj: KubeObject) -> Tree:
    """An object as JSON, but for its managers."""
    if obj.metadata.managed_fields is None:
        return whole_tree(obj)
    return whole_tree(attrs.evolve(obj, metadata=attrs.evolve(obj.metadata, managed_fields=None)))


def checked(tree: Tree, resource: Resource, field_validation: str) -> tuple[str, ...]:
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
    drop_unknown(tree)
    return () if field_validation == "Ignore" else tuple(said)


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


def cannot_handle(obj: KubeObject, resource: Resource, why: str) -> ApiError:
    """400: a body that cannot be read as what it says it is."""
    return _cannot_handle(obj.kind, obj.api_version, resource, why)


_NO_OBJECT = (
    'json: cannot unmarshal {} into Go value of type struct {{ APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }}'
)


def _parse_error(body: object) -> str:
    if not isinstance(body, str):
        return _NO_OBJECT.format(json_type(body)) if body is not None else "unexpected end of JSON input"
    text = body
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
    "bare_tree",
    "cannot_handle",
    "causes_error",
    "checked",
    "from_tree",
    "object_of",
    "order_of",
    "whole_tree",
    "with_defaults",
]
