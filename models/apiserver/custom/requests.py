"""Requests for custom objects and for definitions, where they differ from all others: as wrappers of flows.

A definition whose names were accepted a moment ago may not be known to every server: a create waits for 2 s, so that whoever
made an object can get it from any server afterwards. While a definition is being deleted its objects may be changed and
deleted, but no new ones are taken. The first DELETE of a definition only marks it (`definitions.marked_for_deletion`).

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go,
pkg/registry/customresourcedefinition/etcd.go.

Called by `handlers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve

from chaoskube.models.apiserver.api import CREATE, LIST, WATCH, ObjectList, Preconditions, Request
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.custom.definitions import ESTABLISHED, is_terminating, marked_for_deletion
from chaoskube.models.apiserver.custom.objects import version_of
from chaoskube.models.apiserver.custom.versions import served
from chaoskube.models.apiserver.errors import conflict, forbidden, no_such_resource, not_found
from chaoskube.models.apiserver.flow import Context, Flow, Pause
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.storage import guaranteed_update, read
from chaoskube.models.apiserver.writes import Done, delete_object
from chaoskube.models.objects import CustomResourceDefinition, KubeObject
from chaoskube.models.objects.conditions import get_condition
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND

DEFINITIONS: Final = "customresourcedefinitions"
JUST_ESTABLISHED_NS: Final = 2 * SECOND


def check_path(request: Request, resource: Resource) -> None:
    """404 for a namespace too many or too few, and for a subresource that this version hasn't got."""
    is_anywhere = request.verb in (LIST, WATCH) and not request.name
    if bool(request.namespace) != resource.namespaced and (request.namespace or not is_anywhere):
        raise no_such_resource()
    known = {"": True, "status": resource.has_status, "scale": resource.has_scale}
    if not known.get(request.subresource, False):
        raise not_found(resource.plural, resource.group, request.name)


def custom_request(flow: Flow[Done], ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """The flow of a request for custom objects, after what its definition has to say."""
    definition = definition_of(ctx, resource)
    if request.verb == CREATE and definition is not None:
        if _was_just_established(definition, ctx.wall_ns()):
            yield Pause(JUST_ESTABLISHED_NS)
        if is_terminating(definition):
            why = "create not allowed while custom resource definition is terminating"
            raise forbidden(resource.plural, resource.group, _name_of(request), why)
    return (yield from served(flow, resource, ctx.resources))


def _name_of(request: Request) -> str:
    """The name in the path, or else in the object."""
    body = request.body
    if isinstance(body, Mapping):
        metadata = body.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""
    return body.name if isinstance(body, KubeObject) else request.name


def discover(ctx: Context) -> Done:
    """What stands for the discovery documents: the definitions of all custom resources that are served here."""
    names = dict.fromkeys([version_of(one).definition for one in ctx.resources.custom()])
    resource = ctx.resources.resource_of(DEFINITIONS)
    found = [ctx.cache(DEFINITIONS).get(key_of(resource, "", name)) for name in names]
    items = tuple([one for one in found if one is not None])
    body = ObjectList(
        kind="APIGroupDiscoveryList", api_version="apidiscovery.k8s.io/v2", resource_version="", items=items
    )
    return Done(code=200, body=body)


def definition_of(ctx: Context, resource: Resource) -> CustomResourceDefinition | None:
    """The definition of a custom resource, as this server knows it."""
    name = version_of(resource).definition
    found = ctx.cache(DEFINITIONS).get(key_of(ctx.resources.resource_of(DEFINITIONS), "", name))
    return found if isinstance(found, CustomResourceDefinition) else None


def _was_just_established(definition: CustomResourceDefinition, now_ns: int) -> bool:
    condition = get_condition(definition.status.conditions, ESTABLISHED)
    since = None if condition is None else condition.last_transition_time
    return since is not None and now_ns - since < JUST_ESTABLISHED_NS


def delete_definition(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """DELETE of a definition: the first marks it, another is an ordinary delete."""
    key = key_of(resource, "", request.name)
    current = yield from read(key)
    if current is None:
        raise not_found(resource.plural, resource.group, request.name)
    wanted = request.delete_options.preconditions or Preconditions()
    _check(wanted, current, resource)
    if current.metadata.deletion_timestamp is not None:
        return (yield from delete_object(ctx, request, resource))
    uid = current.uid

    def change(newest: KubeObject | None) -> Flow[KubeObject]:
        yield from ()
        if newest is None or newest.uid != uid:
            raise not_found(resource.plural, resource.group, request.name)
        assert isinstance(newest, CustomResourceDefinition), f"{key} holds {newest!r}"
        return marked_for_deletion(newest, ctx.wall_ns())

    if request.dry_run:
        marked = yield from change(current)
        metadata = evolve(marked.metadata, resource_version=current.resource_version)
        return Done(code=200, body=evolve(marked, metadata=metadata))
    saved = yield from guaranteed_update(key, current, change)
    write_recorded(ctx, request, resource, saved)
    return Done(code=200, body=saved.obj)


def _check(wanted: Preconditions, current: KubeObject, resource: Resource) -> None:
    for what, asked, found in (
        ("UID", wanted.uid, current.uid),
        ("ResourceVersion", wanted.resource_version, current.resource_version),
    ):
        if asked is not None and asked != found:
            why = f"precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"
            raise conflict(resource.plural, resource.group, current.name, why)
