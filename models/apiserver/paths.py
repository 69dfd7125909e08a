"""The HTTP face of the API: method, path, query and body to a Request, and answers to a status and a JSON tree.

Used by whoever speaks HTTP to the simulation (the player of recordings; a door for real clients later). Unknown paths
answer as the real server does: plain text where no group knows the path, a Status where a group knows no such resource.
Source: staging/src/k8s.io/apiserver/pkg/endpoints/{request/requestinfo.go,installer.go}.

Not modelled: discovery, OpenAPI and health paths (404 here).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from chaoskube.models.apiserver.api import (
    APPLY,
    CREATE,
    DELETE,
    DELETE_COLLECTION,
    GET,
    JSON,
    LIST,
    MERGE,
    PATCH,
    STRATEGIC,
    UPDATE,
    WATCH,
    Bookmark,
    Cause,
    DeleteOptions,
    ListOptions,
    ObjectList,
    Request,
    Response,
    Status,
    WatchEvent,
)
from chaoskube.models.apiserver.bodies import whole_tree
from chaoskube.models.apiserver.errors import (
    PATCH_REJECTED,
    ApiError,
    method_not_allowed,
    no_such_resource,
    unsupported_media_type,
)
from chaoskube.models.apiserver.incoming import readable, received
from chaoskube.models.apiserver.queries import delete_options, dry_run, list_options, truth
from chaoskube.models.apiserver.strategy import keeps_status, status_of
from chaoskube.models.objects import KubeObject, encode
from chaoskube.models.objects.resources import Resource, resource_of, resources

Tree = dict[str, Any]  # plain JSON
_BODIES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_PATCHES = {
    "application/json-patch+json": JSON,
    "application/merge-patch+json": MERGE,
    "application/strategic-merge-patch+json": STRATEGIC,
    "application/apply-patch+yaml": APPLY,
}
_BODILESS = (GET, LIST, WATCH)
_ONE = {"GET": GET, "PUT": UPDATE, "PATCH": PATCH, "DELETE": DELETE}
_MANY = {"GET": LIST, "POST": CREATE, "DELETE": DELETE_COLLECTION}


class NoSuchPath(Exception):
    """No group of the API knows this path: 404 as plain text."""


@frozen(kw_only=True)
class Target:
    """What a path names."""

    resource: Resource
    namespace: str
    name: str
    subresource: str


def to_request(
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    content_type: str | None = None,
    body: object = None,
    *,
    user: str = "",
) -> Request:
    """The request an HTTP client means. Raises ApiError, or NoSuchPath."""
    query = {name: readable(value) for name, value in (query or {}).items()}
    target = parse_path(readable(path))
    verb = _verb(method, target, query)
    body, size = (None, 0) if verb in _BODILESS else received(body, verb, target.resource.kind)
    patch_type = ""
    media_type = (content_type or "").partition(";")[0].strip()  # without its charset
    if verb == PATCH:
        patch_type = _PATCHES.get(media_type, "")
        if not patch_type:
            built_in = [name for name in _PATCHES if target.resource.kind or _PATCHES[name] != STRATEGIC]
            raise unsupported_media_type(tuple(built_in))
    elif verb in (CREATE, UPDATE) and media_type not in ("", *_BODIES):
        raise unsupported_media_type(_BODIES)
    return Request(
        verb=verb,
        resource=_name_of(target.resource),
        namespace=target.namespace,
        name=target.name,
        subresource=target.subresource,
        user=user,
        body=None if verb in (DELETE, DELETE_COLLECTION) else body,
        patch_type=patch_type,
        resource_version=query.get("resourceVersion", "") if verb == GET else "",
        options=list_options(query) if verb in (LIST, WATCH, DELETE_COLLECTION) else ListOptions(),
        delete_options=delete_options(query, body)
        if verb in (DELETE, DELETE_COLLECTION)
        else DeleteOptions(),
        field_validation=query.get("fieldValidation", ""),
        field_manager=query.get("fieldManager", ""),
        force=truth(query, "force") or False,
        dry_run=dry_run(query, verb, body),
        body_bytes=size,
    )


def parse_path(path: str) -> Target:
    """Group, version, namespace, resource, name and subresource of a path."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        api_version, rest = parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        api_version, rest = f"{parts[1]}/{parts[2]}", parts[3:]
    else:
        raise NoSuchPath(path)
    served = [resource for resource in resources() if resource.api_version == api_version]
    if not served and (parts[0] == "api" or parts[1] in BUILT_IN_GROUPS):
        raise NoSuchPath(path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    resource = next((one for one in served if one.plural == rest[0]), None)
    name = rest[1] if len(rest) > 1 else ""
    if not served:
        resource = _perhaps_custom(rest[0], api_version, is_namespaced=bool(namespace))
    if resource is None or len(rest) > 3 or resource.namespaced < bool(namespace):
        raise no_such_resource()
    if resource.namespaced and name and not namespace:
        raise no_such_resource()
    if len(rest) > 2 and resource.kind and rest[2] not in subresources_of(resource):
        raise no_such_resource()
    return Target(
        resource=resource,
        namespace=namespace,
        name=name,
        subresource=rest[2] if len(rest) > 2 else "",
    )


_SUBRESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "pods": (
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
    ),
    "namespaces": ("finalize",),
    "nodes": ("proxy",),
    "services": ("proxy",),
    "serviceaccounts": ("token",),
    "certificatesigningrequests": ("approval",),
}


def subresources_of(resource: Resource) -> tuple[str, ...]:
    """The subresources that a built-in resource is served with, as its discovery document lists them."""
    common = (*(("status",) if resource.has_status else ()), *(("scale",) if resource.has_scale else ()))
    return (*common, *_SUBRESOURCES.get(resource.plural, ()))


BUILT_IN_GROUPS: Final = frozenset(resource.group for resource in resources())


def _perhaps_custom(plural: str, api_version: str, *, is_namespaced: bool) -> Resource:
    """A resource that a definition may have added: the server that is asked knows."""
    group, _, version = api_version.partition("/")
    name = f"{plural}.{version}.{group}"
    return Resource(plural=plural, kind="", api_version=api_version, namespaced=is_namespaced, name=name)


def _verb(method: str, target: Target, query: Mapping[str, str]) -> str:
    if target.name:
        verb = CREATE if method == "POST" and target.subresource else _ONE.get(method)
    else:
        verb = _MANY.get(method)
        if verb in (CREATE, DELETE_COLLECTION) and target.resource.namespaced and not target.namespace:
            verb = None
    if verb is None:
        raise method_not_allowed()
    if verb in (LIST, GET) and truth(query, "watch"):
        return WATCH
    return verb


def _name_of(resource: Resource) -> str:
    """The plural; with its group only where the plural alone would mean another resource."""
    if not resource.kind:
        return resource.name
    return (
        resource.plural if resource_of(resource.plural) is resource else f"{resource.plural}.{resource.group}"
    )


# ---- answers


PAGE_NOT_FOUND: Final = "404 page not found\n"


def answer_of(response: Response) -> tuple[int, Tree | str]:
    """HTTP status and body of an answer."""
    if response.body == no_such_resource().status:
        return 404, PAGE_NOT_FOUND  # the server found no definition for the path
    return response.code, body_tree(response.body)


def error_answer(error: ApiError | NoSuchPath) -> tuple[int, Tree | str]:
    """The answer to a request that never got to a server."""
    if isinstance(error, NoSuchPath):
        return 404, PAGE_NOT_FOUND
    return error.status.code, status_tree(error.status)


def watch_tree(event: WatchEvent) -> Tree:
    """One line of a watch."""
    return {"type": event.type, "object": body_tree(event.object)}


def body_tree(body: KubeObject | ObjectList | Status | Bookmark) -> Tree:
    """Whatever the server says, as JSON."""
    if isinstance(body, Status):
        return status_tree(body)
    if isinstance(body, ObjectList):
        return list_tree(body)
    if isinstance(body, Bookmark):
        metadata: Tree = {"resourceVersion": body.resource_version}
        if body.initial_events_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        return {"kind": body.kind, "apiVersion": body.api_version, "metadata": metadata}
    return object_tree(body)


def object_tree(obj: KubeObject) -> Tree:
    """An object; Go writes the status of these kinds even when it is empty."""
    tree = whole_tree(obj)
    if keeps_status(obj) and "status" not in tree:
        tree["status"] = encode(status_of(obj))
    if tree["metadata"].get("managedFields") == []:
        del tree["metadata"]["managedFields"]
    return tree


def list_tree(body: ObjectList) -> Tree:
    """A list; its items leave out kind and apiVersion, as the real server's do; those of custom objects don't."""
    metadata: Tree = {"resourceVersion": body.resource_version}
    if body.continue_token:
        metadata["continue"] = body.continue_token
    if body.remaining_item_count is not None:
        metadata["remainingItemCount"] = body.remaining_item_count
    items = []
    is_custom = all(one.api_version != body.api_version for one in resources())
    if is_custom:
        metadata.setdefault("continue", "")
    for obj in body.items:
        tree = object_tree(obj)
        if is_custom:
            items.append(tree)
            continue
        items.append({key: value for key, value in tree.items() if key not in ("kind", "apiVersion")})
    return {"kind": body.kind, "apiVersion": body.api_version, "metadata": metadata, "items": items}


def status_tree(status: Status) -> Tree:
    """A Status as the real server writes it: what is empty is left out."""
    tree: Tree = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
    if status.continue_token:
        tree["metadata"] = {"continue": status.continue_token}
    tree["status"] = "Success" if status.is_success else "Failure"
    if status.message:
        tree["message"] = status.message
    if status.reason:
        tree["reason"] = status.reason
    details = _details(status)
    if details or status.message in _EMPTY_DETAILS or status.reason == "Timeout":
        tree["details"] = details
    if not (status.is_success and status.code == 200):
        tree["code"] = status.code
    return tree


_EMPTY_DETAILS = (no_such_resource().status.message, method_not_allowed().status.message, PATCH_REJECTED)
"""Of answers that NewGenericServerResponse makes: they have details without anything in them. (api/errors/errors.go)"""


def _details(status: Status) -> Tree:
    details: Tree = {}
    for field in ("name", "group", "kind", "uid"):
        value = getattr(status, field)
        if value:
            details[field] = value
    if status.causes:
        details["causes"] = [_cause_tree(cause) for cause in status.causes]
    if status.retry_after_seconds:
        details["retryAfterSeconds"] = status.retry_after_seconds
    return details


def _cause_tree(cause: Cause) -> Tree:
    tree = {"reason": cause.reason, "message": cause.message, "field": cause.field}
    return {key: value for key, value in tree.items() if value}
