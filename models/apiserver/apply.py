"""Server-side apply at the API server: from a configuration to the next version of an object, or its first. Pure.

The merge itself is models/objects/managed. Here stand the refusals with their real words, and the way from a typed object
to JSON and back; an apply that changes neither the object nor its managers gives the object back as it is, so that
nothing is written.
Sources: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go (applyPatcher),
staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/{structuredmerge,versioncheck,conflict,lastappliedupdater}.go.

Called by writes.py for PATCH with an apply configuration.
Not modelled: strict decoding of duplicate keys in YAML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from chaoskube.models.apiserver.api import Cause, Request, Status
from chaoskube.models.apiserver.bodies import bare_tree, from_tree
from chaoskube.models.apiserver.errors import ApiError, bad_request, plain_error
from chaoskube.models.apiserver.managing import reset_fields, type_of, who_writes
from chaoskube.models.objects import KubeObject, thaw
from chaoskube.models.objects.managed.applying import (
    KUBECTL,
    LAST_APPLIED,
    Apply,
    ApplyConflict,
    Conflict,
    apply,
)
from chaoskube.models.objects.managed.field_set import path_text
from chaoskube.models.objects.managed.managers import APPLY, Entry, Managers
from chaoskube.models.objects.managed.shapes import ShapeError, empty_object
from chaoskube.models.objects.omitted import without_empties
from chaoskube.models.objects.resources import Resource

Tree = dict[str, Any]  # plain JSON


def applied(current: KubeObject | None, request: Request, resource: Resource, now_ns: int) -> KubeObject:
    """`current` (None: there is none yet) after an apply, with its managers."""
    config = _config_of(request, resource)
    found = type_of(resource)
    managers = None if current is None else current.metadata.managed_fields
    entries = () if managers is None else managers.entries
    live = _empty(resource) if current is None else without_empties(bare_tree(current))
    asked = Apply(
        config=config,
        found=found,
        who=who_writes(request, resource, now_ns),
        force=request.force,
        ignored=reset_fields(resource, request.subresource),
    )
    try:
        done = apply(live, entries, asked)
    except ApplyConflict as error:
        raise _conflict(error.conflicts) from error
    except ShapeError as error:
        raise plain_error(
            f"failed to create typed patch object ({_named(config, resource)}): {error}"
        ) from error
    new = (
        current if done.tree is None and current is not None else _read(done.tree or live, request, resource)
    )
    new = _with_last_applied(new, config, request)
    check_identity(new, request)
    settled = Managers(done.entries)
    if managers is not None and settled == managers:
        settled = managers
    return evolve(new, metadata=evolve(new.metadata, managed_fields=settled))


def _config_of(request: Request, resource: Resource) -> Tree:
    config = thaw(request.body)
    if not isinstance(config, dict):
        raise bad_request(f"error decoding patch: {_unreadable(config)}")
    api_version, kind = config.get("apiVersion") or "", config.get("kind") or ""
    if (api_version, kind) != (resource.api_version, resource.kind):
        group = _group_version(str(api_version)) if api_version else "/"
        raise bad_request(f"invalid object type: {group}, Kind={kind}")
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    return config


def _unreadable(config: object) -> str:
    kind = "array" if isinstance(config, list) else "string"
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


def _group_version(api_version: str) -> str:
    return api_version if "/" in api_version else f"/{api_version}"


def _named(config: Mapping[str, Any], resource: Resource) -> str:
    metadata = config.get("metadata")
    if not isinstance(metadata, Mapping):
        metadata = {}
    name = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    return f"{name}; {_group_version(resource.api_version)}, Kind={resource.kind}"


def _empty(resource: Resource) -> Tree:
    head: Tree = {"apiVersion": resource.api_version, "kind": resource.kind}
    return head if resource.custom is not None else {**empty_object(type_of(resource)), **head}


def _read(tree: Mapping[str, Any], request: Request, resource: Resource) -> KubeObject:
    """The merged tree as an object, with defaults; nulls and what is empty are left out, as Go leaves them out."""
    return from_tree(_without_nulls(tree), resource, "Ignore")[0]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, (list, tuple)) else value


def _with_last_applied(new: KubeObject, config: Mapping[str, Any], request: Request) -> KubeObject:
    """kubectl's annotation, where there is one, goes with what it applies, so that it can go back to client-side apply."""
    if request.field_manager != KUBECTL or not new.metadata.annotations.get(LAST_APPLIED):
        return new
    metadata = dict(config.get("metadata") or {})
    annotations = {
        name: text for name, text in (metadata.pop("annotations", None) or {}).items() if name != LAST_APPLIED
    }
    if annotations:
        metadata["annotations"] = annotations
    text = json.dumps(
        {**config, "metadata": metadata}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    with_text = new.metadata.annotations.plus({LAST_APPLIED: f"{text}\n"})
    return evolve(new, metadata=evolve(new.metadata, annotations=with_text))


def check_identity(new: KubeObject, request: Request) -> None:
    """What is written must mean the object on the URL. (rest.EnsureObjectNamespaceMatchesRequestNamespace, checkName)"""
    if new.namespace and new.namespace != request.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not new.name:
        raise bad_request(
            f"the name of the object ({request.name} based on URL) was undeterminable: name must be provided"
        )
    if new.name != request.name:
        raise bad_request(
            f"the name of the object ({new.name}) does not match the name on the URL ({request.name})"
        )


# ---- conflicts


def _conflict(conflicts: tuple[Conflict, ...]) -> ApiError:
    """409, with a cause for each field that others manage."""
    causes = tuple(
        [
            Cause(
                reason="FieldManagerConflict",
                message=f"conflict with {_manager_text(one.entry)}",
                field=path_text(one.path),
            )
            for one in conflicts
        ]
    )
    return ApiError(Status(code=409, reason="Conflict", message=_message(conflicts), causes=causes))


def _message(conflicts: tuple[Conflict, ...]) -> str:
    if len(conflicts) == 1:
        one = conflicts[0]
        return (
            f"Apply failed with 1 conflict: conflict with {_manager_text(one.entry)}: {path_text(one.path)}"
        )
    lines: dict[str, list[str]] = {}
    for one in conflicts:
        lines.setdefault(_manager_text(one.entry), []).append(f"- {path_text(one.path)}")
    said = "\n".join(["\n".join([f"conflicts with {who}:", *paths]) for who, paths in lines.items()])
    return f"Apply failed with {len(conflicts)} conflicts: {said}"


def _manager_text(entry: Entry) -> str:
    said = json.dumps(entry.manager, ensure_ascii=False)
    if entry.subresource:
        said += f' with subresource "{entry.subresource}"'
    return said if entry.operation == APPLY else f"{said} using {entry.api_version}"
